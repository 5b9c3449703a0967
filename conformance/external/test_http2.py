"""HTTP/2 on the API port, with the h2 library as the client."""
import json
import socket
import ssl

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import pytest
from h2.connection import ConnectionInputs, ConnectionState

import conftest

AUTH = ("authorization", "Bearer admintoken")


class Client:
    """One connection: sends requests, gathers what comes by stream."""

    def __init__(self, server, window=None):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2", "http/1.1"])
        raw = socket.create_connection((server.host, server.port), 10)
        self.socket = context.wrap_socket(raw)
        assert self.socket.selected_alpn_protocol() == "h2"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        # The library takes GOAWAY for the end of everything, but streams under way go on.
        machine = self.h2.state_machine
        machine._transitions = {**machine._transitions, (ConnectionState.CLIENT_OPEN, ConnectionInputs.RECV_GOAWAY): (None, ConnectionState.CLIENT_OPEN)}
        if window is not None:
            self.h2.local_settings = h2.settings.Settings(
                client=True, initial_values={h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.h2.initiate_connection()
        self.streams, self.ended, self.resets, self.goaway, self.closed, self.hold = {}, set(), {}, None, False, set()
        self.flush()
        self.until(lambda: self.h2.remote_settings.max_header_list_size)

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def send(self, method, path, body=b"", headers=(), end=True):
        stream = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "https"), (":authority", "apisim"), (":path", path), AUTH, *headers]
        self.h2.send_headers(stream, head, end_stream=end and not body)
        if body:
            self.h2.send_data(stream, body, end_stream=end)
        self.streams[stream] = [None, b""]
        self.flush()
        return stream

    def read(self):
        """What comes next; False when nothing does any more."""
        try:
            data = self.socket.recv(1 << 16)
        except (TimeoutError, ConnectionError):
            return False
        self.closed = not data
        for e in self.h2.receive_data(data):
            if isinstance(e, h2.events.ResponseReceived):
                self.streams[e.stream_id][0] = dict(e.headers)
            elif isinstance(e, h2.events.DataReceived):
                self.streams[e.stream_id][1] += e.data
                if e.stream_id not in self.hold:
                    self.h2.acknowledge_received_data(e.flow_controlled_length, e.stream_id)
            elif isinstance(e, h2.events.StreamEnded):
                self.ended.add(e.stream_id)
            elif isinstance(e, h2.events.StreamReset):
                self.resets[e.stream_id] = e.error_code
            elif isinstance(e, h2.events.ConnectionTerminated):
                self.goaway, self.last_stream = e.error_code, e.last_stream_id
        if not self.closed:
            self.flush()
        return not self.closed

    def until(self, condition):
        self.socket.settimeout(60)
        while not condition():
            assert self.read() or condition(), "the server said no more"

    def get(self, path, method="GET", body=b"", headers=()):
        stream = self.send(method, path, body, headers)
        self.until(lambda: stream in self.ended or stream in self.resets)
        return self.streams[stream]


def events(client, stream):
    lines = client.streams[stream][1].split(b"\n")
    return [json.loads(line) for line in lines[:-1]]


def test_settings_are_those_of_the_real_server(apisim):
    c = Client(apisim)
    s = c.h2.remote_settings
    assert (s.max_concurrent_streams, s.initial_window_size, s.max_frame_size, s.max_header_list_size) == (
        100, 262144, 262144, 1048896)
    assert c.h2.outbound_flow_control_window == 100 * 262144


def test_answers(apisim):
    c = Client(apisim)
    head, body = c.get("/api/v1/namespaces/default")
    assert list(head) == [":status", "audit-id", "cache-control", "content-type", "x-kubernetes-pf-flowschema-uid",
                          "x-kubernetes-pf-prioritylevel-uid", "content-length", "date"]
    assert json.loads(body)["metadata"]["name"] == "default" and int(head["content-length"]) == len(body)
    head, body = c.get("/api/v1/namespaces/nobody")
    assert head[":status"] == "404" and json.loads(body)["reason"] == "NotFound"
    head, body = c.get("/version", method="HEAD")
    assert body == b""
    head, body = c.get("/api/v1")  # above Go's 4096 bytes: no length
    assert "content-length" not in head and json.loads(body)["groupVersion"] == "v1"
    head, body = c.get("*", method="OPTIONS")
    assert (head[":status"], body) == ("200", b"")


def test_many_at_once_and_a_write(apisim):
    c = Client(apisim)
    make = json.dumps({"metadata": {"name": "h2"}, "data": {"k": "v" * 100000}}).encode()
    stream = c.send("POST", "/api/v1/namespaces/default/configmaps", b"", (("content-type", "application/json"),), end=False)
    for i in range(0, len(make), 10000):
        c.h2.send_data(stream, make[i:i + 10000], end_stream=i + 10000 >= len(make))
        c.flush()
    reads = [c.send("GET", "/apis") for _ in range(90)]
    c.until(lambda: c.ended >= {stream, *reads})
    assert c.streams[stream][0][":status"] == "201"
    assert {c.streams[r][1] for r in reads} == {c.streams[reads[0]][1]}
    assert c.get("/api/v1/namespaces/default/configmaps/h2", method="DELETE")[0][":status"] == "200"


def test_watch_and_flow_control(apisim):
    c = Client(apisim, window=1000)
    watch = c.send("GET", "/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=0")
    c.hold.add(watch)
    for i in range(3):
        body = json.dumps({"metadata": {"name": f"flow{i}"}, "data": {"k": "v" * 2000}}).encode()
        assert c.get("/api/v1/namespaces/default/configmaps", "POST", body)[0][":status"] == "201"
    assert len(c.streams[watch][1]) == 1000  # the window is shut, the connection goes on
    c.hold.clear()
    c.h2.increment_flow_control_window(1 << 20, watch)
    c.h2.increment_flow_control_window(1 << 20)
    c.flush()
    c.until(lambda: len(events(c, watch)) >= 3)
    assert [e["object"]["metadata"]["name"] for e in events(c, watch)][-3:] == ["flow0", "flow1", "flow2"]
    c.h2.reset_stream(watch, h2.errors.ErrorCodes.CANCEL)
    c.flush()
    for i in range(3):
        assert c.get(f"/api/v1/namespaces/default/configmaps/flow{i}", "DELETE")[0][":status"] == "200"


def test_watch_ends_with_its_timeout(apisim):
    c = Client(apisim)
    head, body = c.get("/api/v1/namespaces?watch=1&timeoutSeconds=1&resourceVersion=0")
    assert head[":status"] == "200" and b'"ADDED"' in body


def test_too_large(apisim):
    c = Client(apisim)
    stream = c.send("POST", "/api/v1/namespaces/default/configmaps", end=False)
    sent = 0
    while stream not in c.ended and sent < 4 << 20:
        room = min(c.h2.local_flow_control_window(stream), 16384)
        if room:
            c.h2.send_data(stream, b" " * room)
            c.flush()
            sent += room
        c.socket.settimeout(0.001 if room else 5)
        c.read()
        if stream in c.resets:
            break
    c.socket.settimeout(5)
    c.until(lambda: stream in c.ended or stream in c.resets)
    assert c.streams[stream][0][":status"] == "413"
    assert c.resets.get(stream, 0) == h2.errors.ErrorCodes.NO_ERROR  # the rest is not wanted
    assert c.get("/version")[0][":status"] == "200"
    plain = c.h2.encoder.encode
    c.h2.encoder.encode = lambda headers, huffman=False: plain(headers, huffman=False)  # a megabyte of it takes seconds
    head, body = c.get("/version", headers=[(f"x-{i}", "v" * 60000) for i in range(18)])
    assert head[":status"] == "431" and b"Too Large" in body


def test_continue_is_sent(apisim):
    c = Client(apisim)
    seen = []
    stream = c.send("POST", "/api/v1/namespaces", headers=(("expect", "100-continue"),), end=False)
    while not seen:
        data = c.socket.recv(65536)
        seen = [e for e in c.h2.receive_data(data) if isinstance(e, h2.events.InformationalResponseReceived)]
    assert dict(seen[0].headers)[":status"] == "100"
    c.h2.send_data(stream, b"{", end_stream=True)
    c.flush()
    c.until(lambda: stream in c.ended)
    assert c.streams[stream][0][":status"] == "400"


def flood(client, frame, times):
    """Sends until the server ends the connection."""
    try:
        for _ in range(times):
            frame()
            client.flush()
    except (OSError, h2.exceptions.ProtocolError):
        pass
    client.socket.settimeout(5)
    try:
        while client.read():
            pass
    except (OSError, h2.exceptions.ProtocolError):
        client.closed = True


def test_rapid_reset_ends_the_connection(apisim):
    c = Client(apisim)
    head = [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/version"), AUTH]

    def open_and_reset():
        for _ in range(50):
            stream = c.h2.get_next_available_stream_id()
            c.h2.send_headers(stream, head, end_stream=False)
            c.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            c.streams[stream] = [None, b""]

    flood(c, open_and_reset, 400)
    assert c.goaway is not None or c.closed
    assert Client(apisim).get("/version")[0][":status"] == "200"


@pytest.mark.parametrize("garbage", [b"\0" * 100, b"\xff" * 64, b"\0\0\x08\x06\x01\0\0\0\1" + b"x" * 8, b"\xff\xff\xff\0\0\0\0\0\1"])
def test_garbage_ends_the_connection_only(apisim, garbage):
    c = Client(apisim)
    c.socket.sendall(garbage)
    c.socket.settimeout(5)
    try:
        while c.read():
            pass
    except (OSError, h2.exceptions.ProtocolError):
        pass
    assert Client(apisim).get("/version")[0][":status"] == "200"


def test_no_preface(apisim):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with context.wrap_socket(socket.create_connection((apisim.host, apisim.port), 5)) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while s.recv(4096):
            pass
    assert Client(apisim).get("/version")[0][":status"] == "200"


def test_goaway_on_stop(tmp_path):
    server = conftest.start(tmp_path)
    c = Client(server)
    watch = c.send("GET", "/api/v1/namespaces?watch=1&resourceVersion=0")
    c.until(lambda: events(c, watch))
    server.process.terminate()
    c.until(lambda: watch in c.ended)
    c.socket.settimeout(5)
    while c.goaway is None and c.read():
        pass
    assert c.goaway == h2.errors.ErrorCodes.NO_ERROR
    assert server.process.wait(60) == 0
    server.process.stdout.close()


def test_flags(tmp_path):
    server = conftest.start(tmp_path, "--http2-max-streams-per-connection=7")
    c = Client(server)
    assert c.h2.remote_settings.max_concurrent_streams == 7
    conftest.stop(server)
    server = conftest.start(tmp_path, "--disable-http2-serving")
    with pytest.raises(AssertionError):
        Client(server)
    conftest.stop(server)
