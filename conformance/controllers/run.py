#!/usr/bin/env python3
"""Run the real kube-controller-manager and kube-scheduler against apisim (or a real server); see README.md."""

import argparse
import difflib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import scenarios
from cluster import Api, Kubelets, Processes

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Server:
    def __init__(self, url, token, sa_key, process=None):
        self.url, self.token, self.sa_key, self.process = url, token, sa_key, process


def start_apisim(folder, binary, port):
    key, public, tokens = (folder / n for n in ("sa.key", "sa.pub", "tokens.csv"))
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    tokens.write_text("admintoken,admin,admin-uid,system:masters\n")
    with open(folder / "apisim.log", "w") as log:
        process = subprocess.Popen([
            binary, "serve", "--bind-address=127.0.0.1", f"--secure-port={port}", "--print-port",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={public}",
            f"--service-account-signing-key-file={key}", f"--token-auth-file={tokens}", f"--cert-dir={folder}",
            "--authorization-mode=Node,RBAC", "--service-cluster-ip-range=10.0.0.0/24", "--allow-privileged=true"],
            stdout=subprocess.PIPE, stderr=log, text=True)
    port = process.stdout.readline().strip()
    if not port:
        sys.exit("apisim does not start: " + (folder / "apisim.log").read_text())
    return Server(f"https://127.0.0.1:{port}", "admintoken", key, process)


def run_one(test, api, kubectl, kubelets, admission):
    start = time.monotonic()
    try:
        bench = scenarios.Bench(api, kubectl, kubelets, "acc-" + test.__name__.replace("_", "-"))
        bench.admission = admission
        test(bench)
        result = "pass"
    except Exception as e:  # noqa: BLE001: whatever goes wrong is this scenario's result
        result = f"FAIL {type(e).__name__} {e}"
    print(f"{test.__name__:24} {time.monotonic() - start:6.1f}s  {result}", flush=True)
    return result == "pass"


def masked(o):
    """An object without what differs from run to run."""
    if isinstance(o, dict):
        return {k: masked(v) for k, v in sorted(o.items())
                if k not in ("uid", "resourceVersion", "resourceVersionMatch", "managedFields", "clusterIP", "clusterIPs",
                             "podIP", "podIPs", "holderIdentity", "ip", "addresses", "nodeName", "certificate",
                             "leaseTransitions", "identity", "token", "ca.crt", "request", "port", "targetPort",
                             "kubernetes.io/peer-advertise-address") and not k.endswith(("Time", "Timestamp"))}
    if isinstance(o, list):
        return [masked(v) for v in o]
    if isinstance(o, str):
        o = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", o)
        o = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID", o)
        return re.sub(r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-RAND", re.sub(r"\btick-\d{8}\b", "tick-N", o))
    return o


def dump(api, path):
    """Every object of every resource, masked and sorted; events as a set of who says what."""
    lines = []
    for version in ["/api/v1"] + ["/apis/" + g["preferredVersion"]["groupVersion"] for g in api.get("/apis")["groups"]]:
        for r in api.get(version)["resources"]:
            if "list" not in r["verbs"] or (version.startswith("/apis/events") and r["name"] == "events"):
                continue
            for o in api.items(f"{version}/{r['name']}"):
                where = f"{version}/{r['name']}"
                if r["name"] == "events":
                    e = masked({k: o.get(k) for k in ("type", "reason", "source", "reportingComponent")})
                    lines.append(f"{where} {o['metadata']['namespace']} {o['involvedObject']['kind']} {json.dumps(e)}")
                else:
                    lines.append(f"{where} " + json.dumps(masked(o)))
    pathlib.Path(path).write_text("\n".join(sorted(set(lines))) + "\n")


def kinds_of(lines):
    """Complaints without names and numbers; those that are races of any fast client with itself left out."""
    kinds = Counter()
    for line in lines:
        if "is not as new as written version" in line or "the object has been modified" in line:
            continue
        line = re.sub(r"acc-[a-z-]+", "NS", line)
        line = re.sub(r"-[0-9a-f]{8,10}\b", "-HASH", re.sub(r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-RAND", line))
        kinds[re.sub(r"\d+", "N", line)] += 1
    return kinds


def compare(folder, other):
    """What this run has and the other (of a real server) has not, and the reverse."""
    mine, theirs = ((f / "dump.txt").read_text().splitlines() for f in (folder, other))
    for line in difflib.unified_diff(theirs, mine, str(other), str(folder), n=0, lineterm=""):
        print(line[:600])
    mine, theirs = (kinds_of((f / "complaints.txt").read_text().splitlines()) for f in (folder, other))
    for line in sorted(mine.keys() - theirs.keys()):
        print(f"complaint only here, {mine[line]} times: {line[:400]}")


def memory_of(pid):
    """(RSS in KiB, open files, CPU seconds) of a process."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    files = len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]), files, (int(stat[11]) + int(stat[12])) / 100


def soak(api, kubectl, kubelets, pid, minutes):
    """Deployments come and go; prints what the server uses after each round."""
    b = scenarios.Bench(api, kubectl, kubelets, "acc-soak")
    end, n = time.monotonic() + 60 * minutes, 0
    while time.monotonic() < end:
        n += 1
        for i in range(20):
            b.workload("deployments", f"d{i}", replicas=10)
        for i in range(20):
            scenarios.until("pods", lambda: b.status(f"{b.apps}/deployments/d{i}").get("readyReplicas") == 10, 180)
        for i in range(20):
            b.api.delete(f"{b.apps}/deployments/d{i}", propagationPolicy="Background")
        scenarios.until("no pods", lambda: not b.pods() and not b.api.items(f"{b.apps}/replicasets"), 180)
        for e in ("/api/v1", "/apis/events.k8s.io/v1"):
            b.api.call("DELETE", f"{e}/namespaces/{b.ns}/events")
        if pid:
            rss, files, cpu = memory_of(pid)
            revision = b.api.get(f"{b.core}/configmaps")["metadata"]["resourceVersion"]
            print(f"soak round {n}: rss {rss} KiB, {files} files, {cpu:.1f}s CPU, revision {revision}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("bins", help="folder with kube-controller-manager, kube-scheduler and kubectl")
    p.add_argument("--apisim", default=str(ROOT / "build" / "apisim"))
    p.add_argument("--port", type=int, default=0, help="apisim's; the controllers take the two above, or 10257 and 10259")
    p.add_argument("--against", metavar="URL", help="a running server instead of a fresh apisim; needs --sa-key")
    p.add_argument("--token", default="admintoken")
    p.add_argument("--sa-key", help="the private key of the running server's service account tokens")
    p.add_argument("--without-sa-credentials", action="store_true", help="controllers share the administrator's token")
    p.add_argument("--no-sa-admission", action="store_true", help="the running server has no ServiceAccount plugin")
    p.add_argument("--flag", action="append", default=[], help="one more of kube-controller-manager's flags, such as --flag=--v=6")
    p.add_argument("--only", help="comma-separated names")
    p.add_argument("--soak", type=float, default=0, metavar="MINUTES")
    p.add_argument("--compare", metavar="FOLDER", type=pathlib.Path, help="the --logs folder of a run against a real server")
    p.add_argument("--logs", help="where logs, dump.txt and complaints.txt go (default: a temporary folder)")
    a = p.parse_args()
    bins = pathlib.Path(a.bins)
    if not all((bins / n).exists() for n in ("kube-controller-manager", "kube-scheduler", "kubectl")):
        print(f"skipped: no kube-controller-manager, kube-scheduler and kubectl in {bins}")
        return 0
    folder = pathlib.Path(a.logs or tempfile.mkdtemp(prefix="controllers-"))
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(a.against, a.token, a.sa_key) if a.against else start_apisim(folder, a.apisim, a.port)
    ports = (a.port + 2, a.port + 3) if a.port else (10257, 10259)
    controllers = kubelets = None
    try:
        controllers = Processes(bins, folder, server, server.sa_key, ports, not a.without_sa_credentials,
                                a.flag)
        api = Api(server.url, server.token)
        kubelets = Kubelets(api)
        kubelets.start()
        kubectl = [str(bins / "kubectl"), "--kubeconfig", str(controllers.kubeconfig), "--cache-dir", str(folder / "cache")]
        tests = [t for t in scenarios.TESTS if not a.only or t.__name__ in a.only.split(",")]
        with ThreadPoolExecutor(4) as pool:
            passed = list(pool.map(lambda t: run_one(t, api, kubectl, kubelets, not a.no_sa_admission), tests))
        if a.soak:
            soak(api, kubectl, kubelets, server.process and server.process.pid, a.soak)
        time.sleep(8)  # until nothing moves any more
        dump(api, folder / "dump.txt")
        complaints = controllers.complaints()
        (folder / "complaints.txt").write_text("\n".join(complaints) + "\n")
        if a.compare:
            compare(folder, a.compare)
        if kubelets.errors:
            print("kubelets:", *sorted(set(kubelets.errors))[:5], sep="\n  ")
        print(f"{sum(passed)} of {len(passed)} passed; {len(complaints)} error and warning lines of the controllers; see {folder}")
        return 0 if all(passed) else 1
    finally:
        if kubelets:
            kubelets.stopping = True
            kubelets.join(5)
        if controllers:
            controllers.stop()
        if server.process:
            server.process.terminate()
            server.process.wait(10)


if __name__ == "__main__":
    sys.exit(main())
