"""Sends generated bodies and texts, most of them broken, to two servers and prints where the answers differ.

usage: bodies.py REAL_URL OUR_URL [--token T] [--seed N] [--count N] [--part NAME...] [--out FILE] [--record FILE]

Parts: cbor, protobuf, yaml (bodies of writes in that form), times, durations, schedules, quantities (values in the
fields that take them), labels, fields (selectors of lists). Both servers run with CBORServingAndStorage. The bodies
are objects of rich.yaml, as the real server writes them, with some bytes, items or lines changed. All are dry runs.
See README.md beside this file.
"""

import argparse
import base64
import collections
import http.client
import json
import pathlib
import random
import sys
import urllib.parse

import cbor2
import yaml
from mutate import RICH, apart, changed, normal
from verbs import APPLY, JSON, PROTOBUF, Server, base_of, resources

CBOR, YAML = "application/cbor", "application/yaml"
SPACE = "bodies"
KINDS = ("cm", "pod", "svc", "secret", "deploy", "cj", "lr", "hpa", "node", "ev2", "csr", "lease", "pdb", "ing")


def text_or_bytes(r, v):
    """Strings as Go writes them, byte strings, or as text."""
    if isinstance(v, dict):
        return {text_or_bytes(r, k): text_or_bytes(r, x) for k, x in v.items()}
    if isinstance(v, list):
        return [text_or_bytes(r, x) for x in v]
    return v.encode() if isinstance(v, str) and r.random() < 0.7 else v


def places(tree, path=()):
    yield path
    for k, v in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from places(v, (*path, k))


def nested(head, depth, inside, tail=b""):
    return head * depth + inside + tail * depth


# One item each, as hex or bytes: what some decoder refuses, or reads differently.
ITEMS = [bytes.fromhex(h) for h in """00 01 17 1818 1900ff 1a00010000 1b7fffffffffffffff 1b8000000000000000 1bffffffffffffffff 20
 3b7fffffffffffffff 3b8000000000000000 40 4161 42c328 5f41614162ff 5f6161ff 5fff 60 6161 62c328 7f61616162ff 7f4161ff 7fff 7f7f6161ffff
 80 8101 9fff 9f01ff 9f a0 bf61616162ff bfff bf6161ff a1616101 a1416101 a10101 a1f6f6 a180f6 a2616101616102 a2616101416102
 c074323032302d30312d30315430303a30303a30305a c100 c101 c1fb41d452d9e8200000 c24101 c34101 d6420001 d5420001 d7420001 d64161 d66161 d9d9f7f6
 d9d9f7a0 d818420001 d9010000 d90103a0 daffffffff00 c482010a d820 d8206161 f4 f5 f6 f7 e0 f0 f820 f8ff f818 f90000 f93c00 f97c00 f97e00
 fa7fc00000 fa3f800000 fb3ff0000000000000 fb3ff8000000000000 fb7ff0000000000000 fb7ff8000000000000 fbffefffffffffffff fb43e0000000000000
 fc fd fe ff 1c 3c 5c 7c 9c bc dc 1d 1e 1f 5a7fffffff 5b7fffffffffffffff 9a7fffffff 9b7fffffffffffffff bb7fffffffffffffff 18 19 1a00 1b 61 41 81 a1 c0 d9
 67323032302d3031 45323032302d 4a323032302d30312d3031 54323032302d30312d30315430303a30303a30305a""".split()]


class Marked(bytes):
    """Bytes that stand in a CBOR body as they are."""


def cbor(v, r):
    """Shortest forms, some of them of indefinite length."""
    if isinstance(v, Marked):
        return bytes(v)
    loose = r.random() < 0.04
    if isinstance(v, dict):
        inner = b"".join(cbor(k, r) + cbor(x, r) for k, x in v.items())
        return b"\xbf" + inner + b"\xff" if loose else head(5, len(v)) + inner
    if isinstance(v, list):
        inner = b"".join(cbor(x, r) for x in v)
        return b"\x9f" + inner + b"\xff" if loose else head(4, len(v)) + inner
    return cbor2.dumps(v)


def head(major, n):
    return bytes([major << 5 | n]) if n < 24 else bytes([major << 5 | 24, n]) if n < 256 else bytes([major << 5 | 25]) + n.to_bytes(2, "big")


def cbor_body(r, obj):
    tree = text_or_bytes(r, obj)
    for _ in range(r.choice([0, 1, 1, 1, 2])):
        path = r.choice([p for p in places(tree) if p])
        at = tree
        for step in path[:-1]:
            at = at[step]
        what = r.random()
        if what < 0.6:
            at[path[-1]] = Marked(a_cbor_item(r))
        elif what < 0.75 and isinstance(at, dict):
            at[r.choice(["nope", b"nope", 1, "", b"\xff", Marked(a_cbor_item(r)), str(path[-1]).upper()])] = r.choice([1, None, "x", {}, {"a": {"b": 1}}])
        elif what < 0.9 and isinstance(at, dict):
            at[Marked(cbor2.dumps(path[-1]))] = at[path[-1]]  # twice
        else:
            del at[path[-1]]
    data = r.choice([b"\xd9\xd9\xf7", b"\xd9\xd9\xf7", b"", b"\xd9\xd9\xf7\xd9\xd9\xf7", b"\xd8\x18"] if r.random() < 0.2 else [b"\xd9\xd9\xf7"]) + cbor(tree, r)
    return spoiled(r, data, 0.2)


def a_cbor_item(r):
    if r.random() < 0.1:
        depth = r.choice([5, 30, 62, 63, 64, 65, 100])
        return r.choice([nested(b"\x81", depth, b"\x01"), nested(b"\xa1\x41a", depth, b"\x01"), nested(b"\xc1", depth, b"\x01"), nested(b"\x9f", depth, b"", b"\xff")])
    return r.choice(ITEMS)


def spoiled(r, data, chance):
    if not data or r.random() > chance:
        return data
    at = r.randrange(len(data))
    return r.choice([data[:at], data[:at] + bytes([r.randrange(256)]) + data[at + 1:], data[:at] + bytes([data[at] ^ 1 << r.randrange(8)]) + data[at + 1:],
                     data[:at] + data[at + 1:], data + r.choice([b"\0", b"\xff", data]), data[:at] + r.randbytes(3) + data[at:]])


def varint(n):
    out = b""
    n &= (1 << 64) - 1
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def read_varint(data, at):
    n = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError
        n |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return n, at


def records(data):
    """[number, wire type, value]: a message's fields, as far as they can be told."""
    at, out = 0, []
    while at < len(data):
        tag, at = read_varint(data, at)
        number, wire = tag >> 3, tag & 7
        if not number or wire not in (0, 2):
            raise ValueError
        value, at = read_varint(data, at)
        if wire == 2:
            if at + value > len(data):
                raise ValueError
            value, at = data[at:at + value], at + value
        out.append([number, wire, value])
    return out


def message(fields):
    return b"".join(f if isinstance(f, bytes) else varint(f[0] << 3 | f[1]) + (varint(f[2]) if f[1] == 0 else varint(len(f[2])) + f[2]) for f in fields)


HOSTILE = [b"\x0b\x0c", b"\xf3\x7f\xf4\x7f", b"\xf3\x7f", b"\xf4\x7f", b"\x0b\x14", b"\xf0\x7f\x01", b"\xf2\x7f\x01a", b"\xf2\x7f\xff\xff\xff\xff\x0f", b"\xf2\x7f" + b"\xff" * 9 + b"\x01",
           b"\xf1\x7f12345678", b"\xf5\x7f1234", b"\xf5\x7f1", b"\xf6\x7f", b"\xf7\x7f", b"\x00", b"\x02\x00", b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", b"\xff" * 11, b"\x80",
           b"\xfa\xff\xff\xff\x0f\x00", b"\xfa\xff\xff\xff\xff\x01\x00", b"\xf8\xff\xff\xff\x7f\x00", b"\xf0\x7f" + b"\xff" * 9 + b"\x7f", nested(b"\xf3\x7f", 200, b"", b"\xf4\x7f"),
           nested(b"\xf3\x7f", 10001, b"", b"\xf4\x7f")]


def spoil_message(r, data, depth=0):
    """One thing of a message changed, at any depth."""
    try:
        fields = records(data)
    except ValueError:
        fields = []
    if not fields:
        return r.choice([data + b"\x00", data[:-1], b"\xff\xfe", b"", data + data, b"a\xffb"])
    n = r.randrange(len(fields))
    number, wire, value = fields[n]
    if wire == 2 and depth < 9 and r.random() < 0.75 and value:
        fields[n] = [number, 2, spoil_message(r, value, depth + 1)]
        return message(fields)
    what = r.randrange(9)
    if what == 0:
        fields.insert(r.randrange(len(fields) + 1), r.choice(HOSTILE))
    elif what == 1:
        fields[n] = varint(number << 3 | r.randrange(8)) + (b"\x01" if r.random() < 0.5 else b"\x08" + b"12345678")
    elif what == 2:
        fields[n] = [number, 0, r.choice([0, 1, 2, -1, 1 << 31, (1 << 31) - 1, 1 << 32, 1 << 63, (1 << 63) - 1])]
    elif what == 3:
        fields[n] = varint(number << 3 | 2) + varint(r.choice([1 << 31, 1 << 32, 1 << 63, (1 << 63) - 1, (1 << 64) - 1, 1 << 20, (1 << 31) - 1])) + b"ab"
    elif what == 4:
        fields.append(fields[n])
    elif what == 5:
        del fields[n]
    elif what == 6:
        r.shuffle(fields)
    elif what == 7:
        fields[n] = [number, 2, r.choice([b"", b"a", b"\xff", b"\xc3\x28", b"\0", b"\xed\xa0\x80", b"x" * 70])]
    else:
        return message(fields)[:-r.randrange(1, 9)]
    return message(fields)


def protobuf_body(r, data):
    if r.random() < 0.08:
        return spoiled(r, data, 1)
    kind, raw, encoding, content = None, None, b"", b""
    fields = records(data[4:])
    for f in fields:
        if f[0] == 2:
            f[2] = spoil_message(r, f[2]) if r.random() < 0.85 else f[2]
            raw = f[2]
        if f[0] == 1:
            kind = f
    what = r.random()
    if what < 0.05:
        content = r.choice([b"application/json", b"application/vnd.kubernetes.protobuf", b"x", b"\xff"])
        fields.append([4, 2, content])
    elif what < 0.1:
        encoding = r.choice([b"gzip", b"identity", b"\xff"])
        fields.append([3, 2, encoding])
    elif what < 0.2:
        kind[2] = r.choice([b"", b"\x0a\x02v1\x12\x06Secret", b"\x0a\x02v1", b"\x12\x03Pod", b"\x0a\x02v2\x12\x03Pod", b"\x0a\x05a/b/c\x12\x03Pod", b"\x0a\x02\xff\xfe\x12\x03Pod",
                            b"\x0a\x02v1\x12\x07PodList", b"\x0a\x02v1\x12\x06Status", b"\x0a\x02v1\x12\x0dDeleteOptions", b"\x0a\x02v1\x12\x04None", b"\x0a\x02v1\x12\x06Binding"])
    elif what < 0.25:
        fields.insert(r.randrange(len(fields) + 1), r.choice(HOSTILE))
    elif what < 0.28:
        return data[:4] + spoil_message(r, message(fields))
    elif what < 0.3:
        return raw
    elif what < 0.32:
        return r.choice([b"k8s", b"k8s\0", b"k8s\1" + data[4:], b"", b"\0", data[:4] * 2 + data[4:]])
    return data[:4] + message(fields)


MARKS = ["\ufeff", "\t", "\r", "\r\n", "\u0085", "\u2028", "\0", "\x07", "\x7f", "\ud7ff", "'", '"', ":", ": ", " :", "- ", "-", "? ", "?", "[", "]", "{", "}", ",", "#", " #", "&a ", "*a",
         "*b", "!", "!!str ", "!!int ", "!!binary ", "!x ", "!!", "|", ">", "|2\n", ">-\n", "%", "@", "`", "---\n", "...\n", "---", "%YAML 1.1\n", "%YAML 3.0\n", "%TAG ! x\n", "<<: ", "\\", "\\x",
         "\"\\q\"", "\"\\u12\"", "\"\\ud800\"", "~", "=", "<<", "[]: 1\n", "{}: 1\n", "? [a]\n: b\n", "yes: ", "1: ", "null: ", "1.5: ", "    ", "\n", "\n\n", "! ", "!<x> ", "|+", "|9", "|0\n", ">x\n", "é", "\U0001f600"]


def yaml_body(r, obj):
    text = yaml.safe_dump(obj, default_flow_style=r.choice([False, False, None, True]), sort_keys=False, allow_unicode=True)
    for _ in range(r.choice([1, 1, 1, 2, 3])):
        lines = text.split("\n")
        n = r.randrange(len(lines))
        line = lines[n]
        at = r.choice([0, len(line), len(line) - len(line.lstrip()), line.find(":") + 1, r.randrange(len(line) + 1)])
        what = r.randrange(9)
        if what < 6:
            lines[n] = line[:at] + r.choice(MARKS) + line[at:]
        elif what == 6:
            lines[n] = r.choice([" " + line, line[1:], line[:at], "  " + line, "\t" + line])
        elif what == 7:
            lines.insert(n, r.choice(lines))
        else:
            lines = lines[:n] + r.choice([[], [line[:at]]])
        text = "\n".join(lines)
    data = text.encode("utf-8", "surrogatepass")
    return data if r.random() < 0.97 else spoiled(r, data, 1)


def odd(r, good, letters, most=3):
    """A good text with some letters put in, taken out, or doubled."""
    text = r.choice(good)
    for _ in range(r.randrange(most + 1)):
        at = r.randrange(len(text) + 1)
        text = r.choice([text[:at] + r.choice(letters) + text[at:], text[:at] + text[at + 1:], text[:at] + text[at - 1:at] + text[at:], r.choice(good)])
    return text


QUANTITIES = ["1", "100m", "1.5Gi", "1e3", "1E6", "5Ki", "0", "-1", "+1", "1k", "1n", "1u", "0.1", ".5", "5.", "1Ei", "9223372036854775807", "9223372036854775808", "1e-9", "1E", "12e12", "1P", "0.0000000001", "99999999999999999999Ei"]
SCHEDULES = ["* * * * *", "*/5 * * * *", "0 0 1 1 *", "0-30/10 1,2 * JAN-MAR MON-FRI", "@hourly", "@every 1h", "@every 1h30m", "@daily", "@yearly", "@midnight", "@weekly", "TZ=UTC 0 0 * * *", "CRON_TZ=Europe/Berlin 0 0 * * *",
             "0 0 31 2 *", "59 23 31 12 7", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "1-0 * * * *", "? * ? * *", "0 0 L * *", "H * * * *", "* * * * SUN#2", "0 0 * * sun-sat"]
ZONES = ["UTC", "Etc/UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "local", "Local", "LOCAL", "", " UTC", "utc", "Nowhere/None", "../UTC", "/UTC", "Europe//Berlin", "EST5EDT", "Europe/Berlin/", "GMT+1", "Etc/GMT+1", "Etc/GMT-14", "\\UTC", "Zulu", "America/Argentina/Ushuaia", "a..b"]
TIMES = ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00.123456Z", "2020-02-29T23:59:59+01:00", "2021-02-29T00:00:00Z", "2020-01-01T24:00:00Z", "2020-01-01T00:00:60Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00",
         "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999-23:59", "2020-01-01T00:00:00,5Z", "2020-1-1T00:00:00Z", "2020-01-01 00:00:00Z", "2020-01-01T00:00:00", "10000-01-01T00:00:00Z", "2020-01-01T00:00:00+24:00", "2020-01-01t00:00:00z", "2020-01-01T0:00:00Z"]
DURATIONS = ["1h", "1h30m", "1.5s", "-1s", "+1s", "0", "1", "1d", "1us", "1µs", "1μs", "1ns", "9223372036854775807ns", "9223372036854775808ns", "2562047h47m16.854775807s", "2562048h", ".5s", "5.s", "1h1h", "", "s", ".s", "1.1.1s", "1e3s", "1 s"]
LABELS = ["a", "!a", "a=b", "a==b", "a!=b", "a in (b,c)", "a notin (b)", "a in ()", "a>1", "a<1", "a=b,c=d", "x.y/z=1", "a in (b", "a b", "a,,b", "(a)", "a=b=c", "!a=b", "a>b", "a > 9223372036854775808", "a in b", "in in (in)", "notin", "a=(b)", "a!", "a===b", "", ",", "a in (,b,,c,)", "é=1"]
SELECTORS = ["metadata.name=a", "metadata.name!=a", "metadata.name==a", "a=b", "a", "=", "metadata.name=a,metadata.namespace=b", "metadata.name=a\\,b", "metadata.name=a\\=b", "metadata.name=a\\\\b", "metadata.name=a\\", "metadata.name=\\x", ",", "a=b=c", "!=", "metadata.name in (a)", "status.phase=Running", "spec.nodeName=", ""]


def same_refusal(real, ours):
    """Of several things that the typed form of an apply refuses the real server names some, in a map's random order."""
    texts = [a.get("message") or "" for a in (real, ours)]
    if not all(t.startswith("failed to create typed patch object") for t in texts):
        return False
    lines = [{line.strip() for line in t.partition("): ")[2].splitlines()} - {"errors:"} for t in texts]
    return bool(lines[0] & lines[1])


class Run:
    def __init__(self, args):
        self.servers = [Server(u, args.token) for u in (args.real, args.ours)]
        self.args = args
        self.sent, self.different = collections.Counter(), collections.Counter()
        self.out = open(args.out, "w") if args.out else None
        self.seen, self.records = set(), []
        for s in self.servers:
            s.send("POST", "/api/v1/namespaces", json.dumps({"metadata": {"name": SPACE}}), JSON, JSON)
        known = resources(self.servers[0])
        self.objects, self.wires = {}, {}
        for obj in yaml.safe_load_all(RICH.read_text()):
            name, spaced, _ = known[obj["apiVersion"], obj["kind"]]
            obj.pop("status", None)
            base = base_of(obj["apiVersion"]) + (f"/namespaces/{SPACE}/" if spaced else "/") + name
            self.objects[obj["metadata"]["name"]] = base, obj

    def wire(self, name):
        """The object as protobuf."""
        if name not in self.wires:
            base, obj = self.objects[name]
            code, _, _, data = self.servers[0].send("POST", base + "?dryRun=All", json.dumps(obj), PROTOBUF, JSON)
            assert code == 201, (name, code, data)
            self.wires[name] = data
        return self.wires[name]

    def ask(self, server, method, path, body, content_type):
        """None where the connection ends: the real one does where a handler panics."""
        try:
            return normal(server.send(method, path, body, JSON, content_type))
        except (OSError, http.client.HTTPException):
            return None

    def case(self, part, method, path, body=None, content_type=JSON):
        real, ours = (self.ask(s, method, path, body, content_type) for s in self.servers)
        self.sent[part] += 1
        if real is None or real["code"] == 504:  # so short a timeout is over at once, or not
            return
        for answer in (real, ours or {}):
            if part in ("labels", "fields") and answer.get("code") == 200:
                answer.pop("object")
        shown = {"part": part, "method": method, "path": path, "type": content_type, "body": body and base64.b64encode(body).decode()}
        if real != ours and not same_refusal(real, ours or {}):
            self.different[part] += 1
            print(f"{part}: {method} {path} {(body or b'')[:0 if len(body or b'') > 3000 else 3000]!r}\n   " + "\n   ".join(apart(real, ours or {"code": 0})[:6]), flush=True)
            if self.out:
                self.out.write(json.dumps({**shown, "real": real, "ours": ours}) + "\n")
        self.record(shown, real)

    def record(self, shown, real):
        key = shown["part"], real["code"], "".join(c for c in real.get("message") or "" if not c.isdigit())[:60], bool(real.get("warnings"))
        if self.args.record and key not in self.seen and len(shown["body"] or "") < 4000:
            self.seen.add(key)
            self.records.append({**shown, "answer": {k: v for k, v in real.items() if v and k != "object"}})

    def body(self, r, part, make, content_type):
        name = r.choice(KINDS)
        base, obj = self.objects[name]
        query = "?dryRun=All" + r.choice(["", "", "&fieldValidation=Strict", "&fieldValidation=Ignore"])
        if part == "cbor" and r.random() < 0.1 or part == "yaml" and r.random() < 0.3:
            kind = "application/apply-patch+cbor" if part == "cbor" else APPLY
            return self.case(part, "PATCH", f"{base}/{obj['metadata']['name']}{query}&fieldManager=m", make(r, obj), kind)
        self.case(part, "POST", base + query, make(r, self.wire(name) if part == "protobuf" else obj), content_type)

    def value(self, r, part, spots, text):
        name, path = r.choice(spots)
        base, obj = self.objects[name]
        self.case(part, "POST", base + "?dryRun=All", json.dumps(changed(obj, path, text), ensure_ascii=r.random() < 0.5).encode(), JSON)

    def parts(self):
        limits = [("lr", ("spec", "limits", 0, f, "cpu")) for f in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")]
        amounts = limits + [("pod", ("spec", "containers", 0, "resources", "limits", "memory")), ("pod", ("spec", "overhead", "cpu")), ("rq", ("spec", "hard", "pods")), ("node", ("status", "capacity", "cpu")),
                            ("pvc", ("spec", "resources", "requests", "storage")), ("pv", ("spec", "capacity", "storage")), ("hpa", ("spec", "metrics", 0, "resource", "target", "averageValue")),
                            ("pod", ("spec", "volumes", 0, "emptyDir", "sizeLimit")), ("pod", ("spec", "resources", "requests", "cpu"))]
        stamps = [("lease", ("spec", "acquireTime")), ("lease", ("spec", "renewTime")), ("ev2", ("eventTime",)), ("pod", ("metadata", "creationTimestamp")), ("ev", ("firstTimestamp",)), ("ev2", ("series", "lastObservedTime"))]
        return {
            "cbor": lambda r: self.body(r, "cbor", cbor_body, CBOR), "protobuf": lambda r: self.body(r, "protobuf", protobuf_body, PROTOBUF),
            "yaml": lambda r: self.body(r, "yaml", yaml_body, YAML),
            "quantities": lambda r: self.value(r, "quantities", amounts, odd(r, QUANTITIES, "0123456789eEkKmMinuGTP.+- ,x\0\"")),
            "times": lambda r: self.value(r, "times", stamps, odd(r, TIMES, "0123456789-:.TZ+ ,z", 2)),
            "schedules": lambda r: self.value(r, "schedules", *r.choice([([("cj", ("spec", "schedule"))], odd(r, SCHEDULES, "0123456789*/-,? @=LW#TZ")),
                                                                         ([("cj", ("spec", "timeZone"))], odd(r, ZONES, "/.+-_ aZ1\\", 1))])),
            "durations": lambda r: self.case("durations", "GET", "/api/v1/nodes?" + urllib.parse.urlencode({"timeout": odd(r, DURATIONS, "0123456789hmsuµn.+- ")})),
            "labels": lambda r: self.selector(r, "labels", "labelSelector", odd(r, LABELS, "ab=!,()<>/. \t-_é\"")),
            "fields": lambda r: self.selector(r, "fields", "fieldSelector", odd(r, SELECTORS, "ab=!,\\. ()é\"")),
        }

    def selector(self, r, part, option, text):
        path = r.choice(["/api/v1/namespaces/bodies/pods", "/api/v1/configmaps", "/apis/apps/v1/namespaces/bodies/deployments"])
        if part == "labels" and r.random() < 0.3:
            key, values = odd(r, ["a", "x.y/z", "A_b", "a b"], "-_./ é\"", 2), [odd(r, ["b", "", "b c"], "-_. é\"\n", 2) for _ in range(r.randrange(3))]
            term = {"key": key, "operator": r.choice(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "", "in"]), "values": values}
            return self.value(r, part, [("deploy", ("spec", "selector", "matchExpressions")), ("pdb", ("spec", "selector", "matchExpressions")), ("np", ("spec", "podSelector", "matchExpressions"))], [term])
        self.case(part, "GET", path + "?" + urllib.parse.urlencode({option: text}))


def main():
    args = argparse.ArgumentParser()
    args.add_argument("real")
    args.add_argument("ours")
    args.add_argument("--token", default="admintoken")
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--count", type=int, default=1000, help="cases of each part")
    args.add_argument("--part", action="append")
    args.add_argument("--out")
    args.add_argument("--record")
    a = args.parse_args()
    run = Run(a)
    for part, make in run.parts().items():
        r = random.Random(f"{a.seed} {part}")
        for _ in range(a.count if not a.part or part in a.part else 0):
            make(r)
        print(f"-- {part}: {run.sent[part]} sent, {run.different[part]} different", file=sys.stderr, flush=True)
    if a.record:
        pathlib.Path(a.record).write_text("".join(json.dumps(x, sort_keys=True) + "\n" for x in run.records))
    return 1 if run.different else 0


if __name__ == "__main__":
    sys.exit(main())
