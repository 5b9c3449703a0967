"""Sends valid objects of every kind, each with one thing changed, to two servers; prints where the answers differ.

usage: mutate.py REAL_URL OUR_URL [--token T] [--only NAME]... [--deep N] [--verbs CUSFAMP] [--out FILE]

The objects are those of rich.yaml. What there is to change comes from the real server's OpenAPI documents: each
field, whether the object has it or not, is left out, made null, given a value of another type, and given the
values of its type that some rule might refuse. Each change is sent as a create (C), as an update of the object
that was made before (U) and, for kinds with a status, as an update of the status (S), all of them as dry runs.
On demand: as a strict create (F), as a server-side apply (A), as a merge patch (M), as a strategic one (P).
Answers are compared in status, reason, message, causes, warnings and, where accepted, in the object.

--out writes each different case as a line of JSON; --record writes cases in the format of
conformance/external/validation_cases, one of each different answer of the real server.
"""

import argparse
import collections
import copy
import http.client
import json
import pathlib
import re
import sys

import yaml
from verbs import APPLY, JSON, MERGE, STRATEGIC, Server, base_of, resources

SPACE = "mutate"
RICH = pathlib.Path(__file__).parent / "rich.yaml"
REF = "#/components/schemas/"
TEMPLATE = "io.k8s.api.core.v1.PodTemplateSpec"  # walked for Pods; elsewhere its fields need no second visit
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

# What varies between two servers: in any text, and the values of fields.
VARIES = [
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID"),
    (r"(precondition|record) \(\d+\)", "VERSION"),
    (r"20(2[1-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000 UTC)", "TIME"),
    (r'(resourceVersion\\*": ?\\*")\d+', r"\1VERSION"),
    (r"10\.0\.0\.\d+", "ADDRESS"),
]
FIELDS = {"resourceVersion", "nodePort", "healthCheckNodePort"}

STRINGS = ["", "a", "A_b", "-x", " ", "a/b", "a.b/c", "a/b/c", "x" * 64, "x" * 254, "é", "1.2.3.4", "a.b.", "*", "::1", "/x/../y",
           "None", "kubernetes.io/x", "%d", "a\n"]
INTEGERS = [-1, 0, 1, 100, 65536, 2147483647, 2147483648, 9223372036854775807, 1.5, "5"]
QUANTITIES = ["-1", "0", "1", "1.5", "1m", "abc", "", 5, -3, "1Ei", "1e3", "99999999999999999999", "0.0001"]
INT_OR_STRING = [-1, 0, 1, 70000, "a", "120%", "-5%", "", "0%", "5", 2147483648, "A_B", "50%%"]
TIMES = ["", "x", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.123456Z", "2020-01-01", 5, "9999-12-31T23:59:59Z"]
MAPS = [{}, {"a": ""}, {"": "b"}, {"A B": "b"}, {"a": "b c"}, {"x/y/z": "b"}, {"a" * 64: "b"}, {"a": "b" * 64}, {"a": None}, {"a": 5}]
BYTES = ["", "YQ==", "a", "%%", "YQ"]


class Walk:
    """All changes of an object, as pairs of a name and a function that makes the change in a copy."""

    def __init__(self, schemas, deep):
        self.schemas, self.deep = schemas, deep
        self.found = []

    def resolve(self, schema):
        name = None
        while True:
            if "$ref" in schema:
                name = schema["$ref"][len(REF):]
                schema = self.schemas[name]
            elif len(schema.get("allOf", [])) == 1:
                schema = schema["allOf"][0]
            else:
                return name, schema

    def add(self, path, value):
        self.found.append((path, value))

    def values(self, path, values, old):
        for v in values:
            if v != old or type(v) is not type(old):
                self.add(path, v)

    def field(self, path, schema, old, depth):
        name, schema = self.resolve(schema)
        kind, form = schema.get("type"), schema.get("format")
        if path[-1:] != (0,):
            self.add(path, None)
        if name and name.endswith("resource.Quantity"):
            return self.values(path, QUANTITIES, old)
        if name and name.endswith("IntOrString"):
            return self.values(path, INT_OR_STRING, old)
        if form == "date-time":
            return self.values(path, TIMES, old)
        if form == "byte":
            return self.values(path, BYTES, old)
        if kind == "string":
            extra = [old.upper(), old + "x", " " + old] if isinstance(old, str) and old else []
            return self.values(path, STRINGS + extra + schema.get("enum", []) + [5], old)
        if kind in ("integer", "number"):
            extra = [old + 1, old - 1] if isinstance(old, int) else []
            return self.values(path, INTEGERS + extra, old)
        if kind == "boolean":
            return self.values(path, [True, False, "true"], old)
        if kind == "array":
            return self.array(path, schema, old, depth)
        return self.object(path, schema, old, depth)

    def array(self, path, schema, old, depth):
        self.values(path, [[], "x", [None], {}], old)
        _, item = self.resolve(schema["items"])
        if isinstance(old, list) and old:
            self.add(path, old + old[:1])
            self.add(path, old * 70)
            for n, v in enumerate(old):
                self.field((*path, n), schema["items"], v, depth)
        elif item.get("type") == "string":
            for v in STRINGS[:10]:
                self.add(path, [v])
            self.add(path, ["a", "a"])
        elif item.get("type") == "object" or "properties" in item:
            self.add(path, [{}])
            if depth < self.deep:
                self.add(path, [{}, {}])

    def object(self, path, schema, old, depth):
        self.values(path, [{}, "x", []], old)
        if "additionalProperties" in schema and "properties" not in schema:
            _, inner = self.resolve(schema["additionalProperties"])
            if inner.get("type") == "string" and inner.get("format") != "byte":
                self.values(path, MAPS, old)
            else:
                for key in ("", "A B", "a/b/c", "x" * 254, "cpu", "a.b/c", "hugepages-x", "storage"):
                    self.add((*path, key), 1 if "Quantity" in json.dumps(schema) else "YQ==")
            for key, v in (old or {}).items() if isinstance(old, dict) else ():
                self.field((*path, key), schema["additionalProperties"], v, depth)
            return
        if not isinstance(old, dict):
            if depth >= self.deep:
                return
            depth += 1
            old = {}
        self.fields(path, schema, old, depth)

    def fields(self, path, schema, old, depth):
        for name, inner in schema.get("properties", {}).items():
            if not path and name in ("apiVersion", "kind"):
                continue
            at = (*path, name)
            if name == "metadata" and self.resolve(inner)[0] == META:
                if not path:
                    self.metadata(at, old.get(name, {}))
                continue
            if path[:1] != ("spec",) or len(path) != 1 or self.resolve(inner)[0] != TEMPLATE:
                self.field(at, inner, old.get(name), depth)
            else:
                self.values(at, [None, {}, {"spec": {}}, {"metadata": {"labels": {}}}], old.get(name))
        self.add((*path, "unknownField"), 1)

    def metadata(self, at, old):
        for v in STRINGS:
            self.add((*at, "name"), v)
        for v in ("a-", "A_", "x" * 64, "x" * 254, "-"):
            self.add((*at, "generateName"), v)
        for field in ("labels", "annotations"):
            self.values((*at, field), MAPS, old.get(field))
        self.add((*at, "namespace"), "other")
        for v in ([], ["a"], ["a/b", "a/b"], [""], ["a.b/c"], ["orphan", "foregroundDeletion"]):
            self.add((*at, "finalizers"), v)
        for v in ([{}], [{"apiVersion": "v1", "kind": "A", "name": "n", "uid": "u"}] * 2,
                  [{"apiVersion": "a/b/c", "kind": "A", "name": "n", "uid": "u", "controller": True}],
                  [{"apiVersion": "v1", "kind": "Event", "name": "n", "uid": "u"}]):
            self.add((*at, "ownerReferences"), v)
        for field, v in (("generation", -1), ("deletionGracePeriodSeconds", -1), ("uid", "x"), ("selfLink", "x"),
                         ("resourceVersion", "x"), ("resourceVersion", "1"), ("creationTimestamp", "x"), ("managedFields", [{}]),
                         ("deletionTimestamp", "2020-01-01T00:00:00Z")):
            self.add((*at, field), v)


def step_into(at, step):
    """What is there, or None."""
    if isinstance(at, dict):
        return at.get(step)
    return at[step] if step < len(at) else None


def put(at, step, value):
    if isinstance(at, list) and step >= len(at):
        at.append(value)
    elif value is None and isinstance(at, dict):
        at.pop(step, None)
    else:
        at[step] = value


def changed(obj, path, value):
    """A copy with the value at the path; what leads there is made where it is missing. None leaves the field out."""
    obj = copy.deepcopy(obj)
    at = obj
    for step, after in zip(path, path[1:], strict=False):
        inner = step_into(at, step)
        if not isinstance(inner, dict | list):
            inner = [] if isinstance(after, int) else {}
            put(at, step, inner)
        at = inner
    put(at, path[-1], value)
    return obj


def spell(path, value):
    return ".".join(map(str, path)) + "=" + json.dumps(value)[:60]


def normal(answer):
    """What is compared of an answer: a dict."""
    code, _, warnings, data = answer
    text = data.decode("utf-8", "replace")
    try:
        tree = json.loads(text)
    except ValueError:
        return {"code": code, "text": text[:300]}
    out = {"code": code}
    if warnings:
        out["warnings"] = warnings
    if code >= 400:
        out |= {k: tree.get(k) for k in ("reason", "message")}
        out["causes"] = (tree.get("details") or {}).get("causes")
    else:
        out["object"] = tree
    return scrub(out)


def answer(server, method, path, body, content_type=JSON):
    """None where the server ends the connection: the real one does where its validation panics."""
    try:
        return normal(server.send(method, path, json.dumps(body), JSON, content_type))
    except (OSError, http.client.HTTPException):
        return None


def scrub(tree):
    if isinstance(tree, dict):
        return {k: "VARIES" if k in FIELDS else scrub(v) for k, v in tree.items() if k != "managedFields"}
    if isinstance(tree, list):
        return [scrub(v) for v in tree]
    if isinstance(tree, str):
        for pattern, instead in VARIES:
            tree = re.sub(pattern, instead, tree)
    return tree


def apart(a, b, path=""):
    """The places where two trees differ, as lines."""
    if isinstance(a, dict) and isinstance(b, dict):
        out = []
        for k in sorted({*a, *b}):
            out += apart(a.get(k), b.get(k), f"{path}.{k}")
        return out
    if a == b:
        return []
    a, b = json.dumps(a), json.dumps(b)
    same = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), 0)
    start = max(0, same - 100)
    return [f"{path}: {a[start:start + 400]} | {b[start:start + 400]}"]


class Run:
    def __init__(self, real, ours, args):
        self.servers, self.args = (real, ours), args
        self.sent, self.different = collections.Counter(), collections.Counter()
        self.out = open(args.out, "w") if args.out else None
        self.schemas = {}
        self.records, self.answers = [], set()

    def walk(self, obj):
        gv = obj["apiVersion"]
        if gv not in self.schemas:
            text = self.servers[0].send("GET", "/openapi/v3" + base_of(gv), None, JSON, JSON)[3]
            self.schemas[gv] = json.loads(text)["components"]["schemas"]
        group, _, version = gv.rpartition("/")
        want = {"group": group, "version": version, "kind": obj["kind"]}
        schema = next(s for s in self.schemas[gv].values() if want in s.get("x-kubernetes-group-version-kind", []))
        w = Walk(self.schemas[gv], self.args.deep)
        w.fields((), schema, obj, 0)
        return w.found

    def case(self, tag, method, path, body, content_type=JSON):
        real, ours = (answer(s, method, path, body, content_type) for s in self.servers)
        self.sent[method] += 1
        if real is not None:
            self.record(tag, method, path, body, real)
            self.compare(tag, method, path, body, real, ours)

    def compare(self, tag, method, path, body, real, ours):
        if real == ours:
            return
        ours = ours or {"code": 0}
        self.different[tag.split()[0]] += 1
        lines = apart(real, ours)
        print(f"{tag}: {real['code']} | {ours['code']}\n   " + "\n   ".join(lines[:6]), flush=True)
        if self.out:
            self.out.write(json.dumps({"tag": tag, "method": method, "path": path, "body": body, "real": real, "ours": ours}) + "\n")

    def record(self, tag, method, path, body, real):
        if self.args.record and real["code"] >= 400:
            key = (tag.split()[0], json.dumps([real.get("reason"), [c.get("message") for c in real["causes"] or []] or real.get("message")]))
            if key not in self.answers:
                self.answers.add(key)
                expect = {k: v for k, v in real.items() if v}
                self.records.append({"name": tag, "method": method, "path": path, "body": body, "expect": expect})

    def kind(self, obj, name, namespaced, subs):
        tag = obj["metadata"]["name"]
        base = base_of(obj["apiVersion"]) + (f"/namespaces/{SPACE}/" if namespaced else "/") + name
        found = self.walk(obj)
        plain = {k: v for k, v in obj.items() if k != "status"}
        if "C" in self.args.verbs:
            self.case(f"{tag} C valid", "POST", base + "?dryRun=All", plain)
            for path, value in found:
                if path[0] != "status":
                    self.case(f"{tag} C {spell(path, value)}", "POST", base + "?dryRun=All", changed(plain, path, value))
        if "F" in self.args.verbs:
            for path, value in found:
                if path[0] != "status":
                    self.case(f"{tag} F {spell(path, value)}", "POST", base + "?dryRun=All&fieldValidation=Strict",
                              changed(plain, path, value))
        if not set("USAMP") & set(self.args.verbs):
            return
        stored = [json.loads(s.send("POST", base, json.dumps(plain), JSON, JSON)[3]) for s in self.servers]
        if any(s.get("kind") == "Status" for s in stored):
            return print(f"{tag}: not made: " + " | ".join(s.get("message", "made") for s in stored))
        at = base + "/" + tag
        for verb, content_type in (("A", APPLY), ("M", MERGE), ("P", STRATEGIC)):
            for path, value in found if verb in self.args.verbs else ():
                query = "?dryRun=All&fieldManager=m" + ("&force=true" if verb == "A" else "")
                self.case(f"{tag} {verb} {spell(path, value)}", "PATCH", at + query, changed(plain, path, value), content_type)
        if "U" in self.args.verbs:
            self.update(f"{tag} U", at, stored, [f for f in found if f[0][0] != "status"])
        if "S" in self.args.verbs and "status" in subs and "status" in obj:
            for s in stored:
                s["status"] = copy.deepcopy(obj["status"])
            self.update(f"{tag} S", at + "/status", stored, [f for f in found if f[0][0] == "status"])
        for s in self.servers:
            s.send("DELETE", at + "?gracePeriodSeconds=0", None, JSON, JSON)

    def update(self, tag, at, stored, found):
        """Each server is sent its own object, which is the same but for what the server wrote."""
        for path, value in [((), None), *found]:
            answers = []
            for server, obj in zip(self.servers, stored, strict=True):
                body = changed(obj, path, value) if path else obj
                body["metadata"].pop("managedFields", None)
                answers.append(answer(server, "PUT", at + "?dryRun=All", body))
            self.sent["PUT"] += 1
            if answers[0]:
                self.compare(f"{tag} {spell(path, value)}", "PUT", at, body, *answers)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("real")
    args.add_argument("ours")
    args.add_argument("--token", default="admintoken")
    args.add_argument("--skip", action="append", default=[])
    args.add_argument("--only", action="append", help="names of objects in rich.yaml")
    args.add_argument("--deep", type=int, default=1, help="levels of objects that are made where there are none (1)")
    args.add_argument("--verbs", default="CUS")
    args.add_argument("--out")
    args.add_argument("--record")
    a = args.parse_args()
    run = Run(Server(a.real, a.token), Server(a.ours, a.token), a)
    for s in run.servers:
        s.send("POST", "/api/v1/namespaces", json.dumps({"metadata": {"name": SPACE}}), JSON, JSON)
    known = resources(run.servers[0])
    for obj in yaml.safe_load_all(RICH.read_text()):
        if obj["metadata"]["name"] in a.skip or a.only and obj["metadata"]["name"] not in a.only:
            continue
        run.kind(obj, *known[obj["apiVersion"], obj["kind"]])
        print(f"-- {obj['metadata']['name']}: {sum(run.sent.values())} sent", file=sys.stderr, flush=True)
    if a.record:
        pathlib.Path(a.record).write_text("[\n " + ",\n ".join(json.dumps(r, sort_keys=True) for r in run.records) + "\n]\n")
    print(f"{sum(run.sent.values())} sent, {sum(run.different.values())} different: {dict(run.different)}")
    return 1 if run.different else 0


if __name__ == "__main__":
    sys.exit(main())
