"""What the scenarios stand on: a small API client, a stand-in for kubelets, and the controllers' processes."""

import json
import pathlib
import signal
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"


class Refused(Exception):
    def __init__(self, code, body):
        super().__init__(f"{code}: {body[:300]}")
        self.code = code


class Api:
    """JSON requests to one server as one user."""

    def __init__(self, url, token):
        self.url, self.token = url.rstrip("/"), token
        self.tls = ssl.create_default_context()
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    def call(self, method, path, body=None, kind="application/json"):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind, "Accept": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.tls) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as e:
            raise Refused(e.code, e.read().decode()) from None

    def get(self, path):
        return self.call("GET", path)

    def find(self, path):
        """The object, or None for a 404."""
        try:
            return self.get(path)
        except Refused as e:
            if e.code == 404:
                return None
            raise

    def items(self, path):
        return self.get(path)["items"]

    def post(self, path, body):
        return self.call("POST", path, body)

    def patch(self, path, body, kind=MERGE):
        return self.call("PATCH", path, body, kind)

    def delete(self, path, **options):
        return self.call("DELETE", path, options or None)


def until(what, condition, seconds=40):
    """What condition() answers once it is true; AssertionError when time is up."""
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        try:
            last = condition()
            if last:
                return last
        except (Refused, KeyError, IndexError) as e:
            last = e
        time.sleep(0.3)
    raise AssertionError(f"not within {seconds}s: {what} (last: {str(last)[:300]})")


class Kubelets(threading.Thread):
    """Nodes with leases; bound pods become Running (pods of jobs: Succeeded), deleted ones go."""

    def __init__(self, api, nodes=("node-a", "node-b")):
        super().__init__(daemon=True)
        self.api, self.alive, self.stopping, self.errors = api, set(nodes), False, []
        for name in nodes:
            self.add(name)

    def add(self, name, *taints):
        self.api.post("/api/v1/nodes", {"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
                                        "spec": {"taints": list(taints)}})
        size = {"cpu": "4", "memory": "8Gi", "pods": "200"}
        self.api.patch(f"/api/v1/nodes/{name}/status", {"status": {
            "capacity": size, "allocatable": size, "conditions": [self.ready()],
            "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}}, STRATEGIC)
        self.api.post("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", {
            "metadata": {"name": name}, "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": micro()}})

    @staticmethod
    def ready():
        return {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready",
                "lastHeartbeatTime": now(), "lastTransitionTime": now()}

    def run(self):
        renewed = 0.0
        while not self.stopping:
            try:
                if time.monotonic() - renewed > 4:
                    renewed = time.monotonic()
                    for node in sorted(self.alive):
                        self.api.patch(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node}",
                                       {"spec": {"renewTime": micro()}})
                for pod in self.api.items("/api/v1/pods"):
                    self.tend(pod)
            except Refused as e:
                if e.code not in (404, 409):
                    self.errors.append(str(e))
            except OSError as e:
                self.errors.append(str(e))
            time.sleep(0.3)

    def tend(self, pod):
        meta, status = pod["metadata"], pod.get("status", {})
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        if pod["spec"].get("nodeName") not in self.alive:
            return
        if "deletionTimestamp" in meta:
            self.api.delete(path, gracePeriodSeconds=0)
            return
        if status.get("phase", "Pending") != "Pending":
            return
        done = any(o["kind"] == "Job" for o in meta.get("ownerReferences", []))
        state = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now(), "finishedAt": now()}}
        kind = {"True": "False", "False": "True"}["True" if done else "False"]
        self.api.patch(path + "/status", {"status": {
            "phase": "Succeeded" if done else "Running", "startTime": now(), "hostIP": "192.0.2.1",
            "podIP": pod_ip(meta["uid"]), "podIPs": [{"ip": pod_ip(meta["uid"])}],
            "conditions": [{"type": t, "status": kind, "lastTransitionTime": now()}
                           for t in ("Initialized", "Ready", "ContainersReady")],
            "containerStatuses": [{"name": c["name"], "image": c["image"], "imageID": "", "restartCount": 0,
                                   "ready": not done, "state": state if done else {"running": {"startedAt": now()}}}
                                  for c in pod["spec"]["containers"]]}}, STRATEGIC)


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def micro():
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())


def pod_ip(uid):
    n = int(uid[:4], 16)
    return f"10.9.{n >> 8}.{n & 255}"


class Processes:
    """kube-controller-manager and kube-scheduler against a server; their logs in a folder."""

    def __init__(self, bins, folder, server, sa_key, ports, credentials=True, extra=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.kubeconfig = self.folder / "kubeconfig"
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": server.url, "insecure-skip-tls-verify": True}}],
            "users": [{"name": "u", "user": {"token": server.token}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}))
        ca, key = self.folder / "ca.crt", self.folder / "ca.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", ca,
                        "-days", "30", "-subj", "/CN=acceptance"], check=True, capture_output=True)
        common = [f"--{k}={self.kubeconfig}" for k in
                  ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")]
        common += ["--bind-address=127.0.0.1", f"--cert-dir={self.folder}", "--leader-elect=true",
                   "--leader-elect-retry-period=1s"]
        self.running = [
            self.start("kube-controller-manager", bins, common + [
                f"--secure-port={ports[0]}", f"--service-account-private-key-file={sa_key}",
                f"--root-ca-file={ca}", f"--cluster-signing-cert-file={ca}", f"--cluster-signing-key-file={key}",
                f"--use-service-account-credentials={str(credentials).lower()}",
                "--controllers=*,bootstrap-signer-controller,token-cleaner-controller",
                "--node-monitor-grace-period=15s", "--node-monitor-period=2s", "--horizontal-pod-autoscaler-sync-period=5s",
                *extra]),
            self.start("kube-scheduler", bins, common + [f"--secure-port={ports[1]}"])]

    def start(self, name, bins, flags):
        with open(self.folder / f"{name}.log", "w") as log:
            return subprocess.Popen([str(pathlib.Path(bins) / name), *flags], stdout=log, stderr=log)

    def stop(self):
        for p in self.running:
            p.send_signal(signal.SIGTERM)
        for p in self.running:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()

    def complaints(self):
        """The error and warning lines of both logs, without time and process."""
        lines = []
        for log in sorted(self.folder.glob("kube-*.log")):
            for line in log.read_text(errors="replace").splitlines():
                if line[:1] in "EWF" and line[1:5].isdigit():
                    lines.append(f"{log.stem} {line[0]} {line.split('] ', 1)[-1]}")
        return lines
