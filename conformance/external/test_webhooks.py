"""Admission webhooks: what they are asked, and what their answers do; as the real server's, whose answers
webhook_answers.jsonl holds."""

import json
import pathlib
import threading

import pytest

import webhook_cases
from webhook_cases import Api, Webhooks, deny, patch, review, rule

VALIDATING, MUTATING = webhook_cases.CONFIGURATIONS
MAPS = "/api/v1/namespaces/default/configmaps"
RECORDED = [json.loads(line) for line in
            (pathlib.Path(__file__).parent / "webhook_answers.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def api(apisim):
    return Api(apisim.url, apisim.token)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    w = Webhooks(tmp_path_factory.mktemp("webhooks"))
    yield w
    w.stop()


@pytest.fixture
def hooks(server):
    server.log.clear()
    server.scripts.clear()
    return server


@pytest.fixture
def configure(api):
    made = []

    def make(kind, name, *all_hooks):
        made.append((kind, name))
        return api.configure(kind, name, *all_hooks)
    yield make
    for kind, name in made:
        api.forget(kind, name)


def create(api, name, query="", **fields):
    return api.call("POST", f"{MAPS}{query}", {"metadata": {"name": name, **fields}, "data": {"a": "b"}})


def test_answers_are_the_recorded_ones(api, hooks):
    with webhook_cases.closed_port() as closed:
        found = list(webhook_cases.cases(api, hooks, closed.getsockname()[1]))
    different = [(f, r) for f, r in zip(found, RECORDED) if f != r]
    assert [f[:2] for f in found] == [r[:2] for r in RECORDED]
    assert not different, "\n".join(f"{f}\n{r}" for f, r in different)


def test_mutations_follow_each_other_by_name_and_index(api, hooks, configure):
    for name in ("one", "two", "three"):
        hooks.scripts[f"/{name}"] = patch({"op": "add", "path": f"/data/{name}", "value": name})
    configure(MUTATING, "zz", hooks.hook("c.example.com", "/three"))
    configure(MUTATING, "aa", hooks.hook("b.example.com", "/one"), hooks.hook("a.example.com", "/two"))
    status, _, body = create(api, "order", "?dryRun=All")
    assert status == 201 and body["data"] == {"a": "b", "one": "one", "two": "two", "three": "three"}
    assert [r["object"]["data"] for r in hooks.reviews()] == [
        {"a": "b"}, {"a": "b", "one": "one"}, {"a": "b", "one": "one", "two": "two"}]


def test_reinvocation(api, hooks, configure):
    hooks.scripts["/late"] = patch({"op": "add", "path": "/data/late", "value": "x"})
    configure(MUTATING, "re", hooks.hook("never.example.com", "/never"),
              hooks.hook("again.example.com", "/again", reinvocationPolicy="IfNeeded"),
              hooks.hook("late.example.com", "/late"))
    hooks.scripts["/never"] = hooks.scripts["/again"] = lambda r: review(r)
    assert create(api, "again", "?dryRun=All")[0] == 201
    assert [line.split()[1].split("?")[0] for line, *_ in hooks.log] == ["/never", "/again", "/late", "/again"]


def test_patched_objects_are_defaulted_and_validated(api, hooks, configure):
    container = {"name": "side", "image": "x"}
    hooks.scripts["/side"] = patch({"op": "add", "path": "/spec/containers/-", "value": container})
    configure(MUTATING, "side", hooks.hook("side.example.com", "/side", [rule("pods")]))
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "main", "image": "y"}]}}
    status, _, body = api.call("POST", "/api/v1/namespaces/default/pods?dryRun=All", pod)
    assert status == 201 and body["spec"]["containers"][1] == {
        **container, "resources": {}, "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File", "imagePullPolicy": "Always"}
    pod["spec"]["containers"][0]["name"] = "side"
    status, _, body = api.call("POST", "/api/v1/namespaces/default/pods?dryRun=All", pod)
    assert status == 422 and "spec.containers[1].name: Duplicate value" in body["message"]


def test_equivalent_versions(api, hooks, configure):
    rules = [rule("horizontalpodautoscalers", groups=["autoscaling"], versions=["v1"])]
    configure(VALIDATING, "eq", hooks.hook("eq.example.com", "/eq", rules),
              hooks.hook("exact.example.com", "/exact", rules, matchPolicy="Exact"))
    target = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}
    metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 7}}}]
    status, _, _ = api.call("POST", "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers?dryRun=All", {
        "metadata": {"name": "h"}, "spec": {"scaleTargetRef": target, "maxReplicas": 2, "metrics": metrics}})
    assert status == 201 and len(hooks.log) == 1
    r = hooks.reviews()[0]
    assert r["kind"] == {"group": "autoscaling", "version": "v1", "kind": "HorizontalPodAutoscaler"}
    assert r["requestKind"]["version"] == "v2" and r["requestResource"]["version"] == "v2"
    assert r["object"]["apiVersion"] == "autoscaling/v1" and r["object"]["spec"]["targetCPUUtilizationPercentage"] == 7


def test_selectors_and_operations(api, hooks, configure):
    ns = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["default"]}]}
    configure(VALIDATING, "sel", hooks.hook("elsewhere.example.com", "/elsewhere", namespaceSelector=ns),
              hooks.hook("deletes.example.com", "/deletes", [rule("configmaps", operations=["DELETE"])]),
              hooks.hook("cluster.example.com", "/cluster", [rule("*", scope="Cluster")]),
              hooks.hook("labelled.example.com", "/labelled", [rule("configmaps", operations=["UPDATE"])],
                         objectSelector={"matchLabels": {"l": "1"}}))
    assert create(api, "sel", labels={"l": "1"})[0] == 201
    assert not hooks.log
    status, _, _ = api.call("PATCH", f"{MAPS}/sel", {"metadata": {"labels": None}}, "application/merge-patch+json")
    assert status == 200 and [r["operation"] for r in hooks.reviews()] == ["UPDATE"]  # the old object's labels
    hooks.log.clear()
    assert api.call("DELETE", f"{MAPS}/sel")[0] == 200
    assert [(r["operation"], r["object"], r["oldObject"]["metadata"]["name"]) for r in hooks.reviews()] == [
        ("DELETE", None, "sel")]
    hooks.log.clear()
    assert api.call("POST", "/api/v1/namespaces?dryRun=All", {"metadata": {"name": "made"}})[0] == 201
    assert sorted(line.split()[1] for line, *_ in hooks.log) == ["/cluster?timeout=10s", "/elsewhere?timeout=10s"][:1]


def test_configurations_are_never_asked_about(api, hooks, configure):
    hooks.scripts["/all"] = deny(message="closed")
    every = [rule("*/*", groups=["*"], versions=["*"])]
    configure(VALIDATING, "lock", hooks.hook("lock.example.com", "/all", every))
    assert create(api, "locked")[0] == 400
    hooks.log.clear()
    configure(MUTATING, "open", hooks.hook("open.example.com", "/all", every))
    api.forget(VALIDATING, "lock")
    assert not hooks.log


def test_dry_runs_need_a_webhook_without_side_effects(api, hooks, configure):
    hook = hooks.hook("old.example.com", "/old")
    configure(VALIDATING, "dry", {**hook, "sideEffects": "NoneOnDryRun"})
    assert create(api, "dry", "?dryRun=All")[0] == 201 and hooks.reviews()[0]["dryRun"] is True


def test_others_are_served_while_one_waits(api, hooks, configure):
    came, go = threading.Event(), threading.Event()

    def wait(request):
        came.set()
        go.wait()
        return review(request)
    hooks.scripts["/wait"] = wait
    configure(VALIDATING, "wait", hooks.hook("wait.example.com", "/wait", timeoutSeconds=30,
                                             objectSelector={"matchLabels": {"w": "1"}}))
    answers = []
    thread = threading.Thread(target=lambda: answers.append(create(api, "waits", labels={"w": "1"})[0]))
    thread.start()
    came.wait()
    assert create(api, "passes")[0] == 201 and not answers
    assert api.call("GET", f"{MAPS}/waits")[0] == 404
    go.set()
    thread.join()
    assert answers == [201] and api.call("GET", f"{MAPS}/waits")[0] == 200


def test_validating_webhooks_are_asked_at_once(api, hooks, configure):
    both = threading.Barrier(2)

    def meet(request):
        both.wait()
        return review(request)
    hooks.scripts["/a"] = hooks.scripts["/b"] = meet
    configure(VALIDATING, "both", *(hooks.hook(f"{n}.example.com", f"/{n}", timeoutSeconds=30) for n in "ab"))
    assert create(api, "met", "?dryRun=All")[0] == 201


def test_connections_are_kept(api, hooks, configure):
    configure(VALIDATING, "kept", hooks.hook("kept.example.com", "/kept"))
    for i in range(5):
        assert create(api, f"kept{i}", "?dryRun=All")[0] == 201
    assert len({address for *_, address in hooks.log}) == 1 and len(hooks.log) == 5


def test_services_are_resolved(api, hooks, configure):
    services = "/api/v1/namespaces/default/services"
    external = {"type": "ExternalName", "externalName": "localhost"}
    for name, spec in (("empty", {"ports": [{"port": 443}]}), ("hook", external)):
        assert api.call("POST", services, {"metadata": {"name": name}, "spec": spec})[0] == 201

    def hook(name, **service):
        config = {"service": {"namespace": "default", "name": name, "path": "/svc", **service}, "caBundle": hooks.ca}
        return {**hooks.hook(f"{name}.example.com", "/", objectSelector={"matchLabels": {"s": name}}), "clientConfig": config}
    configure(VALIDATING, "svc", hook("empty"), hook("hook", port=hooks.port))
    status, _, body = create(api, "svc", labels={"s": "empty"})
    assert status == 500 and body["message"].endswith(
        'Post "https://empty.default.svc:443/svc?timeout=10s": no endpoints available for service "empty"')
    assert create(api, "svc", "?dryRun=All", labels={"s": "hook"})[0] == 201
    (line, headers, *_), = hooks.log
    assert line == "POST /svc?timeout=10s HTTP/1.1" and dict(headers)["Host"] == f"hook.default.svc:{hooks.port}"
    for name in ("empty", "hook"):
        api.call("DELETE", f"{services}/{name}")


def test_subresources_and_reviews(api, hooks, configure):
    configure(VALIDATING, "sub", hooks.hook("sub.example.com", "/", [
        rule("pods/binding", "deployments/scale", "localsubjectaccessreviews", groups=["*"])]))
    pod = {"metadata": {"name": "bound"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    assert api.call("POST", "/api/v1/namespaces/default/pods", pod)[0] == 201
    body = {"metadata": {"name": "bound"}, "target": {"name": "n1"}}
    assert api.call("POST", "/api/v1/namespaces/default/pods/bound/binding", body)[0] == 201
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod["spec"]}
    assert api.call("POST", "/apis/apps/v1/namespaces/default/deployments", {"metadata": {"name": "scaled"}, "spec": {
        "selector": {"matchLabels": {"a": "b"}}, "template": template}})[0] == 201
    assert api.call("PATCH", "/apis/apps/v1/namespaces/default/deployments/scaled/scale", {"spec": {"replicas": 3}},
                    "application/merge-patch+json")[0] == 200
    attributes = {"namespace": "default", "verb": "get", "resource": "pods"}
    assert api.call("POST", "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews", {
        "metadata": {"namespace": "default"}, "spec": {"user": "x", "resourceAttributes": attributes}})[0] == 201
    found = [(r["operation"], r["kind"]["kind"], r["resource"]["resource"], r.get("subResource"), r.get("name"))
             for r in hooks.reviews()]
    assert found == [("CREATE", "Binding", "pods", "binding", "bound"), ("UPDATE", "Scale", "deployments", "scale", "scaled"),
                     ("CREATE", "LocalSubjectAccessReview", "localsubjectaccessreviews", None, None)]
    binding, scale, _ = hooks.reviews()
    assert binding["object"]["metadata"]["managedFields"][0]["fieldsV1"] == {"f:target": {}}
    assert (scale["oldObject"]["spec"], scale["object"]["spec"]) == ({"replicas": 1}, {"replicas": 3})
    assert "managedFields" not in scale["object"]["metadata"]
    api.call("DELETE", "/apis/apps/v1/namespaces/default/deployments/scaled")
    api.call("DELETE", "/api/v1/namespaces/default/pods/bound?gracePeriodSeconds=0")


def test_match_conditions_are_named(configure, hooks):
    hook = hooks.hook("cel.example.com", "/cel", matchConditions=[{"name": "n", "expression": "false"}])
    assert configure(VALIDATING, "cel", hook) == [
        '299 - "webhooks[0].matchConditions: apisim does not evaluate CEL: the webhook is called whatever they say"']


def test_the_request_is_the_recorded_one(api, hooks, configure):
    configure(VALIDATING, "bytes", hooks.hook("bytes.example.com", "/bytes/"))
    status, _, body = create(api, "bytes", "?dryRun=All&fieldManager=me&fieldValidation=Strict")
    assert status == 201
    (line, headers, sent, _), = hooks.log
    assert line == "POST /bytes?timeout=10s HTTP/1.1"
    assert headers == [("Host", f"127.0.0.1:{hooks.port}"), ("User-Agent", "kube-apiserver-admission"),
                       ("Content-Length", str(len(sent))), ("Accept", "application/json, */*"),
                       ("Content-Type", "application/json"), ("Accept-Encoding", "gzip")]
    meta = body["metadata"]
    kind = '{"group":"","version":"v1","kind":"ConfigMap"}'
    resource = '{"group":"","version":"v1","resource":"configmaps"}'
    fields = json.dumps(meta["managedFields"], separators=(",", ":"))
    assert sent.decode() == (
        f'{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"{hooks.reviews()[0]["uid"]}",'
        f'"kind":{kind},"resource":{resource},"requestKind":{kind},"requestResource":{resource},"name":"bytes",'
        '"namespace":"default","operation":"CREATE","userInfo":{"username":"admin","uid":"admin-uid",'
        '"groups":["system:masters","system:authenticated"]},"object":{"kind":"ConfigMap","apiVersion":"v1",'
        f'"metadata":{{"name":"bytes","namespace":"default","uid":"{meta["uid"]}",'
        f'"creationTimestamp":"{meta["creationTimestamp"]}","managedFields":{fields}}},"data":{{"a":"b"}}}},'
        '"oldObject":null,"dryRun":true,"options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1",'
        '"dryRun":["All"],"fieldManager":"me","fieldValidation":"Strict"}}}\n')
