"""Rows of test_bad_input.py about requests: patches, media types, names, versions, options,
selectors, paths, credentials. See bad_input_bodies.py for how a row is made."""

import base64
import json

from bad_input_bodies import (APPLY, CM, DEPLOYMENTS, DRY, JSON, JSON_PATCH, LIMIT, LIVE, LIVE_OBJECT, MERGE, MIB, NS, PROTO,
                              STRATEGIC, WEB, WEB_OBJECT, YAML, Case, configmap, deployment, rows)

TYPES = {"json": JSON_PATCH, "merge": MERGE, "strategic": STRATEGIC, "apply": APPLY}


def patch(name, body, type, path=LIVE, query="", **more):
    return Case(name, "PATCH", path + ("?fieldManager=m&" + query if type == APPLY else query and "?" + query), body, type,
                uses=path, **more)


# --- patches ----------------------------------------------------------------------------------

def op(op, path=None, value=None, **more):
    return {"op": op, **({} if path is None else {"path": path}), **({} if value is None else {"value": value}), **more}


def json_patch_rows():
    add = op("add", "/data/x", "1")
    doubling = lambda n: [op("add", "/metadata/annotations", {"a": "x" * 1000})] + [
        op("copy", "/metadata/annotations/" + "b" * i, **{"from": "/metadata/annotations"}) for i in range(1, n)]
    table = [
        ("empty", ""), ("empty array", []), ("object", {}), ("null", "null"), ("string", '"x"'), ("number", "1"), ("open", "["),
        ("not JSON", "x"), ("trailing", "[] x"), ("array of numbers", [1]), ("array of strings", ["x"]), ("array of null", [None]),
        ("array of arrays", [[]]), ("array of empty objects", [{}]), ("no op", [{"path": "/data/x", "value": "1"}]),
        ("unknown op", [op("frob", "/data/x", "1")]), ("op null", '[{"op":null,"path":"/data"}]'), ("op number", '[{"op":1,"path":"/data"}]'),
        ("capital op", [op("Add", "/data/x", "1")]), ("no path", [op("add", None, "1")]), ("no value", [op("add", "/data/x")]),
        ("path number", '[{"op":"add","path":1,"value":"1"}]'), ("path null", '[{"op":"add","path":null,"value":"1"}]'),
        ("path without a slash", [op("add", "data/x", "1")]), ("path empty add", [op("add", "", configmap("live"))]),
        ("path empty replace", [op("replace", "", configmap("live"))]), ("path empty remove", [op("remove", "")]),
        ("path empty test", [op("test", "", "x")]), ("path slash", [op("add", "/", "x")]), ("path double slash", [op("add", "//", "x")]),
        ("missing parent", [op("add", "/a/b/c", "x")]), ("remove missing", [op("remove", "/data/zz")]),
        ("remove missing parent", [op("remove", "/zz/zz")]), ("replace missing", [op("replace", "/data/zz", "1")]),
        ("replace missing parent", [op("replace", "/zz/zz", "1")]), ("test fails", [op("test", "/data/k", "w")]),
        ("test missing", [op("test", "/data/zz", "1")]), ("test missing is null", '[{"op":"test","path":"/data/zz","value":null}]'),
        ("test missing parent", [op("test", "/zz/zz", "1")]), ("test another type", [op("test", "/data/k", {"a": 1})]),
        ("test without a value", [op("test", "/data/k")]), ("test object", [op("test", "/data", {"k": "v", "n": "1"})]),
        ("test object differs", [op("test", "/data", {"k": "v"})]),
        ("move without from", [op("move", "/data/x")]), ("move from missing", [op("move", "/data/x", **{"from": "/data/zz"})]),
        ("move into itself", [op("move", "/data/k/x", **{"from": "/data/k"})]), ("move into a child", [op("move", "/metadata/labels/x", **{"from": "/metadata/labels"})]),
        ("move to itself", [op("move", "/data/k", **{"from": "/data/k"})]), ("move the root", [op("move", "/data/k", **{"from": ""})]),
        ("copy without from", [op("copy", "/data/x")]), ("copy from missing", [op("copy", "/data/x", **{"from": "/data/zz"})]),
        ("copy the root", [op("copy", "/data/x", **{"from": ""})]), ("from number", '[{"op":"copy","path":"/data/x","from":1}]'),
        ("copy over kind", [op("copy", "/kind", **{"from": "/data/k"})]), ("remove kind", [op("remove", "/kind")]),
        ("remove apiVersion", [op("remove", "/apiVersion")]), ("remove metadata", [op("remove", "/metadata")]),
        ("replace kind", [op("replace", "/kind", "Secret")]), ("replace apiVersion", [op("replace", "/apiVersion", "v9")]),
        ("replace name", [op("replace", "/metadata/name", "other")]), ("replace namespace", [op("replace", "/metadata/namespace", "other")]),
        ("replace uid", [op("replace", "/metadata/uid", "x")]), ("replace metadata", [op("replace", "/metadata", "x")]),
        ("value of a wrong type", [op("add", "/data", [])]), ("value number", [op("add", "/data/x", 1)]),
        ("through a string", [op("add", "/data/k/x", "1")]), ("remove through a string", [op("remove", "/data/k/x")]),
        ("escape ~2", [op("add", "/data/~2", "1")]), ("escape ~", [op("add", "/data/~", "1")]), ("escape ~1", [op("add", "/data/a~1b", "1")]),
        ("escape ~01", [op("add", "/data/a~01b", "1")]), ("percent", [op("add", "/data/%41", "1")]),
        ("NUL in path", [op("add", "/data/a\0b", "1")]), ("surrogate in path", '[{"op":"add","path":"/data/\\ud800","value":"1"}]'),
        ("10000 operations", lambda: [add] * 10000), ("10001 operations", lambda: [add] * 10001), ("60000 operations", lambda: [add] * 60000),
        ("path of a MiB", lambda: [op("add", "/data/" + "x" * MIB, "1")]), ("path of 100000 parts", lambda: [op("add", "/a" * 100000, "1")]),
        ("copy bomb", lambda: doubling(24)), ("copy bomb 200", lambda: doubling(200)),
        ("copy 3 MiB at once", lambda: [op("add", "/data/x", "x" * MIB)] + [op("copy", f"/data/y{i}", **{"from": "/data/x"}) for i in range(4)]),
        ("deep value", lambda: '[{"op":"add","path":"/data/x","value":' + "[" * 9000 + "]" * 9000 + "}]"),
        ("deep value 11000", lambda: '[{"op":"add","path":"/data/x","value":' + "[" * 11000 + "]" * 11000 + "}]"),
        ("deep open", lambda: "[" * 1500000), ("deep balanced", lambda: "[" * 1500000 + "]" * 1500000),
        ("later operation fails", [add, op("remove", "/data/zz")]), ("duplicate keys", '[{"op":"add","op":"remove","path":"/data/k"}]'),
        ("invalid UTF-8", b'[{"op":"add","path":"/data/x","value":"\xff"}]'), ("YAML", "- op: add\n"),
        ("add null", '[{"op":"add","path":"/data/x","value":null}]'), ("replace with null", '[{"op":"replace","path":"/data","value":null}]'),
        ("resourceVersion abc", [op("add", "/metadata/resourceVersion", "abc")]), ("resourceVersion 1", [op("add", "/metadata/resourceVersion", "1")]),
    ]
    yield from (patch("json patch: " + n, b, JSON_PATCH) for n, b in table)
    at = "/spec/template/spec/containers/"
    for i in ["1", "2", "-", "--", "-1", "-2", "-999999999999", "999999999", "9223372036854775807", "9223372036854775808", "99999999999999999999",
              "00", "01", "+0", "0x0", "1e0", "", " 0", "0 ", "x", "1.0"]:
        for kind, value in (("add", {"name": "d", "image": "i"}), ("replace", {"name": "d", "image": "i"}), ("remove", None), ("test", {"a": 1}),
                            ("copy", None), ("move", None)):
            more = {"from": at + "0"} if kind in ("copy", "move") else {}
            yield patch(f"json patch: {kind} at index {i!r}", [op(kind, at + i, value, **more)], JSON_PATCH, WEB, "dryRun=All")
    yield patch("json patch: from index 7", [op("copy", at + "-", **{"from": at + "7"})], JSON_PATCH, WEB)
    yield patch("json patch: through index 7", [op("add", at + "7/name", "x")], JSON_PATCH, WEB)
    yield patch("json patch: through index -1", [op("add", at + "-1/name", "x")], JSON_PATCH, WEB)
    yield patch("json patch: through -", [op("add", at + "-/name", "x")], JSON_PATCH, WEB)


def other_patch_rows():
    bad = [("empty", ""), ("spaces", "  "), ("null", "null"), ("array", "[]"), ("string", '"x"'), ("number", "1"), ("bool", "true"), ("open", "{"),
           ("not JSON", "x"), ("trailing", "{} x"), ("two", "{}{}"), ("metadata string", {"metadata": "x"}), ("metadata list", {"metadata": []}),
           ("metadata null", {"metadata": None}), ("data list", {"data": []}), ("data string", {"data": "x"}), ("data null", {"data": None}),
           ("data of numbers", {"data": {"k": 1}}), ("data of objects", {"data": {"k": {}}}), ("name", {"metadata": {"name": "other"}}),
           ("namespace", {"metadata": {"namespace": "other"}}), ("uid", {"metadata": {"uid": "x"}}), ("kind", {"kind": "Secret"}),
           ("kind number", {"kind": 1}), ("apiVersion", {"apiVersion": "v9"}), ("apiVersion null", {"apiVersion": None}), ("kind null", {"kind": None}),
           ("name null", {"metadata": {"name": None}}), ("resourceVersion stale", {"metadata": {"resourceVersion": "1"}}),
           ("resourceVersion abc", {"metadata": {"resourceVersion": "abc"}}), ("resourceVersion number", {"metadata": {"resourceVersion": 1}}),
           ("resourceVersion -1", {"metadata": {"resourceVersion": "-1"}}),
           ("creationTimestamp", {"metadata": {"creationTimestamp": "x"}}), ("label bad", {"metadata": {"labels": {"a b": "c d"}}}),
           ("generation", {"metadata": {"generation": 7}}), ("deletionTimestamp", {"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}}),
           ("NUL", '{"data":{"a\\u0000":"x"}}'), ("surrogate", '{"data":{"a":"\\ud800"}}'), ("invalid UTF-8", b'{"data":{"a":"\xff"}}'),
           ("deep open", lambda: '{"data":' + '{"a":' * 400000), ("deep", lambda: '{"data":' + '{"a":' * 9000 + "1" + "}" * 9001),
           ("deep 11000", lambda: '{"data":' + '{"a":' * 11000 + "1" + "}" * 11001), ("deep brackets", lambda: '{"data":{"k":' + "[" * 9000 + "]" * 9000 + "}}"),
           ("brackets", lambda: "[" * 1500000 + "]" * 1500000), ("open brackets", lambda: "[" * 1500000),
           ("deep unknown", lambda: '{"zz":' + "[" * 9000 + "]" * 9000 + "}"), ("many keys", lambda: {"data": {f"k{i}": "v" for i in range(20000)}}),
           ("number 1e400", '{"data":{"k":1e400}}'), ("YAML", "data:\n  k: w\n")]
    for kind in ("merge", "strategic"):
        yield from (patch(f"{kind} patch: {n}", b, TYPES[kind], query="dryRun=All") for n, b in bad)
    c = lambda *a, **more: {"spec": {"template": {"spec": {"containers": list(a), **more}}}}
    table = [
        ("$patch unknown", {"$patch": "frob"}), ("$patch number", {"$patch": 1}), ("$patch replace", {"$patch": "replace"}), ("$patch delete", {"$patch": "delete"}),
        ("$patch merge", {"$patch": "merge"}), ("$patch null", {"$patch": None}), ("$patch in spec", {"spec": {"$patch": "frob"}}),
        ("$patch delete spec", {"spec": {"$patch": "delete"}}), ("$patch in an element", c({"$patch": "frob", "name": "c"})),
        ("$patch delete without a key", c({"$patch": "delete"})), ("$patch delete of nothing", c({"$patch": "delete", "name": "zz"})),
        ("$patch replace in a list", c({"$patch": "replace"})), ("$patch number in an element", c({"$patch": 1, "name": "c"})),
        ("element without a key", c({"image": "x"})), ("element null", c(None)), ("element string", c("x")), ("element number", c(1)),
        ("element list", c([])), ("elements mixed", c({"name": "c"}, "x")), ("key number", c({"name": 1})), ("key null", c({"name": None})),
        ("same key twice", c({"name": "d", "image": "1"}, {"name": "d", "image": "2"})),
        ("list for a map", {"spec": []}), ("map for a list", {"spec": {"template": {"spec": {"containers": {}}}}}),
        ("string for a list", {"spec": {"template": {"spec": {"containers": "x"}}}}), ("string for a map", {"spec": "x"}),
        ("null list", {"spec": {"template": {"spec": {"containers": None}}}}), ("null spec", {"spec": None}),
        ("$setElementOrder of a string", {"spec": {"template": {"spec": {"$setElementOrder/containers": "x"}}}}),
        ("$setElementOrder of strings", {"spec": {"template": {"spec": {"$setElementOrder/containers": ["c"], "containers": [{"name": "c"}]}}}}),
        ("$setElementOrder short", {"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": "x"}], "containers": [{"name": "c", "image": "z"}]}}}}),
        ("$setElementOrder without key", {"spec": {"template": {"spec": {"$setElementOrder/containers": [{}], "containers": [{"name": "c", "image": "z"}]}}}}),
        ("$setElementOrder twice", {"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": "c"}, {"name": "c"}]}}}}),
        ("$setElementOrder of nothing", {"spec": {"$setElementOrder/zz": ["a"]}}), ("$setElementOrder of a map", {"spec": {"$setElementOrder/selector": ["a"]}}),
        ("$setElementOrder null", {"spec": {"template": {"spec": {"$setElementOrder/containers": None}}}}),
        ("$setElementOrder empty name", {"spec": {"$setElementOrder/": []}}), ("$setElementOrder bare", {"spec": {"$setElementOrder": []}}),
        ("$deleteFromPrimitiveList of nothing", {"spec": {"$deleteFromPrimitiveList/zz": ["a"]}}),
        ("$deleteFromPrimitiveList string", {"metadata": {"$deleteFromPrimitiveList/finalizers": "x"}}),
        ("$deleteFromPrimitiveList of maps", {"metadata": {"$deleteFromPrimitiveList/finalizers": [{}]}}),
        ("$deleteFromPrimitiveList", {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/b"]}}),
        ("$deleteFromPrimitiveList on maps", {"spec": {"template": {"spec": {"$deleteFromPrimitiveList/containers": ["c"]}}}}),
        ("$deleteFromPrimitiveList null", {"metadata": {"$deleteFromPrimitiveList/finalizers": None}}),
        ("$retainKeys unknown", {"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}}}),
        ("$retainKeys string", {"spec": {"strategy": {"$retainKeys": "type"}}}), ("$retainKeys numbers", {"spec": {"strategy": {"$retainKeys": [1]}}}),
        ("$retainKeys null", {"spec": {"strategy": {"$retainKeys": None}}}), ("$retainKeys empty", {"spec": {"strategy": {"$retainKeys": [], "type": "Recreate"}}}),
        ("$retainKeys", {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
        ("unknown directive", {"spec": {"$frob": 1}}), ("unknown directive with a slash", {"spec": {"$frob/containers": []}}),
        ("list of lists", {"spec": {"template": {"spec": {"containers": [[{"name": "c"}]]}}}}),
        ("finalizers of maps", {"metadata": {"finalizers": [{}]}}), ("finalizers null inside", {"metadata": {"finalizers": [None]}}),
        ("many elements", lambda: c(*({"name": f"c{i}", "image": "i"} for i in range(3000)))),
        ("ports without a key", c({"name": "c", "ports": [{"name": "x"}]})), ("ports key string", c({"name": "c", "ports": [{"containerPort": "x"}]})),
        ("ports key float", c({"name": "c", "ports": [{"containerPort": 1.5}]})),
    ]
    yield from (patch("strategic patch: " + n, b, STRATEGIC, WEB, "dryRun=All") for n, b in table)
    yield from (patch("merge patch: deployment " + n, b, MERGE, WEB, "dryRun=All") for n, b in table[:8])


def apply_rows():
    mine = lambda **more: configmap("live", **more)
    table = [
        ("empty", ""), ("null", "null"), ("array", "[]"), ("string", "x"), ("number", "1"), ("open", "{"), ("empty object", "{}"), ("no kind", {"apiVersion": "v1"}),
        ("no apiVersion", {"kind": "ConfigMap", "metadata": {"name": "live"}}), ("another kind", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "live"}}),
        ("another version", {"apiVersion": "v9", "kind": "ConfigMap", "metadata": {"name": "live"}}), ("kind number", {"apiVersion": "v1", "kind": 1}),
        ("no metadata", {"apiVersion": "v1", "kind": "ConfigMap"}), ("metadata string", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": "x"}),
        ("another name", configmap("other")), ("no name", configmap(None)), ("another namespace", configmap("live", {"namespace": "other"})),
        ("name number", configmap(1)), ("unknown field", mine(zz=1)), ("data list", mine(data=[])), ("data of numbers", mine(data={"a": 1})),
        ("data null", mine(data=None)), ("data of null", mine(data={"a": None})), ("data of objects", mine(data={"a": {}})),
        ("managedFields", configmap("live", {"managedFields": [{"manager": "m", "operation": "Apply"}]})), ("managedFields empty", configmap("live", {"managedFields": []})),
        ("managedFields null", configmap("live", {"managedFields": None})), ("uid", configmap("live", {"uid": "x"})),
        ("resourceVersion stale", configmap("live", {"resourceVersion": "1"})), ("resourceVersion abc", configmap("live", {"resourceVersion": "abc"})),
        ("creationTimestamp", configmap("live", {"creationTimestamp": "x"})), ("duplicate keys", '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"live"},"data":{"a":"1","a":"2"}}'),
        ("YAML alias", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: live}\ndata: {a: &x b, c: *x}\n"), ("YAML bad", "a: b: c"), ("YAML two documents", "a: b\n---\nc: d\n"),
        ("YAML tab", "a:\n\tb\n"), ("YAML key number", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: live}\ndata: {1: a}\n"),
        ("deep", lambda: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"live"},"data":' + '{"a":' * 9000 + "1" + "}" * 9001),
        ("deep brackets", lambda: "[" * 20000 + "]" * 20000), ("deep open", lambda: "[" * 1500000), ("deep dashes", lambda: "- " * 1000000),
        ("NUL", '{"data":{"a\\u0000":"x"}}'), ("invalid UTF-8", b'{"a":"\xff"}'), ("label bad", configmap("live", {"labels": {"a b": ""}})),
    ]
    yield from (patch("apply: " + n, b, APPLY, query="dryRun=All") for n, b in table)
    c = lambda *a: deployment(spec={"selector": {"matchLabels": {"a": "b"}}}) | {"spec": {"template": {"spec": {"containers": list(a)}}}}
    table = [
        ("key twice", c({"name": "c", "image": "1"}, {"name": "c", "image": "2"})), ("no key", c({"image": "1"})), ("element string", c("x")),
        ("element null", c(None)), ("key number", c({"name": 1})), ("conflict", c({"name": "c", "image": "other"})),
        ("conflicts", c({"name": "c", "image": "other", "imagePullPolicy": "Never"}) | {"metadata": {"name": "web", "labels": {"x": "y"}}}),
        ("replicas string", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": "1"}}),
        ("replicas float", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 1.5}}),
        ("spec string", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": "x"}),
        ("spec list", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": []}),
        ("unknown deep field", c({"name": "c", "zz": 1})), ("unknown fields", c({"name": "c", "zz": 1, "yy": 2}) | {"xx": 1}),
        ("ports twice", c({"name": "c", "ports": [{"containerPort": 1}, {"containerPort": 1}]})),
        ("ports without a key", c({"name": "c", "ports": [{"name": "x"}]})), ("quantity bad", c({"name": "c", "resources": {"limits": {"cpu": "x"}}})),
        ("quantity bool", c({"name": "c", "resources": {"limits": {"cpu": True}}})), ("other version", c() | {"apiVersion": "apps/v1beta1"}),
    ]
    yield from (patch("apply: deployment " + n, b, APPLY, WEB, "dryRun=All") for n, b in table)
    for n, q in (("no manager", ""), ("empty manager", "fieldManager="), ("manager of 128", "fieldManager=" + "m" * 128), ("manager of 129", "fieldManager=" + "m" * 129),
                 ("manager with a newline", "fieldManager=a%0Ab"), ("manager with NUL", "fieldManager=a%00b"), ("manager UTF-8", "fieldManager=%C3%A9"), ("manager invalid UTF-8", "fieldManager=%ff"),
                 ("manager twice", "fieldManager=a&fieldManager=b"), ("force abc", "fieldManager=m&force=abc"), ("force empty", "fieldManager=m&force="), ("force 1", "fieldManager=m&force=1")):
        yield Case("apply: " + n, "PATCH", LIVE + "?dryRun=All&" + q, mine(), APPLY, uses=LIVE)
        yield Case("merge patch: " + n, "PATCH", LIVE + "?dryRun=All&" + q, {}, MERGE, uses=LIVE)
    yield Case("merge patch: force", "PATCH", LIVE + "?force=true", {}, MERGE, uses=LIVE)
    yield Case("json patch: force", "PATCH", LIVE + "?force=false", "[]", JSON_PATCH, uses=LIVE)
    yield Case("apply: creates", "PATCH", CM + "/absent?dryRun=All&fieldManager=m", configmap("absent"), APPLY)
    yield Case("apply: creates with resourceVersion", "PATCH", CM + "/absent?fieldManager=m", configmap("absent", {"resourceVersion": "5"}), APPLY)
    yield Case("apply: creates with uid", "PATCH", CM + "/absent?fieldManager=m", configmap("absent", {"uid": "x"}), APPLY)
    yield Case("merge patch: absent", "PATCH", CM + "/absent", {}, MERGE)
    yield Case("apply: bad name", "PATCH", CM + "/A_B?fieldManager=m", configmap("A_B"), APPLY)
    yield Case("apply: absent namespace", "PATCH", "/api/v1/namespaces/absent/configmaps/a?fieldManager=m", configmap("a"), APPLY)
    yield Case("apply: to status", "PATCH", WEB + "/status?fieldManager=m", {"apiVersion": "apps/v1", "kind": "Deployment", "status": {"replicas": "x"}}, APPLY, uses=WEB)
    yield Case("apply: to scale", "PATCH", WEB + "/scale?fieldManager=m", {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": -1}}, APPLY, uses=WEB)
    yield Case("apply: to a collection", "PATCH", CM + "?fieldManager=m", configmap("live"), APPLY)


def managed_fields_rows():
    entry = {"manager": "m", "operation": "Update", "apiVersion": "v1", "time": "2020-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:k": {}}}}
    e = lambda **more: {k: v for k, v in {**entry, **more}.items() if v != "-"}
    deep = '{"f:a":' * 5000 + "{}" + "}" * 5000
    table = [
        ("reset", [{}]), ("empty", []), ("null", None), ("string", "x"), ("numbers", [1]), ("good", [entry]), ("operation Frob", [e(operation="Frob")]),
        ("operation empty", [e(operation="")]), ("operation missing", [e(operation="-")]), ("fieldsType odd", [e(fieldsType="FieldsV2")]), ("fieldsType missing", [e(fieldsType="-")]),
        ("fields missing", [e(fieldsV1="-")]), ("fields null", [e(fieldsV1=None)]), ("fields string", [e(fieldsV1="x")]), ("fields list", [e(fieldsV1=[])]),
        ("fields number", [e(fieldsV1=1)]), ("fields without a prefix", [e(fieldsV1={"data": {}})]), ("fields bad key", [e(fieldsV1={"k:{": {}})]),
        ("fields bad index", [e(fieldsV1={"i:x": {}})]), ("fields huge index", [e(fieldsV1={"i:99999999999999999999": {}})]), ("fields bad value", [e(fieldsV1={"v:{": {}})]),
        ("fields of values", [e(fieldsV1={"f:data": 1})]), ("fields dot", [e(fieldsV1={".": {}})]), ("fields colon", [e(fieldsV1={":": {}})]),
        ("fields dots with content", [e(fieldsV1={".": {"f:x": {}}})]), ("fields unknown to the schema", [e(fieldsV1={"f:zz": {"f:y": {}}})]),
        ("manager of 129", [e(manager="m" * 129)]), ("manager newline", [e(manager="a\nb")]), ("manager empty", [e(manager="")]), ("subresource of 257", [e(subresource="s" * 257)]),
        ("apiVersion odd", [e(apiVersion="a/b/c")]), ("apiVersion unknown", [e(apiVersion="v77")]), ("apiVersion empty", [e(apiVersion="")]), ("time bad", [e(time="x")]),
        ("time missing", [e(time="-")]), ("same entry twice", [entry, entry]), ("unknown field", [e(zz=1)]),
        ("apply operation", [e(operation="Apply")]),
    ]
    for n, v in table:
        yield Case(f"managedFields: PUT {n}", "PUT", LIVE, {**LIVE_OBJECT, "metadata": {**LIVE_OBJECT["metadata"], "managedFields": v}}, JSON, uses=LIVE)
        yield Case(f"managedFields: POST {n}", "POST", DRY, configmap("new", {"managedFields": v}), JSON)
    yield Case("managedFields: PUT deep", "PUT", LIVE, lambda: json.dumps(configmap("live", {"managedFields": [e(fieldsV1="@")]})).replace('"@"', deep), JSON, uses=LIVE)
    yield Case("managedFields: PUT 10000 fields", "PUT", LIVE, lambda: configmap("live", {"managedFields": [e(fieldsV1={f"f:{i}": {} for i in range(10000)})]}), JSON, uses=LIVE)
    yield Case("managedFields: PUT 3000 entries", "PUT", LIVE, lambda: configmap("live", {"managedFields": [e(manager=f"m{i}") for i in range(3000)]}), JSON, uses=LIVE)
    for agent in ("a" * 300, "a/b", "/x", "", "\u00e9"):
        yield Case(f"managedFields: user agent {agent[:20]!r}", "PATCH", LIVE, {"data": {"u": "a"}}, MERGE, uses=LIVE, headers=("User-Agent: " + agent,))


# --- media types ------------------------------------------------------------------------------

def media_rows():
    types = ["text/plain", "application/xml", "application/json; charset=latin1", "application/json;", "application/json; a", "application/JSON", "json", "*/*", "application/*", "",
             ";", "application/json, application/yaml", "application/yaml; x=y", "text/yaml", "application/x-yaml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "a" * 5000,
             "application/json/json", "application/cbor", "application/merge-patch+json", "application/json;stream=watch", 'application/json; charset="utf-8', "application/vnd.kubernetes.protobuf;x"]
    for t in types:
        yield Case(f"type {t[:50]!r}: POST", "POST", DRY, configmap(), t)
        yield Case(f"type {t[:50]!r}: PUT", "PUT", LIVE + "?dryRun=All", LIVE_OBJECT, t, uses=LIVE)
        yield Case(f"type {t[:50]!r}: PATCH", "PATCH", LIVE + "?dryRun=All", {}, t, uses=LIVE)
        yield Case(f"type {t[:50]!r}: DELETE", "DELETE", LIVE + "?dryRun=All", {"apiVersion": "v1", "kind": "DeleteOptions"}, t, uses=LIVE)
        yield Case(f"type {t[:50]!r}: DELETE collection", "DELETE", DRY, {"apiVersion": "v1", "kind": "DeleteOptions"}, t)
        yield Case(f"type {t[:50]!r}: GET", "GET", LIVE, None, t, uses=LIVE)
    for m, p, b, u in (("POST", DRY, configmap(), None), ("PUT", LIVE + "?dryRun=All", LIVE_OBJECT, LIVE), ("PATCH", LIVE + "?dryRun=All", {}, LIVE),
                       ("DELETE", LIVE + "?dryRun=All", {"apiVersion": "v1", "kind": "DeleteOptions"}, LIVE)):
        yield Case(f"type absent: {m}", m, p, b, None, uses=u)
    t = "application/merge-patch+json"
    for extra in ("; charset=utf-8", ";", "; x", ", application/json"):
        yield Case(f"patch type with {extra!r}", "PATCH", LIVE + "?dryRun=All", {}, t + extra, uses=LIVE)
    for a in ["text/plain", "application/xml", "", ",", ";", "*", "*/*", "application/*", "text/*", "application/json;q=0", "application/json;q=2", "application/json;q=x", "application/json;as=Table",
              "application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=Table;v=bogus;g=meta.k8s.io", "application/json;as=Table;v=v1;g=bogus", "application/json;as=Bogus;v=v1;g=meta.k8s.io",
              "application/json;as=Table;v=v1;g=meta.k8s.io;as=Table", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", "application/json;pretty=x", "application/json;stream=bogus",
              "application/yaml;as=Table;v=v1;g=meta.k8s.io", "application/cbor", "application/json;export=1", "x", "application/json;a=b;a=c", "application/json;as", 'application/json;as="Table', "a/b;" * 2000,
              "application/json," * 2000, "text/html", "application/vnd.kubernetes.protobuf;as=Bogus;v=v1;g=meta.k8s.io", "text/plain, application/json"]:
        yield Case(f"accept {a[:70]!r}: GET", "GET", LIVE, None, None, (f"Accept: {a}",), LIVE)
        yield Case(f"accept {a[:70]!r}: list", "GET", CM + "?limit=1&fieldSelector=metadata.name=zz", None, None, (f"Accept: {a}",))
        yield Case(f"accept {a[:70]!r}: watch", "GET", CM + "?watch=1&timeoutSeconds=1&fieldSelector=metadata.name=zz", None, None, (f"Accept: {a}",),
                   only_status=True)
    for m, p, b, u in (("POST", DRY, configmap(), None), ("PUT", LIVE + "?dryRun=All", LIVE_OBJECT, LIVE), ("PATCH", LIVE + "?dryRun=All", {}, LIVE), ("DELETE", LIVE + "?dryRun=All", None, LIVE)):
        yield Case(f"accept text/plain: {m}", m, p, b, MERGE if m == "PATCH" else JSON, ("Accept: text/plain",), u)
        yield Case(f"accept of a Table: {m}", m, p, b, MERGE if m == "PATCH" else JSON, ("Accept: application/json;as=Table;v=v1;g=meta.k8s.io",), u)
    for p in ("/api", "/apis", "/api/v1", "/version", "/healthz", "/openapi/v2", "/openapi/v3"):
        for a in ("text/plain", "application/xml", "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList"):
            yield Case(f"accept {a}: {p}", "GET", p, None, None, (f"Accept: {a}",), only_status=True)
    for m in ("POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "FOO"):
        for p in (CM, LIVE, "/version", "/api", "/apis/apps/v1", LIVE + "/status", WEB + "/scale", "/healthz"):
            if not (m == "CONNECT" or (m in ("POST", "PUT", "PATCH", "DELETE") and p in (CM, LIVE))):
                yield Case(f"method {m} {p}", m, p, None, uses=LIVE if p == LIVE else None)


# --- names, versions, options -------------------------------------------------------------------

def label(name):
    return repr(name) if len(name) < 30 else f"{name[0]} x {len(name)}"


def name_rows():
    names = [".", "..", "a/b", "a%b", "x" * 253, "x" * 254, "", "A", "a_b", "-a", "a-", "a.", ".a", "a..b", "a b", "\u00e9", "a\nb", "x" * 100000, "a\0", "%41", "1", "a:b", "\t", "../../etc/passwd"]
    for n in names:
        yield Case(f"name {label(n)}: configmap", "POST", DRY, configmap(n), JSON)
        yield Case(f"name {label(n)}: generateName", "POST", DRY, configmap(None, {"generateName": n}), JSON, only_status=True)
        yield Case(f"name {label(n)}: service", "POST", NS + "/services?dryRun=All",
                   {"apiVersion": "v1", "kind": "Service", "metadata": {"name": n}, "spec": {"type": "ExternalName", "externalName": "a.b"}}, JSON)
        yield Case(f"name {label(n)}: role", "POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/bad-input/roles?dryRun=All",
                   {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": n}, "rules": []}, JSON)
        yield Case(f"name {label(n)}: namespace", "POST", "/api/v1/namespaces?dryRun=All", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}}, JSON)
        if n not in ("", "1", "x" * 253):
            yield Case(f"name {label(n)}: label", "POST", DRY, configmap("new", {"labels": {n: n}, "annotations": {n: n}}), JSON)
        yield Case(f"name {label(n)}: namespace of a body", "POST", DRY, configmap("new", {"namespace": n}), JSON)
    for n in (".", "..", "a%2Fb", "a%25b", "%00", "x" * 254, "A", "%20", "%0A", "a;b", "a%5Cb", "%C3%A9", "%ff", "a:b", "%2e%2e", "%2e", "a%2e%2e%2fb", "-", "live%20", "LIVE", "%252e"):
        for m in ("GET", "PUT", "PATCH", "DELETE"):
            yield Case(f"name by URL {label(n)}: {m}", m, CM + "/" + n, None if m in ("GET", "DELETE") else {} if m == "PATCH" else configmap("a"), {"PUT": JSON, "PATCH": MERGE}.get(m))
        yield Case(f"namespace by URL {label(n)}", "GET", f"/api/v1/namespaces/{n}/configmaps/a")
        yield Case(f"namespace by URL {label(n)}: POST", "POST", f"/api/v1/namespaces/{n}/configmaps", configmap("a"), JSON)
        yield Case(f"namespace by URL {label(n)}: list", "GET", f"/api/v1/namespaces/{n}/configmaps?limit=1")
    body = [("name", configmap("other"), "PUT", LIVE), ("namespace", configmap("live", {"namespace": "other"}), "PUT", LIVE), ("no name", configmap(None), "PUT", LIVE),
            ("empty object", {}, "PUT", LIVE), ("uid", configmap("live", {"uid": "other"}), "PUT", LIVE), ("uid of nothing", configmap("absent", {"uid": "other"}), "PUT", CM + "/absent"),
            ("namespace POST", configmap("new", {"namespace": "other"}), "POST", CM), ("namespace on a cluster object", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n", "namespace": "x"}}, "POST", "/api/v1/namespaces?dryRun=All"),
            ("cluster object in a namespace", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}, "POST", NS + "/nodes"), ("namespaced at the cluster", configmap(), "POST", "/api/v1/configmaps"),
            ("PUT absent", configmap("absent"), "PUT", CM + "/absent"), ("another kind", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "live"}}, "PUT", LIVE),
            ("another group", {"apiVersion": "apps/v1", "kind": "ConfigMap", "metadata": {"name": "live"}}, "PUT", LIVE), ("scale name", {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "x"}, "spec": {"replicas": 1}}, "PUT", WEB + "/scale"),
            ("scale kind", WEB_OBJECT, "PUT", WEB + "/scale"), ("scale negative", {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": -1}}, "PUT", WEB + "/scale"),
            ("binding", {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "x"}, "target": {"name": "n"}}, "POST", NS + "/pods/absent/binding"),
            ("eviction", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "other"}}, "POST", NS + "/pods/absent/eviction"),
            ("eviction kind", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "absent"}}, "POST", NS + "/pods/absent/eviction"),
            ("token kind", configmap(), "POST", NS + "/serviceaccounts/default/token"), ("review kind", configmap(), "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews"),
            ("review empty", {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}, "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews"),
            ("token review empty", {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}, "POST", "/apis/authentication.k8s.io/v1/tokenreviews"),
            ("local review elsewhere", {"apiVersion": "authorization.k8s.io/v1", "kind": "LocalSubjectAccessReview", "spec": {"user": "a", "resourceAttributes": {"namespace": "other"}}}, "POST",
             "/apis/authorization.k8s.io/v1/namespaces/bad-input/localsubjectaccessreviews"),
            ("finalize name", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}, "PUT", NS + "/finalize"), ("absent namespace", configmap(), "POST", "/api/v1/namespaces/absent/configmaps"),
            ("exists", LIVE_OBJECT, "POST", CM)]
    for n, b, m, p in body:
        yield Case("body and URL: " + n, m, p, b, JSON, uses=WEB if p.startswith(WEB) else LIVE)
    refs = lambda n, **more: configmap("new", {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": f"u{i}", **more} for i in range(n)]})
    yield from (Case("ownerReferences: " + n, "POST", DRY, b, JSON, only_status=s) for n, b, s in [
        ("100000", lambda: refs(20000), True), ("twice the same", refs(2, uid="u"), False), ("20000 times the same", lambda: refs(20000, uid="u"), False), ("empty", configmap("new", {"ownerReferences": [{}]}), False),
        ("two controllers", refs(2, controller=True), False), ("bad version", refs(1, apiVersion="a/b/c"), False), ("string", configmap("new", {"ownerReferences": "x"}), False),
        ("null", configmap("new", {"ownerReferences": [None]}), False), ("event owner", refs(1, kind="Event"), False), ("uid number", refs(1, uid=1), False)])
    labels = {"value of 64": {"a": "x" * 64}, "value of 63": {"a": "x" * 63}, "key of 64": {"x" * 64: ""}, "prefix of 254": {"x" * 254 + "/a": ""}, "empty key": {"": ""}, "two slashes": {"a/b/c": ""}, "empty name": {"a/": ""},
              "empty prefix": {"/a": ""}, "value space": {"a": " "}, "value dash": {"a": "-"}, "capital prefix": {"A/b": ""}}
    yield from (Case("labels: " + n, "POST", DRY, configmap("new", {"labels": v}), JSON) for n, v in labels.items())


def version_rows():
    huge = "9" * 40
    values = ["abc", "-1", "", "0", "00", "01", "1", "+1", "1.5", "0x1", " 1", "1 ", huge, "18446744073709551615", "18446744073709551616", "9223372036854775807", "%00", "1e3", "\u00e9"]
    for v in values:
        u = v.replace(" ", "%20").replace("+", "%2B").replace("\u00e9", "%C3%A9")
        yield Case(f"resourceVersion {v!r}: POST", "POST", CM + "?dryRun=All", configmap("new", {"resourceVersion": v}), JSON)
        yield Case(f"resourceVersion {v!r}: POST for good", "POST", CM, configmap("live", {"resourceVersion": v}), JSON, before=[("DELETE", LIVE, None, None)])
        yield Case(f"resourceVersion {v!r}: PUT", "PUT", LIVE, {**LIVE_OBJECT, "metadata": {"name": "live", "resourceVersion": v}}, JSON, uses=LIVE)
        yield Case(f"resourceVersion {v!r}: PUT deployment", "PUT", WEB, {**WEB_OBJECT, "metadata": {"name": "web", "resourceVersion": v}}, JSON, uses=WEB)
        yield Case(f"resourceVersion {v!r}: precondition", "DELETE", LIVE, {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"resourceVersion": v}}, JSON, uses=LIVE)
        future = v in (huge, "18446744073709551615", "9223372036854775807")
        yield Case(f"resourceVersion {v!r}: list", "GET", CM + "?resourceVersion=" + u, uses=LIVE)
        yield Case(f"resourceVersion {v!r}: GET", "GET", LIVE + "?resourceVersion=" + u, uses=LIVE)
        if v not in ("", "0", "00", "01", "1", "+1"):
            yield Case(f"resourceVersion {v!r}: watch", "GET", CM + "?watch=1&timeoutSeconds=1&resourceVersion=" + u, uses=LIVE)
        yield Case(f"resourceVersion {v!r}: delete collection", "DELETE", CM + "?dryRun=All&resourceVersion=" + u, uses=LIVE)
        for match in ("Exact", "NotOlderThan", "Bogus", "exact"):
            if not (match == "Exact" and v in ("1", "01")):
                yield Case(f"resourceVersion {v!r} {match}: list", "GET", CM + f"?resourceVersion={u}&resourceVersionMatch={match}", uses=LIVE)
    many = [("match alone", "resourceVersionMatch=Exact"), ("match alone NotOlderThan", "resourceVersionMatch=NotOlderThan"), ("match empty", "resourceVersion=1&resourceVersionMatch="),
            ("match of a watch", "watch=1&timeoutSeconds=1&resourceVersionMatch=NotOlderThan"), ("match Exact of a watch", "watch=1&timeoutSeconds=1&resourceVersion=1&resourceVersionMatch=Exact"),
            ("match with continue", "continue=abc&resourceVersionMatch=Exact"), ("match, continue and version", "continue=abc&resourceVersion=1&resourceVersionMatch=NotOlderThan"),
            ("continue and version", "continue=abc&resourceVersion=1"), ("continue and version 0", "continue=abc&resourceVersion=0"), ("limit and version 0", "limit=1&resourceVersion=0"),
            ("initial events of a list", "sendInitialEvents=true"), ("initial events false of a list", "sendInitialEvents=false"), ("initial events abc", "watch=1&timeoutSeconds=1&sendInitialEvents=abc"),
            ("initial events without match", "watch=1&timeoutSeconds=1&sendInitialEvents=true"), ("initial events Exact", "watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=Exact"),
            ("initial events no bookmarks", "watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"), ("initial events false with match", "watch=1&timeoutSeconds=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan"),
            ("initial events version abc", "watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=abc"),
            ("initial events bogus match", "watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=bogus"),
            ("initial events future", "watch=1&timeoutSeconds=9&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=900000000000"),
            ("future list", "resourceVersion=900000000000"), ("future list NotOlderThan", "resourceVersion=900000000000&resourceVersionMatch=NotOlderThan"), ("future list Exact", "resourceVersion=900000000000&resourceVersionMatch=Exact"),
            ("continue of a watch", "watch=1&timeoutSeconds=1&continue=abc"), ("watch abc", "watch=abc&timeoutSeconds=1"), ("watch 2", "watch=2&timeoutSeconds=1"), ("watch empty", "watch=&timeoutSeconds=1"), ("bookmarks abc", "allowWatchBookmarks=abc"), ("bookmarks of a list", "allowWatchBookmarks=true&fieldSelector=metadata.name=zz")]
    yield from (Case("list options: " + n, "GET", CM + "?" + q, uses=LIVE) for n, q in many)
    yield Case("list options: future GET", "GET", LIVE + "?resourceVersion=900000000000", uses=LIVE)
    token = lambda v: base64.urlsafe_b64encode(v if isinstance(v, bytes) else json.dumps(v, separators=(",", ":")).encode()).decode().rstrip("=")
    good = {"v": "meta.k8s.io/v1", "rv": 1, "start": "live\u0000"}
    table = [("not base64", "***"), ("word", "abc"), ("empty JSON", token({})), ("bad JSON", token(b"{")), ("junk", token(b"\xff\xfe\0")), ("list", token([])), ("null", token(None)), ("number", token(1)), ("trailing", token(json.dumps(good).encode() + b"x")),
             ("no version", token({"rv": 1, "start": "a"})), ("version v2", token({**good, "v": "v2"})), ("version number", token({**good, "v": 1})), ("rv 0", token({**good, "rv": 0})), ("rv string", token({**good, "rv": "1"})), ("rv float", token({**good, "rv": 1.5})),
             ("rv huge", token(b'{"v":"meta.k8s.io/v1","rv":99999999999999999999,"start":"a"}')), ("rv future", token({**good, "rv": 900000000000})), ("start empty", token({**good, "start": ""})), ("start number", token({**good, "start": 1})),
             ("start missing", token({"v": "meta.k8s.io/v1", "rv": 1})), ("start ../x", token({**good, "start": "../x"})), ("start /a/../b", token({**good, "start": "a/../b"})), ("start ./x", token({**good, "start": "./x"})), ("start ..", token({**good, "start": ".."})),
             ("start //", token({**good, "start": "//"})), ("start /", token({**good, "start": "/"})), ("unknown field", token({**good, "rv": 0, "zz": 1})), ("padding", token(good) + "=="), ("space", "a%20b"), ("a MiB", "QUFB" * 200000), ("plus", "a%2Bb/"), ("newline", "ab%0Ac"), ("one letter", "a"), ("duplicate keys", token(b'{"v":"meta.k8s.io/v1","v":"v2"}')),
             ("deep", token(b"[" * 20000))]
    yield from (Case("continue: " + n, "GET", CM + "?limit=5&continue=" + t, uses=LIVE) for n, t in table)
    yield from (Case("continue: delete collection " + n, "DELETE", CM + "?dryRun=All&limit=5&continue=" + t, uses=LIVE) for n, t in table[:6])


def option_rows():
    for name, values in {"timeout": ["abc", "-1s", "0", "1", "1x", "", "1h", "9999999h", "1s1", "%00", "1e3s", "35s"], "timeoutSeconds": ["abc", "-1", "1.5", "", "99999999999999999999", "0x1", "1"], "limit": ["abc", "-1", "1.5", "", "9223372036854775808", "9223372036854775807", "1e3"],
                         "pretty": ["abc"], "zz": ["%ff"]}.items():
        for v in values:
            yield Case(f"option {name}={v}: list", "GET", CM + f"?fieldSelector=metadata.name=zz&{name}={v}")
            yield Case(f"option {name}={v}: GET", "GET", LIVE + f"?{name}={v}", uses=LIVE)
            yield Case(f"option {name}={v}: POST", "POST", CM + f"?fieldManager=a&{name}={v}" + "&dryRun=All", configmap(), JSON)
            yield Case(f"option {name}={v}: DELETE", "DELETE", CM + f"/absent?{name}={v}")
            if name in ("timeout", "timeoutSeconds", "limit") and v not in ("", "1h", "9999999h", "-1", "0", "35s", "9223372036854775807"):
                yield Case(f"option {name}={v}: watch", "GET", CM + f"?watch=1&fieldSelector=metadata.name=zz&{name}={v}" + ("" if name == "timeoutSeconds" else "&timeoutSeconds=1"), only_status=True)
    for q in ("dryRun=x", "dryRun=", "dryRun=All&dryRun=All", "dryRun=All&dryRun=x", "dryRun=all", "dryRun=true", "fieldValidation=x", "fieldValidation=strict", "fieldValidation=", "fieldValidation=Strict&fieldValidation=Warn", "fieldManager=" + "m" * 129, "fieldManager=%0A",
              "fieldManager=%C3%A9", "fieldManager=%ff", "dryRun=x&fieldValidation=x&fieldManager=" + "m" * 129, "pretty=x", "zz=1"):
        safe = "" if "dryRun" in q else "&dryRun=All"
        yield Case(f"option {q[:60]}: POST", "POST", CM + "?" + q + safe, configmap(), JSON, before=[("DELETE", CM + "/new", None, None)])
        yield Case(f"option {q[:60]}: PUT", "PUT", LIVE + "?" + q + safe, LIVE_OBJECT, JSON, uses=LIVE)
        yield Case(f"option {q[:60]}: PATCH", "PATCH", LIVE + "?" + q + safe, {}, MERGE, uses=LIVE)
        yield Case(f"option {q[:60]}: DELETE", "DELETE", LIVE + "?" + q + safe, uses=LIVE)
        yield Case(f"option {q[:60]}: DELETE collection", "DELETE", CM + "?" + q + safe, uses=LIVE)
    for q in ("propagationPolicy=x", "propagationPolicy=", "propagationPolicy=foreground", "propagationPolicy=Orphan&orphanDependents=true", "orphanDependents=x", "orphanDependents=true&propagationPolicy=Background", "gracePeriodSeconds=abc", "gracePeriodSeconds=-1", "gracePeriodSeconds=1.5",
              "gracePeriodSeconds=", "gracePeriodSeconds=99999999999999999999", "ignoreStoreReadErrorWithClusterBreakingPotential=x", "ignoreStoreReadErrorWithClusterBreakingPotential=true", "preconditions=x"):
        yield Case(f"option {q}: DELETE", "DELETE", LIVE + "?dryRun=All&" + q, uses=LIVE)
        yield Case(f"option {q}: DELETE collection", "DELETE", CM + "?dryRun=All&" + q, uses=LIVE)
    options = lambda **more: {"apiVersion": "v1", "kind": "DeleteOptions", **more}
    table = [("empty", ""), ("null", "null"), ("array", "[]"), ("open", "{"), ("empty object", "{}"), ("another kind", configmap()), ("unknown kind", {"apiVersion": "v1", "kind": "Nothing"}), ("meta.k8s.io", {"apiVersion": "meta.k8s.io/v1", "kind": "DeleteOptions"}), ("of another group", {"apiVersion": "apps/v1", "kind": "DeleteOptions"}),
             ("no group like it", {"apiVersion": "zz/v1", "kind": "DeleteOptions"}), ("grace string", options(gracePeriodSeconds="x")), ("grace -1", options(gracePeriodSeconds=-1)), ("grace float", options(gracePeriodSeconds=1.5)), ("policy x", options(propagationPolicy="x")), ("policy number", options(propagationPolicy=1)),
             ("both policies", options(propagationPolicy="Orphan", orphanDependents=True)), ("dryRun x", options(dryRun=["x"])), ("dryRun string", options(dryRun="All")), ("dryRun twice", options(dryRun=["All", "All"])), ("uid of another", options(preconditions={"uid": "x"})), ("uid number", options(preconditions={"uid": 1})),
             ("preconditions string", options(preconditions="x")), ("unknown field", options(zz=1)), ("deep", lambda: '{"zz":' + "[" * 20000), ("ignore errors", options(ignoreStoreReadErrorWithClusterBreakingPotential=True)), ("ignore errors and more", options(ignoreStoreReadErrorWithClusterBreakingPotential=True, gracePeriodSeconds=0)), ("YAML", "kind: DeleteOptions\n")]
    for n, b in table:
        yield Case(f"DeleteOptions {n}: DELETE", "DELETE", LIVE + "?dryRun=All", b, JSON, uses=LIVE)
        yield Case(f"DeleteOptions {n}: DELETE collection", "DELETE", DRY, b, JSON, uses=LIVE)
    yield Case("DeleteOptions and query", "DELETE", LIVE + "?gracePeriodSeconds=abc", options(dryRun=["All"]), JSON, uses=LIVE)


def selector_rows():
    values = [("garbage", "%%%"), ("open", "a in ("), ("in without a list", "a in"), ("empty set", "a in ()"), ("comma", ","), ("two commas", "a,,b"), ("trailing comma", "a,"), ("leading comma", ",a"), ("equals", "="), ("no key", "=a"), ("three equals", "a===b"), ("a=b=c", "a=b=c"), ("bang", "!"), ("two bangs", "!!a"), ("bang value", "!a=b"),
              ("gt word", "a>b"), ("gt number", "a>1"), ("gt two", "a>1,2"), ("lt empty", "a<"), ("key bad", "a b=c"), ("key slash", "a/b/c=d"), ("key long", "x" * 254), ("prefix long", "x" * 254 + "/a"), ("value long", "a=" + "x" * 64), ("value bad", "a=b c"), ("value slash", "a=b/c"), ("NUL", "a\0"), ("UTF-8", "\u00e9=1"), ("newline", "a\n=b"), ("spaces", "   "), ("space list", "a in ( b , c )"),
              ("in capital", "a IN (b)"), ("notin", "a notin (b"), ("paren", "("), ("parens", "()"), ("in in", "in in (in)"), ("x y", "x y"), ("a in b", "a in b"), ("a in (b) c", "a in (b) c"), ("a in (b,,c)", "a in (b,,c)"), ("a in (,)", "a in (,)"), ("a in (b c)", "a in (b c)"), ("gt float", "a>1.5"), ("gt negative", "a>-1"), ("gt huge", "a>99999999999999999999"), ("quotes", 'a="b"'), ("backslash", "a=\\"), ("a!b", "a!b"), ("a!=", "a!="), ("a=!b", "a=!b"),
              ("many of one kind", lambda: ",".join(["a"] * 100000)), ("many requirements", lambda: ",".join(f"k{i}=v" for i in range(60000))), ("a big set", lambda: "a in (" + ",".join(f"v{i}" for i in range(100000)) + ")"), ("half a MiB of a word", lambda: "a" * 500000), ("half a MiB of parens", lambda: "(" * 500000), ("half a MiB of commas", lambda: "," * 500000), ("many sets", lambda: ",".join(f"a in (b{i})" for i in range(40000))), ("many open sets", lambda: "a in (" * 50000),
              ("many bangs", lambda: "!" * 500000), ("many spaces", lambda: "a" + " " * 100000 + "=b")]
    quote = lambda s: "".join(chr(c) if chr(c).isalnum() or chr(c) in "(),!." else "%%%02X" % c for c in s.encode())
    for n, v in values:
        for kind in ("labelSelector", "fieldSelector"):
            text = v() if callable(v) else v
            yield Case(f"{kind}: {n}", "GET", CM + f"?{kind}=" + quote(text), uses=LIVE, only_status=len(text) > 1000 and kind == "labelSelector" and "of" not in n)
        if len(text) < 1000:
            yield Case(f"labelSelector: {n} watch", "GET", CM + "?watch=1&timeoutSeconds=1&labelSelector=" + quote(v), only_status=True)
            yield Case(f"labelSelector: {n} delete collection", "DELETE", DRY + "&labelSelector=" + quote(v), uses=LIVE)
    fields = ["metadata.name=a", "metadata.name!=a", "metadata.name==a", "metadata.name=a,metadata.name=b", "metadata.name=", "metadata.uid=a", "spec.nodeName=a", "zz=a", "metadata.name", "metadata.name=a=b", "metadata.name>a", "metadata.name=a\\", "metadata.name=a\\,b", "metadata.name=a\\b", "metadata.namespace=other", "=", "!=", "==", "metadata.name=a,", ",metadata.name=a", "metadata.name in (a)", "metadata.name=a/b", "metadata.name=..", "status.phase=x"]
    for f in fields:
        for p, what in ((CM, "configmaps"), (NS + "/pods", "pods"), (NS + "/events", "events"), ("/api/v1/namespaces", "namespaces"), (DEPLOYMENTS, "deployments")):
            if not (what == "namespaces" and "!=" in f):
                yield Case(f"fieldSelector {f}: {what}", "GET", p + "?fieldSelector=" + quote(f), uses=LIVE if p == CM else None,
                           only_status=f in ("=", "!=", "=="))
        yield Case(f"fieldSelector {f}: watch", "GET", CM + "?watch=1&timeoutSeconds=1&fieldSelector=" + quote(f), only_status=True)
    yield Case("fieldSelector: another name than the URL's", "GET", LIVE + "?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dother", uses=LIVE)
    yield Case("fieldSelector: watch path, another name", "GET", "/api/v1/watch/namespaces/bad-input/configmaps/live?timeoutSeconds=1&fieldSelector=metadata.name%3Dother", uses=LIVE)
    many = lambda s: "&".join(s for _ in range(100000))
    yield Case("query: 100000 parameters", "GET", LIVE + "?" + "&".join(f"k{i}" for i in range(100000)), uses=LIVE)
    yield Case("query: 100000 the same", "GET", LIVE + "?" + many("a=b"), uses=LIVE)
    yield Case("query: 100000 limits", "GET", CM + "?fieldSelector=metadata.name=zz&" + many("limit=1"))
    yield Case("query: 100000 ampersands", "GET", LIVE + "?" + "&" * 100000, uses=LIVE)
    yield Case("query: 100000 dryRun", "POST", CM + "?" + many("dryRun=x")[:900000], configmap(), JSON)
    yield Case("query: 100000 dryRun All", "POST", CM + "?" + many("dryRun=All")[:900000].rsplit("&", 1)[0], configmap(), JSON)
    yield Case("query: semicolon", "GET", CM + "?limit=1;limit=abc&fieldSelector=metadata.name=zz")
    yield Case("query: bad escape", "GET", CM + "?limit=%zz&fieldSelector=metadata.name=zz")
    yield Case("query: bad escape in a name", "GET", CM + "?%zz=1&fieldSelector=metadata.name=zz")
    yield Case("query: NUL", "GET", CM + "?limit=%00")
    yield Case("query: plus", "GET", CM + "?limit=+1")
    yield Case("query: encoded ampersand", "GET", CM + "?limit=1%26limit=2")
    yield Case("query: two questions", "GET", CM + "??limit=abc&fieldSelector=metadata.name=zz")
    yield Case("query: cookies", "GET", LIVE, headers=("Cookie: " + "a=b; " * 100000,), uses=LIVE)
    yield Case("query: 20000 headers", "GET", LIVE, headers=tuple(f"X-{i}: y" for i in range(20000)), uses=LIVE)


def path_rows():
    table = ["/api/v1/watch", "/api/v1/watch/", "/api/v1/watch/namespaces", "/api/v1/watch/namespaces/", "/api/v1/watch/namespaces/bad-input", "/api/v1/watch/namespaces/bad-input/configmaps/a/b", "/api/v1/watch/namespaces/bad-input/configmaps/a/b/c", "/api/v1/watch/zz", "/api/v1/watch/watch/pods", "/api/v1/proxy", "/api/v1/proxy/", "/api/v1/proxy/namespaces",
             "/api/v1/proxy/namespaces/bad-input/pods/x", "/api/v1/proxy/nodes/x", "/api/v1/redirect/nodes/x", "/apis/a/b/c/d/e/f/g/h", "/apis/apps", "/apis/apps/", "/apis/apps/v9", "/apis/apps/v1/", "/apis/apps/v1/zz", "/apis/zz", "/apis/zz/v1", "/apis/zz/v1/pods", "/api/", "/api/v1/", "/api/v2", "/api/v1/zz", "/api/v1//namespaces", "//api/v1", "/api/v1/namespaces/bad-input/",
             NS + "//", CM + "/", CM + "//", LIVE + "/", LIVE + "/zz", LIVE + "/status", LIVE + "/a/b/c", WEB + "/scale/x", WEB + "/zz", WEB + "/status/x", NS + "/zz", NS + "/zz/x", NS + "/nodes", NS + "/nodes/x", NS + "/namespaces", "/api/v1/configmaps/x", "/api/v1/pods/x", "/apis/rbac.authorization.k8s.io/v1/namespaces/bad-input/clusterroles", "/apis/rbac.authorization.k8s.io/v1/namespaces/bad-input/clusterroles/admin",
             "/api/v1/namespaces/bad-input/status", "/api/v1/namespaces/bad-input/finalize", "/api/v1/../v1/namespaces", "/api/v1/./namespaces", "/api/%2e%2e/version", "/..%2fversion", "/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/api/v1%00", "/api;x/v1", "/api/v1;x", "/api\\v1", "/api/v1/namespaces/bad-input%2Fconfigmaps?fieldSelector=metadata.name=zz", "/api/v1%2Fnamespaces%2Fbad-input%2Fconfigmaps%2Fabsent", "/API/v1", "/Version", "/version/", "/version/x", "/healthz/", "/healthz/zz", "/livez/zz", "/readyz/zz", "/healthz?exclude=zz",
             "/livez?verbose=x&exclude=ping", "/openapi/v2/x", "/openapi/v3/x", "/openapi/v3/apis/zz/v1", "/openapi/v3/api/v1?hash=zz", "/openapi", "/openapi/v9", "/swagger.json", "/.well-known/openid-configuration/x", "/openid/v1/jwks/x", "/metrics/x", "/logs", "/logs/../x", "/debug/pprof/zz", "/ui", "/favicon.ico", "/robots.txt", "/.git/config", "/%", "/%zz", "/%41pi", "/a%0d%0aX:%20y", "/?zz", "/#a", "/api/v1/namespaces/bad-input/pods/x/log", "/api/v1/namespaces/bad-input/pods/x/exec", "/api/v1/namespaces/bad-input/pods/x/proxy/a/b",
             "/api/v1/namespaces/bad-input/pods/x/attach", "/api/v1/namespaces/bad-input/pods/x/portforward", "/api/v1/namespaces/bad-input/services/x/proxy", "/api/v1/nodes/x/proxy/", "/api/v1/namespaces/bad-input/services/https:x:y:z/proxy/", "/api/v1/componentstatuses/x", "/api/v1/namespaces/bad-input/bindings", "/api/v1/bindings", "/apis/authentication.k8s.io/v1/tokenreviews", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews/x"]
    for p in table:
        watched = p.startswith("/api/v1/watch/namespaces")
        yield Case(f"path {p}", "GET", p + "?timeoutSeconds=1" * watched, only_status=watched, uses=LIVE if p.startswith(CM) else WEB if p.startswith(WEB) else None)
        if not any(w in p for w in ("healthz", "livez", "readyz", "version", "//", "%", "..", "swagger", "#", "?", "log", "exec", "proxy", "attach", "portforward")):
            yield Case(f"path {p}: POST", "POST", p, {}, JSON, uses=LIVE if p.startswith(CM) else WEB if p.startswith(WEB) else None)
            if p not in (CM + "/", NS + "/"):  # these would delete what the rows need
                yield Case(f"path {p}: DELETE", "DELETE", p, uses=LIVE if p.startswith(CM) else WEB if p.startswith(WEB) else None)
    big = [("a", "/" + "a" * 1000000), ("slashes", "/" * 1000000), ("dots", "/.." * 300000), ("dot slash", "/." * 400000), ("parts", "/a" * 400000), ("encoded dots", "/%2e%2e" * 100000), ("encoded slashes", "%2f".join(["/a"] * 100000)), ("api parts", "/api/v1" + "/a" * 400000), ("percents", "/" + "%25" * 300000), ("watch", "/api/v1/watch" * 50000), ("long name", CM + "/" + "x" * 900000), ("long namespace", "/api/v1/namespaces/" + "x" * 900000 + "/pods"), ("long group", "/apis/" + "x" * 900000 + "/v1")]
    yield from (Case("path: a MiB of " + n, "GET", p) for n, p in big)


def access_rows():
    g = lambda name, *headers, **more: Case("access: " + name, "GET", LIVE, None, None, headers, LIVE, **more)
    who = lambda name, *headers: Case("access: who " + name, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}, JSON, headers)
    table = [("group without a user", "Impersonate-Group: g"), ("uid without a user", "Impersonate-Uid: u"), ("extra without a user", "Impersonate-Extra-A: b"), ("empty user", "Impersonate-User: "), ("empty user and group", "Impersonate-User: ", "Impersonate-Group: g"), ("two users", "Impersonate-User: a", "Impersonate-User: b"),
             ("10000 groups", "Impersonate-User: a", *[f"Impersonate-Group: g{i}" for i in range(10000)]), ("the same group", "Impersonate-User: a", *["Impersonate-Group: g"] * 5000), ("empty group", "Impersonate-User: a", "Impersonate-Group: "), ("extra bad escape", "Impersonate-User: a", "Impersonate-Extra-%zz: x"), ("extra escape", "Impersonate-User: a", "Impersonate-Extra-a%2Fb: x"),
             ("extra CRLF", "Impersonate-User: a", "Impersonate-Extra-a%0D%0Ab: x"), ("extra empty name", "Impersonate-User: a", "Impersonate-Extra-: x"), ("extra twice", "Impersonate-User: a", "Impersonate-Extra-A: x", "Impersonate-Extra-a: y"), ("two uids", "Impersonate-User: a", "Impersonate-Uid: 1", "Impersonate-Uid: 2"), ("user UTF-8", "Impersonate-User: \u00e9"), ("user long", "Impersonate-User: " + "x" * 100000),
             ("service account", "Impersonate-User: system:serviceaccount:a:b"), ("service account bad", "Impersonate-User: system:serviceaccount:a"), ("service account worse", "Impersonate-User: system:serviceaccount:A_:b:c"), ("anonymous", "Impersonate-User: system:anonymous"), ("anonymous with a group", "Impersonate-User: system:anonymous", "Impersonate-Group: g"), ("masters", "Impersonate-User: a", "Impersonate-Group: system:masters"), ("node", "Impersonate-User: system:node:x"),
             ("authenticated group", "Impersonate-User: a", "Impersonate-Group: system:authenticated"), ("unauthenticated group", "Impersonate-User: a", "Impersonate-Group: system:unauthenticated")]
    for n, *h in table:
        yield g(n, *h)
        yield g(n + " by alice", *h, token="alicetoken")
        yield who(n, *h)
    auth = [("no token", None), ("empty", ""), ("Bearer", "Bearer"), ("Bearer and a space", "Bearer "), ("small bearer", "bearer admintoken"), ("capital BEARER", "BEARER admintoken"), ("two spaces", "Bearer  admintoken"), ("three parts", "Bearer admintoken x"), ("tab", "Bearer\tadmintoken"), ("Basic", "Basic YTpi"), ("Basic bad", "Basic ***"), ("Negotiate", "Negotiate x"), ("unknown", "Bearer nothing"), ("comma", "Bearer admintoken, Bearer x"), ("quoted", 'Bearer "admintoken"'),
            ("no scheme", "admintoken"), ("NUL like", "Bearer %00"), ("UTF-8", "Bearer \u00e9"), ("long", "Bearer " + "x" * 900000), ("dots", "Bearer " + "." * 900000), ("two dots", "Bearer .."), ("JWT none", "Bearer eyJhbGciOiJub25lIn0.e30."), ("JWT bad", "Bearer a.b.c"), ("JWT junk", "Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2t1YmVybmV0ZXMuZGVmYXVsdC5zdmMifQ.AAAA"), ("JWT deep", "Bearer " + base64.urlsafe_b64encode(b"[" * 100000).decode().rstrip("=") + ".e30.AA"),
            ("JWT deep claims", "Bearer eyJhbGciOiJSUzI1NiJ9." + base64.urlsafe_b64encode(b'{"iss":"https://kubernetes.default.svc","a":' + b"[" * 100000).decode().rstrip("=") + ".AA")]
    for n, v in auth:
        yield Case("authorization: " + n, "GET", LIVE, None, None, () if v is None else ("Authorization: " + v,), LIVE, token=None)
    yield Case("authorization: twice", "GET", LIVE, None, None, ("Authorization: Bearer nothing", "Authorization: Bearer admintoken"), LIVE, token=None)
    yield Case("authorization: for /version", "GET", "/version", None, None, ("Authorization: Bearer nothing",), token=None)
    yield Case("authorization: in the query", "GET", LIVE + "?access_token=admintoken", uses=LIVE, token=None)
    yield Case("authorization: websocket protocol", "GET", LIVE, None, None, ("Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.YWRtaW50b2tlbg",), LIVE, token=None)
    yield Case("authorization: anonymous POST", "POST", CM, configmap(), JSON, token=None)
    yield Case("authorization: anonymous nothing", "GET", "/zz", token=None)
    yield Case("authorization: alice POST", "POST", CM, "{", JSON, token="alicetoken")
    yield Case("authorization: alice and a big body", "POST", CM, lambda: b" " * (LIMIT + 1), JSON, token="alicetoken")
    for h in ("X-Forwarded-For: 1.2.3.4", "X-Remote-User: root", "X-Forwarded-Host: evil", "X-HTTP-Method-Override: DELETE", "Upgrade: websocket", "Connection: Upgrade", "Range: bytes=0-5", "If-Match: x", "If-None-Match: *", "Accept-Encoding: br", "Accept-Encoding: gzip;q=0", "Accept-Encoding: zz, gzip", "Origin: http://evil", "Audit-ID: " + "x" * 1000, "Audit-ID: a b", "Traceparent: zz", "User-Agent: "):
        yield g("header " + h[:40], h)
    yield g("websocket upgrade of a GET", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: x")


def all_rows():
    return [*json_patch_rows(), *other_patch_rows(), *apply_rows(), *managed_fields_rows(), *media_rows(), *name_rows(), *version_rows(), *option_rows(), *selector_rows(), *path_rows(), *access_rows()]
