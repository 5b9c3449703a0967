"""application/cbor behind its feature gate: the same answers as a kube-apiserver v1.36 with
--feature-gates=CBORServingAndStorage=true (run against one with APISIM_URL), and none without the gate."""

import io
import json
import os
import subprocess

import cbor2
import pytest

import conftest
from client import Api

CBOR = "application/cbor"
MAPS = "/api/v1/namespaces/default/configmaps"
ALL = "application/json, application/yaml, application/vnd.kubernetes.protobuf, application/cbor"


def texts(v):
    """Go's strings travel as byte strings; bytes stand behind tag 22."""
    if isinstance(v, bytes):
        return v.decode()
    if isinstance(v, cbor2.CBORTag):
        return v.value if v.tag == 22 else texts(v.value)
    if isinstance(v, dict):
        return {texts(k): texts(x) for k, x in v.items()}
    return [texts(x) for x in v] if isinstance(v, list) else v


def load(data):
    assert data[:3] == b"\xd9\xd9\xf7"
    return texts(cbor2.loads(data[3:]))


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    if os.environ.get("APISIM_URL"):
        server = conftest.Server(os.environ["APISIM_URL"], None, os.environ.get("APISIM_TOKEN", "admintoken"), None, None, None)
    else:
        server = conftest.start(tmp_path_factory.mktemp("cbor"), "--feature-gates=CBORServingAndStorage=true")
    yield Api(server)
    conftest.stop(server)


def call(api, method, path, body=None, kind=CBOR, accept="application/json"):
    headers = {"Accept": accept, "Content-Type": kind}
    return api.call(method, path, body=body, headers=headers)


def message(answer):
    return answer.json["message"]


@pytest.mark.parametrize("body, code, text", [
    ("", 400, "the object provided is unrecognized (must be of type ConfigMap): unable to determine group/version/kind: EOF (<empty>)"),
    ("80", 400, "the object provided is unrecognized (must be of type ConfigMap): unable to determine group/version/kind: cbor: cannot "
     "unmarshal array into Go value of type v1.TypeMeta (cannot decode CBOR array to struct without toarray option) (80)"),
    ("a1446b696e6401", 400, "the object provided is unrecognized (must be of type ConfigMap): unable to determine group/version/kind: cbor: "
     "cannot unmarshal positive integer into Go struct field v1.TypeMeta.kind of type string (a1446b696e6401)"),
    ("a2446b696e64465365637265744a61706956657273696f6e427631", 400, 'Secret in version "v1" cannot be handled as a ConfigMap: converting '
     "(v1.Secret) to (core.ConfigMap): unknown conversion"),
    ("a14464617461a1416101", 400, 'ConfigMap in version "v1" cannot be handled as a ConfigMap: cbor: cannot unmarshal positive integer into '
     "Go struct field v1.ConfigMap.data of type string"),
    ("a24464617461a04464617461a0", 400, "the object provided is unrecognized (must be of type ConfigMap): unable to determine "
     'group/version/kind: cbor: found duplicate map key "data" at map element index 1 (a24464617461a04464617461a0)'),
    ("a000", 400, "the object provided is unrecognized (must be of type ConfigMap): unable to determine group/version/kind: cbor: 1 bytes of "
     "extraneous data starting at index 1 (a000)"),
    ("a14a61706956657273696f6e45617070732f", 400, 'ConfigMap in version "" cannot be handled as a ConfigMap: Object \'apiVersion\' is '
     "missing in '{'apiVersion': 'apps/'}'"),
])
def test_refused_bodies(api, body, code, text):
    answer = call(api, "POST", MAPS, bytes.fromhex(body))
    assert (answer.status, message(answer)) == (code, text)


def test_unknown_field(api):
    body = cbor2.dumps({"metadata": {"generateName": "cbor-"}, "nope": True})
    answer = call(api, "POST", MAPS, body)
    assert answer.status == 201
    assert answer.headers["Warning"] == '299 - "cbor: found unknown field at map element index 1"'
    answer = call(api, "POST", MAPS + "?fieldValidation=Strict", body)
    assert message(answer) == ('ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
                               "cbor: found unknown field at map element index 1")


def test_round_trip(api):
    """Text or byte strings, with or without the tag; what was sent comes back in every form."""
    call(api, "DELETE", MAPS + "/cbor-round")
    sent = {b"metadata": {"name": "cbor-round", b"labels": {b"a": "b"}}, "data": {"x": b"y"},
            "binaryData": {"raw": cbor2.CBORTag(22, b"\x00\x01"), "base64": b"AAEC"}}
    assert call(api, "POST", MAPS, b"\xd9\xd9\xf7" + cbor2.dumps(sent)).status == 201
    answer = call(api, "GET", MAPS + "/cbor-round", accept=CBOR)
    assert answer.headers["Content-Type"] == CBOR
    got = load(answer.bytes)
    assert got["kind"] == "ConfigMap" and got["binaryData"] == {"raw": b"\x00\x01", "base64": b"\x00\x01\x02"}
    plain = call(api, "GET", MAPS + "/cbor-round").json
    assert plain["binaryData"] == {"raw": "AAE=", "base64": "AAEC"}
    assert got["metadata"] == plain["metadata"] and got["data"] == plain["data"] == {"x": "y"}
    changed = dict(got, data={"x": "z"}, binaryData={"raw": cbor2.CBORTag(22, b"\x00")})
    answer = call(api, "PUT", MAPS + "/cbor-round", cbor2.dumps(changed), accept=CBOR)
    assert load(answer.bytes)["data"] == {"x": "z"}


def test_a_long_list(api):
    """Sent in pieces, and still one array of a known length."""
    maps = "/api/v1/namespaces/kube-public/configmaps"
    for i in range(300):
        assert call(api, "POST", maps, json.dumps({"metadata": {"name": f"long-{i:03}"}, "data": {"k": "x" * 5000}}), "application/json").status == 201
    plain = call(api, "GET", maps).json
    assert len(plain["items"]) >= 300
    assert load(call(api, "GET", maps, accept=CBOR).bytes) == plain
    partial = ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    assert load(call(api, "GET", maps, accept=CBOR + partial).bytes) == call(api, "GET", maps, accept="application/json" + partial).json


def test_list_and_partial(api):
    got = load(call(api, "GET", "/api/v1/namespaces", accept=CBOR).bytes)
    plain = call(api, "GET", "/api/v1/namespaces").json
    assert got["items"] == plain["items"] and got["kind"] == "NamespaceList"
    answer = call(api, "GET", "/api/v1/namespaces", accept=CBOR + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
    assert load(answer.bytes)["kind"] == "PartialObjectMetadataList"
    answer = call(api, "GET", "/api/v1/namespaces", accept=CBOR + ";as=Table;g=meta.k8s.io;v=v1")
    assert (answer.status, message(answer)) == (406, "only the following media types are accepted: " + ALL)


@pytest.mark.parametrize("accept", [CBOR, CBOR + ";stream=watch"])
def test_watch_is_a_sequence(api, accept):
    answer = call(api, "GET", "/api/v1/namespaces?watch=1&timeoutSeconds=1&resourceVersion=0", accept=accept)
    assert answer.headers["Content-Type"] == "application/cbor-seq"
    events, stream = [], io.BytesIO(answer.bytes)
    while stream.tell() < len(answer.bytes):
        events.append(texts(cbor2.load(stream)))
    assert {e["type"] for e in events} == {"ADDED"}
    assert {"default", "kube-system"} <= {e["object"]["metadata"]["name"] for e in events}


def test_apply(api):
    apply = "application/apply-patch+cbor"
    body = cbor2.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cbor-applied"}, "data": {"n": "1"}})
    answer = call(api, "PATCH", MAPS + "/cbor-applied?fieldManager=me", body, apply)
    assert answer.status == 201 and answer.json["metadata"]["managedFields"][0]["operation"] == "Apply"
    answer = call(api, "PATCH", MAPS + "/cbor-applied?fieldManager=me", b"\x80", apply)
    assert message(answer) == "error decoding YAML: cbor: cannot unmarshal array into Go value of type map[string]interface {}"
    answer = call(api, "PATCH", MAPS + "/cbor-applied?fieldManager=me", b"\xa3Dki", apply)
    assert message(answer) == "error decoding YAML: unexpected EOF"


def test_errors_are_cbor_where_a_resource_was_found(api):
    answer = call(api, "GET", MAPS + "/none", accept=CBOR)
    assert load(answer.bytes)["message"] == 'configmaps "none" not found'
    answer = call(api, "GET", "/api/v1/none", accept=CBOR)
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/json")
    answer = call(api, "GET", "/apis", accept=CBOR)
    assert message(answer) == "only the following media types are accepted: " + ALL.rsplit(", ", 1)[0]
    assert load(call(api, "GET", "/apis/apps/v1", accept=CBOR).bytes)["groupVersion"] == "apps/v1"


def test_negotiation(api):
    answer = call(api, "GET", MAPS, accept="text/plain")
    assert message(answer) == ("406: Not Acceptable\n\nAvailable representations: " + ALL + ", application/json;stream=watch, "
                               "application/vnd.kubernetes.protobuf;stream=watch, application/cbor-seq")
    answer = call(api, "GET", MAPS, accept="application/json;q=0.2,application/cbor;q=0.8")
    assert answer.headers["Content-Type"] == CBOR
    answer = call(api, "GET", MAPS + "?watch=1", accept="application/cbor-seq")
    assert message(answer) == "only the following media types are accepted: " + ALL
    answer = call(api, "GET", MAPS + "?watch=1", accept="application/yaml")
    assert b"application/vnd.kubernetes.protobuf;stream=watch, application/cbor-seq" in answer.bytes
    answer = call(api, "POST", MAPS, b"x", "application/cbor-seq")
    assert message(answer) == "the body of the request was in an unknown format - accepted media types include: " + ALL


@pytest.mark.skipif("APISIM_URL" in os.environ, reason="starts servers of its own")
def test_gate(tmp_path):
    server = conftest.start(tmp_path)
    api = Api(server)
    assert "cbor" not in message(call(api, "GET", MAPS, accept=CBOR))
    assert call(api, "POST", MAPS, b"\xa0").status == 415
    assert call(api, "PATCH", MAPS + "/x?fieldManager=m", b"\xa0", "application/apply-patch+cbor").status == 415
    conftest.stop(server)
    for gates, problem in (("Foo=true", "unrecognized feature gate: Foo"), ("APIServerTracing=false", "cannot set feature gate APIServerTracing "
                           "to false, feature is locked to true"), ("CBORServingAndStorage", "missing bool value for CBORServingAndStorage"),
                           ("x:A=true", "component not registered: x")):
        done = subprocess.run([conftest.binary(), "serve", "--secure-port=0", "--bind-address=127.0.0.1", "--feature-gates=" + gates],
                              capture_output=True, text=True, timeout=40)
        assert done.returncode == 1 and problem in done.stderr
