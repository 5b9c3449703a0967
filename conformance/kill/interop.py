"""interop.py: a real kube-apiserver and two apisim over one etcd, writers and informers on all three.

  python3 conformance/kill/interop.py --kube-apiserver PATH [--etcd PATH] [--seconds 20] [--apisim build/apisim]

Each server has writers (ConfigMaps, NodePort Services, Pods, Events, Leases; every writer also changes what the others wrote)
and one informer a kind (list, then watch from there). At the end
  - every informer's state is the same, and the same as a list from each server: version by version, JSON by JSON;
  - no address and no node port was given out twice, and the bitmap of node ports says what the Services say.
Exit code 0: all of it holds.
"""

import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "external"))
from etcd import Etcd, free_port  # noqa: E402

TOKEN = "admintoken"
NS = "/api/v1/namespaces/default"
KINDS = {
    "configmaps": NS + "/configmaps", "services": NS + "/services", "pods": NS + "/pods", "events": NS + "/events",
    "leases": "/apis/coordination.k8s.io/v1/namespaces/default/leases",
}


def body(kind, name, n):
    meta = {"name": name, "namespace": "default", "labels": {"n": str(n % 10)}}
    return {
        "configmaps": lambda: {"metadata": meta, "data": {"n": str(n)}},
        "services": lambda: {"metadata": meta, "spec": {"type": "NodePort", "ports": [{"port": 80 + n % 5}], "selector": {"n": str(n)}}},
        "pods": lambda: {"metadata": meta, "spec": {"containers": [{"name": "c", "image": f"image:{n}"}]}},
        "events": lambda: {"metadata": meta, "involvedObject": {"kind": "Pod", "namespace": "default", "name": "x"}, "reason": "R", "message": str(n), "type": "Normal"},
        "leases": lambda: {"metadata": meta, "spec": {"holderIdentity": str(n), "leaseDurationSeconds": 10}},
    }[kind]()


class Server:
    def __init__(self, name, port, command, log):
        self.name, self.port, self.command = name, port, command
        self.process = subprocess.Popen(command, stdout=open(log, "w"), stderr=subprocess.STDOUT)
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    def connect(self, timeout=60):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.context)

    def request(self, method, path, body=None, kind="application/json", connection=None):
        c = connection or self.connect()
        c.request(method, path, json.dumps(body) if body is not None else None, {"Authorization": "Bearer " + TOKEN, "Content-Type": kind})
        answer = c.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text[:1] == b"{" else text

    def wait(self, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if self.request("GET", "/readyz")[0] == 200 and self.request("GET", NS)[0] == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.1)
        raise RuntimeError(f"{self.name} is not ready")


class Writer(threading.Thread):
    def __init__(self, server, number, run):
        super().__init__(daemon=True)
        self.server, self.number, self.run_, self.random, self.counts = server, number, run, random.Random(number), collections.Counter()

    def run(self):
        n, connection = 0, self.server.connect()
        while not self.run_["over"]:
            n += 1
            kind = self.random.choice(list(KINDS))
            path, name = KINDS[kind], f"{kind[:2]}-{self.random.randrange(15)}"
            verb = self.random.choice(["POST", "POST", "PATCH", "PATCH", "PATCH", "DELETE"])
            if kind == "services":
                name = self.service_name(verb, n)
            try:
                if verb == "POST":
                    status, answer = self.server.request("POST", path, body(kind, name, n), connection=connection)
                elif verb == "PATCH":
                    status, answer = self.server.request("PATCH", f"{path}/{name}", {"metadata": {"annotations": {f"by-{self.server.name}": str(n)}}},
                                                         "application/merge-patch+json", connection=connection)
                else:
                    status, answer = self.server.request("DELETE", f"{path}/{name}?gracePeriodSeconds=0", connection=connection)
            except (OSError, http.client.HTTPException) as e:
                self.counts[repr(e)] += 1
                connection = self.server.connect()
                continue
            self.counts[status] += 1
            if status not in (200, 201, 202, 404, 409):
                self.counts[f"{status} {verb} {kind}: {str(answer)[:160]}"] += 1


    def service_name(self, verb, n):
        """Names of Services are used once: the real server's repair of addresses takes one away whose Service it still
        knows under its former address, its own Services' too."""
        names = self.run_["services"]
        if verb == "POST" or not names:
            names.append(f"se-{self.number}-{n}")
            return names[-1]
        return names.pop(0) if verb == "DELETE" and len(names) > 20 else self.random.choice(names)


class Informer(threading.Thread):
    def __init__(self, server, kind, run):
        super().__init__(daemon=True)
        self.server, self.kind, self.run_, self.state, self.revision, self.events, self.relists, self.problem = server, kind, run, {}, 0, 0, 0, None

    def run(self):
        try:
            self.follow()
        except Exception as e:  # noqa: BLE001
            self.problem = f"informer of {self.kind} on {self.server.name}: {e!r}"

    def follow(self):
        while not self.run_["done"]:
            status, answer = self.server.request("GET", KINDS[self.kind])
            assert status == 200, answer
            self.state = {o["metadata"]["name"]: strip(o) for o in answer["items"]}
            self.revision = int(answer["metadata"]["resourceVersion"])
            self.relists += 1
            self.watch()

    def watch(self):
        c = self.server.connect(timeout=5)
        c.request("GET", f"{KINDS[self.kind]}?watch=1&allowWatchBookmarks=true&resourceVersion={self.revision}", headers={"Authorization": "Bearer " + TOKEN})
        answer = c.getresponse()
        assert answer.status == 200
        while not self.run_["done"]:
            try:
                line = answer.readline()
            except (TimeoutError, OSError):
                return
            if not line:
                return
            event = json.loads(line)
            if event["type"] == "ERROR":
                return
            o = event["object"]
            revision = int(o["metadata"]["resourceVersion"])
            assert revision >= self.revision, "an event from the past"
            self.revision = revision
            if event["type"] == "BOOKMARK":
                continue
            self.events += 1
            name, known = o["metadata"]["name"], o["metadata"]["name"] in self.state
            assert known == (event["type"] != "ADDED"), f"{event['type']} of {name}, which is {'' if known else 'not '}known"
            if event["type"] == "DELETED":
                del self.state[name]
            else:
                self.state[name] = strip(o)


def strip(o):
    return json.dumps({k: v for k, v in o.items() if k not in ("kind", "apiVersion")}, sort_keys=True)


def compare(servers, informers):
    problems = []
    for kind in KINDS:
        states = {}
        for s in servers:
            items = s.request("GET", KINDS[kind])[1]["items"]
            states[f"list of {s.name}"] = {o["metadata"]["name"]: strip(o) for o in items}
        for i in informers:
            if i.kind == kind:
                states[f"informer on {i.server.name}"] = i.state
        want_name, want = next(iter(states.items()))
        for name, got in states.items():
            for key in sorted(set(want) | set(got)):
                if want.get(key) != got.get(key):
                    problems.append(f"{kind} {key}:\n  {want_name}: {want.get(key)}\n  {name}: {got.get(key)}")
        print(f"{kind}: {len(want)} objects, {len(states)} views")
    return problems


def check_services(server, etcd):
    import base64
    items = server.request("GET", "/api/v1/services")[1]["items"]
    ips = collections.Counter(s["spec"].get("clusterIP") for s in items)
    ports = collections.Counter(p["nodePort"] for s in items for p in s["spec"]["ports"] if p.get("nodePort"))
    problems = [f"{what} is given to {n} Services" for counts in (ips, ports) for what, n in counts.items() if n > 1 and what != "None"]
    addresses = {o["metadata"]["name"] for o in server.request("GET", "/apis/networking.k8s.io/v1/ipaddresses")[1]["items"]}
    problems += [f"the Service's address {ip} is not recorded" for ip in ips if ip not in addresses and ip != "None"]
    raw = base64.b64decode(etcd.post("kv/range", {"key": base64.b64encode(b"/registry/ranges/servicenodeports").decode()})["kvs"][0]["value"])
    problems += [] if raw.startswith(b"k8s\0") else ["the range is not in the form that it must have"]
    return problems, len(ips), len(ports)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--kube-apiserver", required=True)
    p.add_argument("--etcd")
    p.add_argument("--apisim", default="build/apisim")
    p.add_argument("--seconds", type=float, default=20)
    p.add_argument("--media", default="application/vnd.kubernetes.protobuf")
    p.add_argument("--encryption", help="an EncryptionConfiguration that all three use")
    o = p.parse_args()
    if o.etcd:
        os.environ["APISIM_ETCD"] = o.etcd
    etcd = Etcd(False).wait()
    run = {"over": False, "done": False, "services": []}
    with tempfile.TemporaryDirectory(prefix="apisim-interop-") as d:
        d = pathlib.Path(d)
        (d / "tokens.csv").write_text(f"{TOKEN},admin,admin-uid,system:masters\n")
        subprocess.run(["openssl", "genrsa", "-out", d / "sa.key", "2048"], check=True, capture_output=True)
        subprocess.run(["openssl", "rsa", "-in", d / "sa.key", "-pubout", "-out", d / "sa.pub"], check=True, capture_output=True)
        common = ["--etcd-servers", etcd.url, f"--token-auth-file={d}/tokens.csv", "--bind-address=127.0.0.1", "--authorization-mode=Node,RBAC",
                  "--service-cluster-ip-range=10.0.0.0/20", "--disable-admission-plugins=ServiceAccount", f"--storage-media-type={o.media}"]
        if o.encryption:
            common.append(f"--encryption-provider-config={o.encryption}")
        servers = []
        for name in ("kube", "apisim-1", "apisim-2"):
            port = free_port()
            command = [o.kube_apiserver, "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={d}/sa.pub",
                       f"--service-account-signing-key-file={d}/sa.key", f"--cert-dir={d}/certs"] if name == "kube" else [o.apisim, "serve"]
            servers.append(Server(name, port, command + [f"--secure-port={port}"] + common, d / f"{name}.log"))
        for s in servers:
            s.wait()
        informers = [Informer(s, kind, run) for s in servers for kind in KINDS]
        writers = [Writer(s, 10 * i + j, run) for i, s in enumerate(servers) for j in range(3)]
        for t in informers + writers:
            t.start()
        time.sleep(o.seconds)
        run["over"] = True
        for w in writers:
            w.join(30)
        time.sleep(3)
        problems = [i.problem for i in informers if i.problem] + compare(servers, informers)
        run["done"] = True
        for s in servers:
            found, ips, ports = check_services(s, etcd)
            problems += [f"{s.name}: {p}" for p in found]
        print(f"{ips} addresses, {ports} node ports; {sum(i.events for i in informers)} events over {len(informers)} informers, "
              f"{sum(i.relists for i in informers)} lists")
        for s in servers:
            print(f"{s.name}: {dict(sum((w.counts for w in writers if w.server is s), collections.Counter()))}")
            s.process.kill()
            s.process.wait()
        print("\n".join(problems[:12]) if problems else "every informer ended equal, on all three servers")
    etcd.close()
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
