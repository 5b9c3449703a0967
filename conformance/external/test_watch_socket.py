"""Watches over WebSocket.

Every expectation holds for kube-apiserver v1.36.3 too: run with APISIM_URL and APISIM_TOKEN.
"""

import base64
import struct

import pytest

from client import PARTIAL, PROTOBUF, TABLE, Socket, brief

BACKENDS = ["memory", "etcd"]


def socket_path(place, **params):
    params = {"watch": "1", "timeoutSeconds": "30", **params}
    return place.maps + "?" + "&".join(f"{k}={v}" for k, v in params.items())


def test_socket(place):
    place.create("a")
    with Socket(place.api.server, socket_path(place)) as s:
        assert s.head == (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        assert brief([s.event()]) == ["ADDED:a"]
        place.label("a", x="1")
        place.delete("a")
        assert brief([s.event(), s.event()]) == ["MODIFIED:a", "DELETED:a"]


def test_socket_timeout(place):
    with Socket(place.api.server, socket_path(place, timeoutSeconds=1)) as s:
        assert s.frame() == (8, b"\x03\xe8")
        assert s.frame() is None


def test_socket_too_old(old):
    place, version = old
    with Socket(place.api.server, socket_path(place, resourceVersion=version)) as s:
        kind, status = s.event()
        assert (kind, status["code"]) == ("ERROR", 410)
        assert s.frame() == (8, b"\x03\xe8")


def test_socket_large_frame(place):
    place.create("a", data={"k": "x" * 70000})
    with Socket(place.api.server, socket_path(place)) as s:
        assert s.event()[1]["data"]["k"] == "x" * 70000


def test_socket_protobuf(place):
    """Binary messages, without the length that a stream has."""
    place.create("a")
    with Socket(place.api.server, socket_path(place), ["Accept: " + PROTOBUF]) as s:
        opcode, payload = s.frame()
        assert opcode == 2 and payload.startswith(b"\n\x05ADDED\x12")


@pytest.mark.parametrize("accept, kind", [(TABLE, "Table"), (PARTIAL, "PartialObjectMetadata")])
def test_socket_forms(place, accept, kind):
    place.create("a")
    with Socket(place.api.server, socket_path(place), ["Accept: " + accept]) as s:
        assert s.event()[1]["kind"] == kind


@pytest.mark.parametrize("protocol", ["binary.k8s.io", "anything"])
def test_socket_protocol(place, protocol):
    with Socket(place.api.server, socket_path(place), ["Sec-WebSocket-Protocol: " + protocol]) as s:
        assert s.status == 101 and s.header("Sec-WebSocket-Protocol") == protocol


UPGRADE = ["Connection: keep-alive, Upgrade", "Upgrade: WebSocket"]
KEY, VERSION, ORIGIN = "Sec-WebSocket-Key: abc", "Sec-WebSocket-Version: 13", "Origin: http://x"


@pytest.mark.parametrize("headers, answer", [
    ([KEY, VERSION], b"HTTP/1.1 403 Forbidden\r\n\r\n"),
    ([KEY, VERSION, "Origin: ://x"], b"HTTP/1.1 403 Forbidden\r\n\r\n"),
    ([KEY, VERSION, "Origin: null"], b"HTTP/1.1 403 Forbidden\r\n\r\n"),
    ([VERSION, ORIGIN], b"HTTP/1.1 400 Bad Request\r\n\r\nmismatch challenge/response"),
    ([KEY, ORIGIN], b"HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Version: 13\r\n\r\nmissing or bad WebSocket Version"),
    ([KEY, "Sec-WebSocket-Version: 8", ORIGIN],
     b"HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Version: 13\r\n\r\nmissing or bad WebSocket Version"),
    ([KEY, VERSION, ORIGIN, "Sec-WebSocket-Protocol: a, b"], b"HTTP/1.1 400 Bad Request\r\n\r\n"),
])
def test_socket_refused(shared, headers, answer):
    with Socket(shared.api.server, socket_path(shared), [*UPGRADE, *headers], standard=False) as s:
        assert s.head + b"\r\n\r\n" + s.body() == answer


def test_socket_other_errors(shared):
    """What a watch refuses is an ordinary answer."""
    with Socket(shared.api.server, socket_path(shared, resourceVersion="abc")) as s:
        assert s.status == 500 and s.header("Content-Type") == "application/json"
    with Socket(shared.api.server, shared.maps) as s:
        assert s.status == 200


def goes_on(place, s):
    place.create("alive")
    while (frame := s.frame())[0] != 1:
        assert frame[0] == 10
    assert b'"alive"' in frame[1]


@pytest.mark.parametrize("frames", [
    [(1, b"hello")], [(2, b"x" * 70000)], [(10, b"pong")], [(0, b"stray continuation")], [(3, b"reserved")],
    [(1, b"he", False), (9, b"between"), (0, b"llo")], [(1, b"bits", True, 4)], [(2, b"")]])
def test_socket_ignores(place, frames):
    """Whatever the client says, the watch goes on."""
    with Socket(place.api.server, socket_path(place)) as s:
        for opcode, data, *more in frames:
            fin, rsv = (more + [True, 0])[:2] if len(more) != 1 else (more[0], 0)
            s.write(opcode, data, fin, rsv=rsv)
        goes_on(place, s)


@pytest.mark.parametrize("data", [b"", b"hello", b"x" * 125])
def test_socket_ping(place, data):
    with Socket(place.api.server, socket_path(place)) as s:
        s.write(9, data)
        assert s.frame() == (10, data)
        goes_on(place, s)


def test_socket_long_ping(place):
    """Only what fits into a control frame comes back."""
    with Socket(place.api.server, socket_path(place)) as s:
        s.write(9, b"y" * 300)
        assert s.frame() == (10, b"y" * 125)
        goes_on(place, s)


def test_socket_byte_by_byte(place):
    with Socket(place.api.server, socket_path(place)) as s:
        write, parts = s.raw.sendall, []
        s.raw = type("Catch", (), {"sendall": parts.append, "recv": s.raw.recv, "close": s.raw.close})()
        s.write(9, b"slow")
        for byte in b"".join(parts):
            write(bytes([byte]))
        assert s.frame() == (10, b"slow")


@pytest.mark.parametrize("payload", [b"", struct.pack(">H", 1000) + b"bye"])
def test_socket_close(shared, payload):
    with Socket(shared.api.server, socket_path(shared)) as s:
        s.write(8, payload)
        assert s.frame() == (8, b"\x03\xe8")
        assert s.closed()


def test_socket_unmasked(shared):
    with Socket(shared.api.server, socket_path(shared)) as s:
        s.write(1, b"hello", mask=None)
        assert s.frame() == (8, b"\x03\xea")
        assert s.frame() == (8, b"\x03\xe8")
        assert s.closed()


def test_socket_frame_with_the_request(place):
    """Frames that come in the same packet as the request."""
    ping = b"\x89\x85\0\0\0\0early"
    raw = place.api.server.connect()
    raw.sendall(f"GET {socket_path(place)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {place.api.token}\r\n"
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n"
                "Origin: http://x\r\n\r\n".encode() + ping)
    got = b""
    while b"early" not in got:
        more = raw.recv(65536)
        assert more
        got += more
    raw.close()
    assert got.endswith(b"\x8a\x05early")


def test_socket_key(shared):
    """The accept key is the SHA-1 of the key and the protocol's number."""
    key = base64.b64encode(b"0123456789abcdef").decode()
    with Socket(shared.api.server, socket_path(shared), key=key) as s:
        assert s.header("Sec-WebSocket-Accept") == "BACScCJPNqyz+UBoqMH89VmURoA="
