"""HTTP/1.1 byte by byte: what a server must answer to requests that no client library sends.

Every expectation was taken from kube-apiserver v1.36.3 (Go 1.26): status, fate of the
connection, and for answers of the HTTP layer itself the whole text. Run against it with
APISIM_URL=https://127.0.0.1:PORT APISIM_TOKEN=... to check the expectations themselves.
"""

import re
import socket
import time

import pytest

HOST = b"Host: x\r\n"
AUTH = b"Authorization: Bearer %TOKEN%\r\n"
GET = b"GET /version HTTP/1.1\r\n"
END = b"\r\n"
POST = (b"POST /api/v1/namespaces/default/configmaps?dryRun=All HTTP/1.1\r\n" + HOST + AUTH
        + b"Content-Type: application/json\r\n")
BODY = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"raw-http"}}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
G = GET + HOST + AUTH
LAST = b"0\r\n\r\n"


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def refused(status, text=None):
    return (b"HTTP/1.1 %b\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n%b"
            % (status, text or status))


BAD = refused(b"400 Bad Request")
NO_TE = refused(b"501 Not Implemented", b"Unsupported transfer encoding")
V505 = refused(b"505 HTTP Version Not Supported: unsupported protocol version")
TOO_LARGE = refused(b"431 Request Header Fields Too Large")
OPEN, CLOSED = "open", "closed"

# name, request, status or whole answer, fate of the connection
ROWS = [
    ("plain", G + END, 200, OPEN),
    ("no host", GET + AUTH + END, refused(b"400 Bad Request: missing required Host header"), CLOSED),
    ("two hosts", G + HOST + END, BAD, CLOSED),
    ("bad host", GET + b"Host: a b\r\n\r\n", refused(b"400 Bad Request: malformed Host header"), CLOSED),
    ("empty host", GET + b"Host: \r\n" + AUTH + END, 200, OPEN),
    ("1.0", b"GET /version HTTP/1.0\r\n" + AUTH + END, 200, CLOSED),
    ("1.0 keep-alive", b"GET /version HTTP/1.0\r\nConnection: keep-alive\r\n" + AUTH + END, 200, OPEN),
    ("close", G + b"Connection: close\r\n\r\n", 200, CLOSED),
    ("close in a list", G + b"Connection: keep-alive, close\r\n\r\n", 200, CLOSED),
    ("space before colon", G + b"X : y\r\n\r\n", refused(b"400 Bad Request: invalid header name"), CLOSED),
    ("empty name", G + b": y\r\n\r\n", BAD, CLOSED),
    ("name not a token", G + b"X(: y\r\n\r\n", BAD, CLOSED),
    ("NUL in value", G + b"X: a\0b\r\n\r\n", BAD, CLOSED),
    ("control in value", G + b"X: a\x01b\r\n\r\n", BAD, CLOSED),
    ("DEL in value", G + b"X: a\x7fb\r\n\r\n", BAD, CLOSED),
    ("tab in value", G + b"X: a\tb\r\n\r\n", 200, OPEN),
    ("8 bit value", G + b"X: a\xffb\r\n\r\n", 200, OPEN),
    ("no colon", G + b"Xy\r\n\r\n", BAD, CLOSED),
    ("leading space", GET + b" " + HOST + AUTH + END, BAD, CLOSED),
    ("obs-fold", G + b"X: a\r\n b\r\n\r\n", 200, OPEN),
    ("CR in value", G + b"X: a\rb\r\n\r\n", BAD, CLOSED),
    ("length twice, same", POST + LENGTH * 2 + END + BODY, 201, OPEN),
    ("length twice, different", POST + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\n", BAD, CLOSED),
    *[("length %s" % v.decode(), POST + b"Content-Length: %b\r\n\r\n" % v, BAD, CLOSED)
      for v in (b"+5", b"-1", b"0x5", b"5, 5", b"", b"18446744073709551616", b"9223372036854775808")],
    ("length and chunked", POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
     + chunk(BODY) + LAST, 201, OPEN),
    *[("te %s" % v.decode(), POST + b"Transfer-Encoding: %b\r\n\r\n" % v, NO_TE, CLOSED)
      for v in (b"identity", b"xchunked", b"gzip, chunked", b"chunked\r\nTransfer-Encoding: chunked", b"")],
    ("te VT", POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n", BAD, CLOSED),
    ("te Chunked", POST + b"Transfer-Encoding: Chunked\r\n\r\n" + chunk(BODY) + LAST, 201, OPEN),
    ("te on 1.0", POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(BODY)
     + LAST, 400, CLOSED),
    ("chunk 0x3", CHUNKED + b"0x3\r\nabc\r\n" + LAST, (500, "invalid byte in chunk length"), CLOSED),
    ("chunk 3 zz", CHUNKED + b"3 zz\r\nabc\r\n" + LAST, (500, "invalid byte in chunk length"), CLOSED),
    ("chunk bare LF", CHUNKED + b"3\nabc\r\n" + LAST, (500, "chunked line ends with bare LF"), CLOSED),
    ("chunk blank", CHUNKED + b"\r\n3\r\nabc\r\n", (500, "empty hex number for chunk length"), CLOSED),
    ("chunk ext", CHUNKED + b"%x;a=b\r\n" % len(BODY) + BODY + b"\r\n" + LAST, 201, OPEN),
    ("chunk -3", CHUNKED + b"-3\r\nabc\r\n", (500, "invalid byte in chunk length"), CLOSED),
    ("chunk 17 digits", CHUNKED + b"%017x\r\nabc\r\n" % 3, (500, "http chunk length too large"), CLOSED),
    ("chunk no CRLF", CHUNKED + b"3\r\nabcd\r\n", (500, "malformed chunked encoding"), CLOSED),
    ("chunk 64 KiB ext", CHUNKED + b"3;" + b"a" * 65536 + b"\r\nabc\r\n",
     (500, "header line too long"), CLOSED),
    ("chunk noise", CHUNKED + (b"1;" + b"a" * 3000 + b"\r\n \r\n") * 30 + LAST,
     (500, "chunked encoding contains too much non-data"), CLOSED),
    ("chunk trailing space", CHUNKED + b"%x \r\n" % len(BODY) + BODY + b"\r\n" + LAST, 201, OPEN),
    ("trailer", CHUNKED + chunk(BODY) + b"0\r\nX-T: a\r\n\r\n", 201, OPEN),
    ("bad trailer", CHUNKED + chunk(BODY) + b"0\r\nX-T\r\n\r\n",
     (500, 'malformed MIME header: missing colon: \\"X-T\\"'), CLOSED),
    ("CR in chunk line", CHUNKED + b"3;a\rb\r\nabc\r\n", (500, "invalid CR in chunked line"), CLOSED),
    ("GET with bad chunk", G + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 200, CLOSED),
    ("2 MiB header", G + b"X: " + b"a" * (2 << 20) + b"\r\n\r\n", TOO_LARGE, CLOSED),
    ("2 MiB URL", b"GET /" + b"a" * (2 << 20) + b" HTTP/1.1\r\n" + HOST + END, TOO_LARGE, CLOSED),
    *[("version %s" % v.decode(), b"GET /version HTTP/%b\r\n" % v + HOST + END, V505, CLOSED)
      for v in (b"3.0", b"2.0", b"0.9")],
    ("version 1.2", b"GET /version HTTP/1.2\r\n" + HOST + AUTH + END, 200, OPEN),
    *[("line %r" % v, v + b"\r\n" + HOST + END, BAD, CLOSED)
      for v in (b"GET /version", b"GET / HTTP/1.10", b"GET / http/1.1", b"\x16\x03\x01 garbage",
                b"GET /a\0b HTTP/1.1", b"GET /a\x7fb HTTP/1.1", b"GET /%zz HTTP/1.1", b"GET /% HTTP/1.1",
                b"G@T / HTTP/1.1", b"GET  / HTTP/1.1", b"GET / HTTP/1.1 ", b"GET /a b HTTP/1.1", b"",
                b"GET version HTTP/1.1", b"GET :foo HTTP/1.1")],
    ("bare CR", b"GET /version HTTP/1.1\rHost: x\r\r", b"", OPEN),
    ("bare LF", (G + END).replace(b"\r", b""), 200, OPEN),
    ("absolute form", b"GET http://foo/version HTTP/1.1\r\n" + HOST + AUTH + END, 200, OPEN),
    *[("path %s" % v.decode(), b"GET %b HTTP/1.1\r\n" % v + HOST + AUTH + END, 404, OPEN)
      for v in (b"//version", b"/api/../version", b"/version%00", b"/version#frag", b"*", b"mailto:a",
                b"http://", b"a:b/c")],
    ("UTF-8 path", b"GET /version\xc3\xa9 HTTP/1.1\r\n" + HOST + AUTH + END, 404, OPEN),
    ("%2F", b"GET /api%2Fv1 HTTP/1.1\r\n" + HOST + AUTH + END, 200, OPEN),
    ("%zz in query", b"GET /version?a=%zz HTTP/1.1\r\n" + HOST + AUTH + END, 200, OPEN),
    ("expect other", POST + b"Expect: foo\r\nContent-Length: 3\r\n\r\nabc", 417, CLOSED),
    ("expect empty", POST + b"Expect: \r\n" + LENGTH + END + BODY, 201, OPEN),
    ("expect on a GET", G + b"Expect: 100-continue\r\n\r\n", 200, OPEN),
    ("expect on 1.0", POST.replace(b"1.1", b"1.0") + b"Expect: 100-continue\r\n" + LENGTH + END + BODY,
     201, CLOSED),
    ("small method", b"get /version HTTP/1.1\r\n" + HOST + AUTH + END, 405, OPEN),
    ("HEAD", b"HEAD /version HTTP/1.1\r\n" + HOST + AUTH + END, 405, OPEN),
    ("OPTIONS *", b"OPTIONS * HTTP/1.1\r\n" + HOST + AUTH + END, 200, OPEN),
    ("CRLF in front", b"\r\n" + G + END, BAD, CLOSED),
    ("body of a GET, then another", G + b"Content-Length: 3\r\n\r\nabc" + G
     + b"Connection: close\r\n\r\n", [200, 200], CLOSED),
    ("h2c upgrade is not taken", G + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
     b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n", 200, OPEN),
]


def exchange(server, request, tls=True, pieces=None):
    """Sends, reads until nothing comes for a while, and says what came and if it was closed."""
    request = request.replace(b"%TOKEN%", server.token.encode())
    s = server.connect(tls)
    out, fate = b"", OPEN
    try:
        for piece in pieces(request) if pieces else [request]:
            s.sendall(piece)
    except OSError:
        pass  # refused before all was sent
    s.settimeout(5)  # to its first byte, on a machine that has much to do
    try:
        while data := s.recv(65536):
            out += data
            s.settimeout(5 if len(request) > 100000 else 1)
        fate = CLOSED
    except socket.timeout:
        pass
    except OSError:
        fate = CLOSED
    s.close()
    return out, fate


def statuses(out):
    return [int(m) for m in re.findall(rb"HTTP/1\.[01] (\d{3}) [A-Z]", out)]


def check(out, want):
    if isinstance(want, bytes):
        assert out == want
    elif isinstance(want, tuple):
        assert statuses(out) == [want[0]] and want[1].encode() in out
    else:
        assert statuses(out) == (want if isinstance(want, list) else [want])


@pytest.mark.parametrize("name,request_bytes,want,fate", ROWS, ids=[r[0] for r in ROWS])
def test_row(apisim, name, request_bytes, want, fate):
    out, got = exchange(apisim, request_bytes)
    check(out, want)
    assert got == fate


@pytest.mark.parametrize("name", ["plain", "chunk ext", "trailer", "obs-fold", "no host"])
def test_dribbled(apisim, name):
    row = next(r for r in ROWS if r[0] == name)
    out, got = exchange(apisim, row[1], pieces=lambda r: [r[i:i + 1] for i in range(len(r))])
    check(out, row[2])
    assert got == row[3]


def test_continue(apisim):
    s = apisim.connect()
    request = POST + b"Expect: 100-continue\r\n" + LENGTH + END
    s.sendall(request.replace(b"%TOKEN%", apisim.token.encode()))
    assert s.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    s.sendall(BODY)
    assert s.recv(10000).startswith(b"HTTP/1.1 201 Created\r\n")
    s.close()


def test_pipelining_keeps_order(apisim):
    many = b"".join(b"GET /%b HTTP/1.1\r\n" % p + HOST + AUTH + END
                    for p in (b"version", b"nothing", b"healthz") * 50)
    out, fate = exchange(apisim, many)
    assert statuses(out) == [200, 404, 200] * 50 and fate == OPEN


def test_plain_request_to_the_tls_port(apisim):
    s = socket.create_connection((apisim.host, apisim.port), 5)
    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    got = b""
    while data := s.recv(1000):
        got += data
    assert got == b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


@pytest.mark.parametrize("size,status,fate", [(3145728, 201, OPEN), (3145729, 413, OPEN),
                                              (3145728 + 200000, 413, OPEN),
                                              (3145728 + 400000, 413, CLOSED)])
def test_body_limit(apisim, size, status, fate):
    body = BODY + b" " * (size - len(BODY))
    out, got = exchange(apisim, POST + b"Content-Length: %d\r\n\r\n" % size + body)
    assert statuses(out) == [status] and got == fate


def test_heavy_input_takes_linear_time(apisim):
    for request in (G + b"a: b\r\n" * 100000 + END,
                    b"GET /version?" + b"a&" * 100000 + b" HTTP/1.1\r\n" + HOST + AUTH + END,
                    b"GET /" + b"../" * 300000 + b" HTTP/1.1\r\n" + HOST + AUTH + END):
        began = time.monotonic()
        s = apisim.connect()
        s.sendall(request.replace(b"%TOKEN%", apisim.token.encode()))
        assert s.recv(1000).startswith(b"HTTP/1.1 ")
        s.close()
        assert time.monotonic() - began < 20  # quadratic is minutes


def test_headers_of_an_answer_are_in_order(apisim):
    out, _ = exchange(apisim, G + END)
    names = [line.split(b":")[0] for line in out.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]]
    assert names[-2:] == [b"Date", b"Content-Length"] and names[:-2] == sorted(names[:-2])
