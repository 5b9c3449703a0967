"""Sends every verb for an object of every kind to two servers and prints where the answers differ.

usage: verbs.py REAL_URL OUR_URL [--token T] [SAMPLE...]

The samples are the inputs of apiserver/version/testdata/defaults; without names all are sent.
See README.md beside this file.
"""

import argparse
import http.client
import json
import pathlib
import re
import ssl
import urllib.parse

SAMPLES = pathlib.Path(__file__).parents[2] / "apiserver" / "version" / "testdata" / "defaults"
SPACE = "verbs"
JSON, MERGE = "application/json", "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
OPERATIONS, APPLY = "application/json-patch+json", "application/apply-patch+yaml"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PROTOBUF = "application/vnd.kubernetes.protobuf"
SLACK = 8  # bytes by which protobuf answers may differ: numbers and names of various lengths

# Controllers of the real server write to these; apisim has none.
CONTROLLED = {"apiservice", "flowschema", "crd"}

# What varies between two servers, and what stands for it.
VARIES = [
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID"),
    (r'"?resourceVersion"?: ?"\d+"', "VERSION"),
    (r"in (the precondition|record) \(\d+\)", "VERSION"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"10\.0\.0\.\d+", "ADDRESS"),
    (r'"?nodePort"?: ?3\d{4}|:3\d{4}/', "PORT"),
    (r'"description": ?"(?:[^"\\]|\\.)*"', "TEXT"),
    (r'("cells":\[[^\]]*)"\d+[smh]"', r'\1"AGE"'),
    (r"current: \d+", "VERSION"),
]


class Server:
    def __init__(self, url, token):
        self.at = urllib.parse.urlsplit(url)
        self.token = token
        self.connection = None

    def send(self, method, path, body, accept, content_type):
        if self.connection is None:
            context = ssl._create_unverified_context()
            self.connection = http.client.HTTPSConnection(self.at.hostname, self.at.port,
                                                          context=context, timeout=20)
        headers = {"Authorization": "Bearer " + self.token, "User-Agent": "verbs/1",
                   "Accept": accept}
        if body is not None:
            headers["Content-Type"] = content_type
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection = None
            raise
        warnings = [v for k, v in answer.getheaders() if k == "Warning" and "apisim" not in v]
        return answer.status, answer.getheader("Content-Type", ""), warnings, data


def sort_managed(tree):
    """Entries of the same second stand in any order."""
    if isinstance(tree, list):
        return [sort_managed(v) for v in tree]
    if not isinstance(tree, dict):
        return tree
    tree = {k: sort_managed(v) for k, v in tree.items()}
    if isinstance(tree.get("managedFields"), list):
        tree["managedFields"].sort(key=json.dumps)
    return tree


def normal(data):
    text = data.decode("utf-8", "replace")
    try:
        text = json.dumps(sort_managed(json.loads(text)))
    except ValueError:
        pass
    for pattern, instead in VARIES:
        text = re.sub(pattern, instead, text)
    return text


class Differential:
    def __init__(self, real, ours):
        self.servers = (real, ours)
        self.sent = self.different = 0

    def both(self, tag, method, path, body=None, *, accept=JSON, content_type=JSON):
        if isinstance(body, dict | list):
            body = json.dumps(body, separators=(",", ":"))
        real, ours = (s.send(method, path, body, accept, content_type) for s in self.servers)
        self.sent += 1
        if accept == PROTOBUF:
            alike = real[0] == ours[0] and abs(len(real[3]) - len(ours[3])) <= SLACK
        else:
            alike = real[:3] == ours[:3] and normal(real[3]) == normal(ours[3])
        if not alike:
            self.report(tag, method, path, real, ours)
        return real

    def report(self, tag, method, path, real, ours):
        self.different += 1
        x, y = normal(real[3]), normal(ours[3])
        at = next((i for i, (a, b) in enumerate(zip(x, y, strict=False)) if a != b),
                  min(len(x), len(y)))
        at = max(0, at - 80)
        print(f"{tag}: {method} {path}: {real[0]} | {ours[0]}")
        if real[2] != ours[2]:
            print(f"   warnings {real[2]} | {ours[2]}")
        print(f"   real {x[at:at + 300]}\n   ours {y[at:at + 300]}", flush=True)


def resources(server):
    """(apiVersion, kind) -> name, namespaced, subresources."""
    def get(path):
        return json.loads(server.send("GET", path, None, JSON, JSON)[3])

    groups = get("/apis")["groups"]
    found = {}
    for gv in ["v1"] + [v["groupVersion"] for g in groups for v in g["versions"]]:
        rows = get(base_of(gv))["resources"]
        kinds = {r["name"]: r for r in rows if "/" not in r["name"]}
        for name, r in kinds.items():
            subs = sorted(x["name"].split("/", 1)[1] for x in rows
                          if x["name"].startswith(name + "/"))
            found[gv, r["kind"]] = name, r["namespaced"], subs
    return found


def base_of(group_version):
    return ("/apis/" if "/" in group_version else "/api/") + group_version


def write_and_read(d, tag, base, path, obj):
    d.both(tag, "POST", base + "?dryRun=All&fieldManager=m1", obj)
    d.both(tag, "POST", base + "?dryRun=Some", obj)
    d.both(tag, "PUT", path + "?fieldManager=m1", obj)
    d.both(tag, "DELETE", path, {"gracePeriodSeconds": 0})
    if d.both(tag, "POST", base + "?fieldManager=m1", obj)[0] != 201:
        return False
    d.both(tag, "POST", base, obj)
    for accept in (JSON, "application/yaml", PROTOBUF, TABLE, PARTIAL):
        d.both(tag, "GET", path, accept=accept)
    name = path.rsplit("/", 1)[1]
    for accept in (JSON, TABLE):
        d.both(tag, "GET", base + "?fieldSelector=metadata.name=" + name, accept=accept)
    return True


def patch_all(d, tag, path, obj):
    head = {k: obj[k] for k in ("apiVersion", "kind")}
    name = obj["metadata"]["name"]

    def labels(value):
        return {**head, "metadata": {"name": name, "labels": {"g": value}}}

    d.both(tag, "PATCH", path + "?fieldManager=m2", {"metadata": {"labels": {"sel": tag}}},
           content_type=MERGE)
    d.both(tag, "PATCH", path + "?fieldManager=m3", {"metadata": {"annotations": {"c": "d"}}},
           content_type=STRATEGIC)
    d.both(tag, "PATCH", path + "?fieldManager=m4",
           [{"op": "add", "path": "/metadata/labels/e", "value": "f"}], content_type=OPERATIONS)
    d.both(tag, "PATCH", path + "?fieldManager=m5", labels("h"), content_type=APPLY)
    d.both(tag, "PATCH", path + "?fieldManager=m6", labels("i"), content_type=APPLY)
    d.both(tag, "PATCH", path, labels("h"), content_type=APPLY)
    d.both(tag, "PATCH", path + "?fieldManager=m7&force=true", obj, content_type=APPLY)
    d.both(tag, "PATCH", path + "?dryRun=All", {"metadata": {"labels": {"q": "r"}}},
           content_type=MERGE)
    d.both(tag, "PATCH", path + "-none", {}, content_type=MERGE)
    d.both(tag, "PUT", path + "?fieldManager=m9", obj)
    d.both(tag, "PUT", path, {**obj, "metadata": {**obj["metadata"], "resourceVersion": "1"}})
    d.both(tag, "GET", path)


def use_subresources(d, tag, path, subs):
    if "status" in subs:
        body = {"metadata": {"labels": {"z": "y"}}, "status": {}}
        d.both(tag, "GET", path + "/status")
        d.both(tag, "PATCH", path + "/status?fieldManager=m10", body, content_type=MERGE)
    if "scale" in subs:
        d.both(tag, "GET", path + "/scale", accept=TABLE)
        for replicas in (3, -1, 0):
            d.both(tag, "PATCH", path + "/scale?fieldManager=m11",
                   {"spec": {"replicas": replicas}}, content_type=MERGE)
        d.both(tag, "PUT", path + "/scale", {"spec": {"replicas": 4}})
    for name in set(subs) & {"approval", "finalize", "token", "resize", "ephemeralcontainers"}:
        d.both(tag, "GET", f"{path}/{name}")
        d.both(tag, "POST", f"{path}/{name}", {})
        d.both(tag, "PUT", f"{path}/{name}", {})
    d.both(tag, "GET", path)


def delete_slowly(d, tag, base, path):
    finalizers = {"metadata": {"finalizers": ["a.b/c"], "labels": {"sel": tag}}}
    d.both(tag, "DELETE", path, {"preconditions": {"resourceVersion": "1"}})
    d.both(tag, "DELETE", path, {"propagationPolicy": "Sometimes"})
    d.both(tag, "PATCH", path + "?fieldManager=f", finalizers, content_type=MERGE)
    d.both(tag, "DELETE", base + "?dryRun=All&labelSelector=sel%3D" + tag)
    d.both(tag, "DELETE", base + "?labelSelector=sel%3Dnone")
    d.both(tag, "DELETE", base + "?labelSelector=sel%3D" + tag,
           {"propagationPolicy": "Foreground"})
    d.both(tag, "DELETE", path, {"propagationPolicy": "Orphan"})
    d.both(tag, "PATCH", path, {"metadata": {"finalizers": ["a.b/c", "x.y/z"]}},
           content_type=MERGE)
    d.both(tag, "GET", path)
    d.both(tag, "PATCH", path, {"metadata": {"finalizers": None}}, content_type=MERGE)
    d.both(tag, "DELETE", path + "?gracePeriodSeconds=0")
    d.both(tag, "GET", path)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("real")
    args.add_argument("ours")
    args.add_argument("--token", default="admintoken")
    args.add_argument("samples", nargs="*")
    a = args.parse_args()
    d = Differential(Server(a.real, a.token), Server(a.ours, a.token))
    known = resources(d.servers[0])
    d.both("namespace", "POST", "/api/v1/namespaces", {"metadata": {"name": SPACE}})
    names = a.samples or sorted(p.stem for p in SAMPLES.glob("*.json") if p.stem not in CONTROLLED)
    for tag in names:
        obj = json.loads((SAMPLES / f"{tag}.json").read_text())["in"]
        name, namespaced, subs = known[obj["apiVersion"], obj["kind"]]
        meta = obj.setdefault("metadata", {})
        meta.pop("namespace", None)
        meta.setdefault("name", tag.replace("_", "-"))
        if obj["kind"] == "Event":
            obj["involvedObject"]["namespace"] = SPACE
        base = base_of(obj["apiVersion"]) + (f"/namespaces/{SPACE}/" if namespaced else "/") + name
        path = base + "/" + meta["name"]
        if write_and_read(d, tag, base, path, obj):
            patch_all(d, tag, path, obj)
            use_subresources(d, tag, path, subs)
            delete_slowly(d, tag, base, path)
    print(f"{d.sent} sent, {d.different} different")


if __name__ == "__main__":
    main()
