"""record_crds.py URL TOKEN OUT.jsonl [SEED or ETCD_ENDPOINT]: what a real server finds in CustomResourceDefinitions.

A line of OUT is {"crd": object, "old": object (an update), "causes": [[field, reason, message], ...] or "error": message}.
With the endpoint of its etcd (and an etcdctl in the PATH) updates of objects that no rule of today lets pass are recorded, too.
With a SEED: random schemas with random mistakes, for `build/obj/release/apiserver/registry/validation/extension_test OUT`.
"""
import copy
import http.client
import json
import pathlib
import random
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def ask(method, path, body=None):
    request = urllib.request.Request(
        sys.argv[1] + path, data=json.dumps(body).encode() if body is not None else None, method=method,
        headers={"Authorization": "Bearer " + sys.argv[2], "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, context=ssl._create_unverified_context()) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except http.client.RemoteDisconnected:  # a panic: below additionalProperties without a schema
        return 500, {"message": "panic"}


def version(schema, name="v1", **more):
    return dict({"name": name, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}, **more)


def crd(*versions, names=None, annotations=None, **spec):
    names = dict({"plural": "foos", "kind": "Foo"}, **(names or {}))
    spec = dict({"group": "g.example.com", "scope": "Namespaced", "names": names, "versions": list(versions)}, **spec)
    meta = {"name": f"{names['plural']}.{spec['group']}"}
    if annotations:
        meta["annotations"] = annotations
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": meta, "spec": spec}


def obj(**properties):
    return {"type": "object", "properties": properties}


def arr(items, **more):
    return dict({"type": "array", "items": items}, **more)


S, I, O = {"type": "string"}, {"type": "integer"}, {"type": "object"}
KEEP, EMB, IOS = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"
LT, LK, MT, V = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "x-kubernetes-validations"
# Property schemas: each stands at spec.x of the root.
SCHEMAS = [
    S, O, {}, {"type": ""}, {"type": "null"}, {"type": "foo"}, {"description": "d"}, arr(S), {"type": "array"}, arr({}), arr({"type": "x"}), {KEEP: True}, {KEEP: False, "type": "object"},
    {IOS: True}, {IOS: True, "type": "string"}, {IOS: True, KEEP: True}, {IOS: True, EMB: True}, {EMB: True}, {EMB: True, "type": "object"}, {EMB: True, "type": "object", KEEP: True},
    {EMB: True, "type": "string", KEEP: True}, {EMB: True, "type": "object", "properties": {"kind": I, "apiVersion": I, "metadata": S}}, {EMB: True, "type": "object", "additionalProperties": S, KEEP: True},
    {EMB: True, "type": "object", "properties": {"metadata": obj(foo=S)}}, {EMB: True, "type": "object", KEEP: True, "properties": {"metadata": {EMB: True, "type": "object", KEEP: True}}},
    {IOS: True, "anyOf": [I, S]}, {IOS: True, "anyOf": [S, I]}, {IOS: True, "anyOf": [I, S, {}]}, {IOS: True, "allOf": [{"anyOf": [I, S]}, {"pattern": "a"}]}, {"anyOf": [I, S], "type": "string"}, {"anyOf": [I, S]},
    {IOS: True, "anyOf": [dict(I, minimum=1), S]}, {IOS: True, "allOf": [{"pattern": "x"}, {"anyOf": [I, S]}]},
    dict(S, allOf=[{"type": "string"}]), dict(S, oneOf=[{"nullable": True}, {"title": "t"}, {"description": "d"}, {"default": "x"}]), dict(S, **{"not": {KEEP: True}}), dict(S, **{"not": {EMB: True, IOS: True}}),
    dict(S, anyOf=[{LT: "set"}, {LK: ["a"]}, {MT: "atomic"}, {V: [{"rule": "true"}]}]), dict(O, anyOf=[{"additionalProperties": {}}, {"additionalProperties": True}, {"additionalProperties": False}]),
    dict(O, allOf=[{"properties": {"a": {"minLength": 1}}}]), dict(O, allOf=[{"properties": {"metadata": {}}}]), dict(O, allOf=[{"items": {"minLength": 1}}]), dict(obj(a=S), allOf=[{"properties": {"a": {"type": "string"}}}]),
    dict(S, pattern="["), dict(S, pattern="(?=a)"), dict(S, allOf=[{"pattern": "a**"}]), dict(arr(S), uniqueItems=True), dict(arr(S), uniqueItems=False),
    dict(obj(a=S), additionalProperties=True), dict(obj(a=S), additionalProperties=False), dict(obj(a=S), additionalProperties=S), {"type": "object", "additionalProperties": {}}, {"type": "object", "additionalProperties": S}, {"type": "object", "additionalProperties": dict(S, default="x")},
    {"$ref": "#/x"}, dict(S, id="x"), {"$schema": "x", "type": "string"}, dict(O, patternProperties={"a": S}), dict(O, definitions={"a": S}), dict(O, dependencies={"a": ["b"]}), dict(O, dependencies={"a": S}), dict(arr(S), additionalItems=True), dict(arr(S), additionalItems=S), {"type": "array", "items": [S]}, {"type": "array", "items": []},
    dict(S, **{LT: "set"}), {LT: "set", KEEP: True}, arr(S, **{LT: "bad"}), arr(S, **{LT: "set"}), arr(O, **{LT: "set"}), arr(dict(O, **{MT: "atomic"}), **{LT: "set"}), arr(arr(S), **{LT: "set"}), arr(arr(S, **{LT: "set"}), **{LT: "set"}), arr(dict(S, nullable=True), **{LT: "set"}),
    arr(O, **{LT: "map"}), arr(S, **{LT: "map", LK: ["a"]}), arr(obj(a=S), **{LT: "map", LK: ["a"]}), arr(dict(obj(a=S), required=["a"]), **{LT: "map", LK: ["a"]}), arr(dict(obj(a=S), required=["a"]), **{LT: "map", LK: ["a", "a"]}), arr(dict(obj(a=O), required=["a"]), **{LT: "map", LK: ["a"]}),
    arr(obj(a=dict(S, default="x")), **{LT: "map", LK: ["a"]}), arr(dict(obj(a=dict(S, nullable=True)), required=["a"]), **{LT: "map", LK: ["a"]}), arr(dict(obj(a=S), required=["a"]), **{LT: "map", LK: ["b"]}), arr(dict(obj(a=S), required=["a"], nullable=True), **{LT: "map", LK: ["a"]}), arr(O, **{LK: ["a"]}), arr(O, **{LT: "set", LK: ["a"]}), arr(O, **{LT: "atomic", LK: ["a"]}),
    {"type": "array", LT: "map", LK: ["a"]}, dict(O, **{MT: "bad"}), dict(S, **{MT: "atomic"}), {MT: "granular", KEEP: True}, dict(O, **{MT: "granular"}),
    dict(S, default="x"), dict(S, default=1), dict(S, default=None), dict(I, default=1.5), dict(obj(a=S), default={"a": "x"}), dict(obj(a=S), default={"a": 1}), dict(obj(a=S), default={"b": 1}), dict(obj(a=S), default={"a": "x", "b": {"c": 1}}), dict(S, enum=["a"], default="b"), dict(S, maxLength=1, default="xx"),
    dict(obj(a=S), required=["a"], default={}), arr(S, default=["a", 1]), dict(O, default={"a": 1}), dict(O, default={"a": 1}, **{KEEP: True}), {IOS: True, "default": True}, {IOS: True, "default": 1}, {IOS: True, "anyOf": [I, S], "default": True}, dict(S, nullable=True, default="x"), dict(S, format="ipv4", default="x"), dict(S, format="zzz", default="x"),
    {EMB: True, "type": "object", KEEP: True, "default": {}}, {EMB: True, "type": "object", KEEP: True, "default": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": 1}}}, {EMB: True, "type": "object", KEEP: True, "default": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "A b/"}}},
    {EMB: True, "type": "object", KEEP: True, "properties": {"metadata": obj(labels={"type": "object", "additionalProperties": S, "default": {"a": "b"}})}}, {EMB: True, "type": "object", KEEP: True, "properties": {"metadata": obj(name=dict(S, default="A b/"))}}, {EMB: True, "type": "object", KEEP: True, "properties": {"metadata": obj(name=dict(I, default=1))}},
    {EMB: True, "type": "object", KEEP: True, "properties": {"kind": dict(S, default="_x")}}, {EMB: True, "type": "object", KEEP: True, "properties": {"metadata": obj(labels={"type": "object", "additionalProperties": dict(S, default="b")})}},
    dict(O, **{V: [{"rule": ""}]}), dict(O, **{V: [{"rule": " ", "message": " "}]}), dict(O, **{V: [{"rule": "true", "message": " "}]}), dict(O, **{V: [{"rule": "true", "message": "a\nb"}]}), dict(O, **{V: [{"rule": "true ||\n true"}]}), dict(O, **{V: [{"rule": "true", "messageExpression": " "}]}), dict(O, **{V: [{"rule": "true", "reason": "Bad"}]}), dict(O, **{V: [{"rule": "true", "reason": "FieldValueRequired"}]}),
    dict(O, **{V: [{"rule": "true", "fieldPath": " "}]}), dict(O, **{V: [{"rule": "true", "fieldPath": ".a"}]}), dict(obj(a=S), **{V: [{"rule": "true", "fieldPath": ".a"}]}), dict(obj(a=S), **{V: [{"rule": "true", "fieldPath": "a"}]}), dict(obj(a=S), **{V: [{"rule": "true", "fieldPath": "['a']"}]}), dict(obj(a=S), **{V: [{"rule": "true", "fieldPath": ".a\n"}]}), dict({"type": "object", "additionalProperties": S}, **{V: [{"rule": "true", "fieldPath": ".q"}]}),
    dict(arr(dict(S, default=1)), **{LT: "atomic"}), obj(a=obj(b={}), c={"type": "zzz"}), obj(metadata=S), dict(S, nullable=True), dict(S, minLength=-1), dict(I, minimum=5, maximum=1), dict(S, required=["a"]), dict(S, enum=[]), dict(S, enum=[1, None]), dict(I, multipleOf=0), dict(S, example=1, externalDocs={"url": "u"}, title="t"),
]
ROOTS = [
    {}, S, {"type": ""}, {KEEP: True}, dict(O, **{KEEP: True}), {"type": "object", "additionalProperties": S}, dict(O, nullable=True), dict(O, default={}), obj(metadata=S), obj(metadata=O), obj(metadata=obj(name=S)), obj(metadata=obj(name=S, generateName=S)), obj(metadata=obj(name=S, labels=O)), obj(metadata=dict(O, description="d")),
    obj(metadata=obj(name=dict(S, default="x"))), obj(metadata=dict(obj(name=dict(S, maxLength=3)))), obj(metadata=dict(O, default={})), obj(kind=I), obj(kind=dict(S, default="x")), obj(apiVersion=O), dict(O, allOf=[{"properties": {"metadata": {"minProperties": 1}}}]), dict(O, allOf=[{"required": ["spec"]}]), dict(O, oneOf=[{"required": ["spec"]}, {"required": ["x"]}]),
    dict(O, allOf=[{"properties": {"spec": {"properties": {"a": {"minLength": 1}}}}}]), dict(obj(spec=obj(a=S)), allOf=[{"properties": {"spec": {"properties": {"a": {"minLength": 1}, "b": {"maxLength": 1}}}}}]), dict(O, **{"not": {"items": {"minLength": 1}}}), dict(O, **{EMB: True}), dict(O, **{LT: "set"}), dict(O, minProperties=1), dict(O, required=["spec"]), dict(O, description="d", title="t"),
    dict(O, **{MT: "atomic"}), dict(O, enum=[{}]), obj(spec=arr(arr({}))),
]
ok = version(obj(spec=obj(a=S, b=I, c={"type": "boolean"}, d=O, m={"type": "object", "additionalProperties": S}), metadata=obj(name=S)))


def with_version(**more):
    return crd(dict(copy.deepcopy(ok), **more))


def columns(*cols):
    return with_version(additionalPrinterColumns=list(cols))


WHOLE = [
    crd(ok), crd(ok, group="x"), crd(ok, group=""), crd(ok, group="A.b"), crd(ok, scope="x"), crd(ok, scope=""), crd(), crd(dict(ok, storage=False)), crd(ok, dict(ok, name="v2")), crd(ok, dict(ok, storage=False)), crd(dict(ok, name="V1")), crd(dict(ok, name="")), crd({"name": "v1", "served": True, "storage": True}),
    crd({"name": "v1", "served": True, "storage": True}, version(O, "v2", storage=False)), crd(ok, names={"kind": ""}), crd(ok, names={"plural": "Foos"}), crd(ok, names={"kind": "1foo"}), crd(ok, names={"kind": "Foo", "listKind": "Foo"}), crd(ok, names={"listKind": "_"}), crd(ok, names={"singular": "F"}), crd(ok, names={"shortNames": ["A", "b"]}), crd(ok, names={"categories": ["All", "x y"]}),
    crd(ok, preserveUnknownFields=True), crd(version(obj(a=dict(S, default="x"))), preserveUnknownFields=True), crd(ok, conversion={"strategy": "Foo"}), crd(ok, conversion={"strategy": ""}), crd(ok, conversion={"strategy": "Webhook"}), crd(ok, conversion={"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://a"}}}),
    crd(ok, conversion={"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"]}}), crd(ok, conversion={"strategy": "Webhook", "webhook": {"conversionReviewVersions": [], "clientConfig": {"url": "https://a"}}}), crd(ok, conversion={"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v2", "v2", "X"], "clientConfig": {"url": "http://a?b#c"}}}),
    crd(ok, conversion={"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://a", "service": {"name": "a", "namespace": "b"}}}}), crd(ok, conversion={"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"service": {"name": "", "namespace": "", "path": "a//b", "port": 0}}}}),
    crd(ok, conversion={"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://a", "caBundle": "eA=="}}}), crd(ok, group="x.k8s.io"), crd(ok, group="x.k8s.io", annotations={"api-approved.kubernetes.io": "x"}), crd(ok, group="x.k8s.io", annotations={"api-approved.kubernetes.io": "unapproved"}), crd(ok, group="x.kubernetes.io", annotations={"api-approved.kubernetes.io": "https://x/y"}),
    with_version(subresources={"status": {}}), with_version(subresources={"scale": {}}), with_version(subresources={"scale": {"specReplicasPath": "spec.a", "statusReplicasPath": ".status.b"}}), with_version(subresources={"scale": {"specReplicasPath": ".status.a", "statusReplicasPath": ".spec.b", "labelSelectorPath": ".x"}}), with_version(subresources={"scale": {"specReplicasPath": ".spec.a", "statusReplicasPath": ".status.b", "labelSelectorPath": "s"}}),
    crd(version(dict(O, minProperties=1), subresources={"status": {}})), crd(version(dict(O, description="d", required=["a"], **{KEEP: True}), subresources={"status": {}})), crd(version(S, subresources={"status": {}})), crd(version(dict(O, nullable=True), subresources={"status": {}})),
    columns({"name": "", "type": "", "jsonPath": ""}), columns({"name": "a", "type": "x", "jsonPath": "a"}), columns({"name": "a", "type": "string", "format": "x", "jsonPath": ".a"}), columns({"name": "a", "type": "date", "format": "date-time", "jsonPath": ".a[0]['b']"}), columns({"name": "a", "type": "string", "jsonPath": "."}),
    with_version(deprecationWarning="x"), with_version(deprecated=True, deprecationWarning=""), with_version(deprecated=True, deprecationWarning="x" * 257), with_version(deprecated=True, deprecationWarning="a\nb"), with_version(deprecated=True, deprecationWarning="é\u200b"),
    *[with_version(selectableFields=[{"jsonPath": p} for p in paths]) for paths in ([".spec.a"], [""], ["spec.a"], [".spec.zz"], [".spec.d"], [".metadata.name"], [".spec['a']"], [".spec.a", ".spec.a"], [".spec.m.x"], [".spec."], ["."], [".spec"], [".spec.b", ".spec.c"], [".spec.a.b"])],
    crd(version(obj(**{f"f{i}": S for i in range(10)}), selectableFields=[{"jsonPath": f".f{i}"} for i in range(9)])), crd(version(obj(a=S), selectableFields=[{"jsonPath": ".a"}]), version(obj(a=I), "v2", storage=False, selectableFields=[{"jsonPath": ".b"}])),
    crd(version(obj(a={})), version(obj(a={}), "v2", storage=False)), crd(version(obj(a={})), version(obj(a=S), "v2", storage=False)), crd(version(O, subresources={"status": {}}), version(obj(a=dict(O, oneOf=[])), "v2", storage=False)), crd(version(dict(O, minProperties=2)), version(dict(O, minProperties=1), "v2", storage=False, subresources={"status": {}})),
]
CREATES = WHOLE + [crd(version(obj(spec=obj(x=s)))) for s in SCHEMAS] + [crd(version(s)) for s in ROOTS]
base = crd(ok, names={"singular": "foo", "listKind": "FooList"})
def hooked(ca=None):
    client = {"url": "https://a", **({"caBundle": ca} if ca else {})}
    return crd(ok, conversion={"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": client}})


NOT_A_CERTIFICATE = "LS0tLS1CRUdJTiBGT08tLS0tLQpZUT09Ci0tLS0tRU5EIEZPTy0tLS0tCg=="
UPDATES = [
    (hooked(), hooked("eA==")), (hooked(), hooked(NOT_A_CERTIFICATE)),
    (base, crd(ok, scope="Cluster")), (base, crd(ok, names={"kind": "Bar"})), (base, crd(dict(ok, name="v2"))), (base, crd(ok, version(O, "v2", storage=False))), (base, crd(dict(ok, storage=False), version(O, "v2"))),
    (crd(ok, conversion={"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://a"}}}), crd(ok, conversion={"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v2"], "clientConfig": {"url": "https://a"}}})),
    (crd(ok, group="x.k8s.io", annotations={"api-approved.kubernetes.io": "unapproved"}), crd(ok, group="x.k8s.io")),
]


MISTAKES = [("type", v) for v in ("", "foo", "null", "string", "object", "array")] + [
    ("nullable", True), ("default", "x"), ("default", {}), ("default", {"a": 1, "zz": {}}), ("default", [1]), ("pattern", "["), ("pattern", "a{2,1}"), ("uniqueItems", True),
    ("additionalProperties", True), ("additionalProperties", False), ("additionalProperties", {}), ("additionalProperties", S), ("items", S), ("items", {}), ("items", [S]), ("$ref", "x"), ("title", "t"), ("description", "d"),
    ("properties", {}), ("properties", {"metadata": S, "a": {}}), ("properties", {"kind": I, "apiVersion": S}), ("required", ["a"]), ("enum", ["x", 1]), ("minLength", 2), ("format", "ipv4"),
    (KEEP, True), (KEEP, False), (EMB, True), (IOS, True), (LT, "set"), (LT, "map"), (LT, "bad"), (LK, ["a"]), (LK, ["zz", "zz"]), (MT, "atomic"), (MT, "bad"), (V, [{"rule": ""}]), ("not", {}), ("not", {"type": "string"}),
    ("allOf", [{"properties": {"q": {"minLength": 1}}}]), ("anyOf", [I, S]), ("oneOf", [{"title": "x"}, {}]), ("definitions", {"a": S}), ("id", "x")]


def nodes(schema):
    yield schema
    for name in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(name), dict):
            yield from nodes(schema[name])
    for name in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(name, []):
            yield from nodes(branch)
    for sub in schema.get("properties", {}).values():
        yield from nodes(sub)


def random_crds(seed, count=300):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "crd/testdata"))
    import random_cases
    maker, r = random_cases.Maker(seed), random.Random(seed)
    for _ in range(count):
        schema = copy.deepcopy(obj(spec=maker.schema(3)))
        for _ in range(r.choice([1, 1, 2, 3])):
            name, value = r.choice(MISTAKES)
            r.choice(list(nodes(schema)))[name] = copy.deepcopy(value)
        yield crd(*random_versions(r, schema, obj(spec=maker.schema(2))))


def random_versions(r, schema, other):
    """One or two versions, which may have parts in common."""
    versions = [version(schema)]
    if r.random() < .3:
        versions.append(version(copy.deepcopy(r.choice([schema, other, other])), "v2", storage=r.random() < .1))
    for v in versions:
        if r.random() < .3:
            v["subresources"] = r.choice([{"status": {}}, {"scale": {"specReplicasPath": ".spec.a", "statusReplicasPath": ".status.b"}}])
        if r.random() < .2:
            v["selectableFields"] = [{"jsonPath": r.choice([".spec.a", ".spec", ".spec.b.c", ".spec['a']", ".metadata.name", ".spec.x"])} for _ in range(r.choice([1, 2]))]
        if r.random() < .2:
            v["additionalPrinterColumns"] = [{"name": "x", "type": r.choice(["string", "foo"]), "jsonPath": r.choice([".a", "a"])}]
    return versions


def outcome(line, code, answer):
    if code == 422:
        line["causes"] = sorted([c["field"], c["reason"], c["message"]] for c in answer["details"]["causes"])
    elif code >= 300:
        line["error"] = answer["message"]


# What is stored although it breaks a rule (None: no schema), and what is then changed.
BROKEN = [obj(a={"type": "foo"}), obj(a=arr(O, **{LT: "set"})), obj(a=arr(obj(a=S), **{LT: "map", LK: ["a"]})), obj(a=dict(obj(a=S), default={"b": 1})), obj(a={}), None, obj(a=dict(S, pattern="["))]
ADDED = [{}, {"type": "foo"}, arr(O, **{LT: "set"}), dict(obj(a=S), default={"c": 1}), arr(obj(a=S), **{LT: "map", LK: ["a"]})]


def record_stored(out, endpoint):
    etcdctl = ["etcdctl", "--endpoints", endpoint]
    key = "/registry/apiextensions.k8s.io/customresourcedefinitions/foos.g.example.com"
    path = CRDS + "/foos.g.example.com"
    ask("POST", CRDS, base)
    while "True" not in [c["status"] for c in ask("GET", path)[1]["status"].get("conditions") or [] if c["type"] == "Established"]:
        time.sleep(0.1)
    for broken in BROKEN:
        changes = [broken] + [obj(**(broken or {}).get("properties", {}), z=added) for added in ADDED] + [dict(broken or O, description="d")]
        for change in changes:
            raw = json.loads(subprocess.run(etcdctl + ["get", key, "--print-value-only"], capture_output=True, text=True, check=True).stdout)
            raw["spec"].pop("validation", None)
            raw["spec"]["versions"][0].pop("schema", None)
            if broken:
                raw["spec"]["validation"] = {"openAPIV3Schema": broken}
            subprocess.run(etcdctl + ["put", key, json.dumps(raw)], capture_output=True, check=True)
            old = ask("GET", path)[1]
            old["metadata"].pop("managedFields", None)
            new = copy.deepcopy(old)
            if change:
                new["spec"]["versions"][0]["schema"] = {"openAPIV3Schema": change}
            line = {"crd": new, "old": old}
            outcome(line, *ask("PUT", path + "?dryRun=All", new))
            print(json.dumps(line, ensure_ascii=False), file=out)
    ask("DELETE", path)


def main():
    more = sys.argv[4] if len(sys.argv) > 4 else ""
    seeded = more.isdigit()
    with open(sys.argv[3], "w", encoding="utf-8") as out:
        for new in random_crds(int(sys.argv[4])) if seeded else CREATES:
            line = {"crd": new}
            outcome(line, *ask("POST", CRDS + "?dryRun=All", new))
            print(json.dumps(line, ensure_ascii=False), file=out)
        for old, new in [] if seeded else UPDATES:
            code, stored = ask("POST", CRDS, old)
            if code != 201:
                sys.exit(stored["message"])
            path = f"{CRDS}/{old['metadata']['name']}"
            while not any(c["type"] == "Established" and c["status"] == "True"
                          for c in stored["status"].get("conditions") or []):
                stored = ask("GET", path)[1]
            new = copy.deepcopy(new)
            new["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"]
            line = {"crd": new, "old": stored}
            outcome(line, *ask("PUT", path + "?dryRun=All", new))
            print(json.dumps(line, ensure_ascii=False), file=out)
            ask("DELETE", path)
            while ask("GET", path)[0] == 200:
                pass
        if more and not seeded:
            record_stored(out, more)


if __name__ == "__main__":
    main()
