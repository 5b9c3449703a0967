"""OpenAPI documents as protobuf: gnostic's openapi.v2.Document, which old clients ask for, and
openapi.v3.Document.

A message is a row of members: JSON name -> (field number, how). How is a letter: s string,
b bool, i int64, d double, S strings, a any value, A any values; or a function that gives the
encoded value; or ("map", f): named entries; ("list", f): repeated."""
import re
import struct

PLAIN = re.compile(r"^[A-Za-z_/][A-Za-z0-9_.,/+-]*( [A-Za-z0-9_.,/+-]+)*$")
RESERVED = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"}


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def chunk(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def text(number, value):
    return chunk(number, value.encode())


def yaml_scalar(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if PLAIN.match(value) and value.lower() not in RESERVED:
        return value
    return "'" + value.replace("'", "''") + "'" if value else '""'


def yaml(value, indent=""):
    """Block style, as a vendor extension's value is kept."""
    if isinstance(value, dict):
        lines = []
        for key, item in value.items():
            nested = isinstance(item, (dict, list)) and item
            body = "\n" + yaml(item, indent + "  ") if nested else " " + yaml(item)
            lines.append(indent + key + ":" + body)
        return "\n".join(lines) if lines else "{}"
    if isinstance(value, list):
        return "\n".join(indent + "- " + yaml(item, indent + "  ").lstrip(" ")
                         for item in value) or "[]"
    return yaml_scalar(value)


def any_value(value):
    return text(2, yaml(value) + "\n")


def named(name, data):
    return text(1, name) + chunk(2, data)


def member(number, how, value):
    if how == "s":
        return text(number, value) if value else b""
    if how == "b":
        return varint(number << 3) + b"\x01" if value else b""
    if how == "i":
        return varint(number << 3) + varint(value) if value else b""
    if how == "d":
        return varint(number << 3 | 1) + struct.pack("<d", value) if value else b""
    if how == "S":
        return b"".join(text(number, v) for v in value)
    if how == "a":
        return chunk(number, any_value(value))
    if how == "A":
        return b"".join(chunk(number, any_value(v)) for v in value)
    if isinstance(how, tuple):
        shape, encode = how
        if shape == "list":
            return b"".join(chunk(number, encode(v)) for v in value)
        return chunk(number, b"".join(chunk(1, named(k, encode(v))) for k, v in value.items()))
    return chunk(number, how(value))


def message(members, extension=0):
    """An encoder of a JSON object by the row of its members, in the order of their numbers."""
    def encode(value):
        parts = [(members[k][0], member(*members[k], v)) for k, v in value.items() if k in members]
        unknown = [(extension, chunk(extension, named(k, any_value(v))))
                   for k, v in value.items() if k not in members and k.startswith("x-")]
        return b"".join(data for _, data in sorted(parts + unknown, key=lambda p: p[0]))
    return encode


def additional(value):
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    return chunk(1, schema(value))


def type_item(value):
    return b"".join(text(1, v) for v in (value if isinstance(value, list) else [value]))


def items(value):
    return b"".join(chunk(1, schema(v)) for v in (value if isinstance(value, list) else [value]))


def schema(value):
    return SCHEMA(value)


SCHEMA = message({
    "$ref": (1, "s"), "format": (2, "s"), "title": (3, "s"), "description": (4, "s"),
    "default": (5, "a"), "multipleOf": (6, "d"), "maximum": (7, "d"), "minimum": (9, "d"),
    "maxLength": (11, "i"), "minLength": (12, "i"), "pattern": (13, "s"), "maxItems": (14, "i"),
    "minItems": (15, "i"), "uniqueItems": (16, "b"), "maxProperties": (17, "i"),
    "minProperties": (18, "i"), "required": (19, "S"), "enum": (20, "A"),
    "additionalProperties": (21, additional), "type": (22, type_item), "items": (23, items),
    "allOf": (24, ("list", schema)), "properties": (25, ("map", schema)),
    "readOnly": (27, "b"), "externalDocs": (29, message({"description": (1, "s"),
                                                         "url": (2, "s")}, 3))}, 31)

PRIMITIVE = message({"type": (1, "s"), "format": (2, "s")}, 18)
BODY = message({"description": (1, "s"), "name": (2, "s"), "in": (3, "s"), "required": (4, "b"),
                "schema": (5, schema)}, 6)
QUERY = message({"required": (1, "b"), "in": (2, "s"), "description": (3, "s"), "name": (4, "s"),
                 "type": (6, "s"), "format": (7, "s"), "items": (8, PRIMITIVE),
                 "collectionFormat": (9, "s"), "default": (10, "a"), "uniqueItems": (20, "b"),
                 "enum": (21, "A")}, 23)
PATH = message({"required": (1, "b"), "in": (2, "s"), "description": (3, "s"), "name": (4, "s"),
                "type": (5, "s"), "format": (6, "s"), "items": (7, PRIMITIVE),
                "collectionFormat": (8, "s"), "default": (9, "a"), "uniqueItems": (19, "b"),
                "enum": (20, "A")}, 22)
NON_BODY = {"header": (1, PATH), "formData": (2, QUERY), "query": (3, QUERY), "path": (4, PATH)}


def parameter(value):
    if value["in"] == "body":
        return chunk(1, BODY(value))
    number, encode = NON_BODY[value["in"]]
    return chunk(2, chunk(number, encode(value)))


def parameter_item(value):
    if "$ref" in value:
        return chunk(2, text(1, value["$ref"]))
    return chunk(1, parameter(value))


RESPONSE = message({"description": (1, "s"),
                    "schema": (2, lambda value: chunk(1, schema(value)))}, 5)


def responses(value):
    return b"".join(chunk(1, named(code, chunk(1, RESPONSE(r)))) for code, r in value.items())


def requirement(value):
    return b"".join(chunk(1, named(k, b"".join(text(1, s) for s in v))) for k, v in value.items())


OPERATION = message({
    "tags": (1, "S"), "summary": (2, "s"), "description": (3, "s"), "operationId": (5, "s"),
    "produces": (6, "S"), "consumes": (7, "S"), "parameters": (8, ("list", parameter_item)),
    "responses": (9, responses), "schemes": (10, "S"), "deprecated": (11, "b"),
    "security": (12, ("list", requirement))}, 13)
PATH_ITEM = message({
    "get": (2, OPERATION), "put": (3, OPERATION), "post": (4, OPERATION),
    "delete": (5, OPERATION), "options": (6, OPERATION), "head": (7, OPERATION),
    "patch": (8, OPERATION), "parameters": (9, ("list", parameter_item))}, 10)
API_KEY = message({"type": (1, "s"), "name": (2, "s"), "in": (3, "s"), "description": (4, "s")}, 5)


def paths(value):
    return b"".join(chunk(2, named(k, PATH_ITEM(v))) for k, v in value.items())


DOCUMENT = message({
    "swagger": (1, "s"), "info": (2, message({"title": (1, "s"), "version": (2, "s"),
                                              "description": (3, "s")}, 7)),
    "host": (3, "s"), "basePath": (4, "s"), "schemes": (5, "S"), "consumes": (6, "S"),
    "produces": (7, "S"), "paths": (8, paths), "definitions": (9, ("map", schema)),
    "parameters": (10, ("map", parameter)), "security": (12, ("list", requirement)),
    "securityDefinitions": (13, ("map", lambda value: chunk(2, API_KEY(value))))}, 16)


def document_v2(document):
    return DOCUMENT(document)


# The third version: the same shapes under other numbers, and either-or messages around
# whatever may be a reference.

def either(encode):
    """XOrReference: the thing itself, or what it refers to."""
    def encode_either(value):
        if "$ref" in value:
            return chunk(2, text(1, value["$ref"]))
        return chunk(1, encode(value))
    return encode_either


def default_3(value):
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, (int, float)):
        return b"\x09" + struct.pack("<d", value)
    return text(3, value) if isinstance(value, str) else b""


def additional_3(value):
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    return chunk(1, schema_3(value))


def items_3(value):
    return b"".join(chunk(1, schema_3(v)) for v in (value if isinstance(value, list) else [value]))


def schema_3(value):
    return either(SCHEMA_3)(value)


SCHEMA_3 = message({
    "nullable": (1, "b"), "readOnly": (3, "b"), "title": (9, "s"), "maximum": (11, "d"),
    "minimum": (13, "d"), "maxLength": (15, "i"), "minLength": (16, "i"), "pattern": (17, "s"),
    "maxItems": (18, "i"), "minItems": (19, "i"), "uniqueItems": (20, "b"),
    "required": (23, "S"), "enum": (24, "A"), "type": (25, "s"),
    "allOf": (26, ("list", schema_3)), "oneOf": (27, ("list", schema_3)),
    "anyOf": (28, ("list", schema_3)), "items": (30, items_3),
    "properties": (31, ("map", schema_3)), "additionalProperties": (32, additional_3),
    "default": (33, default_3), "description": (34, "s"), "format": (35, "s"),
    "externalDocs": (6, message({"description": (1, "s"), "url": (2, "s")}, 3))}, 36)
CONTENT = ("map", message({"schema": (1, schema_3)}, 5))
RESPONSE_3 = message({"description": (1, "s"), "content": (3, CONTENT)}, 5)
PARAMETER_3 = message({
    "name": (1, "s"), "in": (2, "s"), "description": (3, "s"), "required": (4, "b"),
    "style": (7, "s"), "explode": (8, "b"), "schema": (10, schema_3), "content": (13, CONTENT)}, 14)
BODY_3 = message({"description": (1, "s"), "content": (2, CONTENT), "required": (3, "b")}, 4)


def responses_3(value):
    return b"".join(chunk(1, either(RESPONSE_3)(r)) if code == "default"
                    else chunk(2, named(code, either(RESPONSE_3)(r))) for code, r in value.items())


OPERATION_3 = message({
    "tags": (1, "S"), "summary": (2, "s"), "description": (3, "s"), "operationId": (5, "s"),
    "parameters": (6, ("list", either(PARAMETER_3))), "requestBody": (7, either(BODY_3)),
    "responses": (8, responses_3), "deprecated": (10, "b"),
    "security": (11, ("list", requirement))}, 13)
PATH_ITEM_3 = message({
    "get": (4, OPERATION_3), "put": (5, OPERATION_3), "post": (6, OPERATION_3),
    "delete": (7, OPERATION_3), "options": (8, OPERATION_3), "head": (9, OPERATION_3),
    "patch": (10, OPERATION_3), "parameters": (13, ("list", either(PARAMETER_3)))}, 14)
SECURITY_3 = message({"type": (1, "s"), "description": (2, "s"), "name": (3, "s"),
                      "in": (4, "s"), "scheme": (5, "s")}, 9)
COMPONENTS = message({"schemas": (1, ("map", schema_3)),
                      "responses": (2, ("map", either(RESPONSE_3))),
                      "securitySchemes": (7, ("map", either(SECURITY_3)))}, 10)


def paths_3(value):
    return b"".join(chunk(1, named(k, PATH_ITEM_3(v))) for k, v in value.items())


DOCUMENT_3 = message({
    "openapi": (1, "s"), "info": (2, message({"title": (1, "s"), "description": (2, "s"),
                                              "version": (6, "s")}, 7)),
    "paths": (4, paths_3), "components": (5, COMPONENTS),
    "security": (6, ("list", requirement))}, 9)


def document_v3(document):
    return DOCUMENT_3(document)
