"""Watches: where they start, what they tell, in which form, and how they end.

Every expectation holds for kube-apiserver v1.36.3 too: run with APISIM_URL and APISIM_TOKEN.
"""

import base64
import collections
import json
import socket
import struct
import threading
import time

import pytest

import conftest
from client import Api, Place, Socket, Watch, PARTIAL, PROTOBUF, TABLE, brief

BACKENDS = ["memory", "etcd"]

FUTURE = "900000000"
END = {"k8s.io/initial-events-end": "true"}


@pytest.fixture(scope="module")
def api(apisim):
    return Api(apisim)


@pytest.fixture(scope="module")
def shared(api):
    place = Place(api)
    yield place
    place.remove()


@pytest.fixture
def place(shared):
    yield shared
    shared.clear()


def bookmark_of(event, kind="ConfigMap", version="v1"):
    """Checks the form of a bookmark; gives its version."""
    kind_of, obj = event
    assert kind_of == "BOOKMARK"
    meta = obj.pop("metadata")
    assert obj == {"kind": kind, "apiVersion": version}
    assert set(meta) <= {"resourceVersion", "annotations"}
    return int(meta["resourceVersion"])


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


# ---- forms ----

def test_headers(shared):
    with shared.api.watch(shared.maps, timeoutSeconds=1) as w:
        assert w.headers["Content-Type"] == "application/json"
        assert w.headers["Transfer-Encoding"] == "chunked"
        assert w.headers["Cache-Control"] == "no-cache, private"
        assert len(w.headers["Audit-Id"]) == 36


def test_table(place):
    """The first event carries the columns, the others do not."""
    place.create("a")
    place.create("b")
    with place.api.watch(place.maps, {"Accept": TABLE}) as w:
        first, second = (e[1] for e in w.take(2))
    assert first["kind"] == "Table" and first["apiVersion"] == "meta.k8s.io/v1"
    assert [c["name"] for c in first["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert second["columnDefinitions"] is None
    assert second["rows"][0]["cells"][0] == "b"
    assert second["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert first["metadata"]["resourceVersion"] == first["rows"][0]["object"]["metadata"]["resourceVersion"]


@pytest.mark.parametrize("include, kind", [("Metadata", "PartialObjectMetadata"), ("Object", "ConfigMap"),
                                           ("None", None), ("", "PartialObjectMetadata")])
def test_table_include(place, include, kind):
    place.create("a")
    with place.api.watch(place.maps, {"Accept": TABLE}, includeObject=include) as w:
        row = w.next()[1]["rows"][0]
    assert (row["object"] or {}).get("kind") == kind


def test_table_include_refused(shared):
    with shared.api.watch(shared.maps, {"Accept": TABLE}, includeObject="Bogus") as w:
        assert w.status == 400
        assert b"includeObject: Invalid value" in w.response.read()


def test_table_without_rows(shared):
    """A bookmark in a table."""
    with shared.api.watch(shared.maps, {"Accept": TABLE}, allowWatchBookmarks="1", labelSelector="none") as w:
        kind, table = w.next()
    assert kind == "BOOKMARK" and table["kind"] == "Table"


def test_table_of_an_old_version(place):
    place.create("a")
    with place.api.watch(place.maps, {"Accept": TABLE.replace("v=v1", "v=v1beta1")}) as w:
        assert w.next()[1]["apiVersion"] == "meta.k8s.io/v1beta1"


def test_partial(place):
    made = place.create("a", {"x": "1"})
    with place.api.watch(place.maps, {"Accept": PARTIAL}) as w:
        kind, obj = w.next()
        assert (kind, obj["kind"], obj["apiVersion"]) == ("ADDED", "PartialObjectMetadata", "meta.k8s.io/v1")
        assert obj["metadata"] == made["metadata"] and "data" not in obj
        place.delete("a")
        assert w.next()[0] == "DELETED"


def test_partial_bookmark(place):
    with place.api.watch(place.maps, {"Accept": PARTIAL}, allowWatchBookmarks="1") as w:
        bookmark_of(w.next(), "PartialObjectMetadata", "meta.k8s.io/v1")


def test_partial_list_is_no_event(place):
    place.create("a")
    accept = PARTIAL.replace("Metadata;", "MetadataList;")
    with place.api.watch(place.maps, {"Accept": accept}) as w:
        assert (w.status, w.rest()) == (200, [])


def test_yaml_is_no_stream(shared):
    with shared.api.watch(shared.maps, {"Accept": "application/yaml"}, timeoutSeconds=1) as w:
        assert w.status == 406


@pytest.mark.parametrize("accept", [PROTOBUF, PROTOBUF + ";stream=watch", PROTOBUF + ",application/json"])
def test_protobuf(place, accept):
    place.create("a")
    with place.api.watch(place.maps, {"Accept": accept}, allowWatchBookmarks="1") as w:
        assert w.headers["Content-Type"] == PROTOBUF + ";stream=watch"
        frame = w.frame()
        assert frame.startswith(b"\n\x05ADDED\x12") and b"k8s\0" in frame and b"ConfigMap" in frame
        end = w.frame()
        assert end.startswith(b"\n\x08BOOKMARK") and b"initial-events-end" in end
        place.delete("a")
        assert w.frame().startswith(b"\n\x07DELETED")


@pytest.mark.parametrize("group", ["api/v1", "apis/events.k8s.io/v1"])
def test_versions_of_events(place, group):
    path = f"/{group}/namespaces/{place.name}/events"
    with place.api.watch(path, resourceVersion=place.api.get(path).version) as w:
        place.api.post(place.base + "/events", {
            "metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "p", "namespace": place.name},
            "reason": "R", "message": "M", "type": "Normal"})
        kind, obj = w.next()
        assert kind == "ADDED" and f"/{group}".endswith(obj["apiVersion"])
        assert ("note" in obj) == ("k8s.io" in group) and ("message" in obj) != ("k8s.io" in group)
        place.api.delete(path + "/e")
        assert w.next()[0] == "DELETED"


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_versions_of_autoscalers(place, version):
    path = f"/apis/autoscaling/{version}/namespaces/{place.name}/horizontalpodautoscalers"
    with place.api.watch(path, resourceVersion=place.api.get(path).version, labelSelector="x=1") as w:
        place.api.post(path.replace(version, "v2", 1), {
            "metadata": {"name": "h", "labels": {"x": "1"}},
            "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}}})
        kind, obj = w.next()
        assert kind == "ADDED" and obj["apiVersion"] == "autoscaling/" + version
        place.api.merge(path.replace(version, "v1", 1) + "/h", {"metadata": {"labels": {"x": "2"}}})
        kind, obj = w.next()
        assert kind == "DELETED" and obj["apiVersion"] == "autoscaling/" + version
        assert obj["metadata"]["labels"] == {"x": "1"}
        place.api.delete(path + "/h")


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


@pytest.fixture(scope="module")
def old(apisim, tmp_path_factory):
    if apisim.process is None:
        place = Place(Api(apisim))
        yield place, 5
        place.remove()
        return
    server = conftest.start(tmp_path_factory.mktemp("history"), "--store-history-events=100")
    place = Place(Api(server))
    first = int(place.create("first")["metadata"]["resourceVersion"])
    for i in range(120):
        place.label("first", n=str(i))
    place.delete("first")
    yield place, first
    conftest.stop(server)


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


# ---- WebSocket ----

def socket_path(place, **params):
    params = {"watch": "1", "timeoutSeconds": "30", **params}
    return place.maps + "?" + "&".join(f"{k}={v}" for k, v in params.items())


def test_socket(place):
    place.create("a")
    with Socket(place.api.server, socket_path(place)) as s:
        assert s.head == (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        assert brief([s.event()]) == ["ADDED:a"]
        place.label("a", x="1")
        place.delete("a")
        assert brief([s.event(), s.event()]) == ["MODIFIED:a", "DELETED:a"]


def test_socket_timeout(place):
    with Socket(place.api.server, socket_path(place, timeoutSeconds=1)) as s:
        assert s.frame() == (8, b"\x03\xe8")
        assert s.frame() is None


def test_socket_too_old(old):
    place, version = old
    with Socket(place.api.server, socket_path(place, resourceVersion=version)) as s:
        kind, status = s.event()
        assert (kind, status["code"]) == ("ERROR", 410)
        assert s.frame() == (8, b"\x03\xe8")


def test_socket_large_frame(place):
    place.create("a", data={"k": "x" * 70000})
    with Socket(place.api.server, socket_path(place)) as s:
        assert s.event()[1]["data"]["k"] == "x" * 70000


def test_socket_protobuf(place):
    """Binary messages, without the length that a stream has."""
    place.create("a")
    with Socket(place.api.server, socket_path(place), ["Accept: " + PROTOBUF]) as s:
        opcode, payload = s.frame()
        assert opcode == 2 and payload.startswith(b"\n\x05ADDED\x12")


@pytest.mark.parametrize("accept, kind", [(TABLE, "Table"), (PARTIAL, "PartialObjectMetadata")])
def test_socket_forms(place, accept, kind):
    place.create("a")
    with Socket(place.api.server, socket_path(place), ["Accept: " + accept]) as s:
        assert s.event()[1]["kind"] == kind


@pytest.mark.parametrize("protocol", ["binary.k8s.io", "anything"])
def test_socket_protocol(place, protocol):
    with Socket(place.api.server, socket_path(place), ["Sec-WebSocket-Protocol: " + protocol]) as s:
        assert s.status == 101 and s.header("Sec-WebSocket-Protocol") == protocol


UPGRADE = ["Connection: keep-alive, Upgrade", "Upgrade: WebSocket"]
KEY, VERSION, ORIGIN = "Sec-WebSocket-Key: abc", "Sec-WebSocket-Version: 13", "Origin: http://x"


@pytest.mark.parametrize("headers, answer", [
    ([KEY, VERSION], b"HTTP/1.1 403 Forbidden\r\n\r\n"),
    ([KEY, VERSION, "Origin: ://x"], b"HTTP/1.1 403 Forbidden\r\n\r\n"),
    ([KEY, VERSION, "Origin: null"], b"HTTP/1.1 403 Forbidden\r\n\r\n"),
    ([VERSION, ORIGIN], b"HTTP/1.1 400 Bad Request\r\n\r\nmismatch challenge/response"),
    ([KEY, ORIGIN], b"HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Version: 13\r\n\r\nmissing or bad WebSocket Version"),
    ([KEY, "Sec-WebSocket-Version: 8", ORIGIN],
     b"HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Version: 13\r\n\r\nmissing or bad WebSocket Version"),
    ([KEY, VERSION, ORIGIN, "Sec-WebSocket-Protocol: a, b"], b"HTTP/1.1 400 Bad Request\r\n\r\n"),
])
def test_socket_refused(shared, headers, answer):
    with Socket(shared.api.server, socket_path(shared), [*UPGRADE, *headers], standard=False) as s:
        assert s.head + b"\r\n\r\n" + s.body() == answer


def test_socket_other_errors(shared):
    """What a watch refuses is an ordinary answer."""
    with Socket(shared.api.server, socket_path(shared, resourceVersion="abc")) as s:
        assert s.status == 500 and s.header("Content-Type") == "application/json"
    with Socket(shared.api.server, shared.maps) as s:
        assert s.status == 200


def goes_on(place, s):
    place.create("alive")
    while (frame := s.frame())[0] != 1:
        assert frame[0] == 10
    assert b'"alive"' in frame[1]


@pytest.mark.parametrize("frames", [
    [(1, b"hello")], [(2, b"x" * 70000)], [(10, b"pong")], [(0, b"stray continuation")], [(3, b"reserved")],
    [(1, b"he", False), (9, b"between"), (0, b"llo")], [(1, b"bits", True, 4)], [(2, b"")]])
def test_socket_ignores(place, frames):
    """Whatever the client says, the watch goes on."""
    with Socket(place.api.server, socket_path(place)) as s:
        for opcode, data, *more in frames:
            fin, rsv = (more + [True, 0])[:2] if len(more) != 1 else (more[0], 0)
            s.write(opcode, data, fin, rsv=rsv)
        goes_on(place, s)


@pytest.mark.parametrize("data", [b"", b"hello", b"x" * 125])
def test_socket_ping(place, data):
    with Socket(place.api.server, socket_path(place)) as s:
        s.write(9, data)
        assert s.frame() == (10, data)
        goes_on(place, s)


def test_socket_long_ping(place):
    """Only what fits into a control frame comes back."""
    with Socket(place.api.server, socket_path(place)) as s:
        s.write(9, b"y" * 300)
        assert s.frame() == (10, b"y" * 125)
        goes_on(place, s)


def test_socket_byte_by_byte(place):
    with Socket(place.api.server, socket_path(place)) as s:
        write, parts = s.raw.sendall, []
        s.raw = type("Catch", (), {"sendall": parts.append, "recv": s.raw.recv, "close": s.raw.close})()
        s.write(9, b"slow")
        for byte in b"".join(parts):
            write(bytes([byte]))
        assert s.frame() == (10, b"slow")


@pytest.mark.parametrize("payload", [b"", struct.pack(">H", 1000) + b"bye"])
def test_socket_close(shared, payload):
    with Socket(shared.api.server, socket_path(shared)) as s:
        s.write(8, payload)
        assert s.frame() == (8, b"\x03\xe8")
        assert s.closed()


def test_socket_unmasked(shared):
    with Socket(shared.api.server, socket_path(shared)) as s:
        s.write(1, b"hello", mask=None)
        assert s.frame() == (8, b"\x03\xea")
        assert s.frame() == (8, b"\x03\xe8")
        assert s.closed()


def test_socket_frame_with_the_request(place):
    """Frames that come in the same packet as the request."""
    ping = b"\x89\x85\0\0\0\0early"
    raw = place.api.server.connect()
    raw.sendall(f"GET {socket_path(place)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {place.api.token}\r\n"
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n"
                "Origin: http://x\r\n\r\n".encode() + ping)
    got = b""
    while b"early" not in got:
        more = raw.recv(65536)
        assert more
        got += more
    raw.close()
    assert got.endswith(b"\x8a\x05early")


def test_socket_key(shared):
    """The accept key is the SHA-1 of the key and the protocol's number."""
    key = base64.b64encode(b"0123456789abcdef").decode()
    with Socket(shared.api.server, socket_path(shared), key=key) as s:
        assert s.header("Sec-WebSocket-Accept") == "BACScCJPNqyz+UBoqMH89VmURoA="
