"""Faults of sim/live against a running server, one by one: what the client sees and what is stored."""

import http.client
import json
import subprocess
import time

import pytest

import client
import conftest
import test_http2
from etcd import Etcd

MAPS = "/api/v1/namespaces/default/configmaps"


class Control:
    def __init__(self, address):
        self.address = address

    def __call__(self, command, *values, body=None, check=True):
        text = [] if body is None else ["-d", body if isinstance(body, str) else json.dumps(body)]
        done = subprocess.run([conftest.binary(), "control", self.address, command, *values, *text],
                              capture_output=True, text=True, timeout=60)
        if not check:
            return done
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def fault(self, on, *do, **more):
        self("add-fault", body={"name": "f", "on": on, "do": list(do), **more})


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    plan = folder / "plan.yaml"
    plan.write_text("apiservers: {a: {}, b: {}}\nclients:\n  other: {match: {userAgent: 'other*'}}\n  alice: {match: {user: ali*}}\n  any: {}\n"
                    # a fault that never fires: with it the store's writes are looked at beforehand
                    "faults:\n- on: {beforeCommit: {name: nobody}}\n  do: [{cut: true}]\n")
    address = f"unix:{folder}/c"
    server = conftest.start(folder, f"--control={address}", "--clock=virtual", f"--plan={plan}")
    yield client.Api(server), Control(address)
    conftest.stop(server)


@pytest.fixture
def api(world):
    api, control = world
    control("reset")
    yield api
    control("clear-faults")


@pytest.fixture
def control(world, api):
    return world[1]


def named(name, **data):
    return {"metadata": {"name": name}, "data": data}


def names(api):
    return [n for n in api.get(MAPS).names if n != "kube-root-ca.crt"]


@pytest.mark.parametrize("code,reason", [(409, "Conflict"), (429, "TooManyRequests"), (500, "InternalError"),
                                         (503, "ServiceUnavailable"), (504, "Timeout")])
def test_reply_instead(api, control, code, reason):
    control.fault({"beforeReceive": {"verb": "create", "n": 2}}, {"reply": code, "retryAfter": 3})
    assert api.call("POST", MAPS, named("a")).status == 201
    answer = api.call("POST", MAPS, named("b"))
    assert (answer.status, answer.json["reason"], answer.headers["Retry-After"]) == (code, reason, "3")
    assert answer.json["details"]["retryAfterSeconds"] == 3
    assert names(api) == ["a"]
    assert api.call("POST", MAPS, named("b")).status == 201


def test_reply_with_words_of_its_own(api, control):
    control.fault({"beforeReceive": {"verb": "create"}}, {"reply": 409, "reason": "AlreadyExists", "message": "so it is"})
    answer = api.call("POST", MAPS, named("a"))
    assert (answer.status, answer.json["code"], answer.json["reason"], answer.json["message"]) == (
        409, 409, "AlreadyExists", "so it is")


def test_reply_with_a_chance(api, control):
    control.fault({"beforeReceive": {"verb": "get"}}, {"reply": 500, "p": 0.5})
    seen = {api.call("GET", MAPS + "/x").status for _ in range(40)}
    assert seen == {404, 500}


def test_commit_then_504(api, control):
    control.fault({"afterCommit": {"verb": "create", "key": "configmaps/default/a"}}, {"reply": 504})
    assert api.call("POST", MAPS, named("a")).status == 504
    assert names(api) == ["a"]


def cut_off(api, method, path, body=None):
    with pytest.raises((ConnectionError, http.client.HTTPException, OSError)):
        api.call(method, path, body)


def test_cut_behind_the_commit(api, control):
    control.fault({"afterCommit": {"resource": "configmaps"}}, {"cut": True})
    cut_off(api, "POST", MAPS, named("a"))
    control("clear-faults")
    assert names(api) == ["a"]


@pytest.mark.parametrize("point", ["beforeReceive", "beforeCommit"])
def test_cut_before_the_commit(api, control, point):
    control.fault({point: {"resource": "configmaps", "verb": "create"}}, {"cut": True})
    cut_off(api, "POST", MAPS, named("a"))
    control("clear-faults")
    assert names(api) == []


def test_cut_in_the_middle_of_an_answer(api, control):
    api.post(MAPS, named("a", big="x" * 5000))
    control.fault({"afterReceive": {"verb": "get"}}, {"cut": "middle"})
    connection, answer = api.send("GET", MAPS + "/a")
    assert answer.status == 200
    with pytest.raises(http.client.IncompleteRead) as broken:
        answer.read()
    assert 1000 < len(broken.value.partial) < 5000
    connection.close()


def over_http2(api, *requests):
    """A connection with a watch of the maps and these requests, sent at once; the watch's stream first."""
    c = test_http2.Client(api.server)
    version = api.get(MAPS).version
    watch = c.send("GET", f"{MAPS}?watch=1&resourceVersion={version}")
    c.until(lambda: c.streams[watch][0])
    json_type = (("content-type", "application/json"),)
    return c, watch, *(c.send(method, path, json.dumps(body).encode() if body else b"", json_type if body else ())
                       for method, path, body in requests)


def until_it_breaks(c):
    c.socket.settimeout(10)
    while c.read():
        pass
    assert c.closed and c.goaway is None


@pytest.mark.parametrize("point,stored", [("beforeReceive", []), ("beforeCommit", []), ("afterCommit", ["a"]), ("afterReceive", ["a"])])
def test_http2_a_cut_breaks_the_connection(api, control, point, stored):
    control.fault({point: {"resource": "configmaps", "verb": "create"}}, {"cut": True})
    c, watch, post = over_http2(api, ("POST", MAPS, named("a")))
    until_it_breaks(c)
    assert c.streams[post] == [None, b""] and not c.ended  # the watch has no end either
    control("clear-faults")
    assert names(api) == stored


def test_http2_a_stream_is_cut_alone(api, control):
    control.fault({"afterCommit": {"resource": "configmaps", "name": "a"}}, {"cut": "stream"})
    c, watch, post = over_http2(api, ("POST", MAPS, named("a")))
    c.until(lambda: post in c.resets and b"ADDED" in c.streams[watch][1])
    assert c.streams[post] == [None, b""]
    head, body = c.get(MAPS + "/a")
    assert head[":status"] == "200" and watch not in c.ended and watch not in c.resets


def test_http2_a_cut_in_the_middle_of_an_answer(api, control):
    api.post(MAPS, named("a", big="x" * 5000))
    control.fault({"afterReceive": {"verb": "get"}}, {"cut": "middle"})
    c, watch, get = over_http2(api, ("GET", MAPS + "/a", None))
    until_it_breaks(c)
    head, body = c.streams[get]
    assert head[":status"] == "200" and 1000 < len(body) < 5000 and get not in c.ended


def test_http2_a_cut_in_the_middle_of_an_event(api, control):
    control.fault({"beforeDeliver": {"name": "a"}}, {"cut": "middle"})
    c, watch = over_http2(api)
    api.post(MAPS, named("a", v="x" * 300))
    until_it_breaks(c)
    event = c.streams[watch][1]
    assert event.startswith(b'{"type":"ADDED"') and not event.endswith(b"\n")


def test_http2_holds_and_replies_are_of_a_stream(api, control):
    control.fault({"beforeReceive": {"name": "slow", "verb": "get"}},
                  {"hold": "until", "until": {"afterCommit": {"name": "go"}}})
    control.fault({"beforeReceive": {"name": "no", "verb": "get"}}, {"reply": 429, "retryAfter": 7})
    c, watch, slow, no = over_http2(api, ("GET", MAPS + "/slow", None), ("GET", MAPS + "/no", None))
    c.until(lambda: no in c.ended)
    assert (c.streams[no][0][":status"], c.streams[no][0]["retry-after"]) == ("429", "7") and slow not in c.ended
    api.post(MAPS, named("go"))
    c.until(lambda: slow in c.ended)
    assert c.streams[slow][0][":status"] == "404"


def test_http2_a_client_that_moves_loses_its_connection(api, control):
    end = end_of_log(control)
    c, watch = over_http2(api)
    control.fault({"afterCommit": {"name": "a"}}, {"moveClient": "any", "server": "b"})
    api.call("POST", MAPS, named("a"), {"User-Agent": "other/1"})
    until_it_breaks(c)
    control.fault({"afterCommit": {"name": "back"}}, {"moveClient": "any", "server": "a"})
    api.call("POST", MAPS, named("back"), {"User-Agent": "other/1"})
    assert control("requests", f"since={end}", "verb=watch")["records"]


def test_duplicate_post(api, control):
    control.fault({"beforeReceive": {"verb": "create"}}, {"duplicate": True}, times=1)
    made = api.post(MAPS, {"metadata": {"generateName": "g-"}})
    assert len(names(api)) == 2 and made["metadata"]["name"] in names(api)
    assert api.call("POST", MAPS, named("n")).status == 201
    control.fault({"beforeReceive": {"verb": "create", "name": "*"}}, {"duplicate": True})
    assert api.call("POST", MAPS, named("m")).status == 409  # the duplicate was first


def test_field_change(api, control):
    api.post(MAPS, named("a", v="1"))
    control.fault({"afterCommit": {"field": {"path": "data.v", "before": "1", "after": {"greaterThan": 2}}}}, {"reply": 500})
    assert api.call("PUT", MAPS + "/a", named("a", v="2")).status == 200
    assert api.call("PUT", MAPS + "/a", named("a", v="1")).status == 200
    assert api.call("PUT", MAPS + "/a", named("a", v="3")).status == 500
    assert api.get(MAPS + "/a").json["data"] == {"v": "3"}


def test_boolean_triggers(api, control):
    made = lambda name: {"afterCommit": {"name": name}}
    control.fault({"all": [made("a"), {"any": [made("b"), made("c")]}, {"not": made("x")}]}, {"reply": 500}, times=1)
    assert [api.call("POST", MAPS, named(n)).status for n in "abc"] == [201, 500, 201]
    control("clear-faults")
    control.fault({"sequence": [made("d"), made("e")]}, {"reply": 500})
    assert [api.call("POST", MAPS, named(n)).status for n in "ed"] == [201, 201]
    assert api.call("DELETE", MAPS + "/e").status == 500


def test_hold_a_request(api, control):
    control.fault({"beforeReceive": {"name": "a", "verb": "get"}},
                  {"hold": "until", "until": {"afterCommit": {"key": "configmaps/default/go"}}})
    api.post(MAPS, named("a", v="1"))
    c = http.client.HTTPSConnection(api.server.host, api.server.port, context=api.context, timeout=40)
    c.request("GET", MAPS + "/a", headers={"Authorization": f"Bearer {api.token}"})
    control("quiesce", "quiet=50ms")  # what a fault holds is quiet
    api.merge(MAPS + "/a", {"data": {"v": "2"}})
    api.post(MAPS, named("go"))
    assert json.loads(c.getresponse().read())["data"]["v"] == "2"
    c.close()


def test_hold_a_watch(api, control):
    with api.watch(MAPS, resourceVersion=api.get(MAPS).version) as w:
        control.fault({"beforeDeliver": {"resource": "configmaps", "type": "ADDED", "name": "a"}},
                      {"hold": "until", "until": {"afterCommit": {"verb": "delete"}}})
        api.post(MAPS, named("a"))
        api.post(MAPS, named("b"))
        api.delete(MAPS + "/b")
        assert client.brief(w.take(3)) == ["ADDED:a", "ADDED:b", "DELETED:b"]


def test_unobserved_state_ends_with_410(api, control):
    with api.watch(MAPS, resourceVersion=api.get(MAPS).version) as w:
        control.fault({"beforeDeliver": {"name": "a"}},
                      {"hold": "until", "until": {"afterCommit": {"verb": "delete"}}, "coalesce": True})
        api.post(MAPS, named("a"))
        api.delete(MAPS + "/a")
        kind, status = w.next()
        assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
        assert w.next() is None


def test_expire_and_close(api, control):
    version = api.get(MAPS).version
    control.fault({"beforeDeliver": {"name": "a"}}, {"expire": True}, times=1)
    with api.watch(MAPS, resourceVersion=version) as w:
        api.post(MAPS, named("a"))
        assert w.next()[1]["code"] == 410
    control.fault({"beforeDeliver": {"name": "a"}}, {"closeWatch": True}, times=1)
    with api.watch(MAPS, resourceVersion=version) as w:
        assert w.next() is None
    with api.watch(MAPS, resourceVersion=version) as w:  # nothing was lost
        assert client.brief(w.take(1)) == ["ADDED:a"]


def test_on_a_timer_all_open_watches_are_meant(api, control):
    """hold, coalesce, expire, closeWatch and cut where no request is at hand; `client` and `resource` choose."""
    secrets = MAPS.replace("configmaps", "secrets")
    version = api.get(MAPS).version
    with api.watch(MAPS, resourceVersion=version) as w, api.watch(secrets, resourceVersion=version) as other:
        control.fault({"at": "0s"}, {"expire": True, "resource": "configmaps"})
        assert w.next()[1]["code"] == 410
        api.post(secrets, {"metadata": {"name": "s"}})
        assert client.brief(other.take(1)) == ["ADDED:s"]
    version = api.get(MAPS).version
    with api.watch(MAPS, resourceVersion=version) as w:
        control.fault({"at": "0s"}, {"hold": "until", "until": {"afterCommit": {"verb": "delete"}}, "client": "any"})
        control("quiesce", "quiet=50ms")
        api.post(MAPS, named("a"))
        control.fault({"beforeDeliver": {"name": "a"}}, {"coalesce": True})  # it is still held: so this ends it with 410
        api.delete(MAPS + "/a")
        assert w.next()[1]["code"] == 410
    with api.watch(MAPS, resourceVersion=api.get(MAPS).version) as w:
        control.fault({"at": "0s"}, {"closeWatch": True, "client": "other"})  # nobody's
        control.fault({"at": "0s"}, {"closeWatch": True})
        assert w.next() is None
    control.fault({"beforeReceive": {"verb": "get"}}, {"hold": True})
    c = http.client.HTTPSConnection(api.server.host, api.server.port, context=api.context, timeout=40)
    c.request("GET", MAPS + "/a", headers={"Authorization": f"Bearer {api.token}"})
    control("quiesce", "quiet=50ms")
    control.fault({"at": "0s"}, {"cut": True})  # requests as well
    with pytest.raises((http.client.HTTPException, OSError)):
        c.getresponse()


def test_who_names_a_client_does_not_mean_the_request_at_hand(api, control):
    control.fault({"afterCommit": {"name": "a"}}, {"reply": 503, "client": "other"})
    api.post(MAPS, named("a"))
    assert api.get(MAPS).status == 200
    assert api.get(MAPS, headers={"User-Agent": "other/1"}).status == 503


def test_cut_in_the_middle_of_an_event(api, control):
    with api.watch(MAPS, resourceVersion=api.get(MAPS).version) as w:
        control.fault({"beforeDeliver": {"name": "a"}}, {"cut": "middle"})
        api.post(MAPS, named("a", v="x" * 300))
        with pytest.raises((http.client.HTTPException, OSError, json.JSONDecodeError)):
            w.next()


def test_bookmarks_and_the_end_of_initial_events(api, control):
    control.fault({"at": "0s"}, {"dropBookmarks": True}, {"delayInitialEventsEnd": "300ms"})
    began = time.monotonic()
    with api.watch(MAPS, allowWatchBookmarks="true", sendInitialEvents="true",
                   resourceVersionMatch="NotOlderThan", timeoutSeconds="600") as w:
        while (event := w.next())[0] != "BOOKMARK":
            pass
        assert time.monotonic() - began >= 0.3
        api.post(MAPS, named("a"))
        assert client.brief(w.take(1)) == ["ADDED:a"]
        control("advance", "5m")
        api.post(MAPS, named("b"))
        assert client.brief(w.take(1)) == ["ADDED:b"]
        control("clear-faults")
        control("advance", "2m")
        assert w.next()[0] == "BOOKMARK"


def test_a_slow_consumer_is_cut(api, control):
    control.fault({"at": "0s"}, {"slowConsumer": 2, "client": "other"})
    time.sleep(0.05)
    with api.watch(MAPS, headers={"User-Agent": "other/1"}, resourceVersion=api.get(MAPS).version) as w:
        for n in "abc":
            api.post(MAPS, named(n))
        try:
            assert w.next() is None  # nothing of what waited
        except (http.client.HTTPException, OSError):
            pass


def test_compaction(api, control):
    version = api.get(MAPS).version
    control.fault({"afterCommit": {"name": "a"}}, {"compact": "keepLast 0"})
    api.post(MAPS, named("a"))
    control("quiesce", "quiet=20ms")
    assert api.get(MAPS, resourceVersion=version, resourceVersionMatch="Exact").status == 410


def test_a_lagging_server(api, control):
    """A frozen server: what must be fresh is, what may be old is, watches stand still."""
    other = {"User-Agent": "other/1"}
    api.post(MAPS, named("old"))
    api.post(MAPS, named("start"))
    control.fault({"afterCommit": {"name": "start", "verb": "delete"}}, {"freeze": "b"},
                  {"moveClient": "other", "server": "b"})
    api.delete(MAPS + "/start")
    control("quiesce", "quiet=20ms")
    frozen_at = int(api.get(MAPS).version)
    with api.watch(MAPS, other, resourceVersion=str(frozen_at)) as w:
        made = api.post(MAPS, named("new"))["metadata"]["resourceVersion"]
        old = api.get(MAPS, other, resourceVersion="0")
        assert ("new" in old.names, int(old.version)) == (False, frozen_at)
        assert "new" in api.get(MAPS, other).names
        assert "new" in api.get(MAPS, resourceVersion="0").names  # of another server
        assert api.get(MAPS + "/new", other, resourceVersion="0").status == 404
        assert api.get(MAPS + "/new", other).status == 200
        late = api.get(MAPS, other, resourceVersion=made, resourceVersionMatch="NotOlderThan")
        assert (late.status, late.json["details"]["causes"][0]["reason"]) == (504, "ResourceVersionTooLarge")
        control("heal")
        assert client.brief(w.take(1)) == ["ADDED:new"]
    assert "new" in api.get(MAPS, other, resourceVersion="0").names


def test_quiesce_says_what_is_busy(api, control):
    api.get(MAPS)
    done = control("quiesce", "quiet=30s", "within=50ms", check=False)
    assert done.returncode == 1 and "an answer to any: configmaps/default/" in done.stderr
    assert control("quiesce", "quiet=20ms")["quiet"]


def test_advance(api, control):
    before = api.post(MAPS, named("a"))["metadata"]["creationTimestamp"]
    control("advance", "24h")
    after = api.post(MAPS, named("b"))["metadata"]["creationTimestamp"]
    assert (before[:10], after[:10]) == ("2026-01-01", "2026-01-02")


def end_of_log(control):
    return control("requests", "since=999999999")["next"]


def test_clients_by_user(api, control):
    end = end_of_log(control)
    control.fault({"beforeReceive": {"client": "alice"}}, {"reply": 503})
    assert client.Api(api.server, "alicetoken").call("GET", MAPS).status == 503
    assert api.call("GET", MAPS).status == 200
    assert [r["client"] for r in control("requests", f"since={end}")["records"]] == ["alice", "any"]


def test_the_wall_clock_jumps(api, control):
    control.fault({"afterCommit": {"name": "a"}}, {"jumpClock": "-48h"})
    first = api.post(MAPS, named("a"))["metadata"]["creationTimestamp"]
    control("quiesce", "quiet=20ms")
    second = api.post(MAPS, named("b"))["metadata"]["creationTimestamp"]
    assert second < first and second.startswith("2025-12-30")


def test_the_log_of_requests(api, control):
    end = end_of_log(control)
    api.post(MAPS, named("a"))
    api.call("GET", MAPS + "/b", headers={"User-Agent": "other/1"})
    api.call("GET", MAPS, headers={"Authorization": "Bearer wrong"})
    seen = control("requests", f"since={end}")["records"]
    assert [(r["client"], r["verb"], r["key"], r["status"]) for r in seen] == [
        ("any", "create", "configmaps/default/", 201), ("other", "get", "configmaps/default/b", 404),
        ("other", "GET", MAPS, 401)]
    assert seen[0]["revision"] > 0
    only = control("requests", f"since={end}", "client=other", "status=4*")["records"]
    assert [r["status"] for r in only] == [404, 401]
    commits = control("requests", f"since={end}", "kind=commit")["records"]
    assert [(r["verb"], r["key"]) for r in commits] == [("create", "configmaps/default/a")]
    assert control("requests", "kind=nonsense", check=False).returncode == 1


def test_lint(api, control):
    api.post(MAPS, named("hot", v="0"))
    for i in range(25):
        api.put(MAPS + "/hot", named("hot", v=str(i)))
    for _ in range(12):
        api.put(MAPS + "/hot", named("hot", v="24"))
    found = {f["rule"] for f in control("lint")["findings"]}
    assert {"hotLoop", "unconditionalWrite", "noopWrites"} <= found


def test_lint_of_long_lists(api, control):
    def told():
        return [f["text"] for f in control("lint")["findings"] if f["rule"] == "unboundedList"]
    for i in range(500 - len(api.get(MAPS).names)):
        api.post(MAPS, named(f"m{i}"))
    api.get(MAPS)
    assert told() == []
    api.post(MAPS, named("one-more"))
    api.get(MAPS, limit="500")
    api.get(MAPS, resourceVersion="0")
    assert told() == []
    api.get(MAPS)
    assert told() == ["lists 501 configmaps/default/ without a limit"]


ELSEWHERE = """clients: {slow: {match: {userAgent: "slow*"}}, any: {}}
faults:
- on: {beforeReceive: {verb: create, n: 2}}
  do: [{reply: 429}]
- on: {afterReceive: {verb: create, status: "2*", n: 2}}
  do: [{cut: true}]
- on: {beforeReceive: {client: slow, verb: get}}
  do: [{hold: until, until: {afterReceive: {verb: create, status: "2*", n: 2}}}]
- on: {beforeDeliver: {name: e}}
  do: [{expire: true}]
"""


def test_faults_of_requests_and_watches_over_etcd(tmp_path):
    etcd = Etcd().wait()
    plan, address = tmp_path / "plan.yaml", f"unix:{tmp_path}/c"
    plan.write_text(ELSEWHERE)
    server = conftest.start(tmp_path, "--etcd-servers", etcd.url, f"--control={address}", f"--plan={plan}")
    try:
        conftest.wait_ready(server)
        api, control = client.Api(server), Control(address)
        assert [api.call("POST", MAPS, named(n)).status for n in "ab"] == [201, 429]
        cut_off(api, "POST", MAPS, named("c"))
        gone = http.client.HTTPSConnection(server.host, server.port, context=api.context, timeout=10)
        headers = {"Authorization": f"Bearer {api.token}", "User-Agent": "slow/1"}
        gone.request("GET", MAPS + "/a", headers=headers)  # both wait for the second create from now on
        held = http.client.HTTPSConnection(server.host, server.port, context=api.context, timeout=10)
        held.request("GET", MAPS + "/d", headers=headers)
        control("quiesce", "quiet=100ms")
        gone.close()  # while it is held
        assert names(api) == ["a", "c"]  # the cut came behind the commit
        with api.watch(MAPS, resourceVersion=api.get(MAPS).version) as w:
            api.post(MAPS, named("d"))
            api.post(MAPS, named("e"))
            assert json.loads(held.getresponse().read())["metadata"]["name"] == "d"
            assert client.brief(w.take(1)) == ["ADDED:d"] and w.next()[1]["code"] == 410
        held.close()
        seen = control("requests", "client=slow")["records"]
        assert sorted((r["key"], r.get("status", 0)) for r in seen) == [("configmaps/default/a", 0), ("configmaps/default/d", 200)]
        for refused in ("fork", "reset"):
            assert "there are --etcd-servers" in control(refused, check=False).stderr
        done = control("add-fault", body={"on": {"at": "1s"}, "do": [{"compact": 5}]}, check=False)
        assert "compact needs the embedded store" in done.stderr
    finally:
        conftest.stop(server)
        etcd.close()


@pytest.mark.parametrize("text,what", [
    ("faults:\n- on: {afterCommit: {}}\n  do: [{cut: true}]\n", "plan.yaml:2: afterCommit"),
    ("faults:\n- on: {any: [{at: 1s}, {revision: 9}]}\n  do: [{cut: true}]\n", "plan.yaml:2: revision"),
    ("faults:\n- on: {beforeReceive: {}}\n  do:\n  - {duplicate: true}\n", "plan.yaml:4: duplicate"),
    ("apiservers: {a: {lag: {rv: 3}}}\n", "plan.yaml:1: a lagging apiserver"),
])
def test_what_needs_the_embedded_store_is_refused_over_etcd(tmp_path, text, what):
    plan = tmp_path / "plan.yaml"
    plan.write_text(text)
    done = subprocess.run([conftest.binary(), "serve", "--bind-address=127.0.0.1", "--secure-port=0", "--plan", plan,
                           "--etcd-servers=http://127.0.0.1:1"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and what + " needs the embedded store" in done.stderr


BAD_PLANS = [
    ("seeds: 1\n", 'plan.yaml:1: unknown key "seeds" in a plan'),
    ("seed: x\n", "plan.yaml:1: seed: a number from 0 is wanted, not \"x\""),
    ("faults:\n- on: {afterCommit: {verbs: create}}\n  do: [{cut: true}]\n", 'plan.yaml:2: unknown key "verbs" in a trigger'),
    ("faults:\n- on: {afterwards: {}}\n  do: [{cut: true}]\n", 'plan.yaml:2: unknown trigger "afterwards"'),
    ("faults:\n- on: {at: 1s}\n  do:\n  - {explode: true}\n", 'plan.yaml:4: unknown action "explode"'),
    ("faults:\n- on: {at: 1s}\n  do: [{reply: 418}]\n", "plan.yaml:3: a reply is 409, 410, 429, 500, 503 or 504"),
    ("faults:\n- on: {at: 1s}\n  do: [{reply: 409, reason: Why}]\n", "plan.yaml:3: a reason of a Status is wanted, like AlreadyExists"),
    ("faults:\n- on: {at: 1s}\n  do: [{hold: 1s, p: 0.5}]\n", 'plan.yaml:3: unknown key "p" beside hold'),
    ("faults:\n- on: {at: 1s}\n  do: [{killClient: nobody}]\n", 'plan.yaml:3: client "nobody" is not declared'),
    ("faults:\n- on: {beforeCommit: {}}\n  do: [{hold: 1s}]\n", "plan.yaml:3: hold can't be done at beforeCommit"),
    ("faults:\n- on: {beforeReceive: {status: 5*}}\n  do: [{cut: true}]\n", "plan.yaml:2: status is of afterReceive"),
    ("faults:\n- on: {not: {at: 1s}}\n  do: [{cut: true}]\n", "plan.yaml:2: not stands only inside of all"),
    ("faults:\n- on: {at: soon}\n  do: [{cut: true}]\n", "plan.yaml:2: at: a duration like 1m30s is wanted"),
    ("faults:\n- do: [{cut: true}]\n", 'plan.yaml:2: a fault needs "on" and "do"'),
    ("clients: {c: {server: z}}\n", 'plan.yaml:1: apiserver "z" is not declared'),
    ("oracles: [perfect]\n", 'plan.yaml:1: unknown oracle "perfect"'),
    ("scenario:\n- delete: widgets/default/a\n", 'plan.yaml:2: "widgets/default/a" names no object'),
    ("scenario:\n- apply: nowhere.yaml\n", "plan.yaml:2: can't read"),
    ("scenario:\n- jump: 1\n", 'plan.yaml:2: unknown step "jump"'),
    ("a: [1\n", "plan.yaml:2: "),
    ("seed: 1\nseed: 2\n", 'plan.yaml:2: key "seed" stands twice'),
    ("- 1\n", "plan.yaml:1: a plan is a map"),
    ("faults:\n- on: {at: 1s}\n  do: [{jumpClock: 1h}]\n", 'plan.yaml:3: jumpClock needs "clock: virtual"'),
]


@pytest.mark.parametrize("text,error", BAD_PLANS)
def test_bad_plans(tmp_path, text, error):
    plan = tmp_path / "plan.yaml"
    plan.write_text(text)
    for command in (["sim", "live", "--plan", plan, "--out", tmp_path / "out", "--", "true"],
                    ["serve", "--bind-address=127.0.0.1", "--secure-port=0", "--plan", plan]):
        done = subprocess.run([conftest.binary(), *command], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and error in done.stderr, done.stderr
