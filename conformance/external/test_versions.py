"""Kinds that are served in two versions: what one version's writes look like in the other. Answers as
recorded from a v1.36.3 server; conformance/differential/versions.py compares more of them."""

import json
import urllib.error
import urllib.request

import conftest

MERGE = "application/merge-patch+json"
CORE, EVENTS = "/api/v1/namespaces/default/events", "/apis/events.k8s.io/v1/namespaces/default/events"
HPA = "/apis/autoscaling/{}/namespaces/default/horizontalpodautoscalers"


def call(server, method, path, body=None, kind="application/json"):
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": kind}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, headers, method=method)
    context = conftest.ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(request, timeout=40, context=context) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as e:
        raise AssertionError(e.read().decode()) from None


def managers(obj):
    return [(m["manager"], m["apiVersion"]) for m in obj["metadata"]["managedFields"]]


def test_managers_of_the_other_group_of_events_are_forgotten(apisim):
    call(apisim, "POST", CORE + "?fieldManager=a", {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "m"}, "eventTime": "2026-01-02T03:04:05.123456Z",
        "reportingComponent": "a.b/c", "reportingInstance": "i", "action": "A", "reason": "R", "message": "n",
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"}, "type": "Warning"})
    labels = {"metadata": {"labels": {"a": "b"}}}
    assert managers(call(apisim, "PATCH", EVENTS + "/m?fieldManager=b", labels, MERGE)) == [("b", "events.k8s.io/v1")]
    labels = {"metadata": {"labels": {"c": "d"}}}
    assert managers(call(apisim, "PATCH", CORE + "/m?fieldManager=c", labels, MERGE)) == [("c", "v1")]
    assert call(apisim, "GET", EVENTS + "/m")["note"] == "n"
    call(apisim, "DELETE", CORE + "/m")


def test_an_autoscaler_of_v2_survives_a_write_through_v1(apisim):
    metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}},
               {"type": "Pods", "pods": {"metric": {"name": "p"}, "target": {"type": "AverageValue", "averageValue": "10"}}}]
    call(apisim, "POST", HPA.format("v2"), {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"},
        "spec": {"scaleTargetRef": {"kind": "D", "name": "d", "apiVersion": "a/v1"}, "maxReplicas": 3, "metrics": metrics}})
    v1 = call(apisim, "GET", HPA.format("v1") + "/h")
    assert v1["spec"]["targetCPUUtilizationPercentage"] == 70
    assert json.loads(v1["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/metrics"]) == [
        {"type": "Pods", "pods": {"metricName": "p", "targetAverageValue": "10"}}]
    call(apisim, "PATCH", HPA.format("v1") + "/h", {"spec": {"maxReplicas": 9}}, MERGE)
    v2 = call(apisim, "GET", HPA.format("v2") + "/h")
    assert v2["spec"]["maxReplicas"] == 9 and "annotations" not in v2["metadata"]
    assert sorted(m["type"] for m in v2["spec"]["metrics"]) == ["Pods", "Resource"]
    call(apisim, "DELETE", HPA.format("v2") + "/h")
