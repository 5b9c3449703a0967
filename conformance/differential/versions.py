"""versions.py REAL OURS: creates and changes objects of kinds that are served in two versions (autoscaling
v1 and v2, core and events.k8s.io events) in one version, reads them in the others, in JSON, YAML, protobuf and as
tables, asks for field labels and versions that do not exist, and prints where a real kube-apiserver and apisim
differ. Both servers must be fresh; see README.md of this folder for their flags."""
import json
import re
import ssl
import sys
import urllib.error
import urllib.request

CONTEXT = ssl._create_unverified_context()
PB = "application/vnd.kubernetes.protobuf"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
UID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
REAL, OURS = sys.argv[1:3]
differences = 0


def call(base, method, path, body=None, accept="application/json", kind="application/json"):
    headers = {"Authorization": "Bearer admintoken", "Accept": accept, "Content-Type": kind}
    data = None if body is None else json.dumps(body).encode()
    try:
        answer = urllib.request.urlopen(urllib.request.Request(base + path, data, headers, method=method), timeout=20,
                                        context=CONTEXT)
    except urllib.error.HTTPError as e:
        answer = e
    return answer.status, answer.headers.get("Warning"), answer.read()


def plain(text):
    """Without what differs between two runs: uids, times, versions, ages, and the words of table columns."""
    for pattern, instead in [(rb'"description":"(?:\\.|[^"\\])*"', b"D"), (rb'resourceVersion: "\d+"', b"R"),
                             (rb'"resourceVersion":"\d+"', b"R"), (rb'"\d+[smhd]"', b"AGE")]:
        text = re.sub(pattern, instead, text)
    return TIME.sub(b"T", UID.sub(b"U", text))


def plain_message(data):
    data = re.sub(rb"\x32.\d{1,6}(?=[\x38\x42])", b"R", UID.sub(b"U" * 36, data), flags=re.S)
    return re.sub(rb"\x08[\x80-\xff]{4}[\x00-\x7f]\x10\x00", b"T", data, flags=re.S)


def both(method, path, body=None, accept="application/json", kind="application/json"):
    global differences
    real, ours = (call(base, method, path, body, accept, kind) for base in (REAL, OURS))
    form = plain_message if PB in accept else plain
    if real[:2] == ours[:2] and form(real[2]) == form(ours[2]):
        return
    differences += 1
    print("DIFFERS", method, path, accept, real[:2], ours[:2])
    print("  real", form(real[2])[:1500])
    print("  ours", form(ours[2])[:1500])


HPA = "/apis/autoscaling/%s/namespaces/default/horizontalpodautoscalers"
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"


def metric(kind, target, **more):
    field = {"ContainerResource": "containerResource"}.get(kind, kind.lower())
    return {"type": kind, field: {**more, "target": target}}


def utilization(n):
    return {"type": "Utilization", "averageUtilization": n}


def average(n):
    return {"type": "AverageValue", "averageValue": n}


FULL = {
    "scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}, "minReplicas": 2, "maxReplicas": 5,
    "metrics": [
        metric("Resource", utilization(70), name="cpu"), metric("Resource", average("100Mi"), name="memory"),
        metric("Pods", average("10"), metric={"name": "p", "selector": {"matchLabels": {"a": "b"}}}),
        metric("Object", {"type": "Value", "value": "2k"}, metric={"name": "o"},
               describedObject={"kind": "Service", "name": "s", "apiVersion": "v1"}),
        metric("External", average("1500m"), metric={"name": "e"}),
        metric("ContainerResource", utilization(60), name="cpu", container="c")],
    "behavior": {"scaleDown": {"stabilizationWindowSeconds": 5, "selectPolicy": "Min",
                               "policies": [{"type": "Pods", "value": 4, "periodSeconds": 60}]},
                 "scaleUp": {"policies": [{"type": "Percent", "value": 10, "periodSeconds": 30}]}}}
TARGET = {"scaleTargetRef": {"kind": "D", "name": "d", "apiVersion": "a/v1"}, "maxReplicas": 9}
SPECS = {
    "full": FULL, "none": TARGET, "cpu": {**TARGET, "metrics": [metric("Resource", utilization(50), name="cpu")]},
    "two": {**TARGET, "metrics": [metric("Resource", utilization(50), name="memory"),
                                  metric("Resource", average("1"), name="cpu"),
                                  metric("Resource", utilization(20), name="cpu")]}}
STATUS = {
    "currentReplicas": 1, "desiredReplicas": 2, "lastScaleTime": "2026-01-02T03:04:05Z", "observedGeneration": 3,
    "currentMetrics": [
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 33, "averageValue": "20m"}}},
        {"type": "Pods", "pods": {"metric": {"name": "p"}, "current": {"averageValue": "3"}}}],
    "conditions": [{"type": "AbleToScale", "status": "True", "lastTransitionTime": "2026-01-02T03:04:05Z",
                    "reason": "R", "message": "m"}]}


def autoscaler(version, name, spec, **meta):
    return {"apiVersion": "autoscaling/" + version, "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name, **meta}, "spec": spec}


def read(paths, forms=("application/json", PB)):
    for path in paths:
        for accept in forms:
            both("GET", path, accept=accept)


def autoscalers():
    for name, spec in SPECS.items():
        paths = [HPA % v + "/" + name for v in ("v1", "v2")]
        both("POST", HPA % "v2", autoscaler("v2", name, spec, annotations={"keep": "1"}))
        both("PATCH", paths[1] + "/status", {"status": STATUS}, kind=MERGE)
        read(paths, ("application/json", PB, "application/yaml", TABLE))
        both("PATCH", paths[0], {"spec": {"maxReplicas": 20, "targetCPUUtilizationPercentage": 44}}, kind=MERGE)
        read(paths)
        for version, path in zip(("v1", "v2"), paths):
            both("PATCH", path + "?fieldManager=ssa&force=true", autoscaler(version, name, TARGET), kind=APPLY)
            read(paths)
    behavior = {"autoscaling.alpha.kubernetes.io/behavior":
                '{"ScaleUp":{"Policies":[{"Type":"Pods","Value":3,"PeriodSeconds":9}]}}'}
    for name, meta in {"v1a": {}, "v1b": {"annotations": behavior}}.items():
        obj = autoscaler("v1", name, {**TARGET, "targetCPUUtilizationPercentage": 50}, **meta)
        both("POST", HPA % "v1", obj)
        read([HPA % v + "/" + name for v in ("v1", "v2")])
        both("PUT", HPA % "v2" + "/" + name, obj)


def events():
    core, events = "/api/v1/namespaces/default/events", "/apis/events.k8s.io/v1/namespaces/default/events"
    pod = {"kind": "Pod", "namespace": "default", "name": "p"}
    at = "2026-01-02T03:04:05.123456Z"
    both("POST", core, {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e1"}, "involvedObject": pod,
                        "reason": "R", "message": "m", "source": {"component": "c", "host": "h"}, "count": 4,
                        "firstTimestamp": "2026-01-02T03:04:05Z", "lastTimestamp": "2026-01-02T03:04:06Z",
                        "type": "Normal"})
    both("POST", events, {"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e2"}, "eventTime": at,
                          "series": {"count": 2, "lastObservedTime": at}, "reportingController": "a.b/c",
                          "reportingInstance": "i", "action": "A", "reason": "R", "regarding": pod,
                          "related": {"kind": "Node", "name": "n"}, "note": "n", "type": "Warning"})
    partial = PB + ";as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
    paths = [p + "/" + n for n in ("e1", "e2") for p in (core, events)]
    read(paths, ("application/json", PB, "application/yaml", TABLE, partial))
    both("PATCH", events + "/e1", {"note": "new"}, kind=MERGE)
    both("PATCH", core + "/e2", {"message": "new", "count": 9}, kind="application/strategic-merge-patch+json")
    both("PATCH", events + "/e2?fieldManager=x", {"metadata": {"labels": {"a": "b"}}}, kind=MERGE)
    read(paths)
    for label in ("involvedObject.name=p", "regarding.name=p", "reportingController=a.b/c", "reportingComponent=a.b/c",
                  "source=c", "reason=R", "foo=b", "type=Warning"):
        for path in (core, events):
            both("GET", path + "?fieldSelector=" + label)


def others():
    for path in (HPA % "v1", HPA % "v2", "/apis/resource.k8s.io/v1/resourceslices", "/apis/batch/v1/jobs",
                 "/api/v1/componentstatuses", "/apis/certificates.k8s.io/v1/certificatesigningrequests"):
        both("GET", path + "?fieldSelector=nope=b")
    for path in ("/apis/autoscaling/v2beta2/horizontalpodautoscalers", "/apis/resource.k8s.io/v1beta1/resourceclaims",
                 "/apis/batch/v1beta1/cronjobs", "/apis/resource.k8s.io", "/apis/autoscaling",
                 "/apis/networking.k8s.io/v1beta1", "/apis/certificates.k8s.io"):
        both("GET", path)


autoscalers()
events()
others()
print(f"versions: {differences} differences")
sys.exit(differences > 0)
