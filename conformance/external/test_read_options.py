"""Reads whose options contradict each other or come in rare places: which of several mistakes is told,
the deprecated watch paths, and events, which the real server reads without a watch cache.

Every expectation holds for kube-apiserver v1.36.3 too: run with APISIM_URL and APISIM_TOKEN. The matrix they
come from is conformance/differential/reads.py.
"""

import json

import pytest

from client import PARTIAL, Place, PROTOBUF, TABLE, token_fields

BACKENDS = ["memory", "etcd"]

FUTURE = "900000000"
LIST_FORM = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
UNKNOWN_FIELD = '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"'
STREAMS = "only the following media types are accepted: application/json;stream=watch, " \
          "application/vnd.kubernetes.protobuf;stream=watch"
NO_NUMBER = 'strconv.ParseInt: parsing "x": invalid syntax'
NO_SELECTOR = "found '=', expected: !, identifier, or 'end of string'"
NO_FIELDS = "invalid selector: 'bad'; can't understand 'bad'"
NO_MATCH = 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "B": supported values: ' \
           '"Exact", "NotOlderThan", ""'
NO_WATCH_MATCH = 'ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch ' \
                 'is forbidden for watch unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: ' \
                 '"B": supported values: "NotOlderThan"]'
NO_INITIAL = 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list'
NO_VERSION = 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'


@pytest.fixture(scope="module")
def place(api):
    place = Place(api)
    for name in "abc":
        place.create(name, {"x": name})
        api.post(f"{place.base}/events", {"metadata": {"name": name}, "involvedObject": {"namespace": place.name},
                                          "reason": name})
    yield place
    place.remove()


# What is wrong, and the answers of a list and of a watch in which it and all below it are wrong.
MISTAKES = [
    ({"limit": "x"}, (400, NO_NUMBER), (400, NO_NUMBER)),
    ({"labelSelector": "="}, (400, NO_SELECTOR), (400, NO_SELECTOR)),
    ({"fieldSelector": "bad"}, (400, NO_FIELDS), (400, NO_FIELDS)),
    ({"resourceVersionMatch": "B"}, (422, NO_MATCH), (422, NO_WATCH_MATCH)),
    ({"fieldSelector": "spec.x=1"}, (400, UNKNOWN_FIELD), (400, UNKNOWN_FIELD)),
    ({"resourceVersion": "x"}, (400, f"invalid resource version: {NO_VERSION}"), (500, NO_VERSION)),
]


@pytest.mark.parametrize("first", range(len(MISTAKES)))
def test_first_mistake_is_told(api, place, first):
    params = {}
    for wrong, _, _ in reversed(MISTAKES[first:]):
        params.update(wrong)
    _, of_list, of_watch = MISTAKES[first]
    answer = api.get(place.maps, **params)
    assert (answer.status, answer.json["message"]) == of_list
    answer = api.get(place.maps, watch="1", timeoutSeconds="1", **params)
    assert (answer.status, answer.json["message"]) == of_watch


@pytest.mark.parametrize("params, status, message", [
    ({"limit": "x"}, 400, NO_NUMBER), ({"fieldSelector": "spec.x=1"}, 400, UNKNOWN_FIELD), ({"resourceVersion": "x"}, 500, NO_VERSION),
    ({}, 406, STREAMS)])
def test_form_that_cannot_be_streamed_is_told_last(api, place, params, status, message):
    answer = api.get(place.maps, {"Accept": "application/yaml;as=Table;v=v1;g=meta.k8s.io"}, watch="1", timeoutSeconds="1", **params)
    assert (answer.status, answer.json["message"]) == (status, message)


def test_table_option_is_told_before_the_stream(api, place):
    answer = api.get(place.maps, {"Accept": "application/yaml;as=Table;v=v1;g=meta.k8s.io"}, watch="1", includeObject="B")
    assert answer.status == 400
    assert answer.json["message"].startswith("Unable to convert to Table as requested: includeObject: Invalid value")


@pytest.mark.parametrize("include", ["None", "Metadata", "Object"])
def test_end_of_initial_events_is_told_in_every_table(api, place, include):
    answer = api.get(place.maps, {"Accept": TABLE}, watch="1", timeoutSeconds="1", allowWatchBookmarks="1", includeObject=include,
                     labelSelector="x=none")
    event = json.loads(answer.bytes.splitlines()[0])
    assert event["type"] == "BOOKMARK"
    assert event["object"]["rows"][0]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


# ---- the deprecated paths ----

def old(place, kind="configmaps", name=""):
    return f"/api/v1/watch/namespaces/{place.name}/{kind}" + (f"/{name}" if name else "")


def test_options_of_a_deprecated_path_are_a_list_s(api, place):
    answer = api.get(old(place), resourceVersion="0", sendInitialEvents="true", resourceVersionMatch="NotOlderThan")
    assert (answer.status, answer.json["message"]) == (422, NO_INITIAL)


@pytest.mark.parametrize("params", [{}, {"resourceVersion": "0", "resourceVersionMatch": "NotOlderThan"}])
def test_deprecated_path_has_no_end_of_initial_events(api, place, params):
    answer = api.get(old(place, name="b"), allowWatchBookmarks="1", timeoutSeconds="1", **params)
    events = [json.loads(line) for line in answer.bytes.splitlines()]
    assert [e["type"] for e in events] == ["ADDED"]
    answer = api.get(old(place, name="b"), allowWatchBookmarks="1", timeoutSeconds="1", watch="1")
    events = [json.loads(line) for line in answer.bytes.splitlines()]
    assert [e["type"] for e in events] == ["ADDED", "BOOKMARK"]


def test_deprecated_path_takes_an_exact_version(api, place):
    version = place.version()
    answer = api.get(old(place), resourceVersion=version, resourceVersionMatch="Exact", timeoutSeconds="1")
    assert (answer.status, answer.bytes) == (200, b"")


@pytest.mark.parametrize("path", ["namespaces/N/pods/p/status", "namespaces/N/status", "namespaces/N/services/s/proxy",
                                  "componentstatuses", "namespaces/N/configmaps/a/b"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_deprecated_paths_that_are_none(api, place, path, method):
    answer = api.call(method, "/api/v1/watch/" + path.replace("N", place.name))
    assert (answer.status, answer.json["reason"]) == (404, "NotFound")


def test_watch_without_a_resource(api):
    answer = api.get('/api/v1/watch?a=<1>&b=2"')
    assert answer.status == 500
    text = '/api/v1/watch?a=&lt;1&gt;&amp;b=2'
    assert answer.bytes.decode() == f'Internal Server Error: "{text}\\"": failed to create RequestInfo: unable to determine ' \
                                    f'kind and namespace from url, {text}"\n'
    assert answer.headers["Cache-Control"] is None


def test_watch_of_what_can_only_be_listed(api):
    answer = api.get("/api/v1/componentstatuses", watch="1", limit="x")
    assert (answer.status, answer.json["message"]) == (400, NO_NUMBER)
    answer = api.get("/api/v1/componentstatuses", watch="1")
    assert answer.status == 405
    answer = api.get("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", fieldSelector="metadata.name=a", watch="1")
    assert answer.status == 405


# ---- time that is over ----

@pytest.mark.parametrize("params", [{"resourceVersion": "0"}, {"resourceVersion": "1", "sendInitialEvents": "true",
                                                              "resourceVersionMatch": "NotOlderThan"}])
def test_watch_of_no_time(api, place, params):
    answer = api.get(place.maps, watch="1", timeoutSeconds="-1", **params)
    assert (answer.status, answer.bytes) == (200, b"")


# ---- one name ----

def test_one_name_is_got_not_listed(api, place):
    """Without recursion the legacy rule, a limit makes a version exact, does not hold."""
    answer = api.get(place.maps, fieldSelector="metadata.name=b", resourceVersion="1", limit="1")
    assert answer.names == ["b"]
    answer = api.get(place.maps, fieldSelector="metadata.name!=b", resourceVersion="1", limit="1")
    assert answer.status == 410 or answer.names == []


# ---- events ----

@pytest.mark.parametrize("group", ["/api/v1", "/apis/events.k8s.io/v1"])
def test_limit_of_events_at_version_0(api, place, group):
    page = api.get(f"{group}/namespaces/{place.name}/events", limit=1, resourceVersion="0")
    assert page.names == ["a"]
    meta = page.json["metadata"]
    assert (token_fields(meta["continue"])["start"], meta["remainingItemCount"]) == ("a\0", 2)
    page = api.get(f"{group}/namespaces/{place.name}/events", **{"continue": meta["continue"]})
    assert page.names == ["b", "c"]
    everywhere = api.get(f"{group}/events", limit=1, fieldSelector=f"metadata.namespace={place.name}")
    assert token_fields(everywhere.json["metadata"]["continue"])["start"].endswith("a\0")
    assert not token_fields(everywhere.json["metadata"]["continue"])["start"].startswith("/")


@pytest.mark.parametrize("name, params", [("", {}), ("", {"resourceVersionMatch": "NotOlderThan"}),
                                          ("", {"resourceVersionMatch": "Exact"}), ("", {"limit": 1}), ("/a", {})])
def test_version_of_events_is_not_waited_for(api, place, name, params):
    answer = api.get(f"{place.base}/events{name}", resourceVersion=FUTURE, **params)
    assert answer.status == 504
    assert answer.json["details"] == {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}
    assert answer.headers["Retry-After"] is None


@pytest.mark.parametrize("group", ["/api/v1", "/apis/events.k8s.io/v1"])
def test_events_have_no_bookmark_before_the_end(api, place, group):
    """Theirs are etcd's notices of progress, in ten minutes."""
    path = f"{group}/namespaces/{place.name}/events"
    version = api.get(path).version
    with api.watch(path, resourceVersion=version, allowWatchBookmarks="1", timeoutSeconds=4) as w:
        api.post(f"{place.base}/events", {"metadata": {"name": f"late-{group[1:4]}"}, "reason": "late",
                                          "involvedObject": {"namespace": place.name}})
        assert [kind for kind, _ in w.rest()] == ["ADDED"]
        api.delete(f"{place.base}/events/late-{group[1:4]}")


def test_bad_version_of_an_event(api, place):
    """A get of what is cached says it with 500 and without the first words."""
    answer = api.get(f"{place.base}/events/a", resourceVersion="x")
    assert (answer.status, answer.json["message"]) == (400, f"invalid resource version: {NO_VERSION}")


def test_initial_events_of_the_future_without_a_cache(api, place):
    with api.watch(f"{place.base}/events", resourceVersion=FUTURE, sendInitialEvents="true", timeoutSeconds=20,
                   resourceVersionMatch="NotOlderThan", allowWatchBookmarks="1") as w:
        kind, status = w.next()
        assert (kind, status["code"]) == ("ERROR", 504)
        assert 1 <= status["details"]["retryAfterSeconds"] <= 3
        assert w.rest() == []


# ---- scale ----

def test_scale_is_read_as_its_parent_is(api, place):
    labels = {"x": "1"}
    spec = {"selector": labels, "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}
    api.post(f"{place.base}/replicationcontrollers", {"metadata": {"name": "rc"}, "spec": spec})
    path = f"{place.base}/replicationcontrollers/rc"
    answer = api.get(f"{path}/scale", resourceVersion="x")
    assert (answer.status, answer.json["message"]) == (500, NO_VERSION)
    answer = api.get(f"{path}/scale", {"Accept": PARTIAL})
    assert answer.json["kind"] == "PartialObjectMetadata" and "spec" not in answer.json
    answer = api.get(f"{path}/scale", {"Accept": LIST_FORM})
    assert (answer.status, answer.json["message"]) == (
        406, "you requested PartialObjectMetadataList, but the requested object is not a list (*autoscaling.Scale)")
    answer = api.get(f"{path}/scale", {"Accept": TABLE})
    assert answer.json["kind"] == "Table"
    answer = api.get(f"{path}/scale", {"Accept": f"{PROTOBUF};as=PartialObjectMetadata;v=v1;g=meta.k8s.io"})
    assert b"PartialObjectMetadata" in answer.bytes
    api.delete(path)
