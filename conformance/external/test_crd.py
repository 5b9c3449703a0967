"""Custom resources where a sequence of answers (sequences/custom_*.jsonl) can't say it: what happens between writes, over restarts,
between servers, and in etcd. What the real server answers was looked at case by case; it acts some time later."""

import copy
import json
import re
import subprocess
import time

import pytest

import conftest
from client import PROTOBUF, Api
from etcd import Etcd
from test_etcd_backend import stored

GROUP = "stable.example.com"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAME = f"crontabs.{GROUP}"
TABS = f"/apis/{GROUP}/v1/namespaces/default/crontabs"
SPEC = {"cronSpec": {"type": "string", "description": "when"}, "replicas": {"type": "integer", "default": 1}}
CRD = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": NAME},
       "spec": {"group": GROUP, "scope": "Namespaced",
                "names": {"plural": "crontabs", "singular": "crontab", "kind": "CronTab", "shortNames": ["ct"]},
                "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                              "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                                  "spec": {"type": "object", "properties": SPEC}}}}}]}}


def tab(name, **spec):
    return {"apiVersion": f"{GROUP}/v1", "kind": "CronTab", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def api(tmp_path):
    server = conftest.start(tmp_path)
    conftest.wait_ready(server)
    yield Api(server)
    conftest.stop(server)


def gone(api, path):
    """Waits for the end of something that ends by itself."""
    for _ in range(600):
        if api.get(path).status == 404:
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} is still there: {api.get(path).bytes}")


def conditions(api):
    return {c["type"]: (c["status"], c["reason"]) for c in api.get(f"{DEFINITIONS}/{NAME}").json["status"]["conditions"]}


def test_it_is_served_to_the_request_behind_the_post(api):
    """Both are there before the first is answered: nothing can come between them."""
    head = "Host: x\r\nAuthorization: Bearer " + api.server.token + "\r\n"
    body = json.dumps(CRD)
    text = (f"POST {DEFINITIONS} HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            f"GET {TABS} HTTP/1.1\r\n{head}Connection: close\r\n\r\n")
    with api.server.connect(tls=False) as s:
        s.sendall(text.encode())
        answers = b"".join(iter(lambda: s.recv(65536), b""))
    assert re.findall(rb"HTTP/1\.1 (\d+)", answers) == [b"201", b"200"]


def test_it_is_served_when_the_post_returns(api):
    made = api.post(DEFINITIONS, CRD)
    assert made["status"] == {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": ["v1"]}
    assert api.post(TABS, tab("a"))["spec"] == {"replicas": 1}
    assert conditions(api) == {"NamesAccepted": ("True", "NoConflicts"), "Established": ("True", "InitialNamesAccepted")}
    assert [r["name"] for r in api.get(f"/apis/{GROUP}/v1").json["resources"]] == ["crontabs", "crontabs/status"]
    assert api.get(f"/apis/apiregistration.k8s.io/v1/apiservices/v1.{GROUP}").status == 200
    assert f"/apis/{GROUP}/v1" in api.get("/").json["paths"]


def test_unknown_paths_are_text(api):
    for path in (f"/apis/{GROUP}/v1", TABS):
        answer = api.get(path)
        assert (answer.status, answer.bytes) == (404, b"404 page not found\n")
    api.post(DEFINITIONS, CRD)
    for path in (f"/apis/{GROUP}/v2/x", f"/apis/{GROUP}/v1/foos", f"/apis/{GROUP}/v1/crontabs/a"):
        answer = api.get(path)
        assert (answer.status, answer.bytes) == (404, b"404 page not found\n")
    refused = api.get(TABS, {"Accept": PROTOBUF})
    assert refused.status == 406 and refused.bytes.startswith(b"k8s\0")


def test_it_goes_with_its_objects(api):
    api.post(DEFINITIONS, CRD)
    for name in "ab":
        api.post(TABS, tab(name))
    with api.watch(TABS, resourceVersion="0") as watch:
        watch.take(2)
        api.delete(f"{DEFINITIONS}/{NAME}")
        gone(api, f"{DEFINITIONS}/{NAME}")
        assert [(t, o["metadata"]["name"]) for t, o in watch.rest()] == [("DELETED", "a"), ("DELETED", "b")]
    assert api.get(TABS).bytes == b"404 page not found\n"
    gone(api, f"/apis/apiregistration.k8s.io/v1/apiservices/v1.{GROUP}")
    api.post(DEFINITIONS, CRD)
    assert api.get(TABS).json["items"] == []


def test_a_finalizer_holds_it(api):
    api.post(DEFINITIONS, CRD)
    held = tab("held")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    api.post(TABS, held)
    api.post(TABS, tab("free"))
    api.delete(f"{DEFINITIONS}/{NAME}")
    gone(api, f"{TABS}/free")
    assert conditions(api)["Terminating"] == ("True", "InstanceDeletionInProgress")
    assert api.call("POST", TABS, tab("late")).status == 403
    assert "create" not in api.get(f"/apis/{GROUP}/v1").json["resources"][0]["verbs"]
    assert "deletionTimestamp" in api.get(f"{TABS}/held").json["metadata"]
    api.merge(f"{TABS}/held", {"metadata": {"finalizers": None}})
    gone(api, f"{DEFINITIONS}/{NAME}")


def test_another_schema_ends_watches_and_counts_at_once(api):
    api.post(DEFINITIONS, CRD)
    api.post(TABS, tab("a", cronSpec="x"))
    with api.watch(TABS, resourceVersion="0") as watch:
        assert watch.next()[0] == "ADDED"
        schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "new": {"type": "string", "default": "n"}}}}}
        version = {**CRD["spec"]["versions"][0], "schema": {"openAPIV3Schema": schema}}
        api.merge(f"{DEFINITIONS}/{NAME}", {"spec": {"versions": [version]}})
        assert api.get(f"{TABS}/a").json["spec"] == {"new": "n"}
        assert watch.rest() == []


def test_openapi_tells_of_it(api):
    first = api.get("/openapi/v3")
    api.post(DEFINITIONS, CRD)
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    index = api.get("/openapi/v3", since)
    assert index.status == 200
    url = index.json["paths"][f"apis/{GROUP}/v1"]["serverRelativeURL"]
    document = api.get(url)
    assert document.headers["Cache-Control"] == "public, immutable"
    schema = document.json["components"]["schemas"]["com.example.stable.v1.CronTab"]
    assert schema["properties"]["spec"]["properties"] == SPEC
    assert schema["x-kubernetes-group-version-kind"] == [{"group": GROUP, "kind": "CronTab", "version": "v1"}]
    assert f"{TABS.replace('default', '{namespace}')}/{{name}}/status" in document.json["paths"]
    assert api.get("/openapi/v3", {"If-Modified-Since": index.headers["Last-Modified"]}).status == 304


def test_openapi_v2_tells_of_it(api):
    """Without defaults, which that version does not publish, and without what can be null."""
    before = api.get("/openapi/v2")
    crd = copy.deepcopy(CRD)
    version = crd["spec"]["versions"][0]
    version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["maybe"] = {"type": "string", "nullable": True}
    version["schema"]["openAPIV3Schema"]["properties"]["spec"]["required"] = ["maybe"]
    api.post(DEFINITIONS, crd)
    document = api.get("/openapi/v2", {"If-None-Match": before.headers["Etag"]})
    assert document.status == 200
    definitions = document.json["definitions"]
    ref = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    tab_schema = definitions["com.example.stable.v1.CronTab"]
    for own in ("apiVersion", "kind", "metadata"):
        assert tab_schema["properties"][own].pop("description")
    assert tab_schema == {
        "type": "object", "properties": {
            "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"$ref": ref},
            "spec": {"type": "object", "properties": {"cronSpec": SPEC["cronSpec"], "maybe": {}, "replicas": {"type": "integer"}}}},
        "x-kubernetes-group-version-kind": [{"group": GROUP, "kind": "CronTab", "version": "v1"}]}
    assert "io.k8s.api.core.v1.Pod" in definitions
    assert api.get("/openapi/v2", {"If-None-Match": document.headers["Etag"]}).status == 304


def test_what_has_no_effect_is_named(api):
    crd = copy.deepcopy(CRD)
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["x-kubernetes-validations"] = [{"rule": "true"}]
    answer = api.call("POST", DEFINITIONS, crd)
    assert answer.status == 201
    assert "x-kubernetes-validations" in answer.headers["Warning"]


def test_a_conversion_webhook_is_not_called(api):
    crd = copy.deepcopy(CRD)
    versions = crd["spec"]["versions"]
    versions.append({**versions[0], "name": "v2", "storage": False})
    crd["spec"]["conversion"] = {"strategy": "Webhook", "webhook": {
        "conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://127.0.0.1:1/convert"}}}
    assert "conversion webhooks" in api.call("POST", DEFINITIONS, crd).headers["Warning"]
    api.post(TABS, tab("a"))
    refused = api.get(TABS.replace("v1", "v2") + "/a")
    assert refused.status == 500 and "does not call conversion webhooks" in refused.json["message"]


def test_a_snapshot_keeps_it(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    server = conftest.start(tmp_path / "a", f"--snapshot-out={tmp_path}/snap")
    conftest.wait_ready(server)
    Api(server).post(DEFINITIONS, CRD)
    made = Api(server).post(TABS, tab("a"))
    conftest.stop(server)
    server = conftest.start(tmp_path / "b", f"--snapshot-in={tmp_path}/snap")
    conftest.wait_ready(server)
    assert Api(server).get(f"{TABS}/a").json == made
    conftest.stop(server)


def test_a_reset_forgets_it(tmp_path):
    server = conftest.start(tmp_path, f"--control=unix:{tmp_path}/c")
    conftest.wait_ready(server)
    api = Api(server)
    api.post(DEFINITIONS, CRD)
    subprocess.run([conftest.binary(), "control", f"unix:{tmp_path}/c", "reset"], check=True, capture_output=True)
    assert api.get(TABS).bytes == b"404 page not found\n"
    api.post(DEFINITIONS, CRD)
    assert api.get(TABS).status == 200
    conftest.stop(server)


def test_etcd_has_the_real_servers_bytes_and_two_servers_share_them(tmp_path):
    etcd = Etcd().wait()
    servers = []
    for name in "ab":
        (tmp_path / name).mkdir()
        servers.append(conftest.start(tmp_path / name, "--etcd-servers", etcd.url))
        conftest.wait_ready(servers[-1])
    one, two = map(Api, servers)
    one.post(DEFINITIONS, CRD)
    for _ in range(600):
        if two.get(TABS).status == 200:
            break
        time.sleep(0.05)
    made = two.post(TABS, tab("a", cronSpec="x"))
    assert one.get(f"{TABS}/a").json == made
    value = stored(etcd, f"/registry/{GROUP}/crontabs/default/a")
    wanted = copy.deepcopy(made)
    del wanted["metadata"]["resourceVersion"]
    assert value == (json.dumps(wanted, separators=(",", ":"), sort_keys=True) + "\n").encode()
    one.delete(f"{DEFINITIONS}/{NAME}")
    gone(two, f"{DEFINITIONS}/{NAME}")
    gone(two, TABS)
    for server in servers:
        conftest.stop(server)
    etcd.close()
