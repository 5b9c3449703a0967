"""Schemas and the values that record.py tries under each; and updates: schema, old value, new value."""
ALL = [None, True, 0, 1, -5, 1.5, 2.0, 1e30, "", "a", "abc", [], [1], ["a"], {}, {"a": 1}]


def obj(**properties):
    return {"type": "object", "properties": properties}


def arr(items, **more):
    return dict({"type": "array", "items": items}, **more)


S, I, N, B = ({"type": t} for t in ("string", "integer", "number", "boolean"))
FREE = {"x-kubernetes-preserve-unknown-fields": True}
FORMATS = {
    "bsonobjectid": ["507f1f77bcf86cd799439011", "507f1f77bcf86cd79943901", "x07f1f77bcf86cd799439011"],
    "uri": ["http://a.b/c", "/x", "a", "http://a#b", "mailto:a@b", "http://a b", "*", "http://[::1]/", "a:b", "/%zz", "#"],
    "email": ["a@b", "a", "A B <a@b.c>", "a@", "\"x y\"@b", "a.b@c.d", "a..b@c", "<a@b>", "a@b (c)", "(c) a@b", "a@[1.2.3.4]", "é@b", "a@b,c@d"],
    "hostname": ["a", "a.b", "example.com", "-a.com", "a_b.com", "a.b1", "1.2.3.4", "é.com", "a" * 64 + ".com", "a.", ""],
    "ipv4": ["1.2.3.4", "01.2.3.4", "1.2.3", "::1", "::ffff:1.2.3.4", "1.2.3.256", ""],
    "ipv6": ["::1", "1.2.3.4", "fe80::1%eth0", "::ffff:1.2.3.4", "::ffff:01.2.3.4", "1::2::3"],
    "cidr": ["1.2.3.0/24", "1.2.3.4/33", "::/0", "1.2.3.4", "01.2.3.4/8", "1.2.3.4/08"],
    "mac": ["00:11:22:33:44:55", "00-11-22-33-44-55", "0011.2233.4455", "00:11:22:33:44", "00:11:22:33:44:55:66:77", "00:11-22:33:44:55"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000", "123E4567e89b12d3a456426614174000", "123e4567"],
    "uuid3": ["123e4567-e89b-32d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"],
    "uuid4": ["123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-42d3-c456-426614174000"],
    "uuid5": ["123e4567-e89b-52d3-a456-426614174000", "123e4567-e89b-52d3-c456-426614174000"],
    "isbn": ["0321751043", "978-0321751041", "978-0321751042", "032175104X", "1"],
    "isbn10": ["0321751043", "978-0321751041"], "isbn13": ["0321751043", "978 0321751041"],
    "creditcard": ["4111 1111 1111 1111", "4111111111111112", "1"],
    "ssn": ["123-45-6789", "123456789", "123 45 6789", "1"],
    "hexcolor": ["#fff", "fff", "#ffff", "#FFFFFF"],
    "rgbcolor": ["rgb(0,0,0)", "rgb( 255 , 1,2)", "rgb(256,0,0)", "rgb(0,0)"],
    "byte": ["YQ==", "YWI=", "YWJj", "", "a", "YW-_", "YQ"],
    "password": ["", "x"],
    "date": ["2006-01-02", "2006-1-2", "2023-02-29", "2024-02-29", "2006-13-01", "2006-01-02T00:00:00Z"],
    "duration": ["1s", "1h30m", "22 ns", "2 weeks", "1", "", "x 3 days", "5 fortnights", "-1s", "1µs", "3 MIN", "99999999999999999999 s"],
    "date-time": ["2014-12-15T19:30:20.000Z", "2014-12-15T19:30:20Z", "2014-12-15t19:30:20+01:00", "2014-12-15T24:30:20Z", "2014-12-15", "2014-12-15T19:30:20", "2014-12-15T19:30:60Z"],
    "datetime": ["2014-12-15T19:30:20Z", "x"],
    "k8s-short-name": ["a-b", "A", "a.b", "-a", "a" * 64], "k8s-long-name": ["a.b", "a..b", "A", "a" * 254],
    "int-or-string": ["x"], "nonsense": ["x"], "int32": ["x"], "u-u-i-d": ["x"],
}
KEYED = arr(obj(k=S, v=S) | {"required": ["k"]}, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]})
TWO_KEYS = arr(obj(k=S, n=I | {"default": 1}, v=S) | {"required": ["k"]},
               **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "n"]})
EMBEDDED = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
STRICT_EMBEDDED = EMBEDDED | obj(spec=obj(a=S))
del STRICT_EMBEDDED["x-kubernetes-preserve-unknown-fields"]
IOS = {"x-kubernetes-int-or-string": True}
CASES = [
    (S, ALL), (I, ALL), (N, ALL), (B, ALL), (arr(S), ALL), ({"type": "object"}, ALL),
    (obj(a=I), ALL), (FREE, ALL), (IOS, ALL), (S | {"nullable": True}, ALL),
    (IOS | {"anyOf": [I, S]}, ALL), (IOS | {"allOf": [{"anyOf": [I, S]}, {"minimum": 1}]}, ALL),
    (I | {"format": "int32"}, [1, 2147483648, -2147483649, 1.5, "a", True]), (I | {"format": "int64"}, [1, 1e18, 1e19, 3.0, 3.5]),
    (N | {"format": "float"}, [1, 1e39, -1e39, 1e38]), (N | {"format": "double"}, [1, 1e39, "x"]), (N | {"format": "int32"}, [1e10]),
    (I | {"minimum": 3}, [2, 3, 4, 2.0]), (I | {"minimum": 3, "exclusiveMinimum": True}, [3, 4]),
    (I | {"maximum": 3}, [2, 3, 4]), (I | {"maximum": 3, "exclusiveMaximum": True}, [2, 3]),
    (I | {"minimum": 2.5}, [2, 3]), (N | {"minimum": 2.5, "maximum": 1000000}, [2, 3, 2.4, 2.5, 1000000, 1000001, 1e6 + .5]),
    (N | {"minimum": 1.5, "exclusiveMinimum": True}, [1.5, 1.6]), (N | {"maximum": 1e21}, [1e22]), (N | {"maximum": .00001}, [1]),
    (I | {"multipleOf": 3}, [2, 3, 0, -6, 4]), (N | {"multipleOf": .1}, [.3, .35, 1, 2]), (I | {"multipleOf": .5}, [1, 2]),
    (N | {"multipleOf": 2.5}, [5, 5.0, 6.0, 7.5]), (I | {"multipleOf": -1}, [1]), (N | {"multipleOf": 0}, [1.5]),
    (S | {"minLength": 2}, ["a", "ab", "é", "éé"]), (S | {"maxLength": 1}, ["a", "ab", "é", "éé", "😀"]), (S | {"maxLength": 2}, ["abc"]),
    (S | {"pattern": "^a+$"}, ["a", "b", "aaa", ""]), (S | {"pattern": "^[\\w'\"]+$"}, ["a'", "-"]), (S | {"pattern": "b", "minLength": 3}, ["a", "aaa"]),
    (S | {"enum": ["a", "b"]}, ["a", "c", 1, None]), (I | {"enum": [1, 2]}, [1, 3, "1", 1.0, 1.5]), (N | {"enum": [1, 2.5]}, [1, 2.5, 2.6]),
    (FREE | {"enum": ["a", 1, True, {"a": [1]}, [1, "x"], 1.5, 65.0]}, ["a", 1, 2, True, False, {"a": [1]}, {"a": [2]}, [1, "x"], 1.5, 65, "b"]),
    (FREE | {"enum": ["A", "B"]}, [65, 66, 67, "A"]), (S | {"enum": ["a\"b", "é"]}, ["c"]), (S | {"nullable": True, "enum": ["a"]}, [None, "a"]),
    (arr(S, minItems=1, maxItems=2), [[], ["a"], ["a", "b", "c"], [1], [None], ["a", 2, "c"]]), (arr(S, maxItems=1), [["a", "b"]]),
    (arr(I | {"nullable": True}), [[None, 1]]), (arr(arr(I)), [[[1], ["a"]], [1], [[]]]), (arr(I | {"default": 7}), [[None, 1]]),
    (obj(a=S) | {"required": ["a", "b"]}, [{}, {"a": "x"}, {"b": 1}, {"a": None}]), (obj(a=S, b=S) | {"required": ["a", "b"]}, [{}, {"a": "x", "b": "y"}]),
    (obj(a=S, b=S) | {"minProperties": 1, "maxProperties": 1}, [{}, {"a": "x"}, {"a": "x", "b": "y"}, {"c": 1}]),
    (obj(a=S, b=S) | {"minProperties": 2}, [{"a": "x"}]),
    ({"type": "object", "additionalProperties": I}, [{}, {"a": 1}, {"a": "x"}, {"a": None}, {"a": 1, "b": []}]),
    ({"type": "object", "additionalProperties": True}, [{"a": 1, "b": {"c": 1}}]), ({"type": "object", "additionalProperties": False}, [{}, {"a": 1}]),
    (obj(a=S) | {"additionalProperties": True}, [{"a": "x", "b": 1}]),
    ({"type": "object", "additionalProperties": obj(a=I)}, [{"x": {"a": 1, "b": 2}}, {"x": {"a": "s"}}, {"x": 1, "y.z": {"a": "s"}}]),
    ({"type": "object", "additionalProperties": I | {"default": 5}}, [{"a": None}]), ({"type": "object", "additionalProperties": I | {"nullable": True}}, [{"a": None}]),
    (obj(a=obj(b=arr(obj(c=I)))), [{"a": {"b": [{"c": 1, "d": 2}, {"c": "x"}], "z": 1}, "y": 2}, {"a": {"b": [1, {"e": {"f": 1}}]}}, {"a": [{"q": 1}]}]),
    (obj(a=FREE | obj(b=obj(c=I))), [{"a": {"x": 1, "b": {"c": 1, "d": 2}}, "z": 0}]), (arr(FREE | obj(b=obj(c=I))), [[{"x": 1, "b": {"c": 1, "d": 2}}]]),
    (FREE | {"type": "object", "additionalProperties": obj(a=I)}, [{"x": {"a": 1, "b": 2}}]),
    (obj(a=S | {"default": "x"}, b=I), [{}, {"a": None}, {"a": "y"}, {"b": None}, None]), (obj(a=obj(b=S | {"default": "x"})), [{}, {"a": {}}]),
    (obj(a=obj(b=S | {"default": "x"}) | {"default": {}}), [{}, {"a": None}, {"a": {"b": "z"}}]), (obj(a=S | {"default": "x", "nullable": True}), [{}, {"a": None}]),
    (arr(obj(a=S | {"default": "x"}, b=I)), [[{}, {"a": "y"}, {"b": 1}]]), ({"type": "object", "additionalProperties": obj(a=I | {"default": 3})}, [{"k": {}}]),
    (obj(a=S) | {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, [{}, {"a": "x"}, {"a": "x", "b": 1}]),
    (obj(a=S, b=S) | {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, [{}, {"a": "x"}, {"b": "x"}, {"a": "x", "b": "y"}]),
    (obj(a=S, b=S) | {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, [{}, {"a": "x"}, {"a": "x", "b": "y"}]),
    (obj(a=S, b=I) | {"anyOf": [{"properties": {"a": {"minLength": 3}}}, {"properties": {"b": {"minimum": 3}}, "required": ["b"]}]}, [{}, {"a": "x"}, {"a": "x", "b": 1}, {"a": "x", "b": 5}]),
    (I | {"allOf": [{"minimum": 3}, {"maximum": 5}]}, [1, 4, 9]), (I | {"allOf": [{"minimum": 3}, {"minimum": 5}]}, [1, 4]),
    (I | {"not": {"minimum": 3}}, [1, 5]), (S | {"not": {"enum": ["a"]}}, ["a", "b"]), (I | {"oneOf": [{"minimum": 3}, {"maximum": 5}, {"enum": [4]}]}, [1, 4, 9]),
    (I | {"anyOf": [{"minimum": 10}, {"maximum": -10}]}, [0, 11]), (S | {"anyOf": [{"pattern": "^a"}, {"pattern": "^b"}, {"format": "ipv4"}]}, ["a", "c", "1.2.3.4"]),
    (S | {"allOf": [{"anyOf": [{"minLength": 3}, {"enum": ["a"]}]}, {"not": {"pattern": "x"}}]}, ["a", "b", "xxx", "x"]),
    (arr(S, oneOf=[{"minItems": 2}, {"maxItems": 0}]), [[], ["a"], ["a", "b"]]),
    (arr(S, **{"x-kubernetes-list-type": "set"}), [["a", "b"], ["a", "a"], ["a", "b", "a", "b", "a"], []]),
    (arr(N, **{"x-kubernetes-list-type": "set"}), [[1, 1.0], [1, 1], [1.5, 1.5]]),
    (arr(arr(I), **{"x-kubernetes-list-type": "set"}), [[[1], [1]], [[1], [2]]]),
    (KEYED, [[{"k": "a"}, {"k": "b"}], [{"k": "a"}, {"k": "a", "v": "x"}], [{}, {}], [{"k": "a"}, 1], [{"k": "a"}, {"k": "a"}, {"k": "a"}]]),
    (TWO_KEYS, [[{"k": "a"}, {"k": "a", "n": 2}], [{"k": "a"}, {"k": "a", "n": 1}], [{"n": 1}, {"n": 1}]]),
    (EMBEDDED, [{}, {"apiVersion": "v1", "kind": "Pod"}, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "foo": 1}, "spec": {"a": 1}},
                {"apiVersion": "", "kind": ""}, {"apiVersion": "a/b/c", "kind": "_x"}, {"apiVersion": 1, "kind": "Pod"},
                {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": 1}}, {"apiVersion": "v1", "kind": "Pod", "metadata": "x"},
                {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "A/b", "labels": {"-": "x"}}},
                {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "Bad", "finalizers": ["x y"]}}, {"apiVersion": "v1", "kind": "Pod", "metadata": None}]),
    (STRICT_EMBEDDED, [{"apiVersion": "v1", "kind": "P", "metadata": {"name": "x"}, "spec": {"a": "b", "c": 1}, "z": 1}]),
    (arr(EMBEDDED), [[{"apiVersion": "v1"}, {"kind": "X", "apiVersion": "v1", "metadata": {"zz": {}}}]]),
    ({"type": "object", "additionalProperties": EMBEDDED}, [{"k": {"kind": "X", "apiVersion": "v1", "metadata": {"zz": {}, "labels": None}}, "l": {}}]),
    *[(S | {"format": name}, values) for name, values in FORMATS.items()],
    (FREE | {"format": "uri"}, ["a", 1, [1], {}, True, 1.5]), (arr(S, format="uri"), [["a"]]), (IOS | {"format": "ipv4"}, ["a", 1, True]), (B | {"format": "uri"}, [1, True]),
]
BAD = S | {"maxLength": 1}
UPDATES = [
    (BAD, "toolong", "toolong"), (BAD, "toolong", "toolonger"), (BAD, "x", "toolong"),
    (obj(a=BAD, b=BAD), {"a": "long"}, {"a": "long", "b": "x"}), (obj(a=BAD, b=BAD), {"a": "long"}, {"a": "long", "b": "long"}), (obj(a=BAD, b=BAD), {"a": "long"}, {"a": "longer", "b": "x"}),
    (obj(a=S, b=S) | {"required": ["b"]}, {"a": "x"}, {"a": "x"}), (obj(a=S, b=S) | {"required": ["b"]}, {"a": "x"}, {"a": "y"}),
    (obj(a=S, b=S) | {"maxProperties": 1}, {"a": "x", "b": "y"}, {"a": "x", "b": "y"}), (obj(a=S, b=S) | {"maxProperties": 1}, {"a": "x", "b": "y"}, {"a": "x", "b": "z"}),
    (arr(BAD), ["long"], ["long"]), (arr(BAD), ["long"], ["long", "x"]), (arr(BAD), ["long", "x"], ["x", "long"]),
    (arr(BAD, **{"x-kubernetes-list-type": "set"}), ["long"], ["long", "x"]),
    (arr(obj(k=S, v=BAD) | {"required": ["k"]}, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}),
     [{"k": "a", "v": "long"}, {"k": "b"}], [{"k": "c"}, {"k": "a", "v": "long"}]),
    (arr(obj(k=S, v=BAD) | {"required": ["k"]}, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}),
     [{"k": "a", "v": "long"}], [{"k": "a", "v": "longer"}]),
    (arr(obj(k=S, v=BAD) | {"required": ["k"]}, maxItems=1, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}),
     [{"k": "a"}, {"k": "b"}], [{"k": "b"}, {"k": "a"}]),
    (KEYED, [{"k": "a"}, {"k": "a"}], [{"k": "a"}, {"k": "a"}, {"k": "b"}]), (KEYED, [{"k": "a"}], [{"k": "a"}, {"k": "a"}]),
    ({"type": "object", "additionalProperties": BAD}, {"a": "long"}, {"a": "long", "b": "x"}), ({"type": "object", "additionalProperties": BAD}, {"a": "long"}, {"b": "long"}),
    (obj(a=I) | {"allOf": [{"properties": {"a": {"minimum": 5}}}]}, {"a": 1}, {"a": 1}), (obj(a=I, b=I) | {"allOf": [{"properties": {"a": {"minimum": 5}}}]}, {"a": 1}, {"a": 1, "b": 2}),
    (I | {"minimum": 5}, 1, 1), (I | {"minimum": 5}, 1, 2), (S | {"enum": ["a"]}, "b", "b"), (S | {"pattern": "^a"}, "b", "b"), (I, "x", "x"), (I, "x", "y"),
    (FREE | obj(a=BAD) | {"minProperties": 3}, {"a": "x", "u": 1}, {"a": "x", "u": 1}), (EMBEDDED, {"apiVersion": "v1"}, {"apiVersion": "v1"}),
    (obj(a=obj(b=BAD, c=S)), {"a": {"b": "long", "c": "x"}}, {"a": {"b": "long", "c": "y"}}), (BAD | {"nullable": True}, None, "long"),
]
