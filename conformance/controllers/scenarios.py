"""What must hold with controllers running: one function a scenario, in a namespace of its own."""

import base64
import json
import subprocess
import tempfile

from cluster import Api, Refused, until

TESTS = []


def scenario(f):
    TESTS.append(f)
    return f


def container(**more):
    return {"name": "c", "image": "registry.example/app:1", **more}


def template(labels, **spec):
    return {"metadata": {"labels": labels}, "spec": {"containers": [container()], **spec}}


class Bench:
    """One scenario's namespace, with short paths."""

    def __init__(self, api, kubectl, kubelets, name):
        self.api, self.kubectl_command, self.kubelets, self.ns = api, kubectl, kubelets, name
        self.core, self.apps, self.batch = (f"{g}/namespaces/{name}" for g in ("/api/v1", "/apis/apps/v1", "/apis/batch/v1"))
        api.post("/api/v1/namespaces", {"metadata": {"name": name}})
        until("default service account", lambda: api.find(f"{self.core}/serviceaccounts/default"))

    def kubectl(self, *args, check=True, stdin=None):
        r = subprocess.run([*self.kubectl_command, "-n", self.ns, *args], capture_output=True, text=True, input=stdin, timeout=120)
        if check and r.returncode:
            raise AssertionError(f"kubectl {' '.join(args)}: {r.stderr.strip()}")
        return r.stdout + r.stderr

    def workload(self, kind, name, **spec):
        labels = {"app": name}
        spec = {"selector": {"matchLabels": labels}, "template": template(labels), **spec}
        return self.api.post(f"{self.apps}/{kind}", {"metadata": {"name": name}, "spec": spec})

    def status(self, path):
        return self.api.get(path).get("status", {})

    def ready(self, path, n):
        until(f"{path} has {n} ready", lambda: self.status(path).get("readyReplicas", 0) == n)

    def gone(self, path, seconds=40):
        until(f"{path} gone", lambda: self.api.find(path) is None, seconds)

    def pods(self, selector=""):
        return self.api.items(f"{self.core}/pods?labelSelector={selector}")

    def config_map(self, name, **meta):
        return self.api.post(f"{self.core}/configmaps", {"metadata": {"name": name, **meta}, "data": {"k": "v"}})

    def pod(self, name, spec=None, **meta):
        return self.api.post(f"{self.core}/pods", {"metadata": {"name": name, **meta},
                                                   "spec": {"containers": [container()], **(spec or {})}})


def owner(o, kind, version="v1", **more):
    return {"apiVersion": version, "kind": kind, "name": o["metadata"]["name"], "uid": o["metadata"]["uid"], **more}


def condition(o, kind):
    return next((c for c in o.get("status", {}).get("conditions", []) if c["type"] == kind), {})


@scenario
def deployment(b):
    b.workload("deployments", "web", replicas=3)
    b.ready(f"{b.apps}/deployments/web", 3)
    b.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    b.kubectl("set", "image", "deployment/web", "c=registry.example/app:2")
    b.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert {p["spec"]["containers"][0]["image"] for p in b.pods() if "deletionTimestamp" not in p["metadata"]} == {
        "registry.example/app:2"}
    b.kubectl("rollout", "undo", "deployment/web")
    b.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert b.api.get(f"{b.apps}/deployments/web")["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":1")
    b.kubectl("scale", "deployment/web", "--replicas=5")
    b.ready(f"{b.apps}/deployments/web", 5)
    b.kubectl("scale", "deployment/web", "--replicas=1")
    until("one pod", lambda: len(b.pods()) == 1)


@scenario
def statefulset(b):
    b.workload("statefulsets", "db", replicas=3, serviceName="db")
    b.ready(f"{b.apps}/statefulsets/db", 3)
    assert sorted(p["metadata"]["name"] for p in b.pods()) == ["db-0", "db-1", "db-2"]
    b.kubectl("set", "image", "statefulset/db", "c=registry.example/app:2")
    b.kubectl("rollout", "status", "statefulset/db", "--timeout=60s")
    b.kubectl("scale", "statefulset/db", "--replicas=1")
    until("one pod", lambda: len(b.pods()) == 1)


@scenario
def daemonset(b):
    b.workload("daemonsets", "agent")
    until("a pod a node", lambda: b.status(f"{b.apps}/daemonsets/agent").get("numberReady") == 2)
    assert {p["spec"]["nodeName"] for p in b.pods()} == {"node-a", "node-b"}
    b.kubectl("set", "image", "daemonset/agent", "c=registry.example/app:2")
    b.kubectl("rollout", "status", "daemonset/agent", "--timeout=60s")
    b.kubectl("rollout", "undo", "daemonset/agent")
    b.kubectl("rollout", "status", "daemonset/agent", "--timeout=60s")


@scenario
def replication_controller(b):
    b.api.post(f"{b.core}/replicationcontrollers", {"metadata": {"name": "old"}, "spec": {
        "replicas": 2, "selector": {"a": "b"}, "template": template({"a": "b"})}})
    b.ready(f"{b.core}/replicationcontrollers/old", 2)


@scenario
def job(b):
    spec = {"restartPolicy": "Never", "containers": [container()]}
    for name, more in (("done", {}), ("ttl", {"ttlSecondsAfterFinished": 2}), ("indexed", {"completionMode": "Indexed"})):
        b.api.post(f"{b.batch}/jobs", {"metadata": {"name": name}, "spec": {
            "completions": 2, "parallelism": 2, "template": {"spec": spec}, **more}})
    for name in ("done", "indexed"):
        until("complete", lambda: condition(b.api.get(f"{b.batch}/jobs/{name}"), "Complete").get("status") == "True")
    b.gone(f"{b.batch}/jobs/ttl")
    until("its pods too", lambda: not b.pods("job-name=ttl"))
    assert all("finalizers" not in p["metadata"] for p in b.pods())


@scenario
def cron_job(b):
    b.api.post(f"{b.batch}/cronjobs", {"metadata": {"name": "tick"}, "spec": {
        "schedule": "* * * * *", "successfulJobsHistoryLimit": 1,
        "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container()]}}}}}})
    until("a successful time", lambda: b.status(f"{b.batch}/cronjobs/tick").get("lastSuccessfulTime"), 80)
    b.api.patch(f"{b.batch}/cronjobs/tick", {"spec": {"suspend": True}})


@scenario
def service(b):
    b.workload("deployments", "web", replicas=2)
    b.api.post(f"{b.core}/services", {"metadata": {"name": "web"}, "spec": {
        "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}})
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{b.ns}/endpointslices"
    until("endpoints", lambda: len(b.api.get(f"{b.core}/endpoints/web")["subsets"][0]["addresses"]) == 2)
    until("endpoint slices", lambda: sum(len(s["endpoints"] or []) for s in b.api.items(
        slices + "?labelSelector=kubernetes.io/service-name=web")) == 2)
    b.api.post(f"{b.core}/services", {"metadata": {"name": "bare"}, "spec": {"ports": [{"port": 80}]}})
    b.api.post(f"{b.core}/endpoints", {"metadata": {"name": "bare"}, "subsets": [
        {"addresses": [{"ip": "192.0.2.7"}], "ports": [{"port": 80}]}]})
    until("mirrored slice", lambda: b.api.items(slices + "?labelSelector=kubernetes.io/service-name=bare"))
    b.kubectl("delete", "service", "web", "bare")
    until("slices gone", lambda: not b.api.items(slices))
    b.gone(f"{b.core}/endpoints/web")


@scenario
def namespace_deletion(b):
    other = Bench(b.api, b.kubectl_command, b.kubelets, b.ns + "-doomed")
    other.workload("deployments", "web", replicas=3)
    other.workload("statefulsets", "db", replicas=1)
    other.config_map("a")
    other.config_map("held", finalizers=["example.com/hold"])
    other.api.post(f"{other.core}/services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    other.ready(f"{other.apps}/deployments/web", 3)
    other.api.delete(f"/api/v1/namespaces/{other.ns}")
    until("says what remains", lambda: condition(
        b.api.get(f"/api/v1/namespaces/{other.ns}"), "NamespaceFinalizersRemaining").get("status") == "True")
    other.api.patch(f"{other.core}/configmaps/held", {"metadata": {"finalizers": None}})
    other.gone(f"/api/v1/namespaces/{other.ns}", 60)


@scenario
def garbage_collection(b):
    for policy in ("Background", "Foreground", "Orphan"):
        name = policy.lower()
        top = b.config_map(name)
        b.config_map(name + "-child", ownerReferences=[owner(top, "ConfigMap", blockOwnerDeletion=True)])
    absent = {"apiVersion": "v1", "kind": "ConfigMap", "name": "never", "uid": "11111111-1111-1111-1111-111111111111"}
    b.config_map("dangling", ownerReferences=[absent])
    for policy in ("Background", "Foreground", "Orphan"):
        b.api.delete(f"{b.core}/configmaps/{policy.lower()}", propagationPolicy=policy)
        b.gone(f"{b.core}/configmaps/{policy.lower()}")
    for name in ("background-child", "foreground-child", "dangling"):
        b.gone(f"{b.core}/configmaps/{name}")
    assert "ownerReferences" not in b.api.get(f"{b.core}/configmaps/orphan-child")["metadata"]
    b.workload("deployments", "web", replicas=2)
    b.ready(f"{b.apps}/deployments/web", 2)
    b.api.delete(f"{b.apps}/deployments/web", propagationPolicy="Foreground")
    b.gone(f"{b.apps}/deployments/web")
    assert not b.api.items(f"{b.apps}/replicasets")
    b.workload("deployments", "kept", replicas=2)
    b.ready(f"{b.apps}/deployments/kept", 2)
    b.kubectl("delete", "deployment", "kept", "--cascade=orphan")
    b.gone(f"{b.apps}/deployments/kept")
    assert len(b.api.items(f"{b.apps}/replicasets")) == 1 and len(b.pods()) == 2


@scenario
def autoscaler(b):
    b.workload("deployments", "web", replicas=1)
    b.kubectl("autoscale", "deployment/web", "--min=2", "--max=4", "--cpu=50%")
    path = f"/apis/autoscaling/v2/namespaces/{b.ns}/horizontalpodautoscalers/web"
    b.ready(f"{b.apps}/deployments/web", 2)  # the floor needs no metrics
    until("conditions", lambda: condition(b.api.get(path), "ScalingActive").get("status") == "False")


@scenario
def disruption_budget(b):
    b.workload("deployments", "web", replicas=2)
    path = f"/apis/policy/v1/namespaces/{b.ns}/poddisruptionbudgets"
    b.api.post(path, {"metadata": {"name": "web"}, "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}})
    until("counted", lambda: b.status(path + "/web").get("currentHealthy") == 2)
    name = b.pods()[0]["metadata"]["name"]
    evict = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    try:
        b.api.post(f"{b.core}/pods/{name}/eviction", evict)
        raise AssertionError("evicted against the budget")
    except Refused as e:
        assert e.code == 429, e
    b.api.patch(path + "/web", {"spec": {"minAvailable": 1}})
    until("allowed", lambda: b.status(path + "/web").get("disruptionsAllowed") == 1)
    b.api.post(f"{b.core}/pods/{name}/eviction", evict)
    b.gone(f"{b.core}/pods/{name}")


@scenario
def quota(b):
    path = f"{b.core}/resourcequotas"
    b.api.post(path, {"metadata": {"name": "q"}, "spec": {"hard": {
        "pods": "2", "configmaps": "3", "count/deployments.apps": "1"}}})
    until("usage", lambda: b.status(path + "/q").get("used", {}).get("pods") == "0")
    b.workload("deployments", "web", replicas=3)
    b.ready(f"{b.apps}/deployments/web", 2)
    until("the third refused", lambda: condition(b.api.get(f"{b.apps}/deployments/web"), "ReplicaFailure"))
    b.config_map("a")
    b.api.delete(f"{b.core}/configmaps/a")
    b.kubectl("delete", "deployment", "web")
    until("usage falls", lambda: b.status(path + "/q")["used"] == {"pods": "0", "configmaps": "1", "count/deployments.apps": "0"}, 60)


@scenario
def service_account(b):
    until("root ca", lambda: b.api.find(f"{b.core}/configmaps/kube-root-ca.crt"))
    b.api.delete(f"{b.core}/configmaps/kube-root-ca.crt")
    until("root ca again", lambda: b.api.find(f"{b.core}/configmaps/kube-root-ca.crt"))
    b.api.delete(f"{b.core}/serviceaccounts/default")
    until("default again", lambda: b.api.find(f"{b.core}/serviceaccounts/default"))
    b.kubectl("create", "serviceaccount", "robot")
    b.api.post(f"{b.core}/secrets", {"metadata": {"name": "robot", "annotations": {
        "kubernetes.io/service-account.name": "robot"}}, "type": "kubernetes.io/service-account-token"})
    data = until("token secret", lambda: b.api.get(f"{b.core}/secrets/robot").get("data"))
    assert sorted(data) == ["ca.crt", "namespace", "token"], sorted(data)
    b.kubectl("create", "rolebinding", "robot", "--clusterrole=view", f"--serviceaccount={b.ns}:robot")
    legacy = base64.b64decode(data["token"]).decode()
    for token in (legacy, b.kubectl("create", "token", "robot").strip()):
        assert Api(b.api.url, token).items(f"{b.core}/configmaps")
        try:
            Api(b.api.url, token).items(f"{b.core}/secrets")
            raise AssertionError("view reads secrets")
        except Refused as e:
            assert e.code == 403, e
    b.kubectl("delete", "serviceaccount", "robot")
    b.gone(f"{b.core}/secrets/robot")
    b.pod("p")
    pod = b.api.get(f"{b.core}/pods/p")
    assert pod["spec"]["serviceAccountName"] == "default"
    assert any("projected" in v for v in pod["spec"].get("volumes", [])) or not b.admission


@scenario
def signing(b):
    with tempfile.TemporaryDirectory() as d:
        subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", d + "/k", "-out", d + "/c",
                        "-subj", "/O=devs/CN=jane"], check=True, capture_output=True)
        with open(d + "/c", "rb") as f:
            request = base64.b64encode(f.read()).decode()
    path, name = "/apis/certificates.k8s.io/v1/certificatesigningrequests", b.ns
    b.api.post(path, {"metadata": {"name": name}, "spec": {
        "request": request, "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"]}})
    b.kubectl("certificate", "approve", name)
    certificate = until("certificate", lambda: b.status(f"{path}/{name}").get("certificate"))
    text = subprocess.run(["openssl", "x509", "-noout", "-subject"], input=base64.b64decode(certificate),
                          check=True, capture_output=True).stdout.decode()
    assert "jane" in text, text


@scenario
def volumes(b):
    def claim(name):
        b.api.post(f"{b.core}/persistentvolumeclaims", {"metadata": {"name": name}, "spec": {
            "storageClassName": "", "volumeName": f"{b.ns}-v", "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}}}})

    b.api.post("/api/v1/persistentvolumes", {"metadata": {"name": f"{b.ns}-v"}, "spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/tmp/x"},
        "persistentVolumeReclaimPolicy": "Retain"}})
    claim("c")
    until("bound", lambda: b.status(f"{b.core}/persistentvolumeclaims/c").get("phase") == "Bound")
    until("volume bound", lambda: b.status(f"/api/v1/persistentvolumes/{b.ns}-v").get("phase") == "Bound")
    b.pod("user", {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]})
    until("running", lambda: b.status(f"{b.core}/pods/user").get("phase") == "Running")
    b.api.delete(f"{b.core}/persistentvolumeclaims/c")
    assert "deletionTimestamp" in b.api.get(f"{b.core}/persistentvolumeclaims/c")["metadata"]
    b.api.delete(f"{b.core}/pods/user")
    b.gone(f"{b.core}/persistentvolumeclaims/c")
    until("released", lambda: b.status(f"/api/v1/persistentvolumes/{b.ns}-v").get("phase") == "Released")
    b.api.delete(f"/api/v1/persistentvolumes/{b.ns}-v")
    b.gone(f"/api/v1/persistentvolumes/{b.ns}-v")


@scenario
def scheduling(b):
    b.pod("huge", {"containers": [container(resources={"requests": {"cpu": "900"}})]})
    until("unschedulable", lambda: condition(b.api.get(f"{b.core}/pods/huge"), "PodScheduled").get("reason") == "Unschedulable")
    until("event", lambda: "FailedScheduling" in b.kubectl("get", "events"))
    b.api.post("/apis/scheduling.k8s.io/v1/priorityclasses", {"metadata": {"name": b.ns}, "value": 1000})
    big = {"containers": [container(resources={"requests": {"cpu": "2500m"}})]}
    for i in range(2):
        b.pod(f"low-{i}", big)
    until("low pods run", lambda: sum(p["status"].get("phase") == "Running" for p in b.pods()) == 2)
    b.pod("high", {**big, "priorityClassName": b.ns})
    until("preempts", lambda: b.status(f"{b.core}/pods/high").get("phase") == "Running")
    b.pod("gated", {"schedulingGates": [{"name": "example.com/gate"}]})
    until("gated", lambda: condition(b.api.get(f"{b.core}/pods/gated"), "PodScheduled").get("reason") == "SchedulingGated")
    b.api.patch(f"{b.core}/pods/gated", {"spec": {"schedulingGates": None}})
    until("runs", lambda: b.status(f"{b.core}/pods/gated").get("phase") == "Running")


@scenario
def claims(b):
    b.api.post(f"/apis/resource.k8s.io/v1/namespaces/{b.ns}/resourceclaimtemplates", {"metadata": {"name": "t"}, "spec": {
        "spec": {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "none.example.com"}}]}}}})
    b.pod("p", {"resourceClaims": [{"name": "d", "resourceClaimTemplateName": "t"}]})
    until("claim made", lambda: b.status(f"{b.core}/pods/p").get("resourceClaimStatuses"))
    b.api.delete(f"{b.core}/pods/p", gracePeriodSeconds=0)
    until("claim gone", lambda: not b.api.items(f"/apis/resource.k8s.io/v1/namespaces/{b.ns}/resourceclaims"))


@scenario
def cluster_wide(b):
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    b.api.post(roles, {"metadata": {"name": b.ns, "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
                       "rules": [{"apiGroups": ["example.com"], "resources": ["things"], "verbs": ["get"]}]})
    until("aggregated", lambda: "things" in json.dumps(b.api.get(roles + "/view")))
    b.api.delete(f"{roles}/{b.ns}")
    until("and back", lambda: "things" not in json.dumps(b.api.get(roles + "/view")))
    b.api.post("/api/v1/namespaces/kube-system/secrets", {
        "metadata": {"name": "bootstrap-token-abcdef"}, "type": "bootstrap.kubernetes.io/token", "stringData": {
            "token-id": "abcdef", "token-secret": "0123456789abcdef", "expiration": "2020-01-01T00:00:00Z"}})
    b.gone("/api/v1/namespaces/kube-system/secrets/bootstrap-token-abcdef")
    until("service range ready", lambda: condition(
        b.api.get("/apis/networking.k8s.io/v1/servicecidrs/kubernetes"), "Ready").get("status") == "True")
    policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
    b.api.post(policies, {"metadata": {"name": b.ns}, "spec": {
        "matchConstraints": {"resourceRules": [{"apiGroups": ["example.com"], "apiVersions": ["v1"],
                                                "operations": ["CREATE"], "resources": ["things"]}]},
        "validations": [{"expression": "true"}]}})
    until("policy checked", lambda: b.status(f"{policies}/{b.ns}").get("observedGeneration") == 1)
    b.api.delete(f"{policies}/{b.ns}")
    for name in ("kube-controller-manager", "kube-scheduler"):
        assert b.api.get(f"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{name}")["spec"]["holderIdentity"]


@scenario
def node_lifecycle(b):
    """Last but one, because it takes a node away."""
    b.kubelets.add("node-z", {"key": "example.com/mine", "effect": "NoSchedule"})
    b.kubelets.alive.add("node-z")
    pin = {"nodeSelector": {"kubernetes.io/hostname": "node-z"}}
    b.pod("waits", {**pin, "tolerations": [{"key": "example.com/mine", "operator": "Exists"},
                                           {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1}]})
    until("runs", lambda: b.status(f"{b.core}/pods/waits").get("phase") == "Running")
    b.kubelets.alive.discard("node-z")
    keys = until("tainted", lambda: {t["key"] for t in b.api.get("/api/v1/nodes/node-z")["spec"].get("taints", [])
                                     if t["effect"] == "NoExecute"}, 60)
    assert keys == {"node.kubernetes.io/unreachable"}, keys
    assert condition(b.api.get("/api/v1/nodes/node-z"), "Ready")["status"] == "Unknown"
    until("evicted", lambda: "deletionTimestamp" in b.api.get(f"{b.core}/pods/waits")["metadata"])
    assert condition(b.api.get(f"{b.core}/pods/waits"), "DisruptionTarget").get("reason") == "DeletionByTaintManager"
    b.api.delete("/api/v1/nodes/node-z")
    b.gone(f"{b.core}/pods/waits", 120)  # pod GC: the node is gone
