"""A small client for the tests of the read path: JSON calls, watches read event by event, and
WebSocket frames. It hides nothing: statuses, headers and bytes are the server's."""

import base64
import http.client
import json
import random
import socket
import ssl
import string
import struct
import urllib.parse

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
PROTOBUF = "application/vnd.kubernetes.protobuf"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.bytes = response.read()

    @property
    def json(self):
        return json.loads(self.bytes)

    @property
    def version(self):
        return self.json["metadata"]["resourceVersion"]

    @property
    def names(self):
        return [i["metadata"]["name"] for i in self.json["items"]]


class Watch:
    """Events as (type, object) pairs; for protobuf, frames as bytes."""

    def __init__(self, connection, response):
        self.connection, self.response = connection, response
        self.status, self.headers = response.status, response.headers

    def next(self):
        """The next event, None at the end of the stream."""
        line = self.response.readline()
        if not line:
            return None
        event = json.loads(line)
        return event["type"], event["object"]

    def take(self, count):
        return [self.next() for _ in range(count)]

    def rest(self):
        found = []
        while (event := self.next()) is not None:
            found.append(event)
        return found

    def until(self, name):
        """Events up to the first one of the object of this name, without it."""
        found = []
        while True:
            event = self.next()
            assert event is not None, f"the stream ended before {name}: {brief(found)}"
            if event[1]["metadata"].get("name") == name:
                return found
            found.append(event)

    def frame(self):
        head = self.response.read(4)
        return self.response.read(struct.unpack(">I", head)[0]) if len(head) == 4 else None

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def brief(events):
    return [f"{t}:{o['metadata'].get('name', '')}" for t, o in events]


def bookmark_of(event, kind="ConfigMap", version="v1"):
    """Checks the form of a bookmark; gives its version."""
    kind_of, obj = event
    assert kind_of == "BOOKMARK"
    meta = obj.pop("metadata")
    assert obj == {"kind": kind, "apiVersion": version}
    assert set(meta) <= {"resourceVersion", "annotations"}
    return int(meta["resourceVersion"])


class Api:
    def __init__(self, server, token=None):
        self.server = server
        self.token = token or server.token
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    def send(self, method, path, body=None, headers=None, timeout=40, **params):
        connection = http.client.HTTPSConnection(self.server.host, self.server.port,
                                                 context=self.context, timeout=timeout)
        all_headers = {"Authorization": f"Bearer {self.token}", "User-Agent": "readpath",
                       "Accept": "application/json"}
        if body is not None:
            all_headers["Content-Type"] = "application/json"
            body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        all_headers.update(headers or {})
        if params:
            path += ("&" if "?" in path else "?") + urllib.parse.urlencode(params)
        connection.request(method, path, body, all_headers)
        return connection, connection.getresponse()

    def call(self, method, path, body=None, headers=None, timeout=40, **params):
        connection, response = self.send(method, path, body, headers, timeout, **params)
        try:
            return Answer(response)
        finally:
            connection.close()

    def get(self, path, headers=None, **params):
        return self.call("GET", path, None, headers, **params)

    def post(self, path, body):
        answer = self.call("POST", path, body)
        assert answer.status == 201, answer.bytes
        return answer.json

    def put(self, path, body):
        answer = self.call("PUT", path, body)
        assert answer.status == 200, answer.bytes
        return answer.json

    def merge(self, path, body):
        answer = self.call("PATCH", path, body, {"Content-Type": "application/merge-patch+json"})
        assert answer.status == 200, answer.bytes
        return answer.json

    def delete(self, path):
        answer = self.call("DELETE", path, "", timeout=40)
        assert answer.status in (200, 202), answer.bytes
        return answer.json

    def watch(self, path, headers=None, timeout=40, **params):
        params = {"watch": "1", "timeoutSeconds": "30", **params}
        return Watch(*self.send("GET", path, None, headers, timeout, **params))


class Place:
    """A namespace of a test module, with helpers for its config maps."""

    def __init__(self, api, name=None):
        self.api = api
        self.name = name or "rp-" + "".join(random.choices(string.ascii_lowercase, k=8))
        self.base = f"/api/v1/namespaces/{self.name}"
        self.maps = f"{self.base}/configmaps"
        api.post("/api/v1/namespaces", {"metadata": {"name": self.name}})

    def create(self, name, labels=None, data=None):
        body = {"metadata": {"name": name, "labels": labels or {}}, "data": data or {}}
        return self.api.post(self.maps, body)

    def label(self, name, **labels):
        return self.api.merge(f"{self.maps}/{name}", {"metadata": {"labels": labels}})

    def delete(self, name):
        return self.api.delete(f"{self.maps}/{name}")

    def clear(self):
        for name in self.api.get(self.maps).names:
            self.delete(name)

    def version(self):
        return self.api.get(self.maps, limit=1).version

    def remove(self):
        self.clear()
        for kind in ("secrets", "pods", "events"):
            self.api.call("DELETE", f"{self.base}/{kind}?gracePeriodSeconds=0")
        self.api.call("DELETE", self.base)
        self.api.call("PUT", self.base + "/finalize", {"apiVersion": "v1", "kind": "Namespace",
                                                       "metadata": {"name": self.name}, "spec": {}})


def token(**fields):
    """A continue token, as JSON in unpadded base64."""
    text = json.dumps(fields, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def token_fields(text):
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class Socket:
    """A WebSocket of one watch; reads and writes frames of its own making."""

    def __init__(self, server, path, headers=(), key="dGhlIHNhbXBsZSBub25jZQ==", method="GET",
                 standard=True):
        self.raw = server.connect()
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {server.token}"]
        if standard:
            lines += ["Connection: Upgrade", "Upgrade: websocket", f"Sec-WebSocket-Key: {key}",
                      "Sec-WebSocket-Version: 13", "Origin: http://localhost"]
        self.raw.sendall(("\r\n".join([*lines, *headers]) + "\r\n\r\n").encode())
        self.left = b""
        while b"\r\n\r\n" not in self.left:
            more = self.raw.recv(65536)
            assert more, self.left
            self.left += more
        self.head, self.left = self.left.split(b"\r\n\r\n", 1)
        self.status = int(self.head.split()[1])

    def header(self, name):
        for line in self.head.decode().split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name.lower():
                return value
        return None

    def read(self, count):
        while len(self.left) < count:
            more = self.raw.recv(65536)
            if not more:
                return None
            self.left += more
        found, self.left = self.left[:count], self.left[count:]
        return found

    def body(self):
        """What a refusal says, up to the end of the connection."""
        while more := self.raw.recv(65536):
            self.left += more
        return self.left

    def frame(self):
        """(opcode, payload) of the next frame, None at the end."""
        head = self.read(2)
        if head is None:
            return None
        assert head[0] & 0x80, "the server does not fragment"
        assert not head[1] & 0x80, "the server does not mask"
        size = head[1]
        if size == 126:
            size = struct.unpack(">H", self.read(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.read(8))[0]
        return head[0] & 15, self.read(size) if size else b""

    def event(self):
        opcode, payload = self.frame()
        assert opcode == 1, (opcode, payload)
        assert payload.endswith(b"\n")
        event = json.loads(payload)
        return event["type"], event["object"]

    def write(self, opcode, data=b"", fin=True, mask=b"\1\2\3\4", rsv=0):
        head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
        flag = 0x80 if mask else 0
        if len(data) < 126:
            head += bytes([flag | len(data)])
        elif len(data) < 65536:
            head += bytes([flag | 126]) + struct.pack(">H", len(data))
        else:
            head += bytes([flag | 127]) + struct.pack(">Q", len(data))
        if mask:
            data = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        self.raw.sendall(head + (mask or b"") + data)

    def closed(self):
        """Whether the server ended the connection."""
        try:
            return self.raw.recv(1) == b""
        except (ConnectionError, ssl.SSLError, socket.timeout):
            return True

    def close(self):
        self.raw.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
