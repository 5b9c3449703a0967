"""The ways a request may travel: HTTP/1.1, HTTP/2 (with the h2 library) and, for a watch, WebSocket.

Each gives (status, headers as a list of pairs, bytes, how the answer ended) and reads until the answer
ends or nothing comes any more for `timeout` seconds.
"""

import http.client
import os
import socket
import time

SHOWN = ("Content-Type", "Retry-After", "Vary", "Cache-Control", "Upgrade", "Connection", "Sec-WebSocket-Accept",
         "Sec-WebSocket-Protocol", "X-Content-Type-Options", "Content-Encoding", "Allow", "Location")


class Late(Exception):
    pass


def dial(server, timeout, alpn=None):
    context = server.context_of(alpn)
    raw = socket.create_connection((server.at.hostname, server.at.port), timeout)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(raw, server_hostname=server.at.hostname)


def over_http1(server, method, path, headers, body, timeout):
    connection = http.client.HTTPSConnection(server.at.hostname, server.at.port, context=server.context_of(None),
                                             timeout=timeout)
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    data, ended = b"", "open"
    try:
        while True:
            part = response.read1(65536)
            if not part:
                ended = "ended"
                break
            data += part
    except TimeoutError:
        pass
    except (http.client.HTTPException, OSError) as e:
        ended = type(e).__name__
    connection.close()
    return response.status, response.getheaders(), data, ended


def over_http2(server, method, path, headers, body, timeout):
    import h2.config
    import h2.connection
    import h2.events
    s = dial(server, timeout, ["h2"])
    c = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    c.initiate_connection()
    body = body.encode() if isinstance(body, str) else body
    head = [(":method", method), (":scheme", "https"), (":authority", server.at.netloc), (":path", path),
            *((k.lower(), v) for k, v in headers)]
    if body is not None:
        head.append(("content-length", str(len(body))))
    c.send_headers(1, head, end_stream=body is None)
    if body is not None:
        c.send_data(1, body, end_stream=True)
    status, got, data, ended = 0, [], b"", "open"
    s.sendall(c.data_to_send())
    try:
        while ended == "open":
            part = s.recv(65536)
            if not part:
                ended = "cut"
            for e in c.receive_data(part):
                if isinstance(e, h2.events.ResponseReceived):
                    got = [(k.title(), v) for k, v in e.headers if not k.startswith(":")]
                    status = int(dict(e.headers)[":status"])
                elif isinstance(e, h2.events.DataReceived):
                    data += e.data
                    c.acknowledge_received_data(e.flow_controlled_length, 1)
                elif isinstance(e, h2.events.StreamEnded):
                    ended = "ended"
                elif isinstance(e, h2.events.StreamReset):
                    ended = f"reset {e.error_code}"
            s.sendall(c.data_to_send())
    except TimeoutError:
        pass
    s.close()
    return status, got, data, ended


class Incoming:
    """A socket's bytes by line and by count."""

    def __init__(self, s, timeout):
        self.s, self.left, self.end = s, b"", time.monotonic() + timeout

    def more(self):
        wait = self.end - time.monotonic()
        if wait <= 0:
            raise TimeoutError
        self.s.settimeout(wait)
        part = self.s.recv(65536)
        if not part:
            raise EOFError
        self.left += part

    def take(self, n):
        while len(self.left) < n:
            self.more()
        taken, self.left = self.left[:n], self.left[n:]
        return taken

    def until(self, mark):
        while mark not in self.left:
            self.more()
        return self.take(self.left.index(mark) + len(mark))

    def all(self):
        try:
            while True:
                self.more()
        except EOFError:
            return self.left


def frame(opcode, payload, masked=True, final=True):
    """What a client sends."""
    head = bytes([(0x80 if final else 0) | opcode])
    flag = 0x80 if masked else 0
    n = len(payload)
    head += bytes([flag | n]) if n < 126 else bytes([flag | 126]) + n.to_bytes(2, "big")
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def over_websocket(server, method, path, headers, sent, timeout):
    """`sent`: bytes that follow the handshake. Frames are told as <opcode> and payload."""
    s = dial(server, timeout)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {server.at.netloc}", *(f"{k}: {v}" for k, v in headers)]
    s.sendall("\r\n".join([*lines, "", ""]).encode() + (sent or b""))
    stream = Incoming(s, timeout)
    data, ended, status, got = b"", "open", 0, []
    try:
        head = stream.until(b"\r\n\r\n").decode().split("\r\n")
        status = int(head[0].split()[1])
        got = [tuple(line.split(": ", 1)) for line in head[1:] if line]
        if status != 101:
            length = next((int(v) for k, v in got if k.lower() == "content-length"), None)
            data = stream.all() if length is None else stream.take(length)
            ended = "ended"
        while status == 101:
            first, second = stream.take(2)
            n = second & 0x7f
            if n > 125:
                n = int.from_bytes(stream.take(2 if n == 126 else 8), "big")
            data += b"<%02x>" % first + stream.take(n)
    except TimeoutError:
        pass
    except (EOFError, OSError) as e:
        ended = type(e).__name__
    s.close()
    return status, got, data, ended


WAYS = {"http1": over_http1, "http2": over_http2, "websocket": over_websocket}
