"""How a server leaves: the flags --shutdown-..., readiness, 429 while it drains, ends of watches; and --goaway-chance.
No check here is about how long something takes: each step is told by an answer."""

import http.client
import json
import shutil
import signal
import socket
import subprocess
import time

import pytest

from conftest import binary, start, stop, wait_ready
from etcd import Etcd
from test_http2 import Client

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def serve(tmp_path):
    servers = []

    def run(*flags):
        directory = tmp_path / str(len(servers))
        directory.mkdir()
        servers.append(wait_ready(start(directory, *flags)))
        return servers[-1]

    yield run
    for server in servers:
        server.process.kill()
        stop(server)


def connect(server):
    return http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)


def ask(c, path, **headers):
    c.request("GET", path, headers={"Authorization": "Bearer admintoken", **headers})
    answer = c.getresponse()
    return answer, answer.read()


def until_leaving(server):
    """The first answer that tells of it."""
    while True:
        answer, text = ask(connect(server), "/readyz")
        if answer.status == 500:
            return text.decode()
        time.sleep(0.01)


def test_readyz_fails_first(serve):
    server = serve("--shutdown-delay-duration=1h")
    c = connect(server)
    assert ask(c, "/readyz")[0].status == 200
    server.process.send_signal(signal.SIGTERM)
    text = until_leaving(server)
    assert [line for line in text.split("\n") if not line.startswith("[+]")] == ["[-]shutdown failed: reason withheld", "readyz check failed", ""]
    answer, text = ask(connect(server), "/readyz/shutdown")
    assert (answer.status, text) == (500, b"internal server error: process is shutting down\n")
    for path in ("/livez", "/healthz", MAPS, "/version"):  # on old and on new connections
        assert ask(c, path)[0].status == ask(connect(server), path)[0].status == 200, path
    server.process.send_signal(signal.SIGTERM)  # a second time: at once
    assert server.process.wait(60) == 0


def waiting(server):
    """A request that is under way for three seconds."""
    c = connect(server)
    c.request("GET", MAPS + "?resourceVersion=99999999&resourceVersionMatch=NotOlderThan", headers={"Authorization": "Bearer admintoken"})
    return c


def test_retry_after(serve):
    """An etcd that does not answer holds a request for up to a minute, and so the server."""
    etcd = Etcd().wait()
    try:
        retry_after(etcd, serve("--shutdown-send-retry-after=true", "--shutdown-watch-termination-grace-period=10s", "--etcd-servers", etcd.url))
    finally:
        etcd.close()


def retry_after(etcd, server):
    watch = connect(server)
    watch.request("GET", MAPS + "?watch=1", headers={"Authorization": "Bearer admintoken"})
    stream = watch.getresponse()
    c, health, under_way = connect(server), connect(server), connect(server)
    for connection in (c, health, under_way):
        assert ask(connection, "/readyz")[0].status == 200
    etcd.pause()
    under_way.request("GET", "/api/v1/namespaces/default", headers={"Authorization": "Bearer admintoken"})
    ask(c, "/version")  # sent behind it, and answered: the server has the other
    server.process.send_signal(signal.SIGTERM)
    while ask(health, "/readyz/shutdown")[0].status == 200:
        time.sleep(0.01)
    answer, text = ask(c, "/version")
    assert (answer.status, text) == (429, b"The apiserver is shutting down, please try again later.\n")
    told = dict(answer.getheaders())
    assert told.pop("Audit-Id") and told.pop("Date")
    assert told == {"Connection": "close", "Content-Type": "text/plain; charset=utf-8", "Retry-After": "5", "X-Content-Type-Options": "nosniff", "Content-Length": "56"}
    new = connect(server)  # it still listens
    assert ask(new, "/nonsense")[0].status == 429
    assert ask(connect(server), "/version", **{"User-Agent": "kube-apiserver/v1.36"})[0].status == 200
    assert ask(health, "/metrics")[0].status == 200
    assert b"[-]shutdown failed" in ask(health, "/readyz")[1]
    assert stream.read() == b""  # ended, not cut
    etcd.go_on()
    assert under_way.getresponse().status == 200  # answered
    assert server.process.wait(60) == 0


def test_without_flags_it_is_deaf_but_answers(serve):
    server = serve()
    under_way, c = waiting(server), connect(server)
    ask(c, "/version")
    server.process.send_signal(signal.SIGTERM)
    answer = under_way.getresponse()
    assert answer.status == 504 and json.loads(answer.read())["reason"] == "Timeout"
    assert server.process.wait(60) == 0
    with pytest.raises(ConnectionRefusedError):
        connect(server).connect()


def test_goaway_chance(serve):
    if not shutil.which("curl"):
        pytest.skip("no HTTP/2 client")
    server = serve("--goaway-chance=0.02")
    urls = [f"{server.url}/version"] * 1000
    done = subprocess.run(["curl", "-sk", "--http2", "-v", "-H", "Authorization: Bearer admintoken", "-o", "/dev/null", *sum((["-o", "/dev/null"] for _ in urls[1:]), []), *urls],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr.count("HTTP/2 200") == 1000  # nobody's request was lost
    opened = done.stderr.count("SSL connection using")
    assert 5 <= opened <= 60, opened  # 20 are due; the seed is the test's own


@pytest.mark.parametrize("flag, words", [
    ("--goaway-chance=0.03", "--goaway-chance can not be less than 0 or greater than 0.02"),
    ("--shutdown-delay-duration=-1s", "--shutdown-delay-duration can not be negative value"),
    ("--shutdown-watch-termination-grace-period=-1s", "shutdown-watch-termination-grace-period, if provided, can not be a negative value"),
])
def test_bad_flags(flag, words):
    done = subprocess.run([binary(), "serve", "--bind-address=127.0.0.1", "--secure-port=0", flag], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and words in done.stderr


def post_head(name, length):
    return (f"POST {MAPS}{name} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer admintoken\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n").encode()


def half_post(server, name):
    """A write whose last bytes are still to come: (connection, those bytes)."""
    body = json.dumps({"metadata": {"name": name}}).encode()
    c = socket.create_connection((server.host, server.http_port), 60)
    c.sendall(post_head("", len(body)) + body[:-4])
    return c, body[-4:]


def read_all(c):
    parts = []
    while part := c.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def until_deaf(server):
    while True:
        try:
            socket.create_connection((server.host, server.http_port), 60).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it was in the queue of the listener
            pass
        time.sleep(0.01)


def test_who_is_under_way_is_waited_for(serve):
    """As the real server: who sends its body yet is answered, with Connection: close, and watches are told; idle connections,
    those that have sent nothing and those with half a head end at once and without an answer."""
    server = serve("--shutdown-watch-time=1h")
    idle, unused, half_head, watch = connect(server), connect(server), connect(server), connect(server)
    assert ask(idle, "/version")[0].status == 200
    unused.connect()
    half_head.connect()
    half_head.sock.sendall(b"GET /version HTTP/1.1\r\n")
    first, first_rest = half_post(server, "first")
    second, second_rest = half_post(server, "second")
    watch.request("GET", MAPS + "?watch=1&resourceVersion=0&labelSelector=!a", headers={"Authorization": "Bearer admintoken"})
    stream = watch.getresponse()
    ask(idle, "/version")  # sent behind them, and answered: the server has the others
    server.process.send_signal(signal.SIGTERM)
    until_deaf(server)
    assert [c.sock.recv(100) for c in (idle, unused, half_head)] == [b"", b"", b""]
    for c, rest, name in ((first, first_rest, "first"), (second, second_rest, "second")):
        c.sendall(rest + b"GET /version HTTP/1.1\r\nHost: a\r\n\r\n")  # the one behind it is not answered
        head, _, body = read_all(c).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 201 ") and head.endswith(b"\r\nConnection: close")
        assert json.loads(body)["metadata"]["name"] == name
        while json.loads(stream.readline())["object"]["metadata"]["name"] != name:
            pass
    assert server.process.poll() is None
    server.process.send_signal(signal.SIGTERM)  # a second time: at once
    assert server.process.wait(60) == 0


def test_a_body_under_way_holds_the_server(serve):
    """Without a watch as well; and the watches end, a clean end, when it is answered."""
    server = serve()
    watch = connect(server)
    watch.request("GET", MAPS + "?watch=1&labelSelector=a", headers={"Authorization": "Bearer admintoken"})
    stream = watch.getresponse()
    c, rest = half_post(server, "late")
    assert ask(connect(server), "/version")[0].status == 200
    server.process.send_signal(signal.SIGTERM)
    until_deaf(server)
    c.sendall(rest)
    assert read_all(c).startswith(b"HTTP/1.1 201 ")
    assert stream.read() == b""
    assert server.process.wait(60) == 0


def test_late_bodies(serve):
    """The request's own time, in the words of the real server's timeout filter; the connection ends."""
    server = serve()
    c = socket.create_connection((server.host, server.http_port), 60)
    c.sendall(post_head("?timeout=100ms", 100) + b"{")
    head, _, body = read_all(c).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 504 ") and head.endswith(b"\r\nConnection: close")
    told = json.loads(body)
    assert told == {"metadata": {}, "status": "Failure", "reason": "Timeout", "details": {}, "code": 504,
                    "message": "Timeout: request did not complete within the allotted timeout"}
    h = Client(server)
    stream = h.send("POST", MAPS + "?timeout=100ms", b"{", [("content-type", "application/json")], end=False)
    h.until(lambda: stream in h.ended)
    assert h.streams[stream][0][":status"] == "504" and json.loads(h.streams[stream][1]) == told
    h.until(lambda: stream in h.resets)
    assert h.resets[stream] == 0  # NO_ERROR: the rest is of no interest
    again = h.send("GET", "/version")  # and the connection goes on
    h.until(lambda: again in h.ended)


def test_goaway_when_it_leaves(serve):
    """Each connection hears which streams are the last; those end, and then it."""
    server = serve()
    idle, busy = Client(server), Client(server)
    stream = busy.send("POST", MAPS, b'{"metadata": {"name": "x"', [("content-type", "application/json")], end=False)
    for h in (idle, busy):  # the server has what was sent before
        last = h.send("GET", "/version")
        h.until(lambda h=h, last=last: last in h.ended)
    server.process.send_signal(signal.SIGTERM)
    idle.until(lambda: idle.closed)
    assert (idle.goaway, idle.last_stream) == (0, 1)
    busy.until(lambda: busy.goaway is not None)
    assert (busy.goaway, busy.last_stream) == (0, 3)
    late = busy.send("GET", "/version")  # is not answered
    busy.h2.send_data(stream, b"}}", end_stream=True)
    busy.flush()
    busy.until(lambda: stream in busy.ended)
    assert busy.streams[stream][0][":status"] == "201"
    busy.until(lambda: busy.closed)
    assert late not in busy.ended and busy.streams[late] == [None, b""]
    assert server.process.wait(60) == 0


def test_watches_end_behind_their_time(serve):
    server = serve("--shutdown-watch-time=200ms")
    watch = connect(server)
    watch.request("GET", MAPS + "?watch=1&resourceVersion=1", headers={"Authorization": "Bearer admintoken"})
    stream = watch.getresponse()
    server.process.send_signal(signal.SIGTERM)
    stream.read()  # to its end, which is a clean one
    assert server.process.wait(60) == 0
