"""Rows of test_bad_input.py about bodies: JSON, numbers, fields, YAML, protobuf, sizes.

Each row is one request. What it must be answered stands in bad_input_answers.json, recorded from
kube-apiserver v1.36.3 (BAD_INPUT_RECORD=1 with APISIM_URL records again), never written by hand.
Bodies may be functions, so that megabytes are only made when they are sent.
"""

import base64
import dataclasses
import gzip
import json
import struct

NS = "/api/v1/namespaces/bad-input"
CM = NS + "/configmaps"
LIVE = CM + "/live"
DRY = CM + "?dryRun=All"
DEPLOYMENTS = "/apis/apps/v1/namespaces/bad-input/deployments"
WEB = DEPLOYMENTS + "/web"
JSON, YAML = "application/json", "application/yaml"
PROTO = "application/vnd.kubernetes.protobuf"
JSON_PATCH, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
MIB = 1 << 20
LIMIT = 3 * MIB


@dataclasses.dataclass
class Case:
    name: str
    method: str
    path: str  # %RV% is the resourceVersion of the object in `uses`
    body: object = None  # bytes, str, something for json.dumps, or a function that makes one
    type: str | None = None
    headers: tuple = ()  # of "Name: value"
    uses: str | None = None  # path of the object to make anew first: LIVE or WEB
    before: tuple = ()  # requests (method, path, body, type) to send first
    token: str | None = ""  # "" is the administrator's, None sends no Authorization
    only_status: bool = False  # compare the status and nothing else

    def payload(self, version="0"):
        body = self.body() if callable(self.body) else self.body
        if body is None or isinstance(body, bytes):
            return body
        text = body if isinstance(body, str) else json.dumps(body)
        return text.replace("%RV%", version).encode("utf-8", "surrogatepass")


def configmap(name="new", meta=None, **more):
    return {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {**({} if name is None else {"name": name}), **(meta or {})}, **more}


def deployment(name="web", spec=None, **more):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "replicas": 1, **(spec or {}),
                     "template": {"metadata": {"labels": {"a": "b"}},
                                  "spec": {"containers": [{"name": "c", "image": "i"}]}}}, **more}


LIVE_OBJECT = configmap("live", {"labels": {"l": "1"}}, data={"k": "v", "n": "1"})
WEB_OBJECT = deployment()


def text(inner, name="new"):
    """A ConfigMap in JSON with a piece of raw text in front of the closing brace."""
    return ('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s"}' % name) + inner + "}"


def rows(prefix, make, table):
    return [make(f"{prefix}: {name}", *rest) for name, *rest in table]


def create(name, body, type=JSON, **more):
    return Case(name, "POST", DRY, body, type, **more)


# --- JSON -------------------------------------------------------------------------------------

def json_rows():
    yield from rows("json", create, [
        ("empty", ""), ("spaces", "  \n"), ("null", "null"), ("array", "[]"), ("number", "1"),
        ("string", '"a"'), ("true", "true"), ("open brace", "{"), ("close brace", "}"),
        ("empty object", "{}"), ("two objects", "{}{}"), ("trailing word", text("") + " x"),
        ("trailing object", text("") + "{}"), ("BOM", b"\xef\xbb\xbf" + text("").encode()),
        ("NUL", b"\0"), ("trailing NUL", text("").encode() + b"\0"), ("binary", bytes(range(256))),
        ("trailing comma", text(',"data":{"a":"b",}')), ("comment", text('/*x*/')),
        ("single quotes", "{'kind':'ConfigMap'}"), ("bare key", text(",data:{}")),
        ("missing colon", text(',"data"{}')), ("missing value", text(',"data":')),
        ("unterminated string", '{"kind":"Conf'), ("half an escape", '{"kind":"Conf\\'),
        ("unterminated object", text("")[:-1]), ("raw newline in a string", text(',"data":{"a":"\n"}')),
        ("raw control in a string", text(',"data":{"a":"\x01"}')),
        ("bad escape", text(',"data":{"a":"\\x41"}')), ("short unicode", text(',"data":{"a":"\\u12"}')),
        ("bad unicode", text(',"data":{"a":"\\u12g4"}')), ("NaN", text(',"immutable":NaN')),
        ("Infinity", text(',"immutable":Infinity')), ("True", text(',"immutable":True')),
        ("nul", text(',"immutable":nul')), ("vertical tab", "{\v}"), ("nbsp", "{\u00a0}"),
        ("array for object", text("")[:-1] + "]"), ("lone surrogate", text(',"data":{"a":"\\ud800x"}')),
        ("inverted surrogates", text(',"data":{"a":"\\udc00\\ud800"}')),
        ("surrogate and a letter", text(',"data":{"a":"\\ud800\\u0041"}')),
        ("invalid UTF-8", text(',"data":{"a":"').encode() + b'\xff\xfe"}}'),
        ("overlong UTF-8", text(',"data":{"a":"').encode()[:-1] + b'\xc0\xaf\xe0\x80\xaf"}}'),
        ("cut UTF-8", text(',"data":{"a":"').encode()[:-1] + b'\xe2\x82"}}'),
        ("surrogate in UTF-8", text(',"data":{"a":"').encode()[:-1] + b'\xed\xa0\x80"}}'),
        ("NUL in a value", text(',"data":{"a":"\\u0000"}')), ("NUL in a key", text(',"data":{"a\\u0000b":""}')),
        ("NUL in the name", text("", "a\\u0000b")), ("invalid UTF-8 in the name", text("", "a\udcffb").encode("utf-8", "surrogateescape")),
        ("lone surrogate in a label", text('').replace('"new"', '"new","labels":{"a":"\\ud800"}')),
        ("no kind", {"apiVersion": "v1", "metadata": {"name": "new"}}),
        ("no apiVersion", {"kind": "ConfigMap", "metadata": {"name": "new"}}),
        ("neither", {"metadata": {"name": "new"}}), ("no metadata", {"apiVersion": "v1", "kind": "ConfigMap"}),
        ("another kind", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "new"}}),
        ("unknown kind", {"apiVersion": "v1", "kind": "Nothing", "metadata": {"name": "new"}}),
        ("kind of the list", {"apiVersion": "v1", "kind": "ConfigMapList", "items": []}),
        ("kind List", {"apiVersion": "v1", "kind": "List", "items": []}),
        ("kind Status", {"apiVersion": "v1", "kind": "Status"}),
        ("kind DeleteOptions", {"apiVersion": "v1", "kind": "DeleteOptions"}),
        ("small kind", {"apiVersion": "v1", "kind": "configmap", "metadata": {"name": "new"}}),
        ("another group", {"apiVersion": "apps/v1", "kind": "ConfigMap", "metadata": {"name": "new"}}),
        ("unknown version", {"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "new"}}),
        ("three part version", {"apiVersion": "a/b/c", "kind": "ConfigMap"}),
        ("slash version", {"apiVersion": "/", "kind": "ConfigMap"}),
        ("version with a space", {"apiVersion": " v1", "kind": "ConfigMap"}),
        ("kind number", {"apiVersion": "v1", "kind": 1}), ("kind null", {"apiVersion": "v1", "kind": None}),
        ("apiVersion list", {"apiVersion": [], "kind": "ConfigMap"}),
        ("internal version", {"apiVersion": "__internal", "kind": "ConfigMap", "metadata": {"name": "new"}}),
        *[(f"metadata {n}", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": v})
          for n, v in (("null", None), ("string", "x"), ("list", []), ("number", 1), ("bool", True))],
        *[(f"name {n}", configmap(v)) for n, v in (("number", 1), ("null", None), ("list", []), ("object", {}))],
        *[(f"labels {n}", configmap("new", {"labels": v})) for n, v in
          (("null", None), ("string", "x"), ("list", []), ("of numbers", {"a": 1}), ("of null", {"a": None}),
           ("of objects", {"a": {}}))],
        *[(f"data {n}", configmap(data=v)) for n, v in
          (("null", None), ("string", "x"), ("list", []), ("of numbers", {"a": 1}), ("of bools", {"a": True}),
           ("of objects", {"a": {}}), ("of null", {"a": None}))],
        *[(f"binaryData {n}", configmap(binaryData={"a": v})) for n, v in
          (("not base64", "*"), ("cut", "YQ"), ("url alphabet", "_-8="), ("newline", "YQ\n=="), ("number", 1),
           ("empty", ""), ("null", None), ("list of numbers", [1, 2]))],
        ("immutable string", configmap(immutable="true")), ("immutable number", configmap(immutable=1)),
        *[(f"creationTimestamp {n}", configmap("new", {"creationTimestamp": v})) for n, v in
          (("null", None), ("empty", ""), ("number", 1), ("words", "yesterday"), ("date", "2020-01-01"),
           ("month 13", "2020-13-01T00:00:00Z"), ("with nanoseconds", "2020-01-01T00:00:00.123456789Z"),
           ("year 10000", "10000-01-01T00:00:00Z"), ("object", {}))],
        ("deletionTimestamp", configmap("new", {"deletionTimestamp": "2020-01-01T00:00:00Z"})),
        ("uid number", configmap("new", {"uid": 1})), ("uid set", configmap("new", {"uid": "x"})),
        ("generation set", configmap("new", {"generation": -5})),
        ("finalizers string", configmap("new", {"finalizers": "x"})),
        ("finalizer without a slash", configmap("new", {"finalizers": ["x"]})),
        ("finalizer empty", configmap("new", {"finalizers": [""]})),
        ("finalizer null", configmap("new", {"finalizers": [None]})),
        ("selfLink", configmap("new", {"selfLink": "/x"})),
        ("clusterName", configmap("new", {"clusterName": "x"})),
        ("key capital", {"apiVersion": "v1", "Kind": "ConfigMap", "metadata": {"name": "new"}}),
        ("field capital", configmap(Data={"a": "b"})),
        ("data key bad", configmap(data={"a/b": "", "..": "", "": "", "x" * 254: ""})),
        ("data key in both", configmap(data={"a": ""}, binaryData={"a": ""})),
        ("data over a MiB", lambda: configmap(data={"a": "x" * (MIB + 1)})),
        ("binary data over a MiB", lambda: configmap(binaryData={"a": "eHh4" * (MIB // 3 + 1)})),
    ])
    deep = [("brackets, open", lambda: "[" * 1500000), ("brackets", lambda: "[" * 1500000 + "]"),
            ("balanced brackets", lambda: "[" * 1500000 + "]" * 1500000),
            ("braces", lambda: '{"a":' * 500000), ("mixed", lambda: '[{"a":' * 400000),
            ("unknown field", lambda: text(',"x":' + "[" * 1500000)),
            ("unknown field 9000", lambda: text(',"x":' + "[" * 9000 + "]" * 9000)),
            ("unknown field 10001", lambda: text(',"x":' + "[" * 10001 + "]" * 10001)),
            ("data", lambda: text(',"data":' + '{"a":' * 9990 + '1' + "}" * 9990)),
            ("labels", lambda: text(',"metadata":{"labels":' + "[" * 9000 + "]" * 9000 + "}")),
            ("strings", lambda: '"' * 3000000), ("backslashes", lambda: '"' + "\\" * 3000000),
            ("digits", lambda: "1" * 3000000), ("minus", lambda: "-" * 3000000),
            ("commas", lambda: "[" + "," * 3000000), ("colons", lambda: "{" + ":" * 3000000)]
    yield from rows("json depth", create, deep)


def number_rows():
    values = ["1e400", "9223372036854775808", "-9223372036854775809", "-0", "-0.0", "0.1e1", "1.5", "1e2",
              "1e1000000000", "1E+1", "2147483648", "-2147483649", "2147483647", '"3"', "true", "null", "[]",
              "{}", "01", "+1", ".5", "1.", "1e", "1e+", "0x1", "-", "--1", "1_000", "1,", "-1", "1.0",
              "18446744073709551616", "1e-400", "3.0000000000000001"]
    for v in values:
        body = json.dumps(deployment(spec={"replicas": "@@"})).replace('"@@"', v)
        yield Case(f"number: replicas {v}", "POST", DEPLOYMENTS + "?dryRun=All", body.replace('"web"', '"n"'), JSON)
    yield Case("number: replicas of 100000 digits", "POST", DEPLOYMENTS + "?dryRun=All",
               lambda: json.dumps(deployment()).replace('"replicas": 1', '"replicas": ' + "1" * 100000), JSON)
    for v in ["1e400", "9223372036854775808", "-0", "1.5", '"x"', "1e1000000000", "true"]:
        yield Case(f"number: generation {v}", "POST", DRY, text("").replace('"new"', '"new","generation":%s' % v), JSON)
    for v in ['"70%"', '"x%"', '"1e2%"', "1.5", "-1", '"-1%"', '"101%"', "99999999999", "true", '"1 %"', '""']:
        body = json.dumps(deployment(spec={"strategy": {"rollingUpdate": {"maxSurge": "@@"}}})).replace('"@@"', v)
        yield Case(f"number: maxSurge {v}", "POST", DEPLOYMENTS + "?dryRun=All", body.replace('"web"', '"n"'), JSON)
    for v in ['"1"', "1", "1.5", '"1e400"', '"x"', '""', '"-1"', '"0.0000000001"', '"1Ki1"',
              '"9223372036854775808"', '"1" ', "true", "{}", "null", '"1 Gi"', '"+1"', '"1E"', '"1e"', '"' + "9" * 1000 + '"',
              '"1.' + "0" * 1000 + '1"', '"0x1"', '"1m1"', "1e3", '".5"', '"5."', '"."']:
        d = deployment("n")
        d["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "@@"}}
        yield Case(f"number: cpu {v[:40]}", "POST", DEPLOYMENTS + "?dryRun=All", json.dumps(d).replace('"@@"', v), JSON)


def field_rows():
    """Duplicate and unknown fields in the three modes, by JSON and YAML, on every writing verb."""
    dup = text(',"data":{"a":"1","a":"2"},"data":{"b":"3"}', "%s")
    unknown = text(',"dat":{},"x":{"y":1}', "%s")
    both = text(',"data":{"a":"1","a":"2"},"dat":{}', "%s")
    nested = text(',"metadata":{"name":"%s","labels":{"a":"1","a":"2"},"lab":1}')
    yaml_dup = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {a: x, a: y}\n"
    for mode in ("", "Ignore", "Warn", "Strict"):
        q = "&fieldValidation=" + mode if mode else ""
        for kind, body in (("duplicate", dup), ("unknown", unknown), ("both", both), ("nested", nested)):
            yield Case(f"fields: {kind} POST {mode}", "POST", DRY + q, body.replace("%s", "new"), JSON)
            yield Case(f"fields: {kind} PUT {mode}", "PUT", LIVE + "?dryRun=All" + q, body.replace("%s", "live"), JSON, uses=LIVE)
        yield Case(f"fields: duplicate YAML {mode}", "POST", DRY + q, yaml_dup % "new", YAML)
        yield Case(f"fields: unknown YAML {mode}", "POST", DRY + q, yaml_dup.replace("a: x, ", "") % "new" + "zz: 1\n", YAML)
        for type in (MERGE, STRATEGIC, JSON_PATCH, APPLY):
            patch = '{"apiVersion":"v1","kind":"ConfigMap","dat":1,"data":{"a":"1","a":"2"},"metadata":{"x":{}}}'
            if type == JSON_PATCH:
                patch = '[{"op":"add","path":"/dat","value":1},{"op":"add","path":"/data/q","value":"1","value":"2","zz":3}]'
            yield Case(f"fields: {type} {mode}", "PATCH", LIVE + "?dryRun=All" + q + ("&fieldManager=m" if type == APPLY else ""),
                       patch, type, uses=LIVE)
    many = json.dumps({f"f{i}": 1 for i in range(3000)})[1:-1]
    for mode in ("Warn", "Strict", "Ignore"):
        yield Case(f"fields: 3000 unknown {mode}", "POST", DRY + "&fieldValidation=" + mode, text("," + many), JSON)
        yield Case(f"fields: 3000 times the same {mode}", "POST", DRY + "&fieldValidation=" + mode,
                   text(',"data":{%s}' % ",".join(['"a":"b"'] * 3000)), JSON)
    yield Case("fields: long unknown name", "POST", DRY, text(',"%s":1' % ("x" * 10000)), JSON)
    yield Case("fields: unknown name with quotes", "POST", DRY, text(',"a\\"b\\\\\\n":1'), JSON)
    yield Case("fields: unknown name with UTF-8", "POST", DRY, text(',"\u00e9\u4e16":1'), JSON)
    yield Case("fields: unknown empty name", "POST", DRY, text(',"":1'), JSON)
    yield Case("fields: unknown name with CRLF", "POST", DRY, text(',"a\\r\\nX: y":1'), JSON)


# --- YAML -------------------------------------------------------------------------------------

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: new\n"


def alias_bomb():
    lines = ['a: &a ["w","w","w","w","w","w","w","w","w"]']
    for here, last in zip("bcdefghi", "abcdefgh"):
        lines.append(f"{here}: &{here} [" + ",".join([f"*{last}"] * 9) + "]")
    return "\n".join(lines)


def yaml_rows():
    yield from rows("yaml", lambda n, b: create(n, b, YAML), [
        ("alias bomb", lambda: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}\n" + alias_bomb()),
        ("alias bomb in data", lambda: HEAD + "data:\n" + "\n".join("  " + s for s in alias_bomb().split("\n"))),
        ("alias bomb of strings", lambda: HEAD + "data:\n  a: &x " + "x" * 100000 + "\n" + "".join(f"  b{i}: *x\n" for i in range(5000))),
        ("alias to itself", HEAD + "data: &a\n  x: *a\n"), ("alias to nothing", HEAD + "data: *nope\n"),
        ("merge key", HEAD + "x: &b {a: b}\ndata:\n  <<: *b\n"), ("merge key of a string", HEAD + "data:\n  <<: x\n"),
        ("merge key bomb", lambda: HEAD + "x0: &x0 {a: b}\n" + "".join(f"x{i}: &x{i} {{<<: [{','.join([f'*x{i-1}'] * 9)}]}}\n" for i in range(1, 9))),
        ("open brackets", lambda: "[" * (LIMIT - 10)), ("open braces", lambda: "{" * (LIMIT - 10)),
        ("open pairs", lambda: "{a: " * 700000), ("dashes", lambda: "- " * 1500000),
        ("questions", lambda: "? " * 1500000), ("brackets 10001", lambda: "[" * 10001 + "]" * 10001),
        ("brackets 9000", lambda: "[" * 9000 + "]" * 9000), ("dashes 10001", lambda: "- " * 10001),
        ("dashes 9000", lambda: HEAD + "x:\n  " + "- " * 9000 + "a"), ("indents", lambda: "".join(" " * i + "a:\n" for i in range(2000))),
        ("question and brackets", lambda: "? [" * 20000), ("colons", lambda: ": " * 500000),
        ("flow keys", lambda: "{" + "a: {" * 15000), ("exclamations", lambda: "!" * 1000000),
        ("ampersands", lambda: "&" * 1000000), ("stars", lambda: "*" * 1000000), ("percents", lambda: "%" * 1000000),
        ("quotes", lambda: "'" * 1000000), ("double quotes", lambda: '"' * 1000001), ("newlines", lambda: "\n" * 3000000),
        ("spaces", lambda: " " * 3000000), ("bars", lambda: "|" * 1000000), ("tabs", lambda: "\t" * 1000000),
        ("long scalar", lambda: "a" * 3000000), ("anchors", lambda: "[" + ",".join(f"&a{i} 1" for i in range(100000)) + "]"),
        ("aliases 100000", lambda: "a: &a 1\nb: [" + ",".join(["*a"] * 100000) + "]"),
        ("tab indent", "a:\n\tb: c\n"), ("bad indent", HEAD + " data:\n"), ("unclosed quote", HEAD + 'x: "abc\n'),
        ("unclosed bracket", HEAD + "x: [1, 2\n"), ("mapping in a scalar", "a: b: c\n"), ("lone colon", ":\n"),
        ("lone dash", "-\n"), ("lone bracket", "]"), ("at sign", "@"), ("backtick", "`"), ("scalar", "abc"),
        ("number", "1"), ("empty", ""), ("comment only", "# x\n"), ("separator only", "---\n"), ("null", "null"),
        ("list", "- a\n- b\n"), ("two documents", HEAD + "---\n" + HEAD), ("end marker", HEAD + "...\n"),
        ("document after end", HEAD + "...\nfoo: bar\n"),
        ("directive", "%YAML 1.1\n---\n" + HEAD), ("directive 1.2", "%YAML 1.2\n---\n" + HEAD), ("directive 9.9", "%YAML 9.9\n---\n" + HEAD),
        ("unknown directive", "%FOO bar\n---\n" + HEAD), ("tag directive", "%TAG ! tag:x,2000:\n---\n" + HEAD),
        ("unknown tag", HEAD + "data: {a: !foo b}\n"), ("binary tag", HEAD + "data: {a: !!binary YWJj}\n"),
        ("bad binary tag", HEAD + "data: {a: !!binary '*'}\n"), ("python tag", HEAD + "data: !!python/object:os.system {a: b}\n"),
        ("int tag on a word", HEAD + "data: {a: !!int x}\n"), ("str tag on a number", HEAD + "data: {a: !!str 1}\n"),
        ("float tag", HEAD + "data: {a: !!float 1}\n"), ("set tag", HEAD + "data: !!set {a, b}\n"),
        ("number value", HEAD + "data: {a: 1}\n"), ("bool value", HEAD + "data: {a: yes}\n"), ("null value", HEAD + "data: {a: ~}\n"),
        ("time value", HEAD + "data: {a: 2001-12-14}\n"), ("octal value", HEAD + "data: {a: 010}\n"), ("hex value", HEAD + "data: {a: 0x1F}\n"),
        ("infinity", HEAD + "data: {a: .inf}\n"), ("nan", HEAD + "x: .nan\n"), ("sexagesimal", HEAD + "data: {a: 1:20}\n"),
        ("infinity unknown", HEAD + "x: .inf\n"), ("big int", HEAD + "x: 123456789012345678901234567890\n"),
        ("number key", HEAD + "data: {1: a}\n"), ("bool key", HEAD + "data: {true: a}\n"), ("null key", HEAD + "data: {~: a}\n"),
        ("float key", HEAD + "data: {1.5: a}\n"), ("list key", HEAD + "data: {[a]: b}\n"), ("map key", HEAD + "data: {{a: b}: c}\n"),
        ("key of both forms", HEAD + 'data: {1: a, "1": b}\n'), ("complex key", HEAD + "data:\n  ? [a, b]\n  : c\n"),
        ("NUL", HEAD.encode() + b"\0"), ("invalid UTF-8", HEAD.encode() + b"x: \xff\n"), ("control", HEAD.encode() + b"x: \x01\n"),
        ("UTF-16", HEAD.encode("utf-16")), ("UTF-16 cut", HEAD.encode("utf-16")[:-1]), ("UTF-8 BOM", b"\xef\xbb\xbf" + HEAD.encode()),
        ("surrogate", HEAD.encode() + b"x: \xed\xa0\x80\n"), ("escape surrogate", HEAD + 'x: "\\ud800"\n'),
        ("escape out of range", HEAD + 'x: "\\UFFFFFFFF"\n'), ("escape bad", HEAD + 'x: "\\q"\n'), ("JSON in YAML", text("")),
        ("JSON with tabs", '{\t"apiVersion":\t"v1"}'), ("block scalar", HEAD + "data:\n  a: |9\n    x\n"), ("block indent 0", HEAD + "data:\n  a: |0\n    x\n"),
        ("long key", lambda: HEAD + "data:\n  " + "k" * 2000 + ": x\n"), ("long quoted key", lambda: HEAD + 'data:\n  "' + "k" * 2000 + '": x\n'),
        ("percent in a tag", HEAD + "x: !<%zz> a\n"), ("tag cut", HEAD + "x: !<abc\n"),
    ])
    yield from rows("yaml as JSON type", lambda n, b: create(n, b, JSON), [("plain", HEAD), ("flow", "{kind: ConfigMap}")])


# --- protobuf ---------------------------------------------------------------------------------

def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, data, wire=2):
    key = varint(number << 3 | wire)
    return key + varint(data) if wire == 0 else key + (varint(len(data)) + data if wire == 2 else data)


def unknown(raw, api="v1", kind="ConfigMap", encoding=b"", type=b"", more=b""):
    meta = field(1, api.encode()) + field(2, kind.encode())
    return b"k8s\0" + field(1, meta) + field(2, raw) + field(3, encoding) + field(4, type) + more


def proto_rows():
    meta = field(1, b"new")
    good = field(1, meta)
    entry = field(1, b"k") + field(2, b"v")
    yield from rows("protobuf", lambda n, b: create(n, b, PROTO), [
        ("good", unknown(good)), ("empty", b""), ("prefix", b"k8s\0"), ("half the prefix", b"k8s"), ("no prefix", unknown(good)[4:]),
        ("wrong prefix", b"k8t\0" + unknown(good)[4:]), ("JSON", text("")), ("no raw", b"k8s\0" + field(1, field(1, b"v1") + field(2, b"ConfigMap"))),
        ("no type", b"k8s\0" + field(2, good)), ("empty raw", unknown(b"")), ("another kind", unknown(good, kind="Secret")),
        ("unknown kind", unknown(good, kind="Nothing")), ("unknown version", unknown(good, api="v9")), ("no version", unknown(good, api="")),
        ("no kind", unknown(good, kind="")), ("list kind", unknown(b"", kind="ConfigMapList")), ("Status", unknown(b"", kind="Status")),
        ("gzip encoding", unknown(gzip.compress(good, mtime=0), encoding=b"gzip")), ("encoding set", unknown(good, encoding=b"x")),
        ("content type JSON", unknown(text("").encode(), type=b"application/json")), ("content type odd", unknown(good, type=b"x/y")),
        ("content type JSON, bad raw", unknown(b"{", type=b"application/json")),
        ("cut 1", unknown(good)[:-1]), ("cut 5", unknown(good)[:-5]), ("cut in the type", unknown(good)[:9]),
        ("unknown field in Unknown", unknown(good, more=field(9, b"x"))), ("two types", unknown(good, more=field(1, field(2, b"Secret")))),
        ("two raws", unknown(good, more=field(2, field(1, field(1, b"other"))))),
        ("type as varint", b"k8s\0" + field(1, 5, 0)), ("raw as varint", b"k8s\0" + field(2, 5, 0)),
        ("garbage", b"k8s\0" + bytes(range(200))), ("ones", b"k8s\0" + b"\xff" * 1000), ("zeros", b"k8s\0" + b"\0" * 1000),
        *[(n, unknown(r)) for n, r in (
            ("varint of 11 bytes", good + b"\x18" + b"\xff" * 10 + b"\x01"), ("varint of 10 bytes", good + b"\x98\x01" + b"\xff" * 9 + b"\x01"),
            ("key of 11 bytes", good + b"\xff" * 10 + b"\x01"), ("field 0", good + b"\x02\x01a"), ("field 0 varint", good + b"\x00\x01"),
            ("wire type 6", good + b"\x0e"), ("wire type 7", good + b"\x0f"), ("unknown wire type 6", good + b"\xa6\x06"),
            ("length past the end", good + b"\x12\x7f"), ("length 2^31", good + b"\x12" + varint(1 << 31)),
            ("length 2^63", good + b"\x12" + varint(1 << 63)), ("length 2^64-1", good + b"\x12" + varint((1 << 64) - 1)),
            ("length 2^63-1", good + b"\x12" + varint((1 << 63) - 1)), ("unknown length past the end", good + b"\xa2\x06\x7f"),
            ("unknown length 2^63", good + b"\xa2\x06" + varint(1 << 63)), ("unknown fixed64 cut", good + b"\xa1\x06abc"),
            ("unknown fixed32 cut", good + b"\xa5\x06ab"), ("unknown varint cut", good + b"\xa0\x06\xff"),
            ("unknown fields", good + field(100, b"x") + field(101, 7, 0) + field(102, b"abcdefgh", 1) + field(103, b"abcd", 5)),
            ("group", good + b"\xa3\x06\xa4\x06"), ("group with a field", good + b"\xa3\x06" + field(1, b"x") + b"\xa4\x06"),
            ("group, wrong end", good + b"\xa3\x06\xac\x06"), ("group, open", good + b"\xa3\x06"), ("end without a group", good + b"\xa4\x06"),
            ("groups nested 100000", good + b"\xa3\x06" * 100000 + b"\xa4\x06" * 100000),
            ("groups open 500000", good + b"\xa3\x06" * 500000), ("known field as a group", good + b"\x13\x14"),
            ("metadata as varint", b"\x08\x01"), ("metadata as fixed", b"\x0dabcd"), ("metadata empty", b"\x0a\x00"),
            ("metadata twice", good + field(1, field(11, entry))), ("name as varint", field(1, b"\x08\x01")),
            ("name invalid UTF-8", field(1, field(1, b"a\xff"))), ("name NUL", field(1, field(1, b"a\0b"))),
            ("label invalid UTF-8", field(1, meta + field(11, field(1, b"\xff") + field(2, b"\xfe")))),
            ("map entry", good + field(2, entry)), ("map entry without value", good + field(2, field(1, b"k"))),
            ("map entry without key", good + field(2, field(2, b"v"))), ("map entry empty", good + field(2, b"")),
            ("map entry twice", good + field(2, entry) + field(2, field(1, b"k") + field(2, b"w"))),
            ("map entry key as varint", good + field(2, b"\x08\x01")), ("map entry cut", good + field(2, b"\x0a\x05k")),
            ("map entry unknown field", good + field(2, entry + field(7, b"x"))), ("map entry with a group", good + field(2, entry + b"\x3b\x3c")),
            ("map value invalid UTF-8", good + field(2, field(1, b"k") + field(2, b"\xff\xfe"))),
            ("immutable 2", good + field(4, 2, 0)), ("immutable as bytes", good + field(4, b"x")), ("immutable huge", good + b"\x20" + b"\xff" * 9 + b"\x01"),
            ("timestamp negative", field(1, meta + field(8, field(1, (1 << 64) - 5, 0)))), ("timestamp huge", field(1, meta + field(8, field(1, (1 << 63) - 1, 0)))),
            ("timestamp year 10000", field(1, meta + field(8, field(1, 253402300800, 0)))), ("timestamp cut", field(1, meta + b"\x42\x05\x08")),
            ("owner reference empty", field(1, meta + field(13, b""))), ("resourceVersion", field(1, meta + field(6, b"5"))),
            ("managedFields junk", field(1, meta + field(17, field(1, b"m") + field(2, b"Update") + field(7, field(1, b"{"))))),
            ("managedFields empty FieldsV1", field(1, meta + field(17, field(1, b"m") + field(2, b"Update") + field(6, b"FieldsV1") + field(3, b"v1") + field(7, b"")))),
        )]])
    yield create("protobuf: a million empty labels", lambda: unknown(field(1, meta + b"\x5a\x00" * 1000000)), PROTO)
    yield create("protobuf: a million empty entries", lambda: unknown(good + b"\x12\x00" * 1000000), PROTO)
    yield create("protobuf: a million owner references", lambda: unknown(field(1, meta + b"\x6a\x00" * 100000)), PROTO)
    yield create("protobuf: with parameters", unknown(good), PROTO + ";stream=watch")
    for n, raw in (("replicas 64 bit", field(1, 1 << 40, 0)), ("replicas negative", field(1, (1 << 64) - 1, 0)), ("replicas as bytes", field(1, b"x")),
                   ("template empty", field(3, b"")), ("strategy cut", b"\x22\x05a"), ("selector junk", field(2, b"\xff"))):
        yield Case("protobuf: deployment " + n, "POST", DEPLOYMENTS + "?dryRun=All",
                   unknown(field(1, field(1, b"n")) + field(2, raw), "apps/v1", "Deployment"), PROTO)
    yield Case("protobuf: PUT", "PUT", LIVE, unknown(field(1, b"\xff")), PROTO, uses=LIVE)
    yield Case("protobuf: DELETE with junk", "DELETE", LIVE, unknown(b"\xff", kind="DeleteOptions"), PROTO, uses=LIVE)
    yield Case("protobuf: DELETE without a prefix", "DELETE", LIVE, b"\xff", PROTO, uses=LIVE)
    yield Case("protobuf: PATCH", "PATCH", LIVE, unknown(good), PROTO, uses=LIVE)


# --- sizes ------------------------------------------------------------------------------------

def padded(body, size):
    return lambda: json.dumps(body).ljust(size).encode()


def size_rows():
    delete = {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]}
    for size, name in ((LIMIT - 100, "below"), (LIMIT, "at"), (LIMIT + 1, "over")):
        yield Case(f"size {name}: POST", "POST", DRY, padded(configmap(), size), JSON)
        yield Case(f"size {name}: PUT", "PUT", LIVE + "?dryRun=All", padded(LIVE_OBJECT, size), JSON, uses=LIVE)
        yield Case(f"size {name}: DELETE", "DELETE", LIVE + "?dryRun=All", padded(delete, size), JSON, uses=LIVE)
        yield Case(f"size {name}: DELETE collection", "DELETE", DRY, padded(delete, size), JSON, uses=LIVE)
        yield Case(f"size {name}: merge patch", "PATCH", LIVE, padded({}, size), MERGE, uses=LIVE)
        yield Case(f"size {name}: strategic patch", "PATCH", LIVE, padded({}, size), STRATEGIC, uses=LIVE)
        yield Case(f"size {name}: JSON patch", "PATCH", LIVE, padded([], size), JSON_PATCH, uses=LIVE)
        yield Case(f"size {name}: apply", "PATCH", LIVE + "?fieldManager=m", padded(configmap("live"), size), APPLY, uses=LIVE)
        yield Case(f"size {name}: YAML", "POST", DRY, padded(configmap(), size), YAML)
        yield Case(f"size {name}: GET", "GET", LIVE, padded({}, size), JSON, uses=LIVE)
        yield Case(f"size {name}: subresource", "POST", NS + "/serviceaccounts/default/token",
                   padded({"apiVersion": "v1", "kind": "Nothing"}, size), JSON)
        yield Case(f"size {name}: review", "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                   padded({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
                           "spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}}, size), JSON)
    yield create("size: protobuf over", lambda: b"k8s\0" + b"\0" * LIMIT, PROTO)
    yield create("size: object over 1.5 MiB", lambda: configmap("big", {"finalizers": [f"a.io/{i:060}" for i in range(40000)]}))
    yield Case("size: stored object over 1.5 MiB", "POST", CM, lambda: configmap("big", {"labels": {f"l{i:050}": "x" * 60 for i in range(14000)}}), JSON)
    yield Case("size: stored secret over a MiB", "POST", NS + "/secrets?dryRun=All",
               lambda: {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": base64.b64encode(b"x" * (MIB + 1)).decode()}}, JSON)
    for n in (262144, 262143, 262145):
        yield create(f"size: annotations of {n}", lambda n=n: configmap("new", {"annotations": {"a": "x" * (n - 1)}}), only_status=n <= 262144)
    yield create("size: gzip body", gzip.compress(json.dumps(configmap()).encode(), mtime=0), headers=("Content-Encoding: gzip",))
    yield create("size: gzip bomb", lambda: gzip.compress(b" " * (100 * MIB), mtime=0), headers=("Content-Encoding: gzip",))
    yield create("size: gzip named, plain body", configmap(), headers=("Content-Encoding: gzip",))
    yield create("size: deflate named", configmap(), headers=("Content-Encoding: deflate",))


def survivors():
    """Rows that make the real server panic or compute for minutes; here they are refused, or cost what they show."""
    huge = deployment("n")
    huge["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1e1000000000"}}
    by_object = {"spec": {"template": {"spec": {"containers": [{"name": {}}]}}}}
    ports = {"metadata": {"name": "ports"}, "spec": {"containers": [
        {"name": "c", "image": "i", "ports": [{"containerPort": 80}] * 5000}]}}
    return [Case("survives: 5,000 equal ports", "POST", "/api/v1/namespaces/bad-input/pods?dryRun=All", ports, JSON),
            Case("survives: cpu 1e1000000000", "POST", DEPLOYMENTS + "?dryRun=All", huge, JSON),
            Case("survives: strategic patch with an object as key", "PATCH", WEB, by_object, STRATEGIC, uses=WEB)]


def all_rows():
    return [*json_rows(), *number_rows(), *field_rows(), *yaml_rows(), *proto_rows(), *size_rows()]
