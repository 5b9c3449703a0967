"""etcdctl sessions: what is typed, and a way to run it. `python etcd_transcripts.py ENDPOINT ETCDCTL OUT.json` records
them from a fresh real etcd; test_etcd_face.py compares ours with the recordings."""
import json
import re
import subprocess
import sys

# One session, in order, on a fresh etcd. A dict: with stdin, or a watch that is cut off after a second.
SESSION = [
    "put a 1", "put a 2", "put b 1 --prev-kv", "put a 3 --prev-kv", "put c", "get a", "get a -w json", "get a -w fields",
    "get nothing", "get nothing -w json", "get a --rev 2", "get a --rev 3 -w json", "get a --rev 99", "get a --rev 99 -w json",
    "get '' --prefix", "get '' --prefix --keys-only", "get '' --from-key -w json", "get a c", "get a c -w fields",
    "get '' --prefix --limit 1 -w json", "get '' --prefix --limit 2 --sort-by MODIFY --order DESCEND -w json",
    "get '' --prefix --sort-by CREATE --order DESCEND", "get '' --prefix --sort-by VERSION", "get '' --prefix --sort-by VALUE",
    "get '' --prefix --order DESCEND", "get '' --prefix --sort-by KEY --order ASCEND --print-value-only",
    "get a --print-value-only", "get a --consistency s", "get a --hex", "get b a", "get b a -w json",
    "put zz/1 x", "put zz/2 y", "put zz/3 z", "get zz/ --prefix -w json", "get zz/2 --from-key",
    "del zz/2", "del zz/2", "del zz/ --prefix --prev-kv", "del zz/ --prefix -w json", "put zz/4 again -w json", "del zz/4 -w fields",
    "put k v --ignore-value", "put b --ignore-value", "put missing --ignore-value", "put b 9 --ignore-lease",
    "put missing 9 --ignore-lease", "put '' x", "put l v --lease=1234", "get a -w protobuf",
    dict(cmd="txn", stdin='mod("a") > "0"\n\nput x 1\nget a\n\nput x 2\n\n'),
    dict(cmd="txn", stdin='value("a") = "no"\n\nput x 1\n\nput x 2\nget x\ndel b\n\n'),
    dict(cmd="txn -w json", stdin='create("new") = "0"\nver("a") = "3"\n\nput new 1\nput new2 2\nget new\n\nget a\n\n'),
    dict(cmd="txn -w fields", stdin='val("new") != "1"\n\nget a\n\ndel new --prev-kv\nget new2 --keys-only\n\n'),
    dict(cmd="txn", stdin='\n\nput twice 1\nput twice 2\n\n\n'),
    dict(cmd="txn", stdin='\n\nput twice 1\ndel twi --prefix\n\n\n'),
    dict(cmd="txn", stdin='\n\nget a --rev 1000\n\n\n'),
    dict(cmd="watch '' --prefix --rev 1", watch=True), dict(cmd="watch a --rev 2 --prev-kv", watch=True),
    dict(cmd="watch new --rev 10 -w json", watch=True), dict(cmd="watch a c --rev 3 -w fields", watch=True),
    "compaction 10", "compaction 10", "compaction 5", "compaction 999", "compaction 12 --physical", "get a --rev 5", "get a --rev 12",
    "get a --rev 11 -w json",
    dict(cmd="watch '' --prefix --rev 2", watch=True), dict(cmd="watch '' --prefix --rev 12 --prev-kv", watch=True),
    "lease grant 1", "lease grant 1000", "lease list", "lease timetolive 77", "lease revoke 77", "lease grant 9000000001",
    "lease grant 0", "lease timetolive 77 -w json",
    "alarm list", "alarm list -w json", "member list", "member list -w json", "member list -w table", "endpoint health -w simple",
    "alarm disarm", "auth status", "defrag",
]


def normal(text):
    text = re.sub(r"\blease [0-9a-f]{8,16}\b", "lease ID", text)
    text = re.sub(r"(?m)^[0-9a-f]{14,16}$", "ID", text)
    text = re.sub(r"took( =)? [0-9.]+\S+", "took T", text)
    text = re.sub(r"https?://127\.0\.0\.1:\d+|127\.0\.0\.1:\d+", "ENDPOINT", text)
    text = re.sub(r'"ts":"[^"]*"|"(?:target|caller|logger)":"[^"]*"|(?:bufnet|endpoint)-?[:\w/.]*passthrough[^ "]*', '"x":""', text)
    text = re.sub(r"(?m)^\{\"level\":\"warn\".*\"retrying of unary invoker failed\".*\n", "", text)
    return re.sub(r"  +|-{3,}|\u2500+", " ", text)


def split(command):
    import shlex
    return shlex.split(command)


def run(etcdctl, endpoint, step):
    step = step if isinstance(step, dict) else dict(cmd=step)
    argv = [etcdctl, "--endpoints", endpoint, *split(step["cmd"])]
    env = {"PATH": "/usr/bin:/bin"}
    if step.get("watch"):
        argv = ["timeout", "1", *argv]
    done = subprocess.run(argv, input=step.get("stdin", ""), capture_output=True, text=True, env=env, timeout=30, errors="replace")
    return dict(cmd=step["cmd"], rc=done.returncode, out=normal(done.stdout), err=normal(done.stderr))


def session(etcdctl, endpoint):
    return [run(etcdctl, endpoint, step) for step in SESSION]


if __name__ == "__main__":
    with open(sys.argv[3], "w") as out:
        rows = session(sys.argv[2], sys.argv[1])
        out.write("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in rows) + "\n]\n")
