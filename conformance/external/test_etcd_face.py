"""The etcd face: etcdctl's sessions against ours as they went against a real etcd (fixtures/etcd, recorded by
etcd_transcripts.py), and the API server's store seen through it."""
import base64
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest

import client
import conftest
import etcd_transcripts
from etcd import Etcd, free_port

FIXTURES = conftest.ROOT / "fixtures" / "etcd"


def etcdctl(version):
    """The one of this version in the PATH, or a skip."""
    found = shutil.which("etcdctl")
    text = subprocess.run([found, "version"], capture_output=True, text=True).stdout if found else ""
    if f"etcdctl version: {version}" not in text:
        pytest.skip(f"no etcdctl {version}")
    return found


def wait_port(port):
    for _ in range(2000):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nobody listens on {port}")


@pytest.fixture
def memory_etcd(tmp_path):
    """The binary under the name etcd, with the flags of envtest."""
    name, port = tmp_path / "etcd", free_port()
    name.symlink_to(conftest.binary())
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([name, f"--advertise-client-urls={url}", f"--data-dir={tmp_path}", f"--listen-client-urls={url}",
                                "--listen-peer-urls=http://127.0.0.1:0", "--unsafe-no-fsync=true"], stderr=subprocess.DEVNULL)
    wait_port(port)
    yield f"127.0.0.1:{port}"
    process.terminate()
    assert process.wait(60) == 0


@pytest.mark.parametrize("version", ["3.4", "3.6"])
def test_sessions_go_as_with_etcd(memory_etcd, version):
    rows = json.loads((FIXTURES / f"etcdctl-{version}.json").read_text())
    ours = etcd_transcripts.session(etcdctl(version), memory_etcd)
    for want, got in zip(rows, ours, strict=True):
        assert got == want


def test_health_and_version(memory_etcd):
    get = lambda path: urllib.request.urlopen(f"http://{memory_etcd}{path}").read()
    assert json.loads(get("/health")) == {"health": "true", "reason": ""}
    assert json.loads(get("/version"))["etcdserver"].startswith("3.6.")
    assert get("/readyz") == b"ok\n"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get("/v2/keys")


def test_flags():
    run = lambda *a: subprocess.run([conftest.binary(), "etcd", *a], capture_output=True, text=True)
    assert re.search(r"(?m)^  --unsafe-no-fsync", run("--help").stdout)
    assert run("--version").stdout.startswith("etcd Version: 3.6.")
    wrong = run("--nope=1")
    assert wrong.returncode == 2 and "flag provided but not defined: -nope" in wrong.stderr


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    port = free_port()
    server = conftest.start(tmp_path_factory.mktemp("face"), f"--etcd-listen=127.0.0.1:{port}", "--clock=virtual")
    wait_port(port)
    yield server, f"127.0.0.1:{port}"
    conftest.stop(server)


def ctl(endpoint, *args, ok=True, stdin=None):
    done = subprocess.run([etcdctl("3."), "--endpoints", endpoint, *args], capture_output=True, timeout=60, input=stdin)
    assert (done.returncode == 0) == ok, done
    return done.stdout if ok else done.stderr.decode()


def api(server, method, path, body=None):
    request = urllib.request.Request(server.http_url + path, method=method, data=json.dumps(body).encode() if body else None,
                                     headers={"Authorization": "Bearer admintoken", "Content-Type": "application/json"})
    return json.loads(urllib.request.urlopen(request).read())


def stored(endpoint, key, *args):
    kvs = json.loads(ctl(endpoint, "get", key, "-w", "json", *args)).get("kvs")
    return kvs[0] if kvs else None


# What a kube-apiserver v1.36 has in its etcd and we have not: its lease on the kubernetes Endpoints, the bitmap of node
# ports, its peer's lease, and an event.
NOT_HERE = re.compile(r"/registry/(masterleases|ranges|peerserverleases|events)/")


def test_keys_are_those_of_a_real_cluster(face):
    keys = [k for k in ctl(face[1], "get", "/registry", "--prefix", "--keys-only").decode().split("\n") if k]
    want = [k for k in (FIXTURES / "kube-apiserver-keys.txt").read_text().split() if not NOT_HERE.match(k)]
    blur = lambda names: sorted(re.sub("apiserver-[a-z0-9]{26}", "apiserver-ID", k) for k in names)
    assert blur(keys) == blur(want)


def mask(value):
    """Without uid and times (text, and protobuf's seconds)."""
    value = re.sub(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", b"U", value)
    value = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"I", value)
    return re.sub(rb"\x08[\x80-\xff]{4}.\x10\x00", b"T", value, flags=re.S)


def test_bytes_are_those_of_a_real_cluster(face):
    """A ConfigMap's, recorded from a real etcd; uid and times are masked."""
    server, endpoint = face
    recorded = base64.b64decode((FIXTURES / "configmap.b64").read_text())
    api(server, "POST", "/api/v1/namespaces/default/configmaps?fieldManager=kubectl-create",
        {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "face"}, "data": {"a": "b"}})
    got = base64.b64decode(stored(endpoint, "/registry/configmaps/default/face")["value"])
    assert mask(got) == mask(recorded)


def test_writes_cross(face):
    server, endpoint = face
    path = "/api/v1/namespaces/default/configmaps"
    made = api(server, "POST", path, {"metadata": {"name": "one"}, "data": {"a": "b"}})
    kv = stored(endpoint, "/registry/configmaps/default/one")
    assert str(kv["mod_revision"]) == made["metadata"]["resourceVersion"]
    value = base64.b64decode(kv["value"])
    assert value.startswith(b"k8s\0")
    with urllib.request.urlopen(urllib.request.Request(
            server.http_url + path + f"?watch=1&timeoutSeconds=5&resourceVersion={made['metadata']['resourceVersion']}",
            headers={"Authorization": "Bearer admintoken"})) as watch:
        renamed = value.replace(b"one", b"two")
        subprocess.run([etcdctl("3."), "--endpoints", endpoint, "put", "/registry/configmaps/default/two"], input=renamed, check=True,
                       capture_output=True)
        event = json.loads(watch.readline())
        assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "two")
        put = stored(endpoint, "/registry/configmaps/default/two")
        assert event["object"]["metadata"]["resourceVersion"] == str(put["mod_revision"])
        assert base64.b64decode(put["value"]) == renamed
        ctl(endpoint, "del", "/registry/configmaps/default/two")
        event = json.loads(watch.readline())
        assert (event["type"], event["object"]["metadata"]["name"]) == ("DELETED", "two")
        assert int(event["object"]["metadata"]["resourceVersion"]) == put["mod_revision"] + 1
    assert api(server, "GET", path + "/one")["data"] == {"a": "b"}


def test_json_is_taken_too(face):
    server, endpoint = face
    body = json.dumps({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s", "namespace": "default", "uid": "u"}})
    ctl(endpoint, "put", "/registry/secrets/default/s", body)
    assert api(server, "GET", "/api/v1/namespaces/default/secrets/s")["type"] == "Opaque"  # defaulted, as on reading
    assert ctl(endpoint, "get", "/registry/secrets/default/s", "--print-value-only").decode().strip() == body


def test_what_is_no_object_is_refused(face):
    endpoint = face[1]
    why = ctl(endpoint, "put", "/registry/pods/default/x", "garbage", ok=False)
    assert "the value of /registry/pods/default/x is no object of its resource" in why
    why = ctl(endpoint, "put", "/registry/pods/default/x", '{"kind":"Node","apiVersion":"v1"}', ok=False)
    assert "it is a Node of v1, not a Pod" in why
    ctl(endpoint, "put", "/registry/mine/x", "garbage")
    assert ctl(endpoint, "get", "/registry/mine/x", "--print-value-only") == b"garbage\n"


def test_lease_takes_its_objects_along(face):
    server, endpoint = face
    lease = re.search(r"lease (\w+) granted", ctl(endpoint, "lease", "grant", "100").decode()).group(1)
    ctl(endpoint, "put", "/registry/configmaps/default/leased", '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"leased"}}',
        f"--lease={lease}")
    assert "leased" in [i["metadata"]["name"] for i in api(server, "GET", "/api/v1/namespaces/default/configmaps")["items"]]
    assert b"/registry/configmaps/default/leased" in ctl(endpoint, "lease", "timetolive", lease, "--keys")
    ctl(endpoint, "lease", "revoke", lease)
    assert "leased" not in [i["metadata"]["name"] for i in api(server, "GET", "/api/v1/namespaces/default/configmaps")["items"]]


@pytest.fixture
def kube_apiserver(face, tmp_path):
    """A real one on the face, where there is one in the PATH."""
    found = shutil.which("kube-apiserver")
    if not found or "v1.36" not in subprocess.run([found, "--version"], capture_output=True, text=True).stdout:
        pytest.skip("no kube-apiserver v1.36")
    port, key, tokens = free_port(), tmp_path / "sa.key", tmp_path / "tokens.csv"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    tokens.write_text(conftest.TOKENS)
    process = subprocess.Popen(
        [found, f"--etcd-servers=http://{face[1]}", f"--secure-port={port}", "--bind-address=127.0.0.1", f"--cert-dir={tmp_path}",
         "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={key}",
         f"--service-account-signing-key-file={key}", f"--token-auth-file={tokens}", "--authorization-mode=Node,RBAC",
         "--service-cluster-ip-range=10.0.0.0/24", "--disable-admission-plugins=ServiceAccount"], stderr=subprocess.DEVNULL)
    real = conftest.Server(f"https://127.0.0.1:{port}", None, "admintoken", None, process, None)
    for _ in range(300):
        try:
            if real_api(real, "GET", "/readyz") == b"ok":
                break
        except OSError:
            pass
        time.sleep(0.2)
    yield real
    process.terminate()
    process.wait(30)


def real_api(server, method, path, body=None):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(server.url + path, method=method, data=json.dumps(body).encode() if body else None,
                                     headers={"Authorization": "Bearer admintoken", "Content-Type": "application/json"})
    return urllib.request.urlopen(request, context=context).read()


def test_a_real_kube_apiserver_runs_on_it(face, kube_apiserver):
    """Both serve one store: what one writes the other reads, with the same resource version."""
    server = face[0]
    assert real_api(kube_apiserver, "GET", "/readyz") == b"ok"
    path = "/api/v1/namespaces/default/configmaps"
    theirs = json.loads(real_api(kube_apiserver, "POST", path, {"metadata": {"name": "theirs"}, "data": {"a": "1"}}))
    assert api(server, "GET", path + "/theirs") == theirs
    ours = api(server, "POST", path, {"metadata": {"name": "ours"}, "data": {"a": "1"}})
    assert json.loads(real_api(kube_apiserver, "GET", path + "/ours")) == ours
    theirs["data"]["a"] = "2"
    assert api(server, "PUT", path + "/theirs", theirs)["data"] == {"a": "2"}
    assert json.loads(real_api(kube_apiserver, "GET", path + "/theirs"))["data"] == {"a": "2"}
    real_api(kube_apiserver, "DELETE", path + "/ours")
    assert "ours" not in [i["metadata"]["name"] for i in api(server, "GET", path)["items"]]


class Restored(Etcd):
    """A real etcd that begins from a snapshot."""

    def __init__(self, tool, snapshot):
        self.tool, self.snapshot = tool, snapshot
        super().__init__()

    def start(self):
        shutil.rmtree(self.directory)
        peer = f"http://127.0.0.1:{self.peer}"
        subprocess.run([self.tool, "snapshot", "restore", self.snapshot, "--data-dir", self.directory, "--name", "default",
                        "--initial-cluster", f"default={peer}", "--initial-advertise-peer-urls", peer], check=True, capture_output=True)
        super().start()


def test_a_real_etcd_begins_from_a_snapshot(face, tmp_path):
    """Every key with its bytes, versions and lease, and the revision, which is a deletion's; and an API server goes on there.
    Enough objects for two levels of pages, and one of many pages."""
    server, endpoint = face
    path, tool, snapshot = "/api/v1/namespaces/default/configmaps", etcdctl("3.4"), tmp_path / "db"
    for i in range(300):
        api(server, "POST", path, {"metadata": {"name": f"of-pages-{i}"}, "data": {"a": "x" * (900000 if i == 7 else 3000)}})
    lease = ctl(endpoint, "lease", "grant", "5000").split()[1].decode()
    ctl(endpoint, "put", "/leased", "value", "--lease", lease)
    ctl(endpoint, "txn", stdin=b"\n\nput /two/a 1\nput /two/b 2\n\n\n")  # two keys of one revision
    api(server, "DELETE", path + "/of-pages-0")
    ctl(endpoint, "snapshot", "save", str(snapshot))
    everything = ("get", "", "--prefix", "-w", "json")
    ours = json.loads(ctl(endpoint, *everything))
    told = json.loads(subprocess.run([tool, "snapshot", "status", snapshot, "-w", "json"], check=True, capture_output=True).stdout)
    assert told["totalKey"] >= len(ours["kvs"]) > 400  # this version counts the entries of all buckets
    assert told["totalSize"] == snapshot.stat().st_size - 32  # without the sum
    etcd = Restored(tool, snapshot)
    try:
        there = etcd.wait().url.removeprefix("http://")
        theirs = json.loads(ctl(there, *everything))
        assert theirs["kvs"] == ours["kvs"] and theirs["header"]["revision"] == ours["header"]["revision"]
        assert lease.encode() in ctl(there, "lease", "list") and b"/leased" in ctl(there, "lease", "timetolive", lease, "--keys")
        another = conftest.wait_ready(conftest.start(tmp_path, "--etcd-servers", etcd.url))
        assert api(another, "GET", path)["items"] == api(server, "GET", path)["items"]
        assert int(api(another, "POST", path, {"metadata": {"name": "next"}})["metadata"]["resourceVersion"]) > ours["header"]["revision"]
        conftest.stop(another)
    finally:
        etcd.close()
    for i in range(1, 300):
        api(server, "DELETE", f"{path}/of-pages-{i}")
    ctl(endpoint, "lease", "revoke", lease)
    ctl(endpoint, "del", "/two/", "--prefix")


def test_what_needs_several_calls_works(face):
    """A lock is a lease, a transaction and a watch; nobody has a name here."""
    assert ctl(face[1], "lock", "lesson", "echo", "in the lock") == b"in the lock\n"
    assert ctl(face[1], "user", "list") == ctl(face[1], "role", "list") == b""
    assert ctl(face[1], "endpoint", "hashkv").startswith(face[1].encode())
    assert "UserAdd" in ctl(face[1], "user", "add", "u:p", ok=False)


def test_watches_go_on_from_before_a_compaction(tmp_path):
    """As behind a real server's back: its watch cache has the events still; etcd's own watch from there is refused."""
    port = free_port()
    server = conftest.start(tmp_path, f"--etcd-listen=127.0.0.1:{port}")
    try:
        wait_port(port)
        maps = "/api/v1/namespaces/default/configmaps"
        versions = [api(server, "POST", maps, {"metadata": {"name": n}})["metadata"]["resourceVersion"] for n in "abc"]
        ctl(f"127.0.0.1:{port}", "compact", versions[-1])
        with client.Api(server).watch(maps, resourceVersion=versions[0], timeoutSeconds=30) as w:
            assert client.brief(w.take(2)) == ["ADDED:b", "ADDED:c"]
        assert "compacted" in ctl(f"127.0.0.1:{port}", "get", "x", f"--rev={versions[0]}", ok=False)
    finally:
        conftest.stop(server)
