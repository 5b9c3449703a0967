"""What stands in an object after a write: recorded facts of kube-apiserver v1.36.3. With APISIM_URL set, another server is asked."""

import struct

import pytest

from client import Api
from test_validation import call

PODS = "/api/v1/namespaces/default/pods?dryRun=All"
CONTAINER = {"name": "c", "image": "i"}
APPARMOR = "container.apparmor.security.beta.kubernetes.io/c"


def patch(server, path, body, kind="merge-patch+json"):
    return call(server, "PATCH", path, body, kind)[:2]


def test_label_keys_become_expressions(apisim):
    selector = {"matchLabels": {"a": "b"}}
    spread = {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule",
              "matchLabelKeys": ["x", "none"], "labelSelector": selector}
    term = {"topologyKey": "z", "matchLabelKeys": ["x"], "mismatchLabelKeys": ["y"], "labelSelector": {}}
    code, pod, _ = call(apisim, "POST", PODS, {
        "metadata": {"name": "p", "labels": {"x": "1", "y": "2"}},
        "spec": {"containers": [CONTAINER], "topologySpreadConstraints": [spread],
                 "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}})
    assert code == 201
    expression = {"key": "x", "operator": "In", "values": ["1"]}
    assert pod["spec"]["topologySpreadConstraints"][0]["labelSelector"] == selector | {"matchExpressions": [expression]}
    terms = pod["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert terms[0]["labelSelector"] == {"matchExpressions": [
        expression, {"key": "y", "operator": "NotIn", "values": ["2"]}]}


def test_apparmor_annotation_becomes_the_field(apisim):
    _, pod, _ = call(apisim, "POST", PODS, {"metadata": {"name": "p", "annotations": {APPARMOR: "localhost/x"}},
                                            "spec": {"containers": [CONTAINER]}})
    assert pod["spec"]["containers"][0]["securityContext"] == {
        "appArmorProfile": {"type": "Localhost", "localhostProfile": "x"}}


def test_fields_of_features_that_are_off(apisim):
    call(apisim, "POST", "/api/v1/nodes", {"metadata": {"name": "n"}})
    _, node = patch(apisim, "/api/v1/nodes/n/status", {"status": {"config": {"error": "e"}}})
    assert "config" not in node["status"]
    call(apisim, "DELETE", "/api/v1/nodes/n")
    labels = {"a": "b"}
    code, made, _ = call(apisim, "POST", "/apis/apps/v1/namespaces/default/statefulsets?dryRun=All", {
        "metadata": {"name": "s"}, "spec": {
            "serviceName": "s", "selector": {"matchLabels": labels},
            "updateStrategy": {"rollingUpdate": {"maxUnavailable": 1}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}}}})
    assert code == 201
    assert made["spec"]["updateStrategy"]["rollingUpdate"] == {"partition": 0}


def test_an_empty_list_is_a_change_of_a_network_policy(apisim):
    path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
    call(apisim, "POST", path, {"metadata": {"name": "n"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}})
    for ingress, generation in (([], 2), ([], 3), (None, 3)):
        _, policy = patch(apisim, path + "/n", {"spec": {"ingress": ingress}})
        assert policy["metadata"]["generation"] == generation
    call(apisim, "DELETE", path + "/n")


def test_numbers_of_applies_and_strategic_patches(apisim):
    path = "/apis/apps/v1/namespaces/default/deployments"
    labels = {"a": "b"}
    deploy = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {
        "replicas": 1, "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}}}}
    call(apisim, "POST", path, deploy)
    for replicas, kept in ((4294967299, 3), (2.0, 2)):
        for kind in ("apply-patch+yaml", "strategic-merge-patch+json"):
            body = deploy | {"spec": deploy["spec"] | {"replicas": replicas}}
            query = "?dryRun=All&fieldManager=m" + ("&force=true" if kind.startswith("apply") else "")
            code, made = patch(apisim, path + "/d" + query, body, kind)
            assert (code, made["spec"]["replicas"]) == (200, kept)
    body = deploy | {"spec": deploy["spec"] | {"replicas": 1.5}}
    code, status = patch(apisim, path + "/d?dryRun=All&fieldManager=m&force=true", body, "apply-patch+yaml")
    assert code == 500
    assert status["message"].endswith("unable to convert unstructured object to apps/v1, Kind=Deployment: "
                                      "cannot convert float64 to int32")
    call(apisim, "DELETE", path + "/d")


def test_a_namespace_with_a_generated_name_is_labelled_with_it(apisim):
    code, made, _ = call(apisim, "POST", "/api/v1/namespaces", {"metadata": {"generateName": "made-"}})
    assert code == 201 and made["metadata"]["name"].startswith("made-")
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": made["metadata"]["name"]}
    assert made["metadata"]["managedFields"][0]["fieldsV1"] == {"f:metadata": {"f:generateName": {}}}
    call(apisim, "DELETE", "/api/v1/namespaces/" + made["metadata"]["name"])


def message(number, content):
    """A field of a protobuf message whose length takes two bytes."""
    content = content.encode() if isinstance(content, str) else content
    return bytes([number << 3 | 2, len(content) & 127 | 128, len(content) >> 7]) + content


@pytest.mark.parametrize("number, name", [(float("nan"), "NaN"), (float("inf"), "+Inf"), (float("-inf"), "-Inf")])
def test_floats_that_json_has_no_words_for(apisim, number, name):
    schema = message(5, "object") + b"\x49" + struct.pack("<d", number)
    version = message(1, "v1") + b"\x10\x01\x18\x01" + message(4, message(1, schema))
    names = message(1, "foos") + message(2, "foo") + message(4, "Foo") + message(5, "FooList")
    spec = message(1, "x.io") + message(3, names) + message(4, "Namespaced") + message(7, version)
    kind = message(1, "apiextensions.k8s.io/v1") + message(2, "CustomResourceDefinition")
    body = b"k8s\0" + message(1, kind) + message(2, message(1, message(1, "foos.x.io")) + message(2, spec))
    answer = Api(apisim).call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body=body, headers={
        "Content-Type": "application/vnd.kubernetes.protobuf"})
    assert (answer.status, answer.json) == (500, {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": f"json: unsupported value: {name}", "code": 500})
