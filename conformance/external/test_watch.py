"""Watches: where they start, what they tell, in which form, and how they end.

Every expectation holds for kube-apiserver v1.36.3 too: run with APISIM_URL and APISIM_TOKEN.
"""

import collections
import json
import socket
import threading
import time

import pytest

import conftest
from client import Api, Place, Watch, PARTIAL, PROTOBUF, TABLE, bookmark_of, brief

BACKENDS = ["memory", "etcd"]

FUTURE = "900000000"
END = {"k8s.io/initial-events-end": "true"}


# ---- where a watch starts ----

@pytest.mark.parametrize("version", [None, "0"])
def test_state_first(place, version):
    for name in "cab":
        place.create(name)
    params = {} if version is None else {"resourceVersion": version}
    with place.api.watch(place.maps, **params) as w:
        assert brief(w.take(3)) == ["ADDED:a", "ADDED:b", "ADDED:c"]
        place.label("b", x="1")
        place.delete("a")
        assert brief(w.take(2)) == ["MODIFIED:b", "DELETED:a"]


def test_initial_objects_are_the_stored_ones(place):
    for name in "ab":
        place.create(name, data={"k": name})
    items = place.api.get(place.maps).json["items"]
    with place.api.watch(place.maps) as w:
        for item in items:
            assert w.next() == ("ADDED", {"kind": "ConfigMap", "apiVersion": "v1", **item})


def test_from_a_version(place):
    """Everything behind it, once, in order."""
    place.create("a")
    version = place.version()
    place.create("b")
    place.label("a", x="1")
    place.delete("b")
    with place.api.watch(place.maps, resourceVersion=version) as w:
        events = w.take(3)
        assert brief(events) == ["ADDED:b", "MODIFIED:a", "DELETED:b"]
        versions = [int(o["metadata"]["resourceVersion"]) for _, o in events]
        assert versions == sorted(set(versions)) and versions[0] > int(version)
        place.create("c")
        assert brief(w.take(1)) == ["ADDED:c"]


def test_from_its_own_version(place):
    """The event of the version asked for is not told again."""
    version = place.create("a")["metadata"]["resourceVersion"]
    with place.api.watch(place.maps, resourceVersion=version) as w:
        place.create("b")
        assert brief(w.take(1)) == ["ADDED:b"]


def test_deleted_object(place):
    """The last state, at the version of the deletion."""
    made = place.create("a", {"x": "1"}, {"k": "v"})
    with place.api.watch(place.maps, resourceVersion=made["metadata"]["resourceVersion"]) as w:
        place.delete("a")
        kind, obj = w.next()
    assert kind == "DELETED" and obj["data"] == {"k": "v"} and obj["metadata"]["labels"] == {"x": "1"}
    assert int(obj["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert obj["metadata"]["uid"] == made["metadata"]["uid"]


def test_future_is_silent(place):
    with place.api.watch(place.maps, resourceVersion=FUTURE, timeoutSeconds=2) as w:
        assert w.status == 200
        place.create("a")
        assert w.rest() == []


def test_largest_version_is_silent(place):
    with place.api.watch(place.maps, resourceVersion=2**64 - 1, timeoutSeconds=1) as w:
        place.create("a")
        assert (w.status, w.rest()) == (200, [])


def test_near_future_comes(place):
    """Events up to the version asked for are not told."""
    version = int(place.version())
    with place.api.watch(place.maps, resourceVersion=version + 40) as w:
        told = 0
        for i in range(60):
            told = int(place.create(f"n{i:02}")["metadata"]["resourceVersion"])
        first = w.next()
    assert first[0] == "ADDED" and version + 40 < int(first[1]["metadata"]["resourceVersion"]) <= told


def test_no_initial_events(place):
    place.create("a")
    for version in ({}, {"resourceVersion": "0"}):
        with place.api.watch(place.maps, sendInitialEvents="false", resourceVersionMatch="NotOlderThan",
                             **version) as w:
            place.label("a", x=str(time.monotonic_ns()))
            assert brief(w.take(1)) == ["MODIFIED:a"]


@pytest.mark.parametrize("version", [None, "0", "old", "now"])
def test_initial_events_end(place, version):
    """The state, one bookmark that closes it, live events."""
    old = place.version()
    for name in "ab":
        place.create(name)
    asked = {None: {}, "0": {"resourceVersion": "0"}, "old": {"resourceVersion": old},
             "now": {"resourceVersion": place.version()}}[version]
    with place.api.watch(place.maps, sendInitialEvents="true", resourceVersionMatch="NotOlderThan",
                         allowWatchBookmarks="true", **asked) as w:
        state, end = w.take(2), w.next()
        assert brief(state) == ["ADDED:a", "ADDED:b"]
        assert end[1]["metadata"].get("annotations") == END
        least = max(int(o["metadata"]["resourceVersion"]) for _, o in state)
        assert bookmark_of(end) >= least
        place.create("c")
        assert brief(w.take(1)) == ["ADDED:c"]


def test_initial_events_without_bookmarks(place):
    place.create("a")
    with place.api.watch(place.maps, sendInitialEvents="true", resourceVersionMatch="NotOlderThan") as w:
        place.create("b")
        assert brief(w.take(2)) == ["ADDED:a", "ADDED:b"]


def test_default_initial_events_end(place):
    """allowWatchBookmarks and no version: the closing bookmark comes too."""
    place.create("a")
    with place.api.watch(place.maps, allowWatchBookmarks="true") as w:
        assert brief(w.take(1)) == ["ADDED:a"]
        assert w.next()[1]["metadata"]["annotations"] == END


def test_empty_initial_events_end(place):
    with place.api.watch(place.maps, allowWatchBookmarks="true", labelSelector="none=here") as w:
        assert w.next()[1]["metadata"]["annotations"] == END


def test_initial_events_of_the_future(place):
    """Waited for, three seconds; then an ERROR event, also where the watch's own time is shorter."""
    began = time.monotonic()
    with place.api.watch(place.maps, sendInitialEvents="true", resourceVersionMatch="NotOlderThan",
                         allowWatchBookmarks="true", resourceVersion=FUTURE, timeoutSeconds=1) as w:
        assert w.status == 200
        kind, status = w.next()
        assert kind == "ERROR" and status["code"] == 504 and status["reason"] == "Timeout"
        assert status["message"].startswith(f"Timeout: Too large resource version: {FUTURE}, current: ")
        assert status["details"] == {"causes": [{"reason": "ResourceVersionTooLarge",
                                                 "message": "Too large resource version"}],
                                     "retryAfterSeconds": 1}
        assert w.rest() == []
    assert 2.9 < time.monotonic() - began < 60


def test_initial_events_that_come(place):
    """The wait ends with the write that reaches the version."""
    wanted = int(place.version()) + 3
    done = threading.Event()

    def write():
        time.sleep(0.4)
        for i in range(2000):
            if done.is_set():
                return
            place.create(f"n{i:04}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with place.api.watch(place.maps, sendInitialEvents="true", resourceVersionMatch="NotOlderThan",
                             allowWatchBookmarks="true", resourceVersion=wanted) as w:
            event = w.next()
            while event[0] == "ADDED":
                event = w.next()
    finally:
        done.set()
        writer.join()
    assert event[1]["metadata"]["annotations"] == END
    assert bookmark_of(event) >= wanted


@pytest.mark.parametrize("params, code, message", [
    ({"resourceVersion": "abc"}, 500, 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": '
     'invalid syntax'),
    ({"sendInitialEvents": "true"}, 422, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
    ({"resourceVersionMatch": "NotOlderThan"}, 422, "resourceVersionMatch is forbidden for watch unless "
     "sendInitialEvents is provided"),
    ({"sendInitialEvents": "true", "resourceVersionMatch": "Exact"}, 422, 'Unsupported value: "Exact"'),
    ({"timeoutSeconds": "1.5"}, 400, 'strconv.ParseInt: parsing "1.5": invalid syntax'),
    ({"labelSelector": "x=1=2"}, 400, "found '=', expected: ',' or 'end of string'"),
    ({"fieldSelector": "spec.x=1"}, 400, '"spec.x" is not a known field selector'),
])
def test_refused(shared, params, code, message):
    with shared.api.watch(shared.maps, **params) as w:
        assert w.status == code
        assert message in json.loads(w.response.read())["message"]


# ---- what passes a selector ----

LIVES = [  # selector, labels over time (None: deleted; first: created), expected
    ("x=1", ["1", "1b", "2", "1", None], ["ADDED", "DELETED", "ADDED", "DELETED"]),
    ("x=1", ["2", "1", "1", None], ["ADDED", "DELETED"]),
    ("x=1", ["2", "3", None], []),
    ("x!=1", ["1", "2", "3", "1", None], ["ADDED", "MODIFIED", "DELETED"]),
    ("x in (1,2)", ["1", "2", "3", "2", None], ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"]),
    ("!x", ["1", "", None], []),
    ("x", ["1", "2", None], ["ADDED", "MODIFIED", "DELETED"]),
    ("x,x notin (2)", ["1", "2", "1", None], ["ADDED", "DELETED", "ADDED", "DELETED"]),
]


@pytest.mark.parametrize("selector, life, expected", LIVES)
def test_label_crossings(place, selector, life, expected):
    version = place.version()
    history = {}
    for step, value in enumerate(life):
        if step == 0:
            obj = place.create("a", {"x": value})
        elif value is None:
            place.delete("a")
            break
        else:
            obj = place.label("a", x=value)
        history[obj["metadata"]["resourceVersion"]] = obj
    with place.api.watch(place.maps, resourceVersion=version, labelSelector=selector,
                         fieldSelector="metadata.name=a", timeoutSeconds=1) as w:
        events = w.rest()
    assert [t for t, _ in events] == expected
    versions = [int(o["metadata"]["resourceVersion"]) for _, o in events]
    assert versions == sorted(set(versions))
    for kind, obj in events:
        if kind != "DELETED":
            assert obj["metadata"]["labels"] == history[obj["metadata"]["resourceVersion"]]["metadata"]["labels"]


def test_object_that_leaves(place):
    """DELETED tells the state that was selected, at the version of the change."""
    place.create("a", {"x": "1"}, {"k": "old"})
    version = place.version()
    changed = place.api.merge(f"{place.maps}/a", {"metadata": {"labels": {"x": "2"}}, "data": {"k": "new"}})
    with place.api.watch(place.maps, resourceVersion=version, labelSelector="x=1") as w:
        kind, obj = w.next()
    assert kind == "DELETED"
    assert obj["metadata"]["resourceVersion"] == changed["metadata"]["resourceVersion"]
    assert obj["metadata"]["labels"] == {"x": "1"} and obj["data"] == {"k": "old"}


@pytest.mark.parametrize("accept", [PROTOBUF, TABLE, PARTIAL])
def test_object_that_leaves_in_other_forms(place, accept):
    place.create("a", {"x": "1"})
    version = place.version()
    changed = place.label("a", x="2")["metadata"]["resourceVersion"]
    with place.api.watch(place.maps, {"Accept": accept}, resourceVersion=version, labelSelector="x=1") as w:
        if accept == PROTOBUF:
            frame = w.frame()
            assert b"DELETED" in frame and changed.encode() in frame
        else:
            kind, obj = w.next()
            assert kind == "DELETED" and obj["metadata"]["resourceVersion"] == changed


def make_pod(place, name):
    return place.api.post(place.base + "/pods", {
        "metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}],
                                             "automountServiceAccountToken": False}})


@pytest.fixture
def pods(place):
    """A place in which pods can be made: the real server wants a service account."""
    place.api.call("POST", place.base + "/serviceaccounts", {"metadata": {"name": "default"}})
    yield place
    place.api.call("DELETE", place.base + "/pods?gracePeriodSeconds=0")


def test_field_crossings(pods):
    path = pods.base + "/pods"
    version = make_pod(pods, "p")["metadata"]["resourceVersion"]
    pods.api.merge(path + "/p/status", {"status": {"phase": "Running"}})
    pods.api.merge(path + "/p", {"metadata": {"labels": {"a": "b"}}})
    pods.api.merge(path + "/p/status", {"status": {"phase": "Failed"}})
    with pods.api.watch(path, resourceVersion=version, fieldSelector="status.phase=Running") as w:
        events = w.take(3)
    assert [t for t, _ in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert events[2][1]["status"]["phase"] == "Running"
    with pods.api.watch(path, resourceVersion=version, fieldSelector="status.phase!=Running") as w:
        assert [t for t, _ in w.take(2)] == ["DELETED", "ADDED"]


def test_node_name_crossing(pods):
    path = pods.base + "/pods"
    version = make_pod(pods, "p")["metadata"]["resourceVersion"]
    pods.api.call("POST", path + "/p/binding", {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}})
    for selector, expected in (("spec.nodeName=n1", "ADDED"), ("spec.nodeName=", "DELETED")):
        with pods.api.watch(path, resourceVersion=version, fieldSelector=selector) as w:
            assert w.next()[0] == expected


@pytest.mark.parametrize("selector", ["metadata.name=b", "metadata.name==b"])
def test_one_name(place, selector):
    for name in ("a", "b", "bb"):
        place.create(name)
    with place.api.watch(place.maps, fieldSelector=selector) as w:
        assert brief(w.take(1)) == ["ADDED:b"]
        place.delete("a")
        place.delete("bb")
        place.label("b", x="1")
        place.delete("b")
        place.create("b")
        assert brief(w.take(3)) == ["MODIFIED:b", "DELETED:b", "ADDED:b"]


def test_every_name_but_one(place):
    for name in "abc":
        place.create(name)
    with place.api.watch(place.maps, fieldSelector="metadata.name!=b") as w:
        assert brief(w.take(2)) == ["ADDED:a", "ADDED:c"]


def test_labels_and_fields(place):
    place.create("a", {"x": "1"})
    place.create("b", {"x": "1"})
    with place.api.watch(place.maps, labelSelector="x=1", fieldSelector="metadata.name=b") as w:
        assert brief(w.take(1)) == ["ADDED:b"]
        place.label("a", x="2")
        place.label("b", x="2")
        assert brief(w.take(1)) == ["DELETED:b"]


# ---- places and paths ----

def test_namespaces_are_apart(place):
    other = Place(place.api)
    try:
        version = place.version()
        with place.api.watch(place.maps, resourceVersion=version) as one, \
                place.api.watch("/api/v1/configmaps", resourceVersion=version, labelSelector="apart") as every:
            other.create("o", {"apart": "1"})
            place.create("p", {"apart": "1"})
            assert brief(one.take(1)) == ["ADDED:p"]
            assert brief(every.take(2)) == ["ADDED:o", "ADDED:p"]
    finally:
        other.remove()


def test_namespace_by_selector(place):
    other = Place(place.api)
    try:
        version = place.version()
        with place.api.watch("/api/v1/configmaps", resourceVersion=version,
                             fieldSelector=f"metadata.namespace={place.name}") as w:
            other.create("o")
            place.create("p")
            assert brief(w.take(1)) == ["ADDED:p"]
    finally:
        other.remove()


def test_namespace_prefix_is_no_match(place):
    """A namespace whose name begins like another's."""
    other = Place(place.api, place.name + "-more")
    try:
        with place.api.watch(place.maps, resourceVersion=place.version()) as w:
            other.create("o")
            place.create("p")
            assert brief(w.take(1)) == ["ADDED:p"]
    finally:
        other.remove()


def test_missing_namespace(api):
    with api.watch("/api/v1/namespaces/rp-nosuch/configmaps", timeoutSeconds=1) as w:
        assert (w.status, w.rest()) == (200, [])


def test_cluster_scope(api):
    with api.watch("/api/v1/namespaces", resourceVersion=api.get("/api/v1/namespaces").version,
                   fieldSelector="metadata.name=rp-watched") as w:
        place = Place(api, "rp-watched")
        assert brief(w.take(1)) == ["ADDED:rp-watched"]
        place.remove()
        assert w.next()[0] in ("MODIFIED", "DELETED")


@pytest.mark.parametrize("path, names", [
    ("/api/v1/watch/namespaces/{ns}/configmaps", ["a", "b"]),
    ("/api/v1/watch/namespaces/{ns}/configmaps/b", ["b"]),
    ("/api/v1/watch/configmaps?labelSelector=old", ["a", "b"]),
    ("/api/v1/watch/namespaces/{ns}/configmaps?watch=false", ["a", "b"]),
    ("/api/v1/watch/namespaces/{ns}/configmaps/b?fieldSelector=metadata.name%3Db", ["b"]),
    ("/api/v1/watch/namespaces/{ns}", ["{ns}"]),
    ("/api/v1/watch/namespaces?fieldSelector=metadata.name%3D{ns}", ["{ns}"]),
])
def test_deprecated_paths(place, path, names):
    for name in "ab":
        place.create(name, {"old": "1"})
    connection, response = place.api.send("GET", path.format(ns=place.name), timeoutSeconds=1)
    with Watch(connection, response) as w:
        assert w.status == 200
        assert brief(w.rest()) == ["ADDED:" + n.format(ns=place.name) for n in names]


@pytest.mark.parametrize("method, path, code", [
    ("POST", "/api/v1/watch/namespaces/{ns}/configmaps", 405), ("HEAD", "/api/v1/watch/configmaps", 405),
    ("DELETE", "/api/v1/watch/namespaces/{ns}/configmaps/a", 405),
    ("GET", "/api/v1/watch/nosuch", 404),
    ("GET", "/api/v1/watch/namespaces/{ns}/configmaps/b?fieldSelector=metadata.name%3Dc", 400),
    ("GET", "/api/v1/componentstatuses?watch=1", 405), ("GET", "/api/v1/namespaces/{ns}/bindings?watch=1", 405),
    ("HEAD", "/api/v1/namespaces/{ns}/configmaps?watch=1", 405),
    ("OPTIONS", "/api/v1/namespaces/{ns}/configmaps?watch=1", 405)])
def test_paths_that_are_no_watch(shared, method, path, code):
    assert shared.api.call(method, path.format(ns=shared.name)).status == code


def test_one_object_path_is_a_get(place):
    place.create("a")
    assert place.api.get(place.maps + "/a", watch="1").json["kind"] == "ConfigMap"


@pytest.mark.parametrize("value, watches", [("1", True), ("true", True), ("yes", True), ("", True),
                                            ("0", False), ("false", False), ("FALSE", False)])
def test_what_is_a_watch(place, value, watches):
    answer = place.api.get(place.maps, watch=value, timeoutSeconds=1)
    assert (b"List" not in answer.bytes) == watches


# ---- how a watch ends ----

@pytest.mark.parametrize("seconds, least, most", [(1, 0.9, 60), (2, 1.9, 60), (-1, 0, 60)])
def test_timeout(shared, seconds, least, most):
    began = time.monotonic()
    with shared.api.watch(shared.maps, timeoutSeconds=seconds, resourceVersion=shared.version()) as w:
        assert w.rest() == []
    assert least <= time.monotonic() - began < most


def test_min_request_timeout(tmp_path):
    server = conftest.start(tmp_path, "--min-request-timeout=1")
    try:
        with Api(server).watch("/api/v1/pods", timeoutSeconds="0") as w:
            assert w.rest() == []  # its end, where the real default is half an hour
    finally:
        conftest.stop(server)


def test_bookmark_before_the_end(place):
    """Two seconds before (the real server's clock for it is coarse); its version covers what was told."""
    version = place.version()
    place.create("a")
    with place.api.watch(place.maps, resourceVersion=version, allowWatchBookmarks="1", timeoutSeconds=3) as w:
        assert brief(w.take(1)) == ["ADDED:a"]
        made = int(place.create("b")["metadata"]["resourceVersion"])
        assert brief(w.take(1)) == ["ADDED:b"]
        event = w.next()
        assert "annotations" not in event[1]["metadata"]
        assert bookmark_of(event) >= made
        assert all(kind == "BOOKMARK" for kind, _ in w.rest())  # the real server may repeat it


def test_no_bookmark_with_nothing_new(place):
    """What a watch was told on its way to the present needs no bookmark: the next would say no more."""
    version = place.version()
    place.create("a")
    with place.api.watch(place.maps, resourceVersion=version, allowWatchBookmarks="1", timeoutSeconds=3) as w:
        assert brief(w.rest()) == ["ADDED:a"]


def test_no_bookmark_unless_allowed(place):
    version = place.version()
    place.create("a")
    with place.api.watch(place.maps, resourceVersion=version, timeoutSeconds=3) as w:
        assert brief(w.rest()) == ["ADDED:a"]


def test_connection_lives_on(place):
    """A watch that ran out leaves the connection to the next request."""
    connection, response = place.api.send("GET", place.maps, watch="1", timeoutSeconds=1)
    response.read()
    connection.request("GET", place.maps, headers={"Authorization": f"Bearer {place.api.token}"})
    assert connection.getresponse().status == 200
    connection.close()


def test_pipelined_behind_a_watch(place):
    head = f"HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {place.api.token}\r\n"
    connection = place.api.server.connect()
    connection.sendall(f"GET {place.maps}?watch=1&timeoutSeconds=1 {head}\r\n"
                       f"GET {place.maps} {head}Connection: close\r\n\r\n".encode())
    got = b""
    while more := connection.recv(65536):
        got += more
    connection.close()
    assert got.count(b"HTTP/1.1 200") == 2 and b"ConfigMapList" in got


@pytest.mark.parametrize("accept", ["application/json", TABLE, PARTIAL])
@pytest.mark.parametrize("extra", [{}, {"allowWatchBookmarks": "1"}, {"labelSelector": "x"},
                                   {"sendInitialEvents": "false", "resourceVersionMatch": "NotOlderThan"}])
def test_too_old(old, accept, extra):
    """200, one ERROR event, the end."""
    place, version = old
    with place.api.watch(place.maps, {"Accept": accept}, resourceVersion=version, **extra) as w:
        assert w.status == 200
        kind, status = w.next()
        assert kind == "ERROR"
        message = status.pop("message")
        assert message.startswith(f"too old resource version: {version} (") and message.endswith(")")
        assert status == {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                          "reason": "Expired", "code": 410}
        assert w.rest() == []


def test_too_old_in_protobuf(old):
    place, version = old
    with place.api.watch(place.maps, {"Accept": PROTOBUF}, resourceVersion=version) as w:
        frame = w.frame()
        assert frame.startswith(b"\n\x05ERROR") and b"too old resource version" in frame and b"Expired" in frame
        assert w.frame() is None


def test_old_version_with_state(old):
    """Asked for the state, an old version is no problem."""
    place, version = old
    with place.api.watch(place.maps, resourceVersion=version, sendInitialEvents="true",
                         resourceVersionMatch="NotOlderThan", allowWatchBookmarks="1") as w:
        assert w.next()[1]["metadata"]["annotations"] == END


# ---- under load ----

def follow(place, version, last, out, **params):
    """Events behind a version up to the object `last`, resumed at random places."""
    resumed = 0
    while True:
        with place.api.watch(place.maps, resourceVersion=version, **params) as w:
            for _ in range(7 + 31 * resumed):
                event = w.next()
                assert event is not None
                if event[0] == "BOOKMARK":
                    continue
                out.append(event)
                version = event[1]["metadata"]["resourceVersion"]
                if event[1]["metadata"]["name"] == last:
                    return
        resumed += 1


def test_heavy_writes(place):
    """Four writers, five followers: each change once and in order for all, also when resumed."""
    version = place.version()
    told = [[] for _ in range(5)]
    followers = [threading.Thread(target=follow, args=(place, version, "zz", out)) for out in told]
    for f in followers:
        f.start()

    def write(number):
        api = Api(place.api.server)
        for i in range(25):
            name = f"w{number}-{i % 5}"
            made = api.call("POST", place.maps, {"metadata": {"name": name}})
            if made.status == 409:
                api.merge(f"{place.maps}/{name}", {"data": {"i": str(i)}})
                if i % 3 == 0:
                    api.delete(f"{place.maps}/{name}")

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for t in writers:
        t.start()
    for t in writers:
        t.join()
    place.create("zz")
    for f in followers:
        f.join(30)
        assert not f.is_alive()
    steps = [[(t, o["metadata"]["name"], o["metadata"]["resourceVersion"]) for t, o in out] for out in told]
    assert all(s == steps[0] for s in steps)
    versions = [int(v) for _, _, v in steps[0]]
    assert versions == sorted(set(versions))
    alive = collections.Counter()
    for kind, name, _ in steps[0]:
        assert alive[name] == (kind != "ADDED"), (kind, name)
        alive[name] = kind != "DELETED"
    assert sorted(n for n in alive if alive[n]) == place.api.get(place.maps).names


def test_slow_watcher_is_cut(apisim):
    """Who does not read is disconnected, and the others go on."""
    if apisim.process is None:
        pytest.skip("the real server's buffers are its own business")
    place = Place(Api(apisim))
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.settimeout(20)
    slow.connect((apisim.host, apisim.http_port))
    slow.sendall(f"GET {place.maps}?watch=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {apisim.token}\r\n\r\n"
                 .encode())
    with place.api.watch(place.maps, resourceVersion=place.version()) as w:
        for i in range(30):
            place.create("big", data={"k": "x" * 1000000})
            assert w.next()[0] == "ADDED"
            place.delete("big")
            assert w.next()[0] == "DELETED"
    got = b""
    try:
        while more := slow.recv(1 << 20):
            got += more
    except ConnectionError:
        pass
    slow.close()
    assert not got.endswith(b"0\r\n\r\n"), "a cut stream has no end"
    assert 0 < got.count(b'"type":') < 60
    place.remove()


def test_many_watchers_of_one_event(place):
    watches = [place.api.watch(place.maps, resourceVersion=place.version()) for _ in range(50)]
    place.create("a")
    lines = {w.response.readline() for w in watches}
    for w in watches:
        w.close()
    assert len(lines) == 1
