#!/usr/bin/env python3
"""Turns schema/facts/ into the constant tables of schema.h:  tables.py FACTS_DIR OUT_C

Output depends on the facts alone. Everything is one array a C type, referred to by
address, so that the program starts without building or copying anything."""
import json
import os
import sys

VERBS = {"create": 1, "delete": 2, "deletecollection": 4, "get": 8, "list": 16, "patch": 32,
         "update": 64, "watch": 128}
SCALARS = {"string": "TYPE_STRING", "bool": "TYPE_BOOL", "int32": "TYPE_INT32",
           "int64": "TYPE_INT64", "float64": "TYPE_FLOAT64", "bytes": "TYPE_BYTES",
           "interface{}": "TYPE_JSON"}
CUSTOM = {"JSON": "TYPE_JSON", "JSONSchemaPropsOrArray": "TYPE_SCHEMA_OR_ARRAY",
          "JSONSchemaPropsOrBool": "TYPE_SCHEMA_OR_BOOL",
          "JSONSchemaPropsOrStringArray": "TYPE_SCHEMA_OR_STRINGS", "Quantity": "TYPE_QUANTITY",
          "FieldsV1": "TYPE_FIELDS_V1", "MicroTime": "TYPE_MICROTIME", "Time": "TYPE_TIME",
          "Duration": "TYPE_DURATION", "RawExtension": "TYPE_RAW_EXTENSION",
          "IntOrString": "TYPE_INT_OR_STRING"}
# Not structs in Go: omitempty means something.
PLAIN = {"TYPE_LIST", "TYPE_MAP", "TYPE_STRING", "TYPE_BOOL", "TYPE_INT32", "TYPE_INT64",
         "TYPE_FLOAT64", "TYPE_BYTES"}
WIRE = {"TYPE_BOOL": 0, "TYPE_INT32": 0, "TYPE_INT64": 0, "TYPE_FLOAT64": 1}
# How the protobuf encoder writes a value.
OPS = {"TYPE_STRING": "TEXT", "TYPE_QUANTITY": "QUANTITY", "TYPE_TIME": "TIME", "TYPE_MICROTIME": "TIME",
       "TYPE_BOOL": "BOOL", "TYPE_STRUCT": "MESSAGE", "TYPE_MAP": "MAP", "TYPE_INT32": "NUMBER",
       "TYPE_INT64": "NUMBER", "TYPE_INT_OR_STRING": "INT_OR_STRING"}
LIST_OPS = {"TYPE_STRUCT": "MESSAGES", "TYPE_STRING": "TEXTS"}
# What is absent: nothing is written, or one byte behind the tag.
MANY, ONE_BYTE = ("TYPE_BYTES", "TYPE_LIST", "TYPE_MAP"), ("TYPE_STRING", "TYPE_BOOL", "TYPE_INT32", "TYPE_INT64")
LIST_TYPES = {"": "LIST_UNSET", "atomic": "LIST_ATOMIC", "set": "LIST_SET", "map": "LIST_MAP"}
# Named slices that protobuf wraps in a message of their own (repeated items = 1).
WRAPPED = ("ExtraValue", "Verbs")


def cstr(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Keys:
    """Every field's JSON key, `"name":`, once in one array: names are compared by address, and
    the encoder copies keys in steps of 16 bytes, past their end."""
    text, place = "", {}

    @classmethod
    def name(cls, text):
        if text not in cls.place:
            cls.place[text] = len(cls.text) + 1
            cls.text += '"%s":' % text
        return "K + %d" % cls.place[text]

    @classmethod
    def lines(cls):
        text = cls.text + " " * 32
        rows = [cstr(text[i:i + 90]) for i in range(0, len(text), 90)]
        return ["static const char K[] ="] + ["  " + r for r in rows] + [";"]


def cslice(text):
    return "{%s, %d}" % (cstr(text), len(text.encode())) if text else "{0, 0}"


def cbool(value):
    return "true" if value else "false"


class Field:
    def __init__(self, line):
        words = line.split(" ", 3)
        self.name, self.type, self.proto = words[0], words[1], int(words[2])
        flags, _, self.default = (" " + (words[3] if len(words) > 3 else "")).partition(" d=")
        self.flags = set(flags.split())
        self.inlined = self.name == "~"

    def value(self, key):
        return next((w[len(key) + 1:] for w in self.flags if w.startswith(key + "=")), "")


class Type:
    def __init__(self, name, kind, go="", full="", elem="", fields=(), atomic=False):
        self.name, self.kind, self.go, self.full = name, kind, go or name, full
        self.elem, self.declared, self.atomic = elem, list(fields), atomic
        self.elem_pointer = self.wrapped = False
        self.flat = []


def go_name(name):
    """Go's short name of a type of the facts: "[]api.core.v1.Container" is "[]v1.Container"."""
    if name.startswith("[]"):
        return "[]" + go_name(name[2:])
    if name.startswith("*"):
        return "*" + go_name(name[1:])
    if name.startswith("map["):
        key, _, elem = name[4:].partition("]")
        return "map[" + go_name(key) + "]" + go_name(elem)
    return {"bytes": "[]uint8", "interface{}": "interface {}"}.get(name) \
        or ".".join(name.split(".")[-2:])


def declared_type(head, fields):
    kind, name, rest = head[0], head[1], head[2:]
    short = name.split(".")[-1]
    if "custom" in rest:
        t = Type(name, CUSTOM[short], full="io.k8s." + name, fields=fields)
    elif kind == "struct":
        t = Type(name, "TYPE_STRUCT", full="io.k8s." + name, fields=fields, atomic="am" in rest)
    elif kind in ("slice", "map"):
        t = Type(name, "TYPE_LIST" if kind == "slice" else "TYPE_MAP", elem=rest[0])
        t.wrapped = short in WRAPPED
    else:
        t = Type(name, SCALARS[kind])
    t.go = go_name(name)
    return t


def read_types(path):
    types, head, fields = {}, None, []

    def finish():
        if head:
            types[head[1]] = declared_type(head, fields)

    with open(path, encoding="utf-8") as f:
        for line in f:
            line = line.rstrip("\n")
            if line.startswith(" "):
                fields.append(Field(line[1:]))
                continue
            finish()
            head, fields = line.split(" "), []
    finish()
    return types


def add_anonymous(types, name):
    """Scalars, lists and maps that have no name in Go."""
    if name in types:
        return
    if name in SCALARS:
        types[name] = Type(name, SCALARS[name], go=go_name(name))
        return
    if name.startswith("[]"):
        t = Type(name, "TYPE_LIST", go=go_name(name), elem=name[2:].lstrip("*"))
        t.elem_pointer = name.startswith("[]*")
    elif name.startswith("map["):
        t = Type(name, "TYPE_MAP", go=go_name(name), elem=name[name.index("]") + 1:].lstrip("*"))
    else:
        sys.exit("no facts about type " + name)
    types[name] = t
    add_anonymous(types, t.elem)


def flatten(types, t):
    if t.flat or not t.declared:
        return t.flat
    for f in t.declared:
        t.flat += flatten(types, types[f.type]) if f.inlined else [f]
    names = [f.name for f in t.flat]
    if len(set(names)) != len(names):
        sys.exit("two fields of one name in " + t.name)
    return t.flat


class Writer:
    def __init__(self, types):
        self.types = types
        self.order = sorted(types.values(), key=lambda t: (not t.full, t.full.encode(), t.name))
        self.index = {t.name: i for i, t in enumerate(self.order)}
        self.slices, self.slice_at, self.proto_end = [], {}, {}
        self.out = []

    def ref(self, name):
        return "&T[%d]" % self.index[name] if name else "0"

    def slice_run(self, texts):
        """Address of these strings in the one array of strings."""
        key = tuple(texts)
        if not key:
            return "0"
        if key not in self.slice_at:
            self.slice_at[key] = len(self.slices)
            self.slices += key
        return "S + %d" % self.slice_at[key]

    def array(self, ctype, name, rows, size=True):
        self.out.append("%s %s[%s] = {" % (ctype, name, len(rows) if size else ""))
        self.out += ["  " + r + "," for r in rows]
        self.out.append("};\n")

    def is_atomic(self, f):
        return "am" in f.flags or (self.types[f.type].atomic and "gm" not in f.flags)

    def field_row(self, f, direct):
        keys = [k for k in f.value("lk").split(",") if k]
        flag = [cbool(x in f.flags) for x in ("p", "e", "z", "r", "m", "k", "x")]
        number = f.proto if direct else 0
        return ("{.name = {%s, %d}, .type = %s, .proto = %d, .pointer = %s, .omitempty = %s, "
                ".omitzero = %s, .required = %s, .patch_merge = %s, .patch_retain_keys = %s, "
                ".patch_replace = %s, .patch_merge_key = %s, .list_type = %s, .map_atomic = %s, "
                ".list_key_count = %d, .list_keys = %s, .default_json = %s}") % (
                    Keys.name(f.name), len(f.name), self.ref(f.type), number, *flag, cslice(f.value("mk")),
                    LIST_TYPES[f.value("lt")], cbool(self.is_atomic(f)), len(keys),
                    self.slice_run(keys), cslice(f.default))

    def brief_row(self, f):
        pointer, empty, zero = ("p" in f.flags, "e" in f.flags, "z" in f.flags)
        plain = self.types[f.type].kind in PLAIN
        omits_absent = zero or (empty and (pointer or plain))
        return "{%s, %s, %d, %s, %s, %s, %s}" % (
            Keys.name(f.name), self.ref(f.type), len(f.name), cbool(pointer), cbool(zero),
            cbool(empty and plain and not pointer), cbool(not omits_absent))

    def proto_op(self, tag, kind, t):
        if kind == "TYPE_STRING" and tag > 127:
            return "FAR_TEXT"
        if kind != "TYPE_LIST":
            return OPS.get(kind, "OTHER")
        return "LIST" if t.wrapped else LIST_OPS.get(self.types[t.elem].kind, "LIST")

    def proto_order(self, t):
        """The fields of t's message as they go over the wire, each with its place among all."""
        rows = []
        for f in sorted((f for f in t.declared if f.proto), key=lambda f: f.proto):
            member = self.types[f.type].flat[:1] if f.inlined else [f]
            rows.append((f, next((i for i, x in enumerate(t.flat) if x in member), 0)))
        return rows

    def wire_places(self, t, owner):
        """The owner's places of t's fields as they go over the wire, inlined ones among them."""
        places = []
        for f, at in self.proto_order(t):
            places += self.wire_places(self.types[f.type], owner) if f.inlined else [owner.index(t.flat[at])]
        return places

    def is_in_order(self, t):
        places = self.wire_places(t, t.flat)
        return places == sorted(places)

    def proto_inner(self, f, t):
        """Where the rows of f's struct end, or of its items', when they are in order."""
        inner = self.types[t.elem] if t.kind == "TYPE_LIST" else t
        known = inner.kind == "TYPE_STRUCT" and not f.inlined and self.is_in_order(inner)
        return "P + %d" % self.proto_end[inner.name] if known else "0"

    def proto_row(self, f, at, t):
        kind = "TYPE_STRUCT" if f.inlined else t.kind
        tag = f.proto << 3 | WIRE.get(kind, 2)
        if tag >= 1 << 14 or at > 255:
            sys.exit("a tag of three bytes, or too many fields, at " + f.name)
        tags = (0, tag, 1) if tag < 128 else (tag & 127 | 128, tag >> 7, 2)
        absent = "OTHER" if f.inlined else "NONE" if "p" in f.flags or kind in MANY else "ZERO" if kind in ONE_BYTE else "OTHER"
        return "{%d, {%d, %d}, %d, %s, PROTO_%s, %d, ABSENT_%s, %s, %s, %s, %s, %s}" % (
            tag, *tags[:2], at, kind, "OTHER" if f.inlined else self.proto_op(tag, kind, t), tags[2], absent,
            cbool("p" in f.flags), cbool(f.inlined), "0" if f.inlined else Keys.name(f.name),
            self.ref(f.type), self.proto_inner(f, t))

    def place_protos(self):
        """A row that is nobody's stands before each type's and behind the last's."""
        at = 0
        for t in self.order:
            at += 1 + len(self.proto_order(t))
            self.proto_end[t.name] = at

    def write_types(self):
        self.place_protos()
        fields, protos, by_name, rows, briefs, by_length = [], [], [], [], [], []
        for i, t in enumerate(self.order):
            protos.append("{.kind = PROTO_BEFORE, .type = %s}" % self.ref(t.name))
            first, proto_first, flat = len(fields), len(protos), t.flat
            fields += [self.field_row(f, f in t.declared) for f in flat]
            protos += [self.proto_row(f, at, self.types[f.type]) for f, at in self.proto_order(t)]
            assert len(protos) == self.proto_end[t.name]
            names = sorted(range(len(flat)), key=lambda n: flat[n].name.encode())
            rows.append("{.name = %s, .full_name = %s, .kind = %s, .elem_pointer = %s, "
                        ".map_atomic = %s, .wrapped = %s, .id = %d, .field_count = %d, "
                        ".proto_count = %d, .elem = %s, .fields = F + %d, .by_name = N + %d, "
                        ".protos = P + %d, .protos_end = P + %d, .by_length = M + %d, .brief = G + %d, .proto_in_order = %s}" % (
                            cslice(t.go), cslice(t.full), t.kind, cbool(t.elem_pointer),
                            cbool(t.atomic), cbool(t.wrapped), i, len(flat),
                            len(protos) - proto_first, self.ref(t.elem), first, len(by_name),
                            proto_first, len(protos), len(by_name), first, cbool(self.is_in_order(t))))
            briefs += [self.brief_row(f) for f in flat]
            by_name += [str(n) for n in names]
            by_length += map_str(sorted(names, key=lambda n: len(flat[n].name)))
        protos.append("{.kind = PROTO_BEFORE}")
        self.array("static const field_info", "F", fields)
        self.array("static const proto_field", "P", protos)
        self.array("static const field_brief", "G", briefs)
        self.array("static const uint16_t", "N", by_name)
        self.array("static const uint16_t", "M", by_length)
        self.array("static const type_info", "T", rows)
        self.array("const type_info *const", "schema_types",
                   ["&T[%d]" % i for i in range(len(rows))], size=False)
        named = sum(1 for t in self.order if t.full)
        self.out.append("const uint16_t schema_type_count = %d;" % len(rows))
        self.out.append("const uint16_t schema_named_type_count = %d;\n" % named)


class Resources:
    """Resources in discovery's order, with the kinds that they speak of."""

    def __init__(self, path, kinds):
        self.rows, self.groups, self.kinds = [], {}, kinds
        with open(path, encoding="utf-8") as f:
            for line in f:
                row = json.loads(line)
                if not line.startswith(" "):
                    group, version = row["group"], row["version"]
                    self.groups.setdefault(group, []).append(version)
                    continue
                row["group"], row["version"] = group, version
                self.rows.append(row)
        self.index = {(r["group"], r["version"], r["resource"]): i
                      for i, r in enumerate(self.rows)}

    def storage(self, row):
        if "storage" not in row:
            return self.index[row["group"], row["version"], row["resource"]]
        group, _, version = row["storage"].rpartition("/")
        return self.index[group, version, row["resource"]]


def subresource_text(w, res, row, sub):
    group = sub.get("group", row["group"])
    version = sub.get("version", row["version"])
    kind = res.kinds.get((group, version, sub["kind"]), "")
    if sub["kind"].endswith("Options"):
        kind = ""
    return "{%s, %s, %s, %s, %d, %s, %s}" % (
        cslice(sub["name"]), cslice(group), cslice(version), cslice(sub["kind"]),
        sum(VERBS[v] for v in sub["verbs"]), w.ref(kind), cbool("version" in sub))


def resource_text(w, res, i, row, sub_first, col_first):
    gv = (row["group"], row["version"])
    listed = row.get("list", "")
    short, cats = row.get("short", []), row.get("categories", [])
    return ("{.group = %s, .version = %s, .resource = %s, .singular = %s, .kind = %s, "
            ".list_kind = %s, .namespaced = %s, .verbs = %d, .id = %d, .type = %s, "
            ".list_type = %s, .short_name_count = %d, .category_count = %d, "
            ".subresource_count = %d, .column_count = %d, .short_names = %s, .categories = %s, "
            ".subresources = B + %d, .columns = C + %d, .storage_hash = %s, "
            ".storage = &schema_resources[%d], .etcd_prefix = %s, .standard = %s, .gate = %s}") % (
                cslice(gv[0]), cslice(gv[1]), cslice(row["resource"]), cslice(row["singular"]),
                cslice(row["kind"]), cslice(listed), cbool(row["namespaced"]),
                sum(VERBS[v] for v in row["verbs"]), i, w.ref(res.kinds[gv + (row["kind"],)]),
                w.ref(res.kinds[gv + (listed,)]) if listed else "0", len(short), len(cats),
                len(row["subresources"]), len(row["columns"]), w.slice_run(short),
                w.slice_run(cats), sub_first, col_first, cslice(row.get("hash", "")),
                res.storage(row), cslice(row["etcd"]), cbool("off" not in row),
                cslice(row.get("gate", "")))


def write_resources(w, res):
    subs, cols, rows = [], [], []
    for i, row in enumerate(res.rows):
        rows.append(resource_text(w, res, i, row, len(subs), len(cols)))
        subs += [subresource_text(w, res, row, s) for s in row["subresources"]]
        cols += ["{%s, %s, %s, %d}" % (cslice(a), cslice(b), cslice(c), d)
                 for a, b, c, d in row["columns"]]
    w.array("static const subresource_info", "B", subs)
    w.array("static const table_column", "C", cols)
    w.array("const resource_info", "schema_resources", rows, size=False)
    w.out.append("const uint16_t schema_resource_count = %d;\n" % len(rows))
    by_name = sorted(range(len(rows)), key=lambda n: [
        res.rows[n][k].encode() for k in ("group", "version", "resource")])
    by_kind = sorted(range(len(rows)), key=lambda n: [
        res.rows[n][k].encode() for k in ("group", "version", "kind")])
    w.array("const uint16_t", "schema_resources_by_name", map_str(by_name), size=False)
    w.array("const uint16_t", "schema_resources_by_kind", map_str(by_kind), size=False)
    stored = sorted((n for n in range(len(rows)) if res.storage(res.rows[n]) == n and res.rows[n].get("list")),
                    key=lambda n: res.rows[n]["etcd"].encode())
    prefixes = [res.rows[n]["etcd"] for n in stored]
    assert len(set(prefixes)) == len(prefixes) and all(p.count("/") <= 1 for p in prefixes)
    w.array("const uint16_t", "schema_resources_by_prefix", map_str(stored), size=False)
    w.out.append("const uint16_t schema_stored_count = %d;\n" % len(stored))
    w.array("const kind_info", "schema_kinds", [
        "{%s, %s, %s, %s}" % (cslice(g), cslice(v), cslice(k), w.ref(t))
        for (g, v, k), t in sorted(res.kinds.items())], size=False)
    w.out.append("const uint16_t schema_kind_count = %d;\n" % len(res.kinds))
    w.array("const group_info", "schema_groups", [
        "{%s, %d, %s}" % (cslice(g), len(v), w.slice_run(v)) for g, v in res.groups.items()],
        size=False)
    w.out.append("const uint16_t schema_group_count = %d;\n" % len(res.groups))


def map_str(numbers):
    return [str(n) for n in numbers]


def main():
    facts, target = sys.argv[1:]
    types = read_types(os.path.join(facts, "types.txt"))
    for t in list(types.values()):
        for f in t.declared:
            if not f.inlined:
                add_anonymous(types, f.type)
        if t.elem:
            add_anonymous(types, t.elem)
    add_anonymous(types, "string")
    for t in types.values():
        flatten(types, t)
    kinds = {}
    with open(os.path.join(facts, "kinds.txt"), encoding="utf-8") as f:
        for line in f:
            group, version, kind, name = line.split()
            kinds["" if group == "-" else group, version, kind] = name
    w = Writer(types)
    w.write_types()
    write_resources(w, Resources(os.path.join(facts, "resources.jsonl"), kinds))
    head = ["/* Generated by schema/gen/tables.py from schema/facts/. Do not edit. */",
            '#include "base/val.h"', '#include "schema/schema.h"\n', '#include "schema/schema_index.h"\n',
            "static const type_info T[%d];" % len(w.order)] + Keys.lines()
    strings = ["static const slice S[%d] = {" % len(w.slices)]
    strings += ["  " + cslice(s) + "," for s in w.slices] + ["};\n"]
    with open(target, "w", encoding="utf-8") as out:
        out.write("\n".join(head + strings + w.out) + "\n")


if __name__ == "__main__":
    main()
