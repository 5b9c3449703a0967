"""A server that keeps its objects in a real etcd: what is stored there, and what it answers when etcd is killed, paused,
compacted behind its back, full, or answers nonsense. The list, watch and client suites run over etcd by themselves."""

import base64
import http.client
import json
import socket
import subprocess
import threading
import time
import urllib.error

import pytest

from conftest import start, stop, wait_ready, wait_for
from etcd import Etcd, free_port

MAPS = "/api/v1/namespaces/default/configmaps"
K1, K2 = base64.b64encode(b"a" * 32).decode(), base64.b64encode(b"b" * 32).decode()


@pytest.fixture
def etcd():
    e = Etcd().wait()
    yield e
    e.close()


@pytest.fixture
def serve(tmp_path):
    servers = []

    def run(etcd_url, *flags, ready=True):
        directory = tmp_path / str(len(servers))
        directory.mkdir()
        servers.append(start(directory, "--etcd-servers", etcd_url, *flags))
        return wait_ready(servers[-1]) if ready else servers[-1]

    yield run
    for server in servers:
        ended = server.process.poll()
        stop(server)
        assert ended is None, server.log.read_text()


def ask(server, method, path, body=None, timeout=50, content="application/json"):
    c = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=timeout)
    c.request(method, path, json.dumps(body) if body is not None else None,
              {"Authorization": "Bearer " + server.token, "Content-Type": content})
    answer = c.getresponse()
    text = answer.read()
    c.close()
    return answer, json.loads(text) if text[:1] == b"{" else text.decode()


def config_map(name, **data):
    return {"metadata": {"name": name}, "data": data}


def b64(s):
    return base64.b64encode(s.encode()).decode()


def stored(etcd, key):
    kvs = etcd.post("kv/range", {"key": b64(key)}).get("kvs", [])
    return base64.b64decode(kvs[0]["value"]) if kvs else None


def keys(etcd, prefix):
    got = etcd.post("kv/range", {"key": b64(prefix), "range_end": b64(prefix[:-1] + chr(ord(prefix[-1]) + 1)), "keys_only": True})
    return [base64.b64decode(kv["key"]).decode() for kv in got.get("kvs", [])]


# ---- what is stored

def test_bytes_are_the_real_servers(etcd, serve):
    server = serve(etcd.url)
    _, made = ask(server, "POST", MAPS, config_map("a", k="v"))
    value = stored(etcd, "/registry/configmaps/default/a")
    assert value.startswith(b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12")
    assert made["metadata"]["uid"].encode() in value
    revision = made["metadata"]["resourceVersion"].encode()
    assert b"2" + bytes([len(revision)]) + revision not in value  # field 6 of ObjectMeta, as it would stand there


def revision_of(etcd):
    return int(etcd.post("kv/range", {"key": b64("x")})["header"]["revision"])


EVENTS = "/api/v1/namespaces/default/events"


def event(name):
    return {"metadata": {"name": name, "namespace": "default"}, "involvedObject": {"namespace": "default"}, "reason": "R", "type": "Normal"}


def test_overrides(etcd, serve):
    """Events and all of apps in an etcd of their own: keys, revisions, watches, lists and health are that one's."""
    other = Etcd().wait()
    try:
        server = serve(etcd.url, f"--etcd-servers-overrides=/events#{other.url},apps/*#{other.url}", f"--etcd-servers-overrides=/secrets#{etcd.url};{etcd.url}")
        assert ask(server, "POST", EVENTS, event("e"))[0].status == 201
        assert keys(other, "/registry/") == ["/registry/events/default/e"]
        assert "/registry/events/default/e" not in keys(etcd, "/registry/")
        _, listed = ask(server, "GET", "/apis/events.k8s.io/v1/namespaces/default/events")
        assert [i["metadata"]["name"] for i in listed["items"]] == ["e"]
        assert int(listed["metadata"]["resourceVersion"]) == revision_of(other) < revision_of(etcd)
        _, maps = ask(server, "GET", MAPS)
        assert int(maps["metadata"]["resourceVersion"]) == revision_of(etcd)
        watch = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=30)
        watch.request("GET", f"{EVENTS}?watch=1&resourceVersion={listed['metadata']['resourceVersion']}", headers={"Authorization": "Bearer " + server.token})
        stream = watch.getresponse()
        for i in range(3):
            assert ask(server, "POST", MAPS, config_map(f"m{i}"))[0].status == 201
        assert ask(server, "POST", EVENTS, event("f"))[0].status == 201
        told = json.loads(stream.readline())
        assert (told["type"], told["object"]["metadata"]["name"]) == ("ADDED", "f")
        assert int(told["object"]["metadata"]["resourceVersion"]) == revision_of(other)
        watch.close()
        checks = ask(server, "GET", "/readyz?verbose")[1].split("\n")
        at = checks.index("[+]etcd-readiness ok")  # the real server's order
        assert checks[at - 1:at + 6] == ["[+]etcd ok", "[+]etcd-readiness ok", "[+]etcd-override-0 ok", "[+]etcd-override-readiness-0 ok",
                                         "[+]etcd-override-1 ok", "[+]etcd-override-readiness-1 ok", "[+]informer-sync ok"]
        other.pause()
        try:
            wait_for(lambda: ask(server, "GET", "/readyz")[0].status == 500)
            failing = [line for line in ask(server, "GET", "/readyz")[1].split("\n") if line.startswith("[-]")]
            assert failing == ["[-]etcd-override-0 failed: reason withheld", "[-]etcd-override-readiness-0 failed: reason withheld"]
            assert ask(server, "GET", MAPS + "/m1")[0].status == 200
            assert ask(server, "GET", EVENTS + "/e?timeout=1s")[0].status == 504
        finally:
            other.go_on()
        wait_for(lambda: ask(server, "GET", "/readyz")[0].status == 200)
        assert ask(server, "GET", EVENTS + "/e")[0].status == 200
    finally:
        other.close()


def test_media_type_json(etcd, serve):
    server = serve(etcd.url, "--storage-media-type=application/json")
    ask(server, "POST", MAPS, config_map("a", k="v"))
    value = stored(etcd, "/registry/configmaps/default/a")
    assert value.endswith(b"}\n") and json.loads(value)["data"] == {"k": "v"} and b"resourceVersion" not in value
    other = serve(etcd.url)  # protobuf: reads it, and writes its own form
    assert ask(other, "GET", MAPS + "/a")[1]["data"] == {"k": "v"}
    ask(other, "PATCH", MAPS + "/a", {"data": {"k": "w"}}, content="application/merge-patch+json")
    assert stored(etcd, "/registry/configmaps/default/a").startswith(b"k8s\0")
    assert ask(server, "GET", MAPS + "/a")[1]["data"] == {"k": "w"}


def test_prefix(etcd, serve):
    server = serve(etcd.url, "--etcd-prefix=/elsewhere")
    ask(server, "POST", MAPS, config_map("a"))
    assert stored(etcd, "/elsewhere/configmaps/default/a") and not keys(etcd, "/registry/")
    other = serve(etcd.url)  # a cluster of its own
    assert ask(other, "GET", MAPS + "/a")[0].status == 404


def test_a_second_start_changes_nothing(etcd, serve):
    serve(etcd.url)
    before = revision_of(etcd)
    serve(etcd.url)
    assert revision_of(etcd) == before


def test_events_end(etcd, serve):
    server = serve(etcd.url, "--event-ttl=1s")
    assert ask(server, "POST", EVENTS, event("e"))[0].status == 201
    lease = etcd.post("kv/range", {"key": b64("/registry/events/default/e")})["kvs"][0]["lease"]
    assert int(lease) != 0
    end = time.monotonic() + 120
    while ask(server, "GET", EVENTS + "/e")[0].status == 200:
        assert time.monotonic() < end
        time.sleep(0.1)


def encryption(path, *providers):
    path.write_text("kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\nresources:\n- resources: [secrets]\n  providers:\n"
                    + "".join(f"  - {p}\n" for p in providers))
    return f"--encryption-provider-config={path}"


def test_encryption_and_rotation(etcd, serve, tmp_path):
    old = "aescbc: {keys: [{name: old, secret: %s}]}" % K1
    new = "secretbox: {keys: [{name: new, secret: %s}]}" % K2
    secrets, key = "/api/v1/namespaces/default/secrets", "/registry/secrets/default/s"
    server = serve(etcd.url, encryption(tmp_path / "1.yaml", old, "identity: {}"))
    ask(server, "POST", secrets, {"metadata": {"name": "s"}, "stringData": {"password": "hunter2"}})
    assert stored(etcd, key).startswith(b"k8s:enc:aescbc:v1:old:") and b"hunter2" not in stored(etcd, key)
    rotated = serve(etcd.url, encryption(tmp_path / "2.yaml", new, old))
    _, secret = ask(rotated, "GET", secrets + "/s")
    assert base64.b64decode(secret["data"]["password"]) == b"hunter2"
    answer, again = ask(rotated, "PUT", secrets + "/s", secret)  # the same object: written for the new key's sake
    assert answer.status == 200 and again["metadata"]["resourceVersion"] != secret["metadata"]["resourceVersion"]
    assert stored(etcd, key).startswith(b"k8s:enc:secretbox:v1:new:")
    _, same = ask(rotated, "PUT", secrets + "/s", again)
    assert same["metadata"]["resourceVersion"] == again["metadata"]["resourceVersion"]
    keyless = serve(etcd.url)
    answer, status = ask(keyless, "GET", secrets + "/s")
    assert answer.status == 500 and "identity transformer tried to read encrypted data" in status["message"]
    answer, status = ask(keyless, "GET", secrets)
    assert answer.status == 429 and "/registry/secrets/default/s" in status["message"]
    assert ask(keyless, "GET", MAPS)[0].status == 200


def test_encryption_is_reloaded(etcd, serve, tmp_path):
    """A new file is taken over while the server runs; what was stored before is rewritten by a write that changes nothing else."""
    def config(*keys):
        lines = "".join(f"      - {{name: {name}, secret: {secret}}}\n" for name, secret in keys)
        return "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n  - secretbox:\n      keys:\n" + lines

    file = tmp_path / "encryption.yaml"
    file.write_text(config(("one", K1)))
    server = serve(etcd.url, f"--encryption-provider-config={file}", "--encryption-provider-config-automatic-reload=true")
    secrets, key = "/api/v1/namespaces/default/secrets", "/registry/secrets/default/s"
    secret = ask(server, "POST", secrets, {"metadata": {"name": "s"}, "data": {"k": "dg=="}})[1]
    assert stored(etcd, key).startswith(b"k8s:enc:secretbox:v1:one:")
    same = ask(server, "PUT", secrets + "/s", secret)[1]
    assert same["metadata"]["resourceVersion"] == secret["metadata"]["resourceVersion"]

    def replace(text, words):
        beside = tmp_path / "beside"
        beside.write_text(text)
        beside.rename(file)
        wait_for(lambda: words in server.log.read_text())

    replace("nonsense: [", "not taken over")
    assert ask(server, "GET", secrets + "/s")[0].status == 200
    replace(config(("two", K2), ("one", K1)), "read again")
    assert ask(server, "GET", secrets + "/s")[1]["data"] == {"k": "dg=="}
    again = ask(server, "PUT", secrets + "/s", secret)[1]
    assert stored(etcd, key).startswith(b"k8s:enc:secretbox:v1:two:")
    assert again["metadata"]["resourceVersion"] != secret["metadata"]["resourceVersion"]
    assert ask(server, "PUT", secrets + "/s", again)[1]["metadata"]["resourceVersion"] == again["metadata"]["resourceVersion"]


# ---- faults

def test_not_there_yet(serve):
    port = free_port()
    server = serve(f"http://127.0.0.1:{port}", ready=False)
    answer, status = ask(server, "GET", MAPS)
    assert (answer.status, answer.headers["Retry-After"], status["message"]) == (429, "1", "storage is (re)initializing")
    answer, text = ask(server, "GET", "/readyz")
    assert answer.status == 500 and "[-]poststarthook/storage-readiness failed: reason withheld\n" in text
    assert text.endswith("readyz check failed\n")


def test_killed(etcd, serve):
    server = serve(etcd.url)
    ask(server, "POST", MAPS, config_map("a", k="v"))
    seen = Stream(server, MAPS)
    etcd.kill()
    assert ask(server, "GET", MAPS + "?resourceVersion=0")[0].status == 200  # from the copy
    assert ask(server, "GET", MAPS + "/a?resourceVersion=0")[1]["data"] == {"k": "v"}
    answer, status = ask(server, "POST", MAPS + "?timeout=300ms", config_map("b"))
    assert answer.status == 504 and answer.headers["Content-Type"] == "text/plain; charset=utf-8"  # the timeout filter's
    assert status == {
        "metadata": {}, "status": "Failure", "reason": "Timeout", "details": {}, "code": 504,
        "message": "Timeout: request did not complete within the allotted timeout"}
    answer, event = ask(server, "GET", MAPS + "?watch=1&timeoutSeconds=1")  # of the newest state
    assert answer.status == 200 and event == {"type": "ERROR", "object": {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500,
        "message": "context deadline exceeded"}}
    for path in (MAPS, MAPS + "/a"):  # the newest state can't be known
        answer, text = ask(server, "GET", path + "?timeout=300ms")
        assert answer.status == 504 and "within the allotted timeout" in str(text)
    wait_for(lambda: ask(server, "GET", "/readyz")[0].status == 500)
    assert "[-]etcd failed: reason withheld\n" in ask(server, "GET", "/livez?verbose")[1]
    etcd.start()
    assert ask(server, "POST", MAPS, config_map("c"))[0].status == 201  # waits until it is back
    wait_for(lambda: ask(server, "GET", "/readyz")[0].status == 200)
    assert ask(server, "GET", MAPS + "/b")[0].status == 404
    assert seen.upto("c") == [("ADDED", "a"), ("ADDED", "c")]


def test_paused(etcd, serve):
    server = serve(etcd.url)
    etcd.pause()
    answer, _ = ask(server, "POST", MAPS + "?timeout=300ms", config_map("a"))
    assert answer.status == 504
    etcd.go_on()
    assert ask(server, "POST", MAPS, config_map("b"))[0].status == 201
    assert ask(server, "GET", MAPS + "/a")[0].status in (200, 404)  # nobody can know


def test_clients_that_leave(etcd, serve):
    server = serve(etcd.url)
    etcd.pause()
    for _ in range(50):
        s = socket.create_connection(("127.0.0.1", server.http_port))
        s.sendall(f"GET {MAPS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n\r\n".encode())
        s.close()
    etcd.go_on()
    assert ask(server, "GET", MAPS)[0].status == 200


def test_compacted_behind_its_back(etcd, serve):
    server = serve(etcd.url)
    _, made = ask(server, "POST", MAPS, config_map("a"))
    stream = Stream(server, MAPS)
    assert stream.upto("a") == [("ADDED", "a")]
    etcd.pause()
    time.sleep(0.1)
    etcd.kill()
    etcd.start()
    etcd.wait()
    for i in range(20):
        etcd.post("kv/put", {"key": b64("/registry/unknown/x"), "value": b64(str(i))})
    now = etcd.post("kv/range", {"key": b64("x")})["header"]["revision"]
    etcd.post("kv/compaction", {"revision": now, "physical": True})
    assert ask(server, "GET", MAPS)[1]["items"][0]["metadata"]["name"] == "a"
    assert ask(server, "POST", MAPS, config_map("b"))[0].status == 201
    assert ask(server, "GET", f"{MAPS}?resourceVersion={made['metadata']['resourceVersion']}&resourceVersionMatch=Exact")[0].status in (200, 410)


def fill(etcd):
    """Until etcd refuses, by keys that are nobody's. The put that makes it full is sometimes done and refused all the same (its
    quota is looked at again when the entry is applied), so that one is not a server's."""
    for i in range(400):
        try:
            etcd.post("kv/put", {"key": b64(f"/filler/{i}"), "value": b64("x" * 50000)})
        except urllib.error.HTTPError as refused:
            assert "database space exceeded" in refused.read().decode()
            return
    raise AssertionError("etcd does not get full")


def test_full(serve):
    etcd = Etcd(False, "--quota-backend-bytes=2000000").wait()
    try:
        server = serve(etcd.url)
        for i in range(10):
            assert ask(server, "POST", MAPS, config_map(f"m{i}", k="x" * 50000))[0].status == 201
        fill(etcd)
        answer, status = ask(server, "POST", MAPS, config_map("late", k="x" * 50000))
        assert answer.status == 500 and status["message"] == "etcdserver: mvcc: database space exceeded"
        assert ask(server, "GET", MAPS + "/m0")[0].status == 200  # reading goes on
        assert len(ask(server, "GET", MAPS)[1]["items"]) == 10
        assert ask(server, "GET", MAPS + "/late")[0].status == 404
    finally:
        etcd.close()


def test_garbage():
    """A server that speaks no gRPC at all: refused, again and again, without an end of ours."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(16)

        def answer():
            while True:
                try:
                    c, _ = s.accept()
                except OSError:
                    return
                c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"\0\xff" * 2000)
                c.close()

        threading.Thread(target=answer, daemon=True).start()
        import tempfile
        with tempfile.TemporaryDirectory() as d:
            server = start(d, "--etcd-servers", f"http://127.0.0.1:{s.getsockname()[1]}")
            time.sleep(1)
            assert ask(server, "GET", MAPS)[0].status == 429
            assert server.process.poll() is None
            stop(server)


def test_failover(etcd, serve):
    server = serve(f"http://127.0.0.1:{free_port()},{etcd.url}")
    assert ask(server, "POST", MAPS, config_map("a"))[0].status == 201


def test_tls(serve, tmp_path):
    run = lambda *a: subprocess.run(["openssl", *map(str, a)], check=True, capture_output=True, cwd=tmp_path)
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca", "-days", "2")
    for name in ("server", "client"):
        run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (tmp_path / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.crt", "-days", "2", "-extfile", "ext")
    etcd = Etcd.__new__(Etcd)
    etcd.scheme = "https"
    Etcd.__init__(etcd, False, "--cert-file", str(tmp_path / "server.crt"), "--key-file", str(tmp_path / "server.key"),
                  "--client-cert-auth", "--trusted-ca-file", str(tmp_path / "ca.crt"))
    try:
        files = [f"--etcd-cafile={tmp_path}/ca.crt", f"--etcd-certfile={tmp_path}/client.crt", f"--etcd-keyfile={tmp_path}/client.key"]
        server = serve(etcd.url, *files)
        assert ask(server, "POST", MAPS, config_map("a"))[0].status == 201
        stranger = serve(etcd.url, files[0], ready=False)
        time.sleep(1)
        assert ask(stranger, "GET", MAPS)[0].status == 429
    finally:
        etcd.close()


@pytest.mark.parametrize("flags, words", [
    (["--etcd-servers=ftp://x"], "--etcd-servers: a scheme that is not http or https"),
    (["--etcd-servers=http://127.0.0.1:1", "--etcd-certfile=x"], "--etcd-certfile and --etcd-keyfile go together"),
    (["--etcd-servers=http://127.0.0.1:1", "--storage-media-type=text/plain"], "--storage-media-type \"text/plain\" is not supported"),
    (["--etcd-servers=http://127.0.0.1:1", "--etcd-servers-overrides=/events"], "--etcd-servers-overrides invalid, must be of format: group/resource#servers, where servers are URLs, semicolon separated"),
    (["--etcd-servers=http://127.0.0.1:1", "--encryption-provider-config=/nowhere"], "can't read --encryption-provider-config /nowhere"),
])
def test_bad_flags(flags, words):
    from conftest import binary
    done = subprocess.run([binary(), "serve", "--bind-address=127.0.0.1", "--secure-port=0", *flags], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and words in done.stderr


# ---- helpers

class Stream:
    """A watch from the state there is; what it saw, by name."""

    def __init__(self, server, path):
        self.socket = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=30)
        self.socket.request("GET", path + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
                            headers={"Authorization": "Bearer " + server.token})
        self.answer, self.seen = self.socket.getresponse(), []

    def upto(self, name):
        while not self.seen or self.seen[-1][1] != name:
            event = json.loads(self.answer.readline())
            if event["type"] != "BOOKMARK":
                self.seen.append((event["type"], event["object"]["metadata"]["name"]))
        return self.seen


def test_health_asks_etcd(etcd, serve):
    """The words are the real server's: of one check alone, of all, and without the one that fails."""
    server = serve(etcd.url, "--etcd-healthcheck-timeout=200ms", "--etcd-readycheck-timeout=300ms")
    alone = "internal server error: error getting data from etcd: context deadline exceeded\n"
    for path in ("/healthz/etcd", "/livez/etcd", "/readyz/etcd", "/readyz/etcd-readiness", "/healthz", "/livez", "/readyz"):
        wait_for(lambda p=path: ask(server, "GET", p)[0].status == 200)
    etcd.pause()
    try:
        for path in ("/healthz/etcd", "/livez/etcd", "/readyz/etcd-readiness"):
            wait_for(lambda p=path: ask(server, "GET", p)[0].status == 500)  # a result of before counts for half of the time
            answer, text = ask(server, "GET", path)
            assert (answer.status, text) == (500, alone)
        for path, failing in (("/healthz", ["etcd"]), ("/livez", ["etcd"]), ("/readyz", ["etcd", "etcd-readiness"])):
            answer, text = ask(server, "GET", path)
            assert answer.status == 500
            lines = [line for line in text.split("\n") if not line.startswith("[+]")]
            assert lines == [f"[-]{name} failed: reason withheld" for name in failing] + [f"{path[1:]} check failed", ""]
        assert ask(server, "GET", "/livez?exclude=etcd")[0].status == 200
    finally:
        etcd.go_on()
    wait_for(lambda: ask(server, "GET", "/readyz")[0].status == 200)
