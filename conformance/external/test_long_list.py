"""Lists too long for one piece: the same bytes as the pages say, in each form that is streamed; other
clients meanwhile; clients that leave. The contents hold for kube-apiserver v1.36.3 too."""

import gzip
import json
import time

import pytest
import yaml

from client import Api, Place, PROTOBUF, brief

COUNT = 240
DATA = {"k": "é\"\\<" + "x" * 8000}


@pytest.fixture(scope="module")
def place(apisim):
    place = Place(Api(apisim))
    for i in range(COUNT):
        place.create(f"m{i:03}", {"n": str(i % 2)}, DATA)
    yield place
    place.remove()


def pages(place, **params):
    items, token = [], None
    while True:
        more = {"continue": token} if token else {}
        page = place.api.get(place.maps, limit=20, **more, **params).json
        items += page["items"]
        token = page["metadata"].get("continue")
        if not token:
            return items, page["metadata"]["resourceVersion"]


def field(data, at):
    """One length-delimited protobuf field: number, bytes, where the next begins."""
    def varint(at):
        n = shift = 0
        while True:
            n |= (data[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if not data[at - 1] & 128:
                return n, at
    tag, at = varint(at)
    assert tag & 7 == 2
    size, at = varint(at)
    return tag >> 3, data[at:at + size], at + size


def fields(data):
    found, at = [], 0
    while at < len(data):
        number, value, at = field(data, at)
        found.append((number, value))
    return found


def proto_items(answer):
    assert answer.status == 200 and answer.bytes[:4] == b"k8s\0"
    envelope = fields(answer.bytes[4:])
    assert [n for n, _ in envelope] == [1, 2, 3, 4] and envelope[2][1] == envelope[3][1] == b""
    message = fields(envelope[1][1])
    assert message[0][0] == 1 and {n for n, _ in message[1:]} == {2}
    return [v for _, v in message[1:]]


@pytest.mark.parametrize("pretty", [False, True])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("selector", [None, "n=1"])
def test_json(place, pretty, packed, selector):
    params = {"labelSelector": selector} if selector else {}
    headers = {"Accept-Encoding": "gzip"} if packed else {}
    answer = place.api.get(place.maps, headers, **params, **({"pretty": "1"} if pretty else {}))
    assert answer.headers.get("Content-Encoding") == ("gzip" if packed else None)
    text = gzip.decompress(answer.bytes) if packed else answer.bytes
    whole = json.loads(text)
    items, version = pages(place, **params)
    assert whole["items"] == items and len(items) == (COUNT // 2 if selector else COUNT)
    assert whole["kind"] == "ConfigMapList" and set(whole["metadata"]) == {"resourceVersion"}
    if pretty:
        assert text.startswith(b'{\n  "kind": "ConfigMapList",\n') and text.endswith(b"\n  ]\n}")
    else:
        assert text.startswith(b'{"kind":"ConfigMapList",') and text.endswith(b"]}\n")


@pytest.mark.parametrize("packed, form", [(False, ""), (True, ""), (False, ";as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")])
def test_protobuf(place, packed, form):
    headers = {"Accept": PROTOBUF + form, **({"Accept-Encoding": "gzip"} if packed else {})}
    answer = place.api.get(place.maps, headers)
    if packed:
        answer.bytes = gzip.decompress(answer.bytes)
    items, token = [], None
    while True:
        more = {"continue": token} if token else {}
        page = place.api.get(place.maps, {"Accept": PROTOBUF + form}, limit=20, **more)
        items += proto_items(page)
        token = place.api.get(place.maps, limit=20, **more).json["metadata"].get("continue")
        if not token:
            break
    assert proto_items(answer) == items and len(items) == COUNT


TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


def read_yaml(text):
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@pytest.mark.parametrize("accept, field, params, packed", [
    (TABLE, "rows", {}, False), (TABLE, "rows", {"includeObject": "Object"}, True), (TABLE, "rows", {"includeObject": "None"}, False),
    (TABLE, "rows", {"pretty": "1"}, False), (PARTIAL, "items", {}, False), (PARTIAL, "items", {"pretty": "1"}, True),
    ("application/yaml", "items", {"labelSelector": "n=1"}, True), (TABLE, "rows", {"labelSelector": "n=1", "includeObject": "Object"}, False)])
def test_forms_made_as_trees(place, accept, field, params, packed):
    """What the pages say, each of which is one document."""
    headers = {"Accept": accept, **({"Accept-Encoding": "gzip"} if packed else {})}
    answer = place.api.get(place.maps, headers, **params)
    assert answer.status == 200 and answer.headers.get("Content-Type").split(";")[0] == accept.split(";")[0]
    text = gzip.decompress(answer.bytes) if answer.headers.get("Content-Encoding") == "gzip" else answer.bytes
    read = read_yaml if accept == "application/yaml" else json.loads
    whole, items, token = read(text), [], None
    while True:
        page = place.api.get(place.maps, {"Accept": accept}, limit=20, **({"continue": token} if token else {}), **params)
        one = read(page.bytes)
        items += one[field]
        token = one["metadata"].get("continue")
        if not token:
            break
    assert [k for k in whole] == [k for k in one]  # and in that order
    assert len(items) == (COUNT // 2 if "labelSelector" in params else COUNT)
    for row in [*whole[field], *items] if field == "rows" else []:
        row["cells"].pop()  # the age
    assert whole.pop(field) == items
    one.pop(field)
    whole["metadata"], one["metadata"] = ({k: v for k, v in d["metadata"].items() if k == "resourceVersion"} for d in (whole, one))
    assert whole == one
    ends = {"application/yaml": b"\"\n"}.get(accept, b"\n  ]\n}" if "pretty" in params else b"]}\n")
    assert text.endswith(ends) and (b"\n" not in text[:-1] or "pretty" in params or accept == "application/yaml")


def test_who_does_not_read_hinders_nobody(place):
    request = (f"GET {place.maps} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
               f"{place.api.token}\r\nAccept: application/json\r\n\r\n").encode()
    idle = [place.api.server.connect() for _ in range(8)]
    for s in idle:
        s.sendall(request)
        assert s.recv(1) == b"H"
    place.create("z")
    assert place.api.get(f"{place.maps}/z").status == 200
    late = idle.pop()
    for s in idle:
        s.close()  # in the middle of its answer
    place.delete("z")
    data = b"H"
    while not data.endswith(b"\r\n0\r\n\r\n"):
        more = late.recv(1 << 20)
        assert more
        data += more
    assert b'"name":"z"' not in data and b'"name":"m239"' in data  # of its own moment


def test_pipelined_behind_a_long_list(place):
    auth = f"Host: x\r\nAuthorization: Bearer {place.api.token}\r\nAccept: application/json\r\n"
    s = place.api.server.connect()
    s.sendall(f"GET {place.maps} HTTP/1.1\r\n{auth}\r\nGET /version HTTP/1.1\r\n{auth}"
              "Connection: close\r\n\r\n".encode())
    data = b""
    while more := s.recv(1 << 20):
        data += more
    assert data.count(b"HTTP/1.1 200 OK") == 2 and b'"gitVersion"' in data.rsplit(b"HTTP/1.1", 1)[1]


def test_long_state_of_a_watch(place):
    params = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan",
              "allowWatchBookmarks": "true"}
    with place.api.watch(place.maps, **params) as w:
        time.sleep(0.2)
        place.create("z")
        events = w.until("z")
        place.delete("z")
    assert brief(events[:-1]) == [f"ADDED:m{i:03}" for i in range(COUNT)]
    assert events[-1][0] == "BOOKMARK"
