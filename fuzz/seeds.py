#!/usr/bin/env python3
"""Makes fuzz/corpus/TARGET/ from fixtures: seeds.py [CORPUS_DIR]. CORPUS_DIR is an official round-trip corpus
(optional): a few small objects of it become seeds too. Few KB a target: a fuzzer grows the rest itself."""
import hashlib
import json
import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDS = [line.split()[:3] for line in (ROOT / "apiserver/schema/facts/kinds.txt").read_text().splitlines()]
KINDS = sorted(("" if g == "-" else g, v, k) for g, v, k in KINDS)


def head(group, version, kind, flags=0):
    n = KINDS.index((group, version, kind))
    return bytes([n >> 8, n & 255, flags, 0])


def write(target, seeds):
    folder = ROOT / "fuzz/corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for seed in seeds:
        (folder / hashlib.sha1(seed).hexdigest()[:12]).write_bytes(seed)


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def cbor(v):
    """Byte strings for text, as the real encoder; order as given."""
    def head_of(major, n):
        if n < 24:
            return bytes([major << 5 | n])
        size = 1 if n < 1 << 8 else 2 if n < 1 << 16 else 4 if n < 1 << 32 else 8
        return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size]]) + n.to_bytes(size, "big")
    if v is None or isinstance(v, bool):
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[v]
    if isinstance(v, int):
        return head_of(0, v) if v >= 0 else head_of(1, -1 - v)
    if isinstance(v, float):
        return b"\xfb" + struct.pack(">d", v)
    if isinstance(v, str):
        return head_of(2, len(v.encode())) + v.encode()
    if isinstance(v, list):
        return head_of(4, len(v)) + b"".join(map(cbor, v))
    return head_of(5, len(v)) + b"".join(cbor(k) + cbor(x) for k, x in v.items())


OBJECTS = [
    ("", "v1", "Pod", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {
        "containers": [{"name": "c", "image": "nginx:1.27", "ports": [{"containerPort": 80}],
                        "resources": {"requests": {"cpu": "100m", "memory": "1.5Gi"}},
                        "livenessProbe": {"httpGet": {"port": "http"}}}], "volumes": [{"name": "v", "emptyDir": {}}]}}),
    ("apps", "v1", "Deployment", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {
        "replicas": 3, "selector": {"matchLabels": {"a": "b"}}, "strategy": {"rollingUpdate": {"maxSurge": "25%"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}}),
    ("", "v1", "ConfigMap", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "<&>\u2028"},
                             "binaryData": {"b": "AAEC"}}),
    ("", "v1", "Service", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {
        "ports": [{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 8081}]}}),
    ("autoscaling", "v1", "HorizontalPodAutoscaler", {"spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "x", "name": "y"}}}),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", {"metadata": {"name": "x"}, "spec": {"versions": [
        {"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "items": [{"default": 1}], "additionalProperties": False,
                                                       "dependencies": {"a": ["b"]}}}}]}}),
    ("coordination.k8s.io", "v1", "Lease", {"spec": {"renewTime": "2026-11-20T18:00:00.000000Z", "leaseDurationSeconds": 40}}),
    ("events.k8s.io", "v1", "Event", {"eventTime": "2026-11-20T18:00:00.123456Z", "series": {"count": 1}}),
    ("", "v1", "List", {"items": [{"kind": "X", "n": 1.0, "m": 1e21}]}),
    ("meta.k8s.io", "v1", "Table", {"columnDefinitions": [{"name": "a"}], "rows": [{"cells": ["x", 1, None], "object": None}]}),
]
YAML = [b"a: &x [1, 2]\nb: *x\n<<: {c: d}\n", b"- yes\n- 0b1\n- 017\n- 1_000\n- ~\n- 2026-11-20\n- .inf\n- 1:30\n",
        b"a: |\n  x\n  y\nb: >-\n  f\n  g\n'q': \"\\u00e9\\n\"\n", b"%YAML 1.1\n---\n? [k]\n: !!str v\n...\n--- 2\n"]


def message_of(envelope):
    """Field 2 of the runtime.Unknown behind the magic."""
    at = 4 + 2 + envelope[5] + 1
    size = shift = 0
    while True:
        size |= (envelope[at] & 127) << shift
        shift += 7
        at += 1
        if envelope[at - 1] < 128:
            return envelope[at:at + size]


def scenario(*steps):
    return b"".join(bytes(s) for s in steps)


def main():
    typed = [head(g, v, k) + compact(o) for g, v, k, o in OBJECTS]
    write("json", typed + [head("", "v1", "Pod") + x for x in (
        b"[1,-0,1.5e3,9223372036854775808]", b'{"a":{"b":[true,null,"\\ud800\\u00e9"]}}')])
    write("yaml", [head("", "v1", "Pod") + y for y in YAML] + [head(g, v, k) + compact(o) for g, v, k, o in OBJECTS[:4]])
    protos = []
    if len(sys.argv) > 1:
        for g, v, k in KINDS:
            path = pathlib.Path(sys.argv[1]) / f"{g or 'core'}.{v}.{k}.pb"
            if path.is_file() and path.stat().st_size < 1100 and len(protos) < 12:
                protos.append(head(g, v, k) + message_of(path.read_bytes()))
        write("proto", protos + [head("", "v1", "Pod") + b"k8s\0\x0a\x0a\x0a\x02v1\x12\x03Pod\x12\x02\x0a\x00"])
    write("cbor", [head(g, v, k) + cbor(o) for g, v, k, o in OBJECTS] + [head("", "v1", "ConfigMap") + bytes.fromhex(x) for x in (
        "bf4161f97e00ff", "a16464617461bf61615f41624163ffff", "a14a62696e61727944617461a24178d64300010241794441414543", "d9d9f7a144c1",
        "a1446b696e647f64436f6e66ff", "a2486d65746164617461a1716372656174696f6e54696d657374616d70c074323031332d30332d32315432303a30343a30305a4164f7")])
    write("quantity", [b"1500m\n1.5", b"100Mi\n1e3", b"-0.5Gi\n12E", b"1n\n1Ti", b"123456789012345678901\n0.1u"])
    write("label_selector", [b"a=b,c!=d\na=b", b"x in (a,b),y notin (c)\nx=a", b"!a,b\nb=1", b"n>3,m<5\nn=4\nm=1", b"k8s.io/a==b\nk8s.io/a=b"])
    write("field_selector", [bytes([0, n]) + b"metadata.name=web\nweb" for n in (0, 5, 20)] +
          [bytes([0, 11]) + b"spec.nodeName!=a\\,b,status.phase=Running\nx"])
    write("time", [b"\x002026-11-20T18:00:00Z", b"\x012026-11-20T18:00:00.123456+02:00", b"\x021h2m3.5s", b"\x02-1.5ms",
                   b'\x03"80%"', b"\x038080", b"\x04AAECAw=="])
    write("continue_token", [b"\x00eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NSwic3RhcnQiOiJhL2IifQ", b"\x01default/web\x00", b"\x01a/../b"])
    pairs = {"json_patch": [], "merge_patch": [], "strategic_patch": [], "apply": []}
    for line in (ROOT / "apiserver/patch/testdata/patches.jsonl").read_text().splitlines():
        row = json.loads(line)
        target = {"json": "json_patch", "merge": "merge_patch", "strategic": "strategic_patch"}.get(row.get("type"))
        patch = row.get("patch", row.get("body"))
        if target and patch is not None and len(pairs[target]) < 12 and len(line) < 4000:
            text = patch.encode() if isinstance(patch, str) else compact(patch)
            row["live"].get("metadata", {}).pop("managedFields", None)
            pairs[target].append(head(row["group"], row["version"], row["live"]["kind"]) + compact(row["live"]) + b"\n" + text)
    small = compact({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
    pairs["json_patch"].append(head("", "v1", "Pod") + small + b'\n[{"op":"replace","path":"/spec/containers/0/image","value":"j"},'
                               b'{"op":"copy","from":"/metadata","path":"/x"},{"op":"test","path":"/spec/containers/-1/name","value":"c"}]')
    pairs["strategic_patch"].append(head("", "v1", "Pod") + small + b'\n{"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"c"}],'
                                    b'"containers":[{"name":"b"},{"name":"c","$patch":"delete"}]},"metadata":{"$retainKeys":["labels"]}}')
    for line in (ROOT / "apiserver/patch/testdata/applies.jsonl").read_text().splitlines():
        row = json.loads(line)
        if len(pairs["apply"]) < 8 and len(line) < 9000 and "live" in row and row["live"]:
            config = row.get("applied", row.get("config"))
            text = config.encode() if isinstance(config, str) else compact(config)
            pairs["apply"].append(head(row["group"], row["version"], row["live"]["kind"]) + compact(row["live"]) + b"\n" + text)
    for target, seeds in pairs.items():
        write(target, seeds)
    schemas = {}
    for line in (ROOT / "apiserver/crd/testdata/values.jsonl").read_text().splitlines():
        row = json.loads(line)
        schemas.setdefault(compact(row["s"]), []).append(row["v"])
    write("crd_schema", [b'{"type":"object","properties":{"f":' + s + b'}}\n' + compact(
        {"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "n", "x": 1}, "f": values[-1]})
        for n, (s, values) in enumerate(schemas.items()) if n % 3 == 0])
    get = b"GET /s?a=%20b HTTP/1.1\r\nHost: x\r\n\r\n"
    write("http1", [b"\x07" + get + get, b"\x03POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
                    b"\x05POST /s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n3;x\r\nabc\r\n0\r\nT: 1\r\n\r\n",
                    b"\x01HEAD / HTTP/1.0\nAccept: a,\n b\nConnection: close\n\n"])
    # HPACK by hand: :method GET or POST, :scheme https, :authority, :path literal.
    frame = lambda kind, flags, stream, body=b"": len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body
    fields = lambda path, method=0x82: bytes([method, 0x87, 0x41, 1]) + b"a" + bytes([0x04, len(path)]) + path
    write("http2", [b"\x05" + frame(1, 5, 1, fields(b"/x")) + frame(1, 5, 3, fields(b"/s?a=b")) + frame(6, 0, 0, b"pingpong"),
                    b"\x11" + frame(1, 4, 1, fields(b"/x", 0x83)) + frame(0, 1, 1, b"a body") + frame(3, 0, 1, bytes(4)),
                    b"\x01" + frame(1, 5, 1, fields(b"/k")) + frame(8, 0, 1, b"\0\0\1\0") + frame(3, 0, 1, b"\0\0\0\x08"),
                    b"\x07" + frame(4, 0, 0, b"\0\4\0\0\0\5") + frame(1, 5, 1, fields(b"/c")) + frame(7, 0, 0, bytes(8)),
                    b"\x02" + frame(1, 1, 1, fields(b"/x")[:3]) + frame(9, 4, 1, fields(b"/x")[3:]) + frame(2, 0, 1, bytes(5))])
    call = lambda row, message: bytes([row]) + len(message).to_bytes(2, "big") + message
    field = lambda number, value: bytes([number << 3 | 2, len(value)]) + value
    varint = lambda number, value: bytes([number << 3, value])
    put, pod = field(1, b"a") + field(2, b"1"), b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"}}'
    everything = field(1, b"\0") + field(2, b"\0")
    write("etcd_face", [call(0, put) + call(1, everything) + call(2, field(1, b"a") + varint(3, 1)),
                        call(5, field(1, everything + varint(6, 1))) + call(0, put) + call(0, put) + call(4, varint(1, 2))
                        + call(5, field(1, field(1, b"a") + varint(3, 2))) + call(5, field(2, varint(1, 0))) + call(5, field(3, b"")),
                        call(3, field(1, varint(2, 2) + field(3, b"a") + varint(6, 0)) + field(2, field(2, put)) + field(3, field(1, everything))),
                        call(3, field(2, field(4, field(2, field(2, put)) + field(3, field(3, everything)))) + field(2, field(1, everything))),
                        call(6, varint(1, 5) + varint(2, 7)) + call(0, put + varint(3, 7)) + call(8, varint(1, 7) + varint(2, 1)) + call(7, varint(1, 7)),
                        call(0x84, field(1, b"/registry/configmaps/default/a") + field(2, pod)) + call(1, everything) + call(2, everything)])
    write("canary", [head("", "v1", "Pod") + b'{"kind":"Pod"}'])
    # Steps of api_scenario: verb, resource, name, option, then the choice of a body.
    write("api_scenario", [scenario((0, r, 0, 0, 1), (5, r, 0, 0, 0), (1, r, 0, 0, 2), (2, r, 0, 1, 3), (3, r, 0, 0, 4), (4, r, 0, 0, 0))
                           for r in range(0, 12, 3)])


if __name__ == "__main__":
    main()
