"""`kubectl -v=9` shows which form the answers of a newer kubectl came in: protobuf where it asks for
it first, as from the real server (the table was recorded from v1.36.3)."""

import re
import subprocess

import pytest

import conftest

PROTOBUF = "application/vnd.kubernetes.protobuf"
JSON = "application/json"
# The command, and the types of its answers (discovery aside).
COMMANDS = [
    (["get", "namespaces"], [JSON]),
    (["describe", "namespace", "default"], [JSON, PROTOBUF, PROTOBUF, PROTOBUF]),
    (["create", "configmap", "c", "--from-literal=a=b"], [PROTOBUF, PROTOBUF]),  # sent, too
    (["create", "deployment", "d", "--image=i"], [PROTOBUF, PROTOBUF]),
    (["rollout", "history", "deployment"], [JSON, PROTOBUF, PROTOBUF]),
    (["auth", "can-i", "get", "pods"], [JSON, PROTOBUF, PROTOBUF]),
    (["auth", "whoami"], [PROTOBUF, PROTOBUF]),
    (["create", "token", "default"], [PROTOBUF, PROTOBUF]),
    (["events"], [PROTOBUF]),
]
NEW = [v for v in conftest.KUBECTLS if int(v.split(".")[1]) >= 36]


def types_of(log):
    """Of requests with a body and of answers, in order."""
    found = re.findall(r"Content-Type: ([^\s\\\"]*)", log)
    return [t for t in found if "apidiscovery" not in t]


@pytest.mark.skipif(not NEW, reason="no kubectl 1.36 or newer")
def test_protobuf_where_the_real_server_answers_it(serve, tmp_path):
    server = serve()
    run = [conftest.KUBECTLS[NEW[0]], "--server", server.url, "--insecure-skip-tls-verify", "--token",
           "admintoken", "--cache-dir", tmp_path / "cache", "-v=9"]
    subprocess.run([*run, "create", "serviceaccount", "default"], capture_output=True, timeout=60)
    for command, want in COMMANDS:
        done = subprocess.run([*run, *command], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr[-2000:]
        assert sorted(types_of(done.stderr)) == sorted(want), command
