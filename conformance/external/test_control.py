"""The control address: checkpoints and reset of the whole state, and who may ask for them."""

import http.client
import json
import pathlib
import re
import socket
import subprocess
import time
import types

import pytest

import conftest
from client import Api, brief

MAPS = "/api/v1/namespaces/default/configmaps"
SERVICES = "/api/v1/namespaces/default/services"


class Control:
    """Commands by the command line tool, and raw requests."""

    def __init__(self, path):
        self.path = path

    def run(self, *words):
        return subprocess.run([conftest.binary(), "control", f"unix:{self.path}", *words],
                              capture_output=True, text=True, timeout=30)

    def ok(self, *words):
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *words):
        done = self.run(*words)
        assert done.returncode == 1 and done.stdout == ""
        return done.stderr

    def raw(self, method, target, headers=None):
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.path))
        connection.request(method, target, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    if conftest.os.environ.get("APISIM_URL"):
        pytest.skip("of apisim only")
    directory = tmp_path_factory.mktemp("control")
    path = directory / "control"
    server = conftest.start(directory, f"--control=unix:{path}", "--clock=virtual")
    yield Api(server), Control(path)
    conftest.stop(server)
    assert not path.exists()


@pytest.fixture
def api(pair):
    yield pair[0]
    pair[1].ok("reset")


@pytest.fixture
def control(pair):
    return pair[1]


def make_things(api):
    """What draws from every stream: names, uids, addresses, ports."""
    made = [api.call("POST", MAPS, {"metadata": {"generateName": "m-"}}).json for _ in range(3)]
    spec = {"type": "NodePort", "ports": [{"port": 80}]}
    for name in "ab":
        made.append(api.call("POST", SERVICES, {"metadata": {"name": name}, "spec": spec}).json)
    made.append(api.call("DELETE", f"{MAPS}/{made[0]['metadata']['name']}").json)
    made.append(api.get(MAPS).json)
    return made


def test_reset_gives_the_same_bytes(api, control):
    first = make_things(api)
    control.ok("reset")
    assert not {m["metadata"]["name"] for m in first[:3]} & set(api.get(MAPS).names)
    control.ok("reset")
    assert make_things(api) == first


def test_checkpoints_are_apart(api, control):
    api.call("POST", MAPS, {"metadata": {"name": "one"}})
    taken = control.ok("checkpoint", "one")
    api.call("POST", MAPS, {"metadata": {"name": "two"}})
    api.call("DELETE", f"{MAPS}/one")
    control.ok("checkpoint", "two")
    assert control.ok("reset", "one")["revision"] == taken["revision"]
    assert api.get(f"{MAPS}/one").status == 200 and api.get(f"{MAPS}/two").status == 404
    control.ok("reset", "two")
    assert api.get(f"{MAPS}/one").status == 404 and api.get(f"{MAPS}/two").status == 200
    assert {c["name"] for c in control.ok("status")["checkpoints"]} >= {"start", "one", "two"}
    control.ok("drop", "one")
    assert "no checkpoint one" in control.refused("reset", "one")
    control.ok("drop", "two")


def api_of(kubeconfig, parent):
    """The server that a kubeconfig means, with the token of the parent's tests."""
    host, port = re.search(r"server: https://([^:\s]+):(\d+)", kubeconfig.read_text()).groups()
    return Api(types.SimpleNamespace(host=host, port=int(port), token=parent.server.token))


def test_a_fork_is_a_server_of_its_own(api, control, tmp_path):
    api.call("POST", MAPS, {"metadata": {"name": "shared"}, "data": {"v": "1"}})
    version = api.get(MAPS).version
    with api.watch(MAPS, resourceVersion=version) as watch:
        made = [control.ok("fork", f"kubeconfig={tmp_path}/{n}") for n in "ab"]
        first, second = (api_of(tmp_path / n, api) for n in "ab")
        try:
            assert len({m["url"] for m in made}) == len({m["control"] for m in made}) == 2
            assert {f["pid"] for f in control.ok("status")["forks"]} == {m["pid"] for m in made}
            # The same bytes from the same requests, whoever is asked.
            things = make_things(first)
            assert make_things(second) == things and make_things(api) == things
            first.merge(f"{MAPS}/shared", {"data": {"v": "2"}})
            second.delete(f"{MAPS}/shared")
            assert api.get(f"{MAPS}/shared").json["data"] == {"v": "1"}
            assert second.get(f"{MAPS}/shared").status == 404
            assert brief(watch.take(3)) == [f"ADDED:{m['metadata']['name']}" for m in things[:3]]
            # History comes along, and a fork is reset and forked like any server.
            with first.watch(MAPS, resourceVersion=version) as w:
                assert brief(w.take(3)) == [f"ADDED:{m['metadata']['name']}" for m in things[:3]]
            inner = Control(made[0]["control"].removeprefix("unix:"))
            inner.ok("reset")
            assert first.get(f"{MAPS}/shared").status == 404
            assert inner.ok("fork")["url"] != made[0]["url"]
        finally:
            for m in made:
                Control(m["control"].removeprefix("unix:")).ok("stop")
        assert all(gone(m["pid"]) for m in made)
    assert api.get(f"{MAPS}/shared").status == 200


def gone(pid):
    """Waits for its end; a zombie has ended."""
    for _ in range(500):
        try:
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_fork_ends_with_its_parent(tmp_path):
    if conftest.os.environ.get("APISIM_URL"):
        pytest.skip("of apisim only")
    server = conftest.start(tmp_path, f"--control=unix:{tmp_path}/c")
    try:
        fork = Control(tmp_path / "c").ok("fork")
    finally:
        conftest.stop(server)
    assert gone(fork["pid"])


def test_a_fork_that_can_not_be(control, tmp_path):
    error = control.refused("fork", f"kubeconfig={tmp_path}/nowhere/file")
    assert "the fork did not come up: can't write the kubeconfig" in error
    assert control.ok("status")["forks"] == []


def test_history_comes_along(api, control):
    before = api.get(MAPS).version
    for name in "abc":
        api.call("POST", MAPS, {"metadata": {"name": name}})
    control.ok("checkpoint", "c")
    for _ in range(300):
        api.call("PATCH", f"{MAPS}/a", {"data": {"n": str(_)}},
                 {"Content-Type": "application/merge-patch+json"})
    control.ok("reset", "c")
    with api.watch(MAPS, resourceVersion=before) as w:
        assert brief(w.take(3)) == ["ADDED:a", "ADDED:b", "ADDED:c"]
        api.call("POST", MAPS, {"metadata": {"name": "d"}})
        assert brief(w.take(1)) == ["ADDED:d"]
    exact = api.get(MAPS, resourceVersion=before, resourceVersionMatch="Exact")
    assert not set("abc") & set(exact.names)
    control.ok("drop", "c")


def test_open_watches_end_with_410(api, control):
    with api.watch(MAPS) as w:
        api.call("POST", MAPS, {"metadata": {"name": "a"}})
        w.until("a")
        assert control.ok("reset")["watches_ended"] >= 1
        kind, status = w.next()
        assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
        assert w.next() is None


def test_roles_are_read_again(api, control):
    """The evaluator's cache goes by revisions, which come again with other contents."""
    alice = Api(api.server, "alicetoken")
    rbac = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User"}

    def bind(name):
        body = {"metadata": {"name": "b"}, "roleRef": ref, "subjects": [{**subject, "name": name}]}
        return api.call("POST", rbac, body).json["metadata"]["resourceVersion"]

    first = bind("alice")
    assert alice.get(MAPS).status == 200
    control.ok("reset")
    assert bind("bob") == first
    assert alice.get(MAPS).status == 403


@pytest.mark.parametrize("words, problem", [
    (["checkpoint", "a/b"], "a name has"),
    (["checkpoint"], "needs the parameter name"),
    (["drop", "start"], "stays"),
    (["reset", "none"], "no checkpoint none"),
    (["status", "x"], "takes no"),
    (["sing"], "no control command"),
])
def test_refused(control, words, problem):
    assert problem in control.refused(*words)


@pytest.mark.parametrize("method, target, headers, status", [
    ("GET", "/status", {"Origin": "http://example.com"}, 403),
    ("GET", "/reset", {}, 405),
    ("POST", "/status", {}, 405),
    ("POST", "/nothing", {}, 404),
    ("POST", "/checkpoint?name=a&more=b", {}, 400),
    ("GET", "/", {}, 200),
])
def test_raw(control, method, target, headers, status):
    assert control.raw(method, target, headers)[0] == status


def test_not_on_the_kubernetes_port(api):
    assert api.call("POST", "/reset").status == 404
    assert api.get("/status").status == 404


def test_loopback_port(tmp_path):
    server = conftest.start(tmp_path, "--control=127.0.0.1:0")
    try:
        line = next(x for x in server.log.read_text().splitlines() if "control on" in x)
        address = line.split("control on ")[1].split(":  ")[0].rsplit(": apisim", 1)[0]
        connection = http.client.HTTPConnection(*address.split(":"))
        connection.request("GET", "/status", headers={"Host": "evil.example.com"})
        assert connection.getresponse().status == 403
        connection.close()
        connection = http.client.HTTPConnection(*address.split(":"))
        connection.request("GET", "/status")
        assert json.loads(connection.getresponse().read())["url"] == server.url
    finally:
        conftest.stop(server)


@pytest.mark.parametrize("address", ["0.0.0.0:0", "nowhere", "127.0.0.1:x", "unix:"])
def test_bad_address(address):
    done = subprocess.run([conftest.binary(), "serve", "--secure-port=0", f"--control={address}"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1


# ---- snapshots ----

def test_snapshot_goes_on_where_it_was_taken(tmp_path, api, control):
    make_things(api)
    file = tmp_path / "s"
    answer = control.ok("snapshot", str(file))
    assert answer["bytes"] == file.stat().st_size and file.stat().st_mode & 0o777 == 0o600
    here = [api.get("/api/v1/services").json, make_more(api)]
    (tmp_path / "other").mkdir()
    server = conftest.start(tmp_path / "other", f"--snapshot-in={file}", "--clock=virtual")
    try:
        other = Api(server)
        assert [other.get("/api/v1/services").json, make_more(other)] == here
    finally:
        conftest.stop(server)
    control.ok("reset")
    make_more(api)
    assert control.ok("load", str(file))["revision"] == answer["revision"]
    assert [api.get("/api/v1/services").json, make_more(api)] == here


def test_snapshot_of_a_large_state(tmp_path, api, control):
    """Written by a process of its own, from the moment of the request: what follows is not in it."""
    for i in range(2100):
        assert api.call("POST", MAPS, {"metadata": {"name": f"many-{i:04}"}, "data": {"k": "x" * 500}}).status == 201
    before = api.get(MAPS).json
    file = tmp_path / "s"
    answer = control.ok("snapshot", str(file))
    assert answer["bytes"] == file.stat().st_size and file.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["s"]
    assert "No such file" in control.refused("snapshot", str(tmp_path / "no" / "s"))
    assert api.call("POST", MAPS, {"metadata": {"name": "later"}}).status == 201
    assert control.ok("load", str(file))["revision"] == answer["revision"]
    assert api.get(MAPS).json == before


def make_more(api):
    spec = {"type": "NodePort", "ports": [{"port": 80}]}
    made = [api.call("POST", MAPS, {"metadata": {"generateName": "m-"}}).json for _ in range(3)]
    return made + [api.call("POST", SERVICES, {"metadata": {"name": "c"}, "spec": spec}).json]


def test_below_a_snapshot_is_410(tmp_path):
    file = tmp_path / "s"
    server = conftest.start(tmp_path, f"--snapshot-out={file}")
    first = Api(server)
    before = first.get(MAPS).version
    first.call("POST", MAPS, {"metadata": {"name": "a"}})
    there = first.get(MAPS).version
    conftest.stop(server)
    server = conftest.start(tmp_path, f"--snapshot-in={file}")
    try:
        api = Api(server)
        assert api.get(MAPS).version == there and "a" in api.get(MAPS).names
        exact = api.get(MAPS, resourceVersion=before, resourceVersionMatch="Exact")
        assert (exact.status, exact.json["reason"]) == (410, "Expired")
        with api.watch(MAPS, resourceVersion=before) as w:
            kind, status = w.next()
            assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
            assert status["message"] == f"too old resource version: {before} ({there})"
        with api.watch(MAPS, resourceVersion=there) as w:
            api.call("DELETE", f"{MAPS}/a")
            assert brief(w.take(1)) == ["DELETED:a"]
    finally:
        conftest.stop(server)


def damage(whole, how):
    if how == "cut":
        return whole[:len(whole) // 2]
    if how == "flip":
        return whole[:400] + bytes([whole[400] ^ 1]) + whole[401:]
    if how == "version":
        return whole.replace(b"apisim-snapshot 1", b"apisim-snapshot 2", 1)
    if how == "more":
        return whole + b"x"
    return {"empty": b"", "other": b"hello\n"}[how]


@pytest.mark.parametrize("how, problem", [
    ("cut", "cut off"), ("flip", "checksum"), ("version", "version"), ("more", "cut off"),
    ("empty", "empty"), ("other", "no snapshot"), ("missing", "No such file"),
    ("folder", "Is a directory"),
])
def test_bad_snapshot(tmp_path, api, control, how, problem):
    file = tmp_path / "s"
    control.ok("snapshot", str(file))
    if how == "missing":
        file.unlink()
    elif how == "folder":
        file = tmp_path
    else:
        file.write_bytes(damage(file.read_bytes(), how))
    there = api.get(MAPS).version
    assert problem in control.refused("load", str(file))
    assert api.get(MAPS).version == there
    done = subprocess.run([conftest.binary(), "serve", "--secure-port=0", f"--snapshot-in={file}"],
                          capture_output=True, text=True, timeout=30)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 1 and len(lines) == 1 and problem in lines[0]


def test_snapshot_that_cannot_be_written(tmp_path, control):
    assert "No such file" in control.refused("snapshot", str(tmp_path / "no" / "s"))
    old = tmp_path / "s"
    old.write_text("old")
    old.chmod(0o400)
    control.ok("snapshot", str(old))  # renamed over, never written into
    assert old.read_bytes().startswith(b"apisim-snapshot 1\n")
    assert [p.name for p in tmp_path.iterdir()] == ["s"]
