"""The same seed and the same requests give the same bytes: uids, names, timestamps and audit ids included."""
import base64
import http.client
import json
import os
import pathlib
import re
import subprocess

import pytest

from etcd import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
SESSIONS = ROOT / "fixtures" / "sessions" / "kubectl-1.36"
BINARY = os.environ.get("APISIM", str(ROOT / "build" / "apisim"))

pytestmark = pytest.mark.skipif("APISIM_URL" in os.environ, reason="starts servers of its own")


def requests(session):
    for line in (SESSIONS / f"{session}.tape.jsonl").read_text().splitlines()[1:]:
        exchange = json.loads(line)
        if exchange["res"].get("stream") or exchange["res"]["status"] == 101:
            continue
        request = exchange["req"]
        body = request.get("body", "").encode() or base64.b64decode(request.get("body_b64", ""))
        yield request["method"], request["target"], request["headers"], body


@pytest.fixture(scope="module")
def secure_port():
    """One port for all: the server tells it in the endpoints of its own Service."""
    return free_port()


def whole_session(session, seed, secure_port):
    """Every answer of a fresh server, heads included."""
    server = subprocess.Popen(
        [BINARY, "serve", "--seed", str(seed), "--clock", "virtual", "--http-port", "0", "--secure-port", str(secure_port),
         "--authorization-mode", "AlwaysAllow", "--disable-admission-plugins", "ServiceAccount"],
        stderr=subprocess.PIPE, text=True)
    try:
        port = None
        while port is None:
            line = server.stderr.readline()
            assert line, "the server ended"
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            port = found and int(found.group(1))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        answers = []
        for method, target, headers, body in requests(session):
            connection.request(method, target, body or None, headers)
            answer = connection.getresponse()
            answers.append(f"{answer.status} {answer.getheaders()}".encode() + answer.read())
        return answers
    finally:
        server.terminate()
        server.wait()


@pytest.mark.parametrize("session", ["01-pods", "03-apply-server", "07-services", "13-paging"])
def test_same_seed_same_bytes(session, secure_port):
    first, second = (whole_session(session, 7, secure_port) for _ in range(2))
    assert len(first) > 20
    assert first == second


def test_another_seed_gives_other_uids(secure_port):
    assert whole_session("01-pods", 7, secure_port) != whole_session("01-pods", 8, secure_port)
