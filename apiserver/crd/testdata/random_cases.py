"""Random structural schemas with values, and updates, for `record.py URL TOKEN OUT SEED`: what the server then answers is put
through structural_test (build/obj/release/apiserver/crd/structural_test OUT)."""
import random

from cases import FORMATS

NAMES = ["a", "b", "c", "metadata", "kind", "k-1", "x y"]
WORDS = ["", "a", "b", "abc", "aXb", "é", "1", "1.2.3.4", "long text", "a\nb"]
PATTERNS = ["^a", "b$", "^[a-z]+$", "^(a|b)*$", "\\d", "(?i)^A", "^.{2}$", "\\bb", "^\\pL*$", ""]


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def some(self, chance, make):
        return make() if self.r.random() < chance else None

    def number(self):
        r = self.r
        return r.choice([0, 1, 2, 3, -1, 5, 10, 1.5, 2.5, 0.1, -2.5, 1e6, 1e10, 1e21, 1234567.5, 100000, 2147483648])

    def limits(self, schema, kind):
        r = self.r
        options = {"string": ["minLength", "maxLength", "pattern", "format", "enum"], "integer": ["minimum", "maximum", "multipleOf", "enum", "format"],
                   "number": ["minimum", "maximum", "multipleOf", "enum", "format"], "array": ["minItems", "maxItems"], "object": ["minProperties", "maxProperties", "required"]}
        for name in r.sample(options.get(kind, []), k=r.choice([0, 0, 1, 1, 2]) if options.get(kind) else 0):
            if name == "pattern":
                schema[name] = r.choice(PATTERNS)
            elif name == "format":
                schema[name] = r.choice(list(FORMATS) if kind == "string" else ["int32", "int64", "float", "double", "foo"])
            elif name == "enum":
                schema[name] = [self.value({"type": kind}, 0) for _ in range(r.choice([1, 2, 3]))]
            elif name == "required":
                schema[name] = r.sample(NAMES[:3], k=r.choice([1, 2]))
            elif name in ("minimum", "maximum", "multipleOf"):
                schema[name] = abs(self.number()) or 1 if name == "multipleOf" else self.number()
            else:
                schema[name] = r.choice([0, 1, 2, 3])
        if "minimum" in schema and r.random() < .3:
            schema["exclusiveMinimum"] = True
        return {k: v for k, v in schema.items() if v != "" or k != "pattern"}

    def branch(self, schema, depth):
        """A value validation that fits the structure."""
        r, out = self.r, {}
        kind = schema.get("type")
        out = self.limits(out, kind)
        if kind == "object" and schema.get("properties") and depth and r.random() < .5:
            name = r.choice(list(schema["properties"]))
            if name != "metadata":
                out["properties"] = {name: self.branch(schema["properties"][name], depth - 1)}
        if kind == "array" and depth and r.random() < .5:
            out["items"] = self.branch(schema["items"], depth - 1)
        if depth and r.random() < .2:
            out[r.choice(["allOf", "anyOf", "oneOf"])] = [self.branch(schema, depth - 1) for _ in range(2)]
        return out

    def schema(self, depth):
        r = self.r
        kind = r.choice(["string", "integer", "number", "boolean", "object", "object", "array", "free", "ios"] if depth else ["string", "integer", "number", "boolean"])
        if kind == "free":
            return {"x-kubernetes-preserve-unknown-fields": True}
        if kind == "ios":
            return {"x-kubernetes-int-or-string": True} | ({"anyOf": [{"type": "integer"}, {"type": "string"}]} if r.random() < .5 else {}) | ({"maxLength": 2, "minimum": 2} if r.random() < .3 else {})
        s = self.limits({"type": kind}, kind)
        if kind == "array":
            s["items"] = self.schema(depth - 1)
            if r.random() < .2:
                s["x-kubernetes-list-type"] = "atomic"
            elif r.random() < .3 and s["items"].get("type") in ("string", "integer", "number") and not s["items"].get("nullable"):
                s["x-kubernetes-list-type"] = "set"
            elif r.random() < .3:
                s["items"] = {"type": "object", "required": ["a"], "properties": {"a": {"type": r.choice(["string", "integer"])}, "b": self.schema(0)}}
                s |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"]}
        if kind == "object":
            what = r.random()
            if what < .65:
                s["properties"] = {n: self.schema(depth - 1) for n in r.sample(NAMES, k=r.choice([1, 2, 3]))}
            elif what < .9:
                s["additionalProperties"] = self.schema(depth - 1)
            if r.random() < .2:
                s["x-kubernetes-preserve-unknown-fields"] = True
            if r.random() < .1:
                s["x-kubernetes-map-type"] = "atomic"
        if r.random() < .15 and "x-kubernetes-list-type" not in s:
            s["nullable"] = True
        for word in ("allOf", "anyOf", "oneOf"):
            if depth and r.random() < .15:
                s[word] = [self.branch(s, depth - 1) for _ in range(r.choice([1, 2, 3]))]
        if depth and r.random() < .1:
            s["not"] = self.branch(s, depth - 1)
        if kind in ("string", "integer", "boolean") and r.random() < .2 and len(s) == 1:
            s["default"] = {"string": "dflt", "integer": 7, "boolean": True}[kind]
        return s

    def value(self, s, depth):
        r = self.r
        if r.random() < .12:
            return r.choice([None, True, 0, 1.5, "", "w", [], {}, [1, "a"], {"a": 1}, {"q": {"r": None}}])
        kind = s.get("type") or r.choice(["string", "integer", "object", "array", "number", "boolean"])
        if kind == "string":
            if s.get("format") in FORMATS and r.random() < .8:
                return r.choice(FORMATS[s["format"]])
            return r.choice(s.get("enum") or WORDS) if r.random() < .7 else r.choice(WORDS)
        if kind == "integer":
            return r.choice([0, 1, 2, 3, 5, 7, -4, 10, 1000000, 2147483648, 3.0])
        if kind == "number":
            return self.number()
        if kind == "boolean":
            return r.random() < .5
        if kind == "array":
            items = s.get("items", {})
            return [self.value(items, depth - 1) for _ in range(r.choice([0, 1, 2, 2, 3]))] if depth else []
        out = {}
        for name in r.sample(NAMES, k=r.choice([0, 1, 2, 3])):
            sub = s.get("properties", {}).get(name) or s.get("additionalProperties") or {}
            if depth:
                out[name] = self.value(sub if isinstance(sub, dict) else {}, depth - 1)
        return out


def random_cases(seed, schemas=50, values=10):
    m = Maker(seed)
    cases, updates = [], []
    for _ in range(schemas):
        s = m.schema(3)
        cases.append((s, [m.value(s, 4) for _ in range(values)]))
        old = m.value(s, 4)
        new = m.value(s, 4) if m.r.random() < .3 else old
        if isinstance(old, dict) and new is old:
            new = dict(old)
            new[m.r.choice(NAMES)] = m.value({}, 2)
        updates.append((s, old, new))
    return cases, updates
