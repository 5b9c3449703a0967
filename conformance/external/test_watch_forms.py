"""The forms of a watch: headers, tables, metadata alone, protobuf, other versions of the objects.

Every expectation holds for kube-apiserver v1.36.3 too: run with APISIM_URL and APISIM_TOKEN.
"""

import pytest

from client import PARTIAL, PROTOBUF, TABLE, bookmark_of

BACKENDS = ["memory", "etcd"]


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
