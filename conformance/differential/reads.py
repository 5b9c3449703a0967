"""Sends the same writes, then a matrix of reads to two servers and prints where the answers differ.

usage: reads.py REAL_URL OUR_URL [--token T] [--seed N] [--count N] [--part NAME...]

Parts: list, watch, get, fields, paths, websocket, live, deletes. See README.md beside this file.
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
import time
import urllib.parse

import transport
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
    (rb'"\d+[smhd]\d*[smh]?"', b'"AGE"'), (rb"\x08[\x80-\xff]{4}\x06\x10\0", b"SECONDS"),
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
        self.open = 0
        self.context = ssl._create_unverified_context()

    def context_of(self, alpn):
        if alpn:
            context = ssl._create_unverified_context()
            context.set_alpn_protocols(alpn)
            return context
        return self.context

    def send(self, method, path, body=None, accept=JSON, content_type=JSON, timeout=20, headers=(), way="http1"):
        """(status, headers that count, warnings, bytes, how the answer ended); headers: also those that WebSocket asks for."""
        pairs = [("Authorization", "Bearer " + self.token), ("User-Agent", "reads/1"), ("Accept", accept), *headers]
        if isinstance(body, dict | list):
            body = json.dumps(body)
        if body is not None and way != "websocket":
            pairs.append(("Content-Type", content_type))
        status, got, data, ended = transport.WAYS[way](self, method, path, pairs, body, timeout)
        warnings = [v for k, v in got if k == "Warning" and "apisim" not in v]
        lower = {k.lower(): v for k, v in got}
        shown = {k: lower.get(k.lower()) for k in transport.SHOWN}
        return status, shown, warnings, data, ended

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
        data = re.sub(rb"(?<=[\x01-\x03])\d{1,3}(?=8[\0-\x09]B)", b"OLD", data)
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

    def __init__(self, method, path, params, accept=JSON, headers=(), way="http1", body=None):
        self.method, self.path, self.params, self.accept, self.headers = method, path, params, accept, headers
        self.way, self.body = way, body

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
    return Ask("GET", path, params, r.choice(FORMS), way=a_way(r))


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
    return Ask("GET", path, params, r.choice(FORMS), way=a_way(r))


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
    return Ask("GET", path, params, r.choice(FORMS), way=a_way(r))


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
    return Ask(r.choice(["GET"] * 12 + ["POST", "PUT", "HEAD"]), path, ask.params, ask.accept, way=ask.way)


KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def handshake(r, dear=0.2):
    """The headers of a WebSocket handshake, mostly a good one."""
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": KEY, "Origin": "http://a.example"}
    if r.random() < 0.4:
        headers["Sec-WebSocket-Protocol"] = r.choice([
            "binary.k8s.io", "base64.binary.k8s.io", "channel.k8s.io", "text", "a, b", "v4.channel.k8s.io", "",
            "base64url.bearer.authorization.k8s.io.YWRtaW50b2tlbg, binary.k8s.io"])
    if r.random() < dear:
        name = r.choice(list(headers))
        values = {"Connection": ["keep-alive, Upgrade", "upgrade", "close", None], "Upgrade": ["WebSocket", "h2c", "SPDY/3.1", None],
                  "Sec-WebSocket-Version": ["8", "0", "12", "13, 8", "", None], "Sec-WebSocket-Key": ["short", "", None],
                  "Origin": ["", "null", "a b", "http://%", None], "Sec-WebSocket-Protocol": [None]}
        headers[name] = r.choice(values[name])
    if r.random() < 0.1:
        headers["Sec-WebSocket-Extensions"] = "permessage-deflate"
    return [(k, v) for k, v in headers.items() if v is not None]


def a_frame(r, ends):
    """What a client of a watch may send: the server reads it and says nothing, but of closes and pings."""
    more = [transport.frame(8, b"\x03\xe8"), transport.frame(8, b""), transport.frame(1, b"x", masked=False)] if ends else []
    return r.choice([transport.frame(1, b"hello"), transport.frame(2, b"\0" * 200), transport.frame(9, b"ping"),
                     transport.frame(10, b"pong"), transport.frame(1, b"a", final=False) + transport.frame(0, b"b"),
                     transport.frame(3, b"x"), transport.frame(9, b"p" * 126), *more])


def draw_websocket(r, marks):
    ask = draw_watch(r, marks) if r.random() < 0.8 else draw_path(r, marks)
    if r.random() < 0.6:  # mostly those that succeed
        ask.accept = r.choice([JSON, PROTOBUF, TABLE, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"])
    quiet = r.random() < 0.2  # the real server may end before or behind an event that is there
    if quiet:
        ask.params = [p for p in ask.params if p[0] in ("watch", "timeoutSeconds")] + [("labelSelector", "x=nothing")]
    sent = b"".join(a_frame(r, quiet) for _ in range(r.choice([0, 0, 0, 1, 2])))
    return Ask("GET" if r.random() < 0.97 else "POST", ask.path, ask.params, ask.accept, handshake(r), "websocket", sent)


def a_way(r):
    return r.choice(["http1"] * 4 + ["http2"])


MAPS = f"/api/v1/namespaces/{SPACE}/configmaps"
LIVE = [MAPS, MAPS, MAPS, "/api/v1/configmaps", f"/api/v1/namespaces/{SPACE}/pods", "/api/v1/pods", f"/api/v1/namespaces/{OTHER}/configmaps",
        f"/api/v1/namespaces/{SPACE}/events", f"/api/v1/watch/namespaces/{SPACE}/configmaps", f"/api/v1/watch/namespaces/{SPACE}/configmaps/l1",
        f"/api/v1/namespaces/{SPACE}/secrets"]
LIVE_LABELS = ["x=1", "x=0", "x", "!x", "x in (0,1)", "x notin (1)", "x!=1", "n=l1", "n notin (l1,l2),x"]
LIVE_FIELDS = ["metadata.name=l1", "metadata.name!=l1", "metadata.namespace=reads", "metadata.namespace!=reads", "status.phase=Running",
               "spec.nodeName=n2", "spec.nodeName=", "type=Opaque", "metadata.name=l2,metadata.namespace=reads"]


def draw_live(r):
    path = r.choice(LIVE)
    params = [("watch", "1")] if "/watch/" not in path else []
    params.append(("timeoutSeconds", "12"))
    if r.random() < 0.7:
        params.append(("resourceVersion", r.choice([mark(-1), mark(-1), "0", mark(-2), None])))
    if r.random() < 0.5:
        params.append(("labelSelector", r.choice(LIVE_LABELS)))
    if r.random() < 0.4:
        params.append(("fieldSelector", r.choice(LIVE_FIELDS)))
    if r.random() < 0.3:
        params += [("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan"), ("allowWatchBookmarks", "true")]
        params = [p for p in params if p[0] != "resourceVersion" or r.random() < 0.5]
    way = r.choice(["http1", "http1", "http2", "websocket"])
    forms = [JSON, JSON, PROTOBUF, TABLE, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
             "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
             "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1"]
    return Ask("GET", path, params, r.choice(forms), handshake(r, 0) if way == "websocket" else (), way)


def draw_write(r):
    """(method, path, body, content type): it may fail, then on both."""
    name, patch = f"l{r.randrange(1, 5)}", "application/merge-patch+json"
    space = SPACE if r.random() < 0.8 else OTHER
    maps, pods = f"/api/v1/namespaces/{space}/configmaps", f"/api/v1/namespaces/{space}/pods"
    labels = {"n": name, "x": r.choice(["0", "1", None])}
    made = {k: v for k, v in labels.items() if v}
    return r.choice([
        ("POST", maps, {"metadata": {"name": name, "labels": made}}, JSON),
        ("POST", maps, {"metadata": {"name": name, "labels": made, "finalizers": r.choice([["a.b/c"], []])}}, JSON),
        ("PATCH", f"{maps}/{name}", {"metadata": {"labels": labels}}, patch),
        ("PATCH", f"{maps}/{name}", {"metadata": {"labels": labels}}, patch),
        ("PATCH", f"{maps}/{name}", {"data": {"k": str(r.random())}}, patch),
        ("PATCH", f"{maps}/{name}", {"metadata": {"finalizers": r.choice([["a.b/c"], None])}}, patch),
        ("PUT", f"{maps}/{name}", {"metadata": {"name": name, "labels": made}}, JSON),
        ("DELETE", f"{maps}/{name}", None, JSON),
        ("DELETE", f"{maps}/{name}", None, JSON),
        ("DELETE", f"{maps}?labelSelector=x%3D1", None, JSON),
        ("POST", pods, pod(name, r.choice(["", "n2"]), made), JSON),
        ("PATCH", f"{pods}/{name}/status", {"status": {"phase": r.choice(["Running", "Failed", "Pending"])}}, patch),
        ("POST", f"{pods}/{name}/binding", {"target": {"kind": "Node", "name": "n2"}}, JSON),
        ("PATCH", f"{pods}/{name}", {"metadata": {"labels": labels}}, patch),
        ("DELETE", f"{pods}/{name}", {"gracePeriodSeconds": r.choice([0, 0, 5])}, JSON),
        ("POST", f"/api/v1/namespaces/{space}/secrets", {"metadata": {"name": name}, "type": r.choice(["Opaque", "a.b/c"])}, JSON),
        ("DELETE", f"/api/v1/namespaces/{space}/secrets/{name}", None, JSON),
    ])


def play(servers, writes):
    """One behind the other on each server; the versions that they made are known by their place."""
    for method, path, body, content_type in writes:
        got = [s.send(method, path, body, content_type=content_type) for s in servers]
        if got[0][0] != got[1][0]:
            print("live: different status", method, path, body, got[0][0], got[1][0], flush=True)
        for s in servers:  # what the write left, where it was one
            lists = [json.loads(s.send("GET", f"/api/v1/{kind}")[3])["items"] for kind in ("configmaps", "pods", "secrets")]
            versions = {int(o["metadata"]["resourceVersion"]) for items in lists for o in items}
            s.marks += sorted(v for v in versions if v > s.marks[-1])


def draw_deletes(r):
    space = f"d{r.randrange(10 ** 9)}"
    path = f"/api/v1/namespaces/{space}/{r.choice(['configmaps'] * 3 + ['pods', 'secrets', 'services', 'events'])}"
    params = []
    add = lambda name, value: params.append((name, value)) if value is not None else None
    if r.random() < 0.6:
        add("labelSelector", r.choice(["x=0", "x=1", "!x", "x in (0,1)", "x=2", "=", "a b"]))
    if r.random() < 0.4:
        add("fieldSelector", r.choice(["metadata.name=a", "metadata.name!=a", "metadata.namespace=default", "bad", "status.phase=Pending"]))
    if r.random() < 0.3:
        add("limit", r.choice(["1", "2", "0", "-1", "abc", "500"]))
    if r.random() < 0.2:
        add("resourceVersion", r.choice(["0", "", "1", "abc", "99999999"]))
    if r.random() < 0.2:
        add("resourceVersionMatch", r.choice(["Exact", "NotOlderThan", "Bogus"]))
    if r.random() < 0.1:
        add("continue", r.choice(["x", "", a_token(-1, "b\0")]))
    for name, values in (("dryRun", ["All", "All", "x", ""]), ("gracePeriodSeconds", ["0", "1", "-1", "abc", "60"]),
                         ("propagationPolicy", ["Orphan", "Foreground", "Background", "Bogus"]), ("orphanDependents", ["true", "false", "x"]),
                         ("timeoutSeconds", ["1", "abc"]), ("timeout", ["1s", "abc", "0"]), ("watch", ["1", "false"]),
                         ("sendInitialEvents", ["true"]), ("allowWatchBookmarks", ["true"]), ("pretty", ["true"]),
                         ("ignoreStoreReadErrorWithClusterBreakingPotential", ["true", "false"])):
        if r.random() < 0.12:
            add(name, r.choice(values))
    body = None
    if r.random() < 0.4:
        body = {"kind": "DeleteOptions", "apiVersion": r.choice(["v1", "v1", "meta.k8s.io/v1", "apps/v1", "v2"])}
        for name, values in (("gracePeriodSeconds", [0, 5, -1, "x"]), ("propagationPolicy", ["Orphan", "Foreground", "Bogus"]),
                             ("orphanDependents", [True, False]), ("dryRun", [["All"], ["x"], []]), ("unknown", [1]),
                             ("preconditions", [{"uid": "x"}, {"resourceVersion": "1"}, {}])):
            if r.random() < 0.25:
                body[name] = r.choice(values)
        if r.random() < 0.1:
            body = r.choice([[], "text", {}, {"kind": "Pod"}, {"kind": "DeleteOptions"}])
    plain = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    return space, [Ask("DELETE", path, params, r.choice(FORMS), (), a_way(r), body), Ask("GET", path, [], plain)]


def make_set(s, space):
    s.send("POST", "/api/v1/namespaces", {"metadata": {"name": space}})
    for i, name in enumerate("abcd"):
        meta = {"name": name, "labels": {"x": str(i % 2)} if i < 3 else {}, "finalizers": ["a.b/c"] if name == "b" else []}
        s.send("POST", f"/api/v1/namespaces/{space}/configmaps", {"metadata": meta})
        s.send("POST", f"/api/v1/namespaces/{space}/secrets", {"metadata": meta})
        s.send("POST", f"/api/v1/namespaces/{space}/services", {"metadata": meta, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}})
        s.send("POST", f"/api/v1/namespaces/{space}/pods", {**pod(name, "n2" if i == 1 else ""), "metadata": meta})
        s.send("POST", f"/api/v1/namespaces/{space}/events", {"metadata": meta, "involvedObject": {"namespace": space}})


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


def without_bookmarks(data, protobuf):
    """Of a stream: when they come, the real server's cache decides, but for the one that ends the initial events."""
    if not protobuf:
        return re.sub(rb'(<81>)?\{"type":"BOOKMARK",(?:(?!initial-events-end)[^\n])*\n', b"", data)
    if b"<82>" in data:
        frames = [b"<8" + f for f in data.split(b"<8")[1:]]
        kept = [f for f in frames if b"BOOKMARK" not in f or b"initial-events-end" in f]
    else:
        kept, at = [], 0
        while at < len(data):
            end = at + 4 + int.from_bytes(data[at:at + 4], "big")
            if b"BOOKMARK" not in data[at:end] or b"initial-events-end" in data[at:end]:
                kept.append(data[at:end])
            at = end
    return b"".join(kept)


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
                answers.append(s.send(ask.method, ask.target(s), ask.body, accept=ask.accept, timeout=LONGEST,
                                      headers=ask.headers, way=ask.way))
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

    def live(self, seed, count):
        """Watches of all kinds are opened, then the same writes made, and the streams compared at their end."""
        r, crowd = random.Random(f"{seed} live"), concurrent.futures.ThreadPoolExecutor(80)
        for turn in range(max(1, count // 40)):
            asks = [draw_live(r) for _ in range(40)]
            waiting = [[crowd.submit(self.stream, s, a) for s in self.servers] for a in asks]
            for s in self.servers:
                while s.open < len(asks) and not all(w.done() for w in waiting[-1]):
                    time.sleep(0.05)
            time.sleep(1)
            writes = random.Random(f"{seed} {turn} writes")
            play(self.servers, [draw_write(writes) for _ in range(60)])
            answers = [[w.result() for w in pair] for pair in waiting]
            answers = [[(*a[:3], without_bookmarks(a[3], "protobuf" in ask.accept), a[4]) for a in pair]
                       for ask, pair in zip(asks, answers, strict=True)]
            for s in self.servers:
                s.open = 0
            for ask, pair in zip(asks, answers, strict=True):
                self.sent += 1
                if not self.alike(pair):
                    self.report("live", ask, pair)

    def stream(self, s, ask):
        s.open += 1
        try:
            return s.send(ask.method, ask.target(s), ask.body, accept=ask.accept, timeout=30, headers=ask.headers, way=ask.way)
        except (OSError, http.client.HTTPException) as e:
            return 0, {}, [], type(e).__name__.encode(), "failed"

    def deletes(self, seed, count):
        """deletecollection: the same set of objects, a drawn request, its answer, and what is left."""
        r = random.Random(f"{seed} deletes")
        for _ in range(count):
            space, asks = draw_deletes(r)
            for s in self.servers:
                make_set(s, space)
            for ask in asks:
                answers = self.ask(ask)
                self.sent += 1
                if not self.alike(answers):
                    self.report("deletes", ask, answers)
                    break

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
        more = f" {ask.way} {list(ask.headers)} {ask.body!r}" if ask.way != "http1" or ask.body else ""
        shown = (f"{ask.method} {ask.target(self.servers[0])}  {ask.accept}{more}\n"
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
    p.add_argument("--part", nargs="*", default=["list", "get", "watch", "paths", "fields", "websocket", "live", "deletes"])
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
    draws = {"list": draw_list, "get": draw_get, "watch": draw_watch, "paths": draw_path, "websocket": draw_websocket}
    for part in args.part:
        if part in ("live", "deletes"):
            getattr(d, part)(args.seed, args.count)
            continue
        r = random.Random(f"{args.seed} {part}")
        asks = field_asks() if part == "fields" else (draws[part](r, marks) for _ in range(args.count))
        d.run(part, asks)
    print(f"{d.sent} sent, {sum(map(len, d.found.values()))} differ")


if __name__ == "__main__":
    main()
