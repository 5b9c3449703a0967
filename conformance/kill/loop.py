"""loop.py: kill -9 of etcd and of apisim under load, and a checker that replays etcd's history.

  python3 conformance/kill/loop.py --kills 200 [--seed N] [--apisim build/apisim]

Writers create, update and delete ConfigMaps, each write with a mark of its own; watchers resume where they were cut.
etcd (with fsync, on disk) and apisim are killed in turn and started again. At the end etcd's whole history is read and
  - every acknowledged write is there, at the revision that was answered;
  - every write, acknowledged or not, is there at most once, and nothing else is;
  - what each watcher saw, over all its connections, is the history from where it began, no event missing, none twice.
A watcher that is told 410 lists again: that is allowed, and counted.
Exit code 0: all of it holds.
"""

import argparse
import base64
import collections
import http.client
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "external"))
from etcd import Etcd, free_port  # noqa: E402

PATH = "/api/v1/namespaces/default/configmaps"
PREFIX = b"/registry/configmaps/default/"
TOKEN = "admintoken"


class Apisim:
    def __init__(self, binary, directory, etcd_url):
        self.port = free_port()
        self.directory = pathlib.Path(directory)
        (self.directory / "tokens.csv").write_text(f"{TOKEN},admin,admin-uid,system:masters\n")
        self.command = [binary, "serve", "--bind-address=127.0.0.1", "--secure-port=0", f"--http-port={self.port}",
                        f"--token-auth-file={self.directory}/tokens.csv", "--etcd-servers", etcd_url, "--etcd-compaction-interval=0"]
        self.process = None

    def start(self):
        with open(self.directory / "log", "a") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def request(self, method, path, body=None, timeout=40):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, json.dumps(body) if body else None,
                               {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


class Writer(threading.Thread):
    """Its own names, so that what it knows of them is what it did."""

    def __init__(self, run, number):
        super().__init__(daemon=True)
        self.run_, self.number, self.random = run, number, random.Random(run.seed * 1000 + number)
        self.acknowledged = []  # (mark or None, verb, name, revision)
        self.sent = set()  # marks
        self.counts = collections.Counter()

    def run(self):
        names, serial = {}, 0  # name: True if it exists, None if that is not known
        while not self.run_.over:
            serial += 1
            name = f"w{self.number}-{self.random.randrange(20)}"
            mark = f"mark-{self.number}-{serial}-"
            known = names.get(name, False)
            if known is None:
                names[name] = self.exists(name)
                continue
            verb = "POST" if not known else self.random.choice(["PUT", "PUT", "DELETE"])
            body = {"metadata": {"name": name}, "data": {"mark": mark, "fill": "x" * 200}}
            if verb != "DELETE":
                self.sent.add(mark)
            try:
                status, answer = self.run_.apisim.request(verb, PATH + ("" if verb == "POST" else "/" + name), None if verb == "DELETE" else body)
            except (OSError, http.client.HTTPException, ValueError):
                self.counts["cut"] += 1
                names[name] = None
                time.sleep(0.02)
                continue
            self.counts[status] += 1
            if status in (200, 201):
                names[name] = verb != "DELETE"
                revision = None if verb == "DELETE" else int(answer["metadata"]["resourceVersion"])
                self.acknowledged.append((None if verb == "DELETE" else mark, verb, name, revision))
            elif status in (404, 409, 429):
                names[name] = None
                time.sleep(0.02)
            else:
                names[name] = None
                self.run_.odd[status, answer.get("message", "")] += 1

    def exists(self, name):
        try:
            status, _ = self.run_.apisim.request("GET", PATH + "/" + name, timeout=5)
            return {200: True, 404: False}.get(status)
        except (OSError, http.client.HTTPException, ValueError):
            time.sleep(0.02)
            return None


class Watcher(threading.Thread):
    def __init__(self, run, number):
        super().__init__(daemon=True)
        self.run_, self.number = run, number
        self.streams = []  # each: [from revision, [(type, name, revision)...]]
        self.connections = self.relists = 0

    def run(self):
        revision = None
        while not self.run_.over or self.behind(revision):
            try:
                if revision is None:
                    status, answer = self.run_.apisim.request("GET", PATH, timeout=5)
                    if status != 200:
                        time.sleep(0.02)
                        continue
                    revision = int(answer["metadata"]["resourceVersion"])
                    self.relists += 1
                    self.streams.append([revision, []])
                revision = self.follow(revision)
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.01)
                events = self.streams[-1][1] if self.streams else []
                revision = events[-1][2] if events else revision

    def behind(self, revision):
        return self.run_.last_revision is not None and (revision is None or revision < self.run_.last_revision)

    def follow(self, revision):
        self.connections += 1
        connection = http.client.HTTPConnection("127.0.0.1", self.run_.apisim.port, timeout=5)
        try:
            connection.request("GET", f"{PATH}?watch=1&resourceVersion={revision}", headers={"Authorization": "Bearer " + TOKEN})
            answer = connection.getresponse()
            if answer.status != 200:
                answer.read()
                time.sleep(0.02)
                return revision
            while True:
                line = answer.readline()
                if not line.endswith(b"\n"):
                    return revision
                event = json.loads(line)
                if event["type"] == "ERROR":
                    assert event["object"]["code"] in (410, 429, 500, 504), event
                    return None if event["object"]["code"] == 410 else revision
                meta = event["object"]["metadata"]
                revision = int(meta["resourceVersion"])
                self.streams[-1][1].append((event["type"], meta["name"], revision))
                if self.run_.over and not self.behind(revision):
                    return revision
        finally:
            connection.close()


class Run:
    def __init__(self, seed):
        self.seed, self.over, self.last_revision, self.odd = seed, False, None, collections.Counter()


def history(etcd):
    """Every change of the prefix: (revision, name, 'PUT' or 'DELETE', value)."""
    import urllib.request
    body = {"create_request": {"key": base64.b64encode(PREFIX).decode(), "range_end": base64.b64encode(PREFIX[:-1] + b"0").decode(), "start_revision": "1"}}
    b64 = lambda s: base64.b64decode(s or "")
    end = base64.b64encode(b"/registry/").decode()
    now = int(etcd.post("kv/range", {"key": end})["header"]["revision"])
    found, last = [], 0
    with urllib.request.urlopen(urllib.request.Request(etcd.url + "/v3/watch", json.dumps(body).encode()), timeout=60) as stream:
        target = max((int(kv["mod_revision"]) for kv in etcd.post("kv/range", {
            "key": body["create_request"]["key"], "range_end": body["create_request"]["range_end"], "sort_target": "MOD",
            "sort_order": "DESCEND", "limit": "1"}).get("kvs", [])), default=0)
        while last < target:
            for event in json.loads(stream.readline())["result"].get("events", []):
                kv = event["kv"]
                last = int(kv["mod_revision"])
                found.append((last, b64(kv["key"])[len(PREFIX):].decode(), event.get("type", "PUT"), b64(kv.get("value"))))
    return found, now


def check(run, etcd, writers, watchers):
    changes, _ = history(etcd)
    problems, at, marks = [], {}, collections.Counter()
    sent = set().union(*(w.sent for w in writers))
    for revision, name, kind, value in changes:
        at.setdefault((revision, name), (kind, value))
        if kind == "DELETE":
            continue
        mark = value[value.find(b"mark-"):].split(b"\n")[0]
        found = [m for m in [mark[:mark.rfind(b"-") + 1].decode()] if m in sent]
        if not found:
            problems.append(f"revision {revision}: a write of {name} that nobody sent: {mark[:40]}")
        marks.update(found)
    problems += [f"{mark} happened {n} times" for mark, n in marks.items() if n > 1]
    deletes = collections.Counter(name for _, name, kind, _ in changes if kind == "DELETE")
    acknowledged = 0
    for w in writers:
        gone = collections.Counter(name for _, verb, name, _ in w.acknowledged if verb == "DELETE")
        problems += [f"{n} deletions of {name} acknowledged, {deletes[name]} happened" for name, n in gone.items() if n > deletes[name]]
        for mark, verb, name, revision in w.acknowledged:
            acknowledged += 1
            if verb == "DELETE":
                continue
            kind, value = at.get((revision, name), (None, b""))
            if kind != "PUT" or mark.encode() not in value:
                problems.append(f"lost: {verb} {name} ({mark}) was acknowledged at revision {revision}")
    exists, shown = set(), []
    for revision, name, kind, _ in changes:
        shown.append(("DELETED" if kind == "DELETE" else "MODIFIED" if name in exists else "ADDED", name, revision))
        (exists.discard if kind == "DELETE" else exists.add)(name)
    events = 0
    for w in watchers:
        for begun, seen in w.streams:
            events += len(seen)
            last = seen[-1][2] if seen else begun
            want = [e for e in shown if begun < e[2] <= last]
            if seen != want:
                i = next((i for i, (a, b) in enumerate(zip(seen, want)) if a != b), min(len(seen), len(want)))
                problems.append(f"watcher {w.number} from {begun}: event {i} is {seen[i:i + 1]}, should be {want[i:i + 1]}")
    return problems, len(changes), acknowledged, events


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--apisim", default="build/apisim")
    p.add_argument("--kills", type=int, default=200, help="of each")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--writers", type=int, default=6)
    p.add_argument("--watchers", type=int, default=3)
    o = p.parse_args()
    rng, run = random.Random(o.seed), Run(o.seed)
    etcd = Etcd(fsync=True)
    etcd.wait()
    with tempfile.TemporaryDirectory(prefix="apisim-kill-") as directory:
        run.apisim = Apisim(os.path.abspath(o.apisim), directory, etcd.url)
        run.apisim.start()
        writers = [Writer(run, i) for i in range(o.writers)]
        watchers = [Watcher(run, i) for i in range(o.watchers)]
        for t in writers + watchers:
            t.start()
        left, started = {"etcd": o.kills, "apisim": o.kills}, time.monotonic()
        while any(left.values()):
            before = sum(len(w.acknowledged) for w in writers)
            time.sleep(rng.uniform(0.02, 0.5))
            patience = time.monotonic() + 20  # killed is what works, not what starts
            while sum(len(w.acknowledged) for w in writers) < before + 5 and time.monotonic() < patience:
                time.sleep(0.01)
            which = rng.choice([k for k, n in left.items() if n])
            left[which] -= 1
            victim = etcd if which == "etcd" else run.apisim
            victim.kill()
            if rng.random() < 0.3:
                time.sleep(rng.uniform(0, 0.3))
            victim.start()
            if sum(left.values()) % 50 == 0:
                print(f"{time.monotonic() - started:6.0f} s  kills left {left}  acknowledged {sum(len(w.acknowledged) for w in writers)}", flush=True)
        time.sleep(2)
        etcd.wait()
        run.over = True
        for w in writers:
            w.join(60)
        changes, now = history(etcd)
        run.last_revision = changes[-1][0]
        for w in watchers:
            w.join(60)
        stuck = [w.name for w in writers + watchers if w.is_alive()]
        problems, total, acknowledged, events = check(run, etcd, writers, watchers)
        problems += [f"{name} is stuck" for name in stuck]
        run.apisim.kill()
        log = (pathlib.Path(directory) / "log").read_text()
        problems += [line for line in log.split("\n") if "Assertion" in line or "AddressSanitizer" in line]
        counts = sum((w.counts for w in writers), collections.Counter())
        print(f"kills: {o.kills} of etcd, {o.kills} of apisim in {time.monotonic() - started:.0f} s; changes in etcd: {total}; acknowledged: {acknowledged}; "
              f"events seen: {events} over {sum(w.connections for w in watchers)} connections, {sum(w.relists for w in watchers)} lists")
        print(f"answers: {dict(counts)}; odd: {dict(run.odd)}")
        print("\n".join(problems[:20]) if problems else "acknowledged writes lost: 0; gaps or repeats in watches: 0")
    etcd.close()
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
