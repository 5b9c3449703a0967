"""Sends the same writes, then a matrix of reads to two servers and prints where the answers differ.

usage: reads.py REAL_URL OUR_URL [--token T] [--seed N] [--count N] [--part NAME...]

Parts: list, watch, get, fields, paths. See README.md beside this file.
"""

import argparse
import base64
import collections
import concurrent.futures
import http.client
import json
import random
import re
import ssl
import urllib.parse

import yaml

JSON, PROTOBUF = "application/json", "application/vnd.kubernetes.protobuf"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
FORMS = [
    JSON, JSON, JSON, "application/yaml", PROTOBUF, "application/cbor", TABLE, TABLE,
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    "application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch",
    "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1",
    "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    "application/yaml;as=Table;g=meta.k8s.io;v=v1", "application/json;as=Table;g=meta.k8s.io;v=v1beta1",
    "application/json;as=Bogus;g=meta.k8s.io;v=v1", "text/plain", "*/*", "application/json;pretty=1",
    "application/cbor-seq", "application/yaml;stream=watch",
]
DIGITS = 4  # of every version, on both servers: so that lengths are comparable
LONGEST = 5.0  # seconds that a stream is read

SPACE, OTHER = "reads", "reads-other"

VARIES = [
    (rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", b"UID"),
    (rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", b"TIME"),
    (rb'"description": ?"(?:[^"\\]|\\.)*"', b"TEXT"),
    (rb'"\d+[smhd]\d*[smh]?"', b'"AGE"'),
]
# Of the whole answer, where the real server's cache tells its own newest one, or a bookmark's.
OWN_VERSIONS = [
    rb'("kind": ?"\w*(?:List|Table)",\s*"apiVersion": ?"[^"]*",\s*"metadata": ?\{\s*"resourceVersion": ?")\d+',
    rb'(\nmetadata:\n(?:  continue: .*\n)?(?:  remainingItemCount: .*\n)?  resourceVersion: ")\d+',
    rb'(?s)\A(k8s\0.{0,80}?\x12\x04)\d{4}', rb'(?s)(BOOKMARK.{0,60}k8s\0.{0,60}\x04)\d{4}',
    rb'("type":"BOOKMARK",.*?"resourceVersion":")\d+',
]


def pod(name, node="", labels=None, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels or {}},
            "spec": {"containers": [{"name": "c", "image": "i"}], "nodeName": node, **spec}}


class Server:
    def __init__(self, url, token, name):
        self.at = urllib.parse.urlsplit(url)
        self.token, self.name = token, name
        self.marks = []  # versions behind each write
        self.context = ssl._create_unverified_context()

    def connect(self, timeout=20):
        return http.client.HTTPSConnection(self.at.hostname, self.at.port, context=self.context,
                                           timeout=timeout)

    def open(self, method, path, body=None, accept=JSON, content_type=JSON, timeout=20, headers=()):
        connection = self.connect(timeout)
        all_headers = {"Authorization": "Bearer " + self.token, "User-Agent": "reads/1", "Accept": accept}
        if isinstance(body, dict | list):
            body = json.dumps(body)
        if body is not None:
            all_headers["Content-Type"] = content_type
        all_headers.update(dict(headers))
        connection.request(method, path, body, all_headers)
        return connection, connection.getresponse()

    def send(self, method, path, body=None, **how):
        """(status, content type, warnings, bytes, whether the answer ended by itself)"""
        connection, response = self.open(method, path, body, **how)
        data, ended = b"", "open"
        try:
            while True:
                part = response.read1(65536)
                if not part:
                    ended = "ended"
                    break
                data += part
        except TimeoutError:
            pass
        except (http.client.HTTPException, OSError) as e:
            ended = type(e).__name__
        connection.close()
        warnings = [v for k, v in response.getheaders() if k == "Warning" and "apisim" not in v]
        shown = {k: response.getheader(k) for k in ("Content-Type", "Retry-After", "Vary", "Cache-Control")}
        return response.status, shown, warnings, data, ended

    def write(self, method, path, body=None, content_type=JSON):
        """A write of the common sequence: it must go well."""
        status, _, _, data, _ = self.send(method, path, body, content_type=content_type)
        assert status < 300, (self.name, method, path, status, data)
        obj = json.loads(data)
        version = obj.get("metadata", {}).get("resourceVersion")
        self.marks.append(int(version) if version else self.marks[-1])
        return obj

    def raise_versions(self):
        """Until each version has DIGITS digits."""
        path = f"/api/v1/namespaces/{OTHER}/serviceaccounts"
        obj = self.write("POST", path, {"metadata": {"name": "ladder"}})
        while int(obj["metadata"]["resourceVersion"]) < 10 ** (DIGITS - 1):
            labels = {"after": obj["metadata"]["resourceVersion"]}
            obj = self.write("PUT", path + "/ladder", {"metadata": {"name": "ladder", "labels": labels}})

    def name_version(self, number):
        if number in self.marks:
            return "NOW" if number == self.marks[-1] else f"r{self.marks.index(number)}"
        if number > self.marks[-1]:
            return "NOW" if number < 10 ** DIGITS else str(number)
        return "BEFORE" if number < self.marks[0] else "BETWEEN"

    def show_token(self, text):
        fields = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        fields["rv"] = self.name_version(fields["rv"]) if fields["rv"] > 0 else fields["rv"]
        return json.dumps(fields)

    def normal(self, data):
        if data.startswith(b"apiVersion: meta.k8s.io/v1") and b"columnDefinitions" in data:
            data = b"YAML " + json.dumps(yaml.load(data, yaml.CSafeLoader)).encode()
        for pattern, instead in VARIES:
            data = re.sub(pattern, instead, data)
        for pattern in OWN_VERSIONS:
            data = re.sub(pattern, rb"\1OWN", data)
        data = re.sub(rb'("?continue"?: ?"?)([\w-]{20,})', lambda m: m[1] + self.show_token(m[2].decode()).encode(), data)
        data = re.sub(rb'("?resourceVersion"?: ?")(\d{1,3})"', rb'\1OLD"', data)
        data = re.sub(rb"(?<=\x04)\d{4}(?=8[\0-\x09])", lambda m: self.name_version(int(m[0])).encode(), data)
        return re.sub(rb"(?<![\w.-])\d{4}(?!\w)", lambda m: self.name_version(int(m[0])).encode(), data)


def prepare(s):
    """The same writes for both."""
    s.marks = [0]
    for name in (SPACE, OTHER):
        s.write("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": {"of": "reads"}}})
    s.raise_versions()
    s.marks = s.marks[-1:]
    maps = f"/api/v1/namespaces/{SPACE}/configmaps"
    for i, name in enumerate("abcdef"):
        s.write("POST", maps, {"metadata": {"name": name, "labels": {"x": str(i % 2), "n": name}}, "data": {"k": name}})
    s.write("POST", f"/api/v1/namespaces/{OTHER}/configmaps", {"metadata": {"name": "a", "labels": {"x": "0"}}})
    patch = "application/merge-patch+json"
    s.write("PATCH", maps + "/a", {"metadata": {"labels": {"x": "1"}}}, patch)
    s.write("PATCH", maps + "/b", {"metadata": {"labels": {"x": "0"}}}, patch)
    s.write("PATCH", maps + "/c", {"metadata": {"labels": {"x": None}, "finalizers": ["a.b/c"]}}, patch)
    s.write("DELETE", maps + "/c")
    s.marks.append(int(json.loads(s.send("GET", maps + "/c")[3])["metadata"]["resourceVersion"]))
    s.write("PATCH", maps + "/c", {"metadata": {"labels": {"x": "1"}}}, patch)
    s.write("PATCH", maps + "/c", {"metadata": {"finalizers": None}}, patch)
    s.write("DELETE", maps + "/d")
    s.write("POST", maps, {"metadata": {"name": "d", "labels": {"x": "0"}}})
    pods = f"/api/v1/namespaces/{SPACE}/pods"
    for i, name in enumerate(("p1", "p2", "p3", "p4")):
        s.write("POST", pods, pod(name, "n1" if i % 2 else "", {"x": str(i % 2)}))
    for name, phase in (("p1", "Running"), ("p2", "Succeeded"), ("p4", "Failed")):
        s.write("PATCH", f"{pods}/{name}/status", {"status": {"phase": phase, "podIP": "10.1.1.1",
                                                            "podIPs": [{"ip": "10.1.1.1"}]}}, patch)
    s.write("DELETE", pods + "/p4")
    s.write("DELETE", pods + "/p3")
    for i, kind in enumerate(("Opaque", "example.com/own")):
        s.write("POST", f"/api/v1/namespaces/{SPACE}/secrets", {"metadata": {"name": f"s{i}"}, "type": kind})
    for i in range(3):
        s.write("POST", f"/api/v1/namespaces/{SPACE}/events",
                {"metadata": {"name": f"e{i}"}, "reason": f"R{i}", "type": "Normal" if i else "Warning",
                 "source": {"component": "c"}, "reportingComponent": "rc",
                 "involvedObject": {"kind": "Pod", "name": f"p{i}", "namespace": SPACE, "uid": "u",
                                    "apiVersion": "v1", "resourceVersion": "7", "fieldPath": "spec"}})
    s.write("POST", "/apis/coordination.k8s.io/v1/namespaces/reads/leases", {"metadata": {"name": "l"}, "spec": {}})
    s.write("POST", "/api/v1/nodes", {"metadata": {"name": "n1"}, "spec": {"unschedulable": True}})
    labels = {"matchLabels": {"x": "1"}}
    template = {"metadata": {"labels": {"x": "1"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    s.write("POST", "/apis/apps/v1/namespaces/reads/replicasets",
            {"metadata": {"name": "rs"}, "spec": {"replicas": 2, "selector": labels, "template": template}})
    s.write("PATCH", "/apis/apps/v1/namespaces/reads/replicasets/rs/status", {"status": {"replicas": 2}}, patch)
    s.write("POST", "/apis/apps/v1/namespaces/reads/deployments",
            {"metadata": {"name": "dep"}, "spec": {"replicas": 2, "selector": labels, "template": template}})
    s.write("POST", "/api/v1/namespaces/reads/replicationcontrollers",
            {"metadata": {"name": "rc"}, "spec": {"replicas": 2, "selector": {"x": "1"}, "template": template}})
    s.write("POST", "/apis/batch/v1/namespaces/reads/jobs",
            {"metadata": {"name": "job"}, "spec": {"template": {"spec": {
                "restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}})
    s.write("POST", "/api/v1/namespaces/reads/services",
            {"metadata": {"name": "svc"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}})
    s.write("PATCH", maps + "/e", {"data": {"k": "again"}}, patch)


LISTS = [
    (f"/api/v1/namespaces/{SPACE}/configmaps", 6), (f"/api/v1/namespaces/{SPACE}/pods", 4),
    ("/api/v1/pods", 1), (f"/api/v1/namespaces/{SPACE}/secrets", 1), ("/api/v1/nodes", 1),
    (f"/api/v1/namespaces/{SPACE}/events", 1), (f"/apis/events.k8s.io/v1/namespaces/{SPACE}/events", 1),
    ("/apis/coordination.k8s.io/v1/namespaces/reads/leases", 1), ("/apis/apps/v1/namespaces/reads/deployments", 1),
    ("/api/v1/namespaces/nowhere/configmaps", 1), ("/apis/networking.k8s.io/v1/ingresses", 1),
    ("/api/v1/podtemplates", 1), ("/apis/apps/v1/namespaces/reads/replicasets", 1),
    ("/api/v1/namespaces/reads/services", 1),
]
LABELS = [None, None, None, "x=1", "x=0", "x", "!x", "x in (0,1)", "x notin (1)", "x!=1", "x=1,n=b", "x=nothing",
          "n>3", "n<a", "=", "x in (", "x=1,,", ",", "a b", "x==1", "x=1,x=0", "-x=1", "x=" + "v" * 64]
FIELDS = [None, None, None, None, "metadata.name=a", "metadata.name!=a", "metadata.name=p1", "metadata.namespace=reads",
          "metadata.namespace=reads-other", "metadata.namespace!=reads", "metadata.name=a,metadata.name=b",
          "metadata.name=", "metadata.name==b", "status.phase=Running", "spec.nodeName=n1", "spec.nodeName!=n1",
          "spec.nodeName=", "type=Opaque", "spec.unknown=1", "metadata.labels.x=1", "bad", "=", "a=b=c",
          "metadata.name=a,status.phase=Running", "metadata.name=\\,", "metadata.name=a\\", "metadata.name in (a)",
          "involvedObject.name=p1", "metadata.uid=1"]


class Ask:
    """One request; its versions are drawn as places in the common sequence."""

    def __init__(self, method, path, params, accept=JSON, headers=()):
        self.method, self.path, self.params, self.accept, self.headers = method, path, params, accept, headers

    def target(self, s):
        pairs = [(k, v(s) if callable(v) else v) for k, v in self.params]
        query = urllib.parse.urlencode([(k, v) for k, v in pairs if v is not None])
        return self.path + ("?" + query if query else "")


def mark(i):
    return lambda s: str(s.marks[i])


def a_token(rv, start, version="meta.k8s.io/v1"):
    def make(s):
        number = rv if isinstance(rv, int) and rv <= 0 else s.marks[rv[0]] if isinstance(rv, tuple) else rv
        text = json.dumps({"v": version, "rv": number, "start": start}, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return make


def a_version(r, marks, dear=0.03):
    if r.random() < dear:
        return r.choice(["999999", "9223372036854775807", "18446744073709551615"])
    return r.choice([None, None, "", "0", "0", mark(-1), mark(r.randrange(marks)), mark(r.randrange(marks)),
                     mark(0), "1", "abc", "-1", "01", "18446744073709551616", " 5", "+5", "0x5"])


def a_continue(r, marks):
    return r.choice([
        a_token((r.randrange(marks),), r.choice(["b\0", "reads/b\0", "a", "p2\0", "zz", "reads/p1\0"])),
        a_token((-1,), r.choice(["b\0", "reads/b\0", "c", "p1\0"])), a_token(-1, "b\0"), a_token(0, "b\0"), a_token(1, "b\0"),
        a_token((-1,), ""), a_token((-1,), "../x"), a_token((-1,), "/a/../b"), a_token((-1,), "b", "v2"),
        a_token(-2, "b"), "garbage", "!!", "e30", a_token((-1,), "/b\0"), "", a_token((-1,), "..")])


def draw_list(r, marks):
    path = r.choices([p for p, _ in LISTS], [w for _, w in LISTS])[0]
    params = []
    add = lambda name, value: params.append((name, value)) if value is not None else None
    if r.random() < 0.7:
        add("resourceVersion", a_version(r, marks))
    if r.random() < 0.4:
        add("resourceVersionMatch", r.choice(["Exact", "NotOlderThan", "Exact", "NotOlderThan", "", "exact", "Bogus"]))
    if r.random() < 0.5:
        add("limit", r.choice(["0", "1", "2", "3", "500", "-1", "abc", "", "+2", "9223372036854775808"]))
    if r.random() < 0.25:
        add("continue", a_continue(r, marks))
    if r.random() < 0.4:
        add("labelSelector", r.choice(LABELS))
    if r.random() < 0.4:
        add("fieldSelector", r.choice(FIELDS))
    if r.random() < 0.1:
        add("sendInitialEvents", r.choice(["true", "false", "", "1", "bogus"]))
    if r.random() < 0.1:
        add("allowWatchBookmarks", r.choice(["true", "bogus", ""]))
    if r.random() < 0.1:
        add("timeoutSeconds", r.choice(["0", "1", "-1", "abc", "10"]))
    if r.random() < 0.05:
        add("timeout", r.choice(["0", "1s", "-1s", "abc", "10", "1m"]))
    if r.random() < 0.05:
        add("pretty", r.choice(["true", "1", "false", ""]))
    return Ask("GET", path, params, r.choice(FORMS))


def draw_watch(r, marks):
    path = r.choices([p for p, _ in LISTS], [w for _, w in LISTS])[0]
    params = [("watch", r.choice(["1", "true", "1", "1", "1"]))]
    add = lambda name, value: params.append((name, value)) if value is not None else None
    if r.random() < 0.85:
        add("resourceVersion", a_version(r, marks, 0.06))
    if r.random() < 0.35:
        add("sendInitialEvents", r.choice(["true", "true", "true", "false", "false", "", "bogus"]))
        if r.random() < 0.8:
            add("resourceVersionMatch", "NotOlderThan")
    elif r.random() < 0.1:
        add("resourceVersionMatch", r.choice(["Exact", "NotOlderThan", "", "Bogus"]))
    if r.random() < 0.5:
        add("allowWatchBookmarks", r.choice(["true", "true", "true", "1", "false", "0", "bogus", ""]))
    add("timeoutSeconds", r.choice(["1"] * 12 + ["-1", "abc", "3", "", "+1"]))
    if r.random() < 0.4:
        add("labelSelector", r.choice(LABELS))
    if r.random() < 0.4:
        add("fieldSelector", r.choice(FIELDS))
    if r.random() < 0.06:
        add("limit", r.choice(["1", "-1", "abc"]))
    if r.random() < 0.06:
        add("continue", a_continue(r, marks))
    if r.random() < 0.05:
        add("pretty", r.choice(["true", "1"]))
    if r.random() < 0.1:
        add("includeObject", r.choice(["None", "Metadata", "Object", "Bogus"]))
    return Ask("GET", path, params, r.choice(FORMS))


def draw_get(r, marks):
    path = r.choice([
        "/api/v1/namespaces/reads/configmaps/a", "/api/v1/namespaces/reads/configmaps/c",
        "/api/v1/namespaces/reads/configmaps/nothing", "/api/v1/namespaces/reads/pods/p1",
        "/api/v1/namespaces/reads/pods/p1/status", "/api/v1/namespaces/reads", "/api/v1/nodes/n1",
        "/apis/apps/v1/namespaces/reads/deployments/dep", "/apis/apps/v1/namespaces/reads/deployments/dep/scale",
        "/apis/apps/v1/namespaces/reads/deployments/dep/status", "/api/v1/namespaces/nowhere/configmaps/a",
        "/api/v1/namespaces/reads/configmaps/a%2Fb", "/api/v1/namespaces/reads/configmaps/A", "/api/v1/nodes/n1/status"])
    params = []
    if r.random() < 0.8:
        v = a_version(r, marks)
        if v is not None:
            params.append(("resourceVersion", v))
    for name, values in (("resourceVersionMatch", ["Exact", "NotOlderThan", "Bogus"]), ("limit", ["1", "abc"]),
                         ("fieldSelector", ["metadata.name=b", "bad"]), ("continue", ["x"]), ("pretty", ["true"]),
                         ("includeObject", ["None", "Metadata", "Object", "Bogus"]), ("watch", ["false", "0"])):
        if r.random() < 0.1:
            params.append((name, r.choice(values)))
    return Ask("GET", path, params, r.choice(FORMS))


def draw_path(r, marks):
    """Watches of one object and the deprecated paths."""
    path = r.choice([
        "/api/v1/watch/namespaces/reads/configmaps", "/api/v1/watch/configmaps", "/api/v1/watch/namespaces/reads/configmaps/a",
        "/api/v1/watch/namespaces/reads/configmaps/c", "/api/v1/watch/namespaces/reads/pods/p1", "/api/v1/watch/nodes/n1",
        "/api/v1/watch/namespaces/reads/pods/nothing", "/api/v1/watch/namespaces/reads", "/api/v1/watch/namespaces",
        "/apis/apps/v1/watch/namespaces/reads/deployments/dep", "/apis/apps/v1/watch/deployments", "/api/v1/watch",
        "/api/v1/watch/", "/api/v1/watch/bogus", "/api/v1/watch/namespaces/reads/configmaps/a/b", "/apis/apps/v1/watch",
        "/api/v1/watch/namespaces/reads/pods/p1/status", "/api/v1/watch/namespaces/reads/services/svc/proxy",
        "/api/v1/namespaces/reads/configmaps/a", "/api/v1/namespaces/reads/configmaps/nothing", "/api/v1/nodes/n1",
        "/api/v1/namespaces/reads", "/api/v1/namespaces/reads/pods/p1/status", "/api/v1/namespaces/reads/pods/p1/log",
        "/apis/apps/v1/namespaces/reads/deployments/dep/scale", "/api/v1/watch/namespaces/reads/status",
        "/api/v1/componentstatuses", "/api/v1/watch/componentstatuses", "/api/v1/namespaces/reads/bindings",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "/apis/apps/v1/watch/namespaces/reads/deployments/dep/scale"])
    ask = draw_watch(r, marks)
    if "/watch" in path and r.random() < 0.7:
        ask.params = [p for p in ask.params if p[0] != "watch"]
    return Ask(r.choice(["GET"] * 12 + ["POST", "DELETE", "PUT", "HEAD"]), path, ask.params, ask.accept)


def field_asks():
    """Every kind with several field labels."""
    labels = ["metadata.name", "metadata.namespace", "spec.nodeName", "spec.restartPolicy", "spec.schedulerName",
              "spec.serviceAccountName", "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs",
              "status.nominatedNodeName", "type", "reason", "reportingComponent", "source", "involvedObject.kind",
              "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
              "involvedObject.resourceVersion", "involvedObject.fieldPath", "reportingController", "regarding.name",
              "spec.unschedulable", "status.replicas", "status.successful", "spec.clusterIP", "spec.type",
              "spec.signerName", "spec.driver", "spec.pool.name", "metadata.uid", "metadata.labels", "name", "kind",
              "spec.podName", "involvedObject", "status.hostIP", "spec.claimRef.name"]
    kinds = [p for p, _ in LISTS] + [
        "/api/v1/namespaces", "/api/v1/namespaces/reads/replicationcontrollers", "/apis/batch/v1/namespaces/reads/jobs",
        "/apis/batch/v1/cronjobs", "/apis/certificates.k8s.io/v1/certificatesigningrequests", "/api/v1/persistentvolumes",
        "/api/v1/persistentvolumeclaims", "/api/v1/serviceaccounts", "/api/v1/endpoints", "/apis/resource.k8s.io/v1/resourceslices",
        "/apis/resource.k8s.io/v1/resourceclaims", "/apis/apps/v1/daemonsets", "/apis/apps/v1/statefulsets",
        "/apis/apps/v1/controllerrevisions", "/apis/rbac.authorization.k8s.io/v1/roles",
        "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "/apis/apiregistration.k8s.io/v1/apiservices", "/apis/policy/v1/poddisruptionbudgets", "/apis/storage.k8s.io/v1/csinodes",
        "/apis/storage.k8s.io/v1/volumeattachments", "/apis/discovery.k8s.io/v1/endpointslices", "/api/v1/limitranges",
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", "/apis/autoscaling/v2/horizontalpodautoscalers",
        "/apis/scheduling.k8s.io/v1/priorityclasses", "/apis/networking.k8s.io/v1/ipaddresses", "/api/v1/resourcequotas",
        "/apis/node.k8s.io/v1/runtimeclasses", "/apis/networking.k8s.io/v1/networkpolicies"]
    for kind in kinds:
        for label in labels:
            for operator, value in (("=", "p1"), ("!=", "p1"), ("=", "")):
                yield Ask("GET", kind, [("fieldSelector", f"{label}{operator}{value}")],
                          "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
        yield Ask("GET", kind, [("watch", "1"), ("resourceVersion", mark(0)), ("timeoutSeconds", "1")], TABLE)


class Differential:
    def __init__(self, real, ours, jobs):
        self.servers = (real, ours)
        self.pool = concurrent.futures.ThreadPoolExecutor(jobs)
        self.sent = 0
        self.found = collections.defaultdict(list)

    def ask(self, ask):
        answers = []
        for s in self.servers:
            try:
                answers.append(s.send(ask.method, ask.target(s), accept=ask.accept, timeout=LONGEST, headers=ask.headers))
            except (OSError, http.client.HTTPException) as e:
                answers.append((0, {}, [], type(e).__name__.encode(), "failed"))
        return answers

    def alike(self, answers):
        (real, ours) = answers
        if real[:3] != ours[:3] or real[4] != ours[4]:
            return False
        a, b = (s.normal(x[3]) for s, x in zip(self.servers, answers, strict=True))
        if "protobuf" in (real[1].get("Content-Type") or "") or "cbor" in (real[1].get("Content-Type") or ""):
            words = [re.findall(rb"[ -~]{3,}", text) for text in (a, b)]
            return len(real[3]) == len(ours[3]) and words[0] == words[1]
        return a == b

    def one(self, ask):
        answers = self.ask(ask)
        if not self.alike(answers):
            answers = self.ask(ask)  # the real server's own writes may have come between
        return ask, answers

    def run(self, name, asks):
        asks = list(asks)
        for ask, answers in self.pool.map(self.one, asks):
            self.sent += 1
            if not self.alike(answers):
                self.report(name, ask, answers)

    def report(self, name, ask, answers):
        (real, ours) = answers
        a, b = (s.normal(x[3]) for s, x in zip(self.servers, answers, strict=True))
        at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
        at = max(0, at - 100)
        shown = (f"{ask.method} {ask.target(self.servers[0])}  {ask.accept}\n"
                 f"   real {real[0]} {real[4]} {real[1]} {real[2]} {len(real[3])} ..{a[at:at + 400]!r}\n"
                 f"   ours {ours[0]} {ours[4]} {ours[1]} {ours[2]} {len(ours[3])} ..{b[at:at + 400]!r}")
        self.found[name].append(shown)
        print(f"{name}: {shown}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("real")
    p.add_argument("ours")
    p.add_argument("--token", default="admintoken")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--count", type=int, default=500)
    p.add_argument("--jobs", type=int, default=12)
    p.add_argument("--part", nargs="*", default=["list", "get", "watch", "paths", "fields"])
    p.add_argument("--prepared", help="a file of an earlier run's versions: nothing is written")
    args = p.parse_args()
    servers = [Server(args.real, args.token, "real"), Server(args.ours, args.token, "ours")]
    try:
        with open(args.prepared or "") as f:
            for s, m in zip(servers, json.load(f), strict=True):
                s.marks = m
    except OSError:
        for s in servers:
            prepare(s)
        if args.prepared:
            with open(args.prepared, "w") as f:
                json.dump([s.marks for s in servers], f)
    d = Differential(*servers, args.jobs)
    marks = len(servers[0].marks)
    draws = {"list": draw_list, "get": draw_get, "watch": draw_watch, "paths": draw_path}
    for part in args.part:
        r = random.Random(f"{args.seed} {part}")
        asks = field_asks() if part == "fields" else (draws[part](r, marks) for _ in range(args.count))
        d.run(part, asks)
    print(f"{d.sent} sent, {sum(map(len, d.found.values()))} differ")


if __name__ == "__main__":
    main()
