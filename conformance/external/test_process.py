"""The binary as a process: flags, certificates, start, stop, and what a bad network does to it."""

import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import time

import pytest

from conftest import binary, start, stop

REQUEST = b"GET %b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admintoken\r\n\r\n"


def run(*arguments, **more):
    return subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=60, **more)


def get(server, path, tls=True):
    s = server.connect(tls)
    s.sendall(REQUEST % path.encode())
    out = s.recv(65536)
    s.close()
    return out


# What the real binary prints for the same arguments.
@pytest.mark.parametrize("arguments,line", [
    (["--foo"], "unknown flag: --foo"),
    (["-x"], "unknown shorthand flag: 'x' in -x"),
    (["-secure-port", "7"], "unknown shorthand flag: 's' in -secure-port"),
    (["--secure-port"], "flag needs an argument: --secure-port"),
    (["--secure-port", "x"], 'invalid argument "x" for "--secure-port" flag: '
     'strconv.ParseInt: parsing "x": invalid syntax'),
    (["--secure-port", "9" * 20], f'invalid argument "{"9" * 20}" for "--secure-port" flag: '
     f'strconv.ParseInt: parsing "{"9" * 20}": value out of range'),
    (["--bind-address", "zz"], 'invalid argument "zz" for "--bind-address" flag: '
     'failed to parse IP: "zz"'),
    (["--allow-privileged=zz"], 'invalid argument "zz" for "--allow-privileged" flag: '
     'strconv.ParseBool: parsing "zz": invalid syntax'),
    (["--request-timeout", "5"], 'invalid argument "5" for "--request-timeout" flag: '
     'time: missing unit in duration "5"'),
    (["--service-node-port-range", "zz"], 'invalid argument "zz" for "--service-node-port-range" '
     'flag: strconv.Atoi: parsing "zz": invalid syntax'),
    (["--goaway-chance", "x"], 'invalid argument "x" for "--goaway-chance" flag: '
     'strconv.ParseFloat: parsing "x": invalid syntax'),
    (["--v=x"], 'invalid argument "x" for "-v, --v" flag: strconv.ParseUint: parsing "x": '
     'invalid syntax'),
    (["extra"], '"kube-apiserver" does not take any arguments, got ["extra"]'),
])
def test_flags_refused(arguments, line):
    r = run("serve", *arguments)
    assert (r.returncode, r.stderr) == (1, f"Error: {line}\n")


def test_help_and_version(tmp_path):
    alias = tmp_path / "kube-apiserver"
    alias.symlink_to(binary())
    for command in ([binary(), "serve"], [str(alias)]):
        r = subprocess.run([*command, "--help"], capture_output=True, text=True)
        assert r.returncode == 0 and "--secure-port" in r.stdout
        assert "insecure-port" not in r.stdout
        r = subprocess.run([*command, "--version"], capture_output=True, text=True)
        assert (r.returncode, r.stdout) == (0, "Kubernetes v1.36.3\n")


def test_port_in_use_and_missing_file(tmp_path):
    s = socket.create_server(("127.0.0.1", 0))
    port = s.getsockname()[1]
    r = run("serve", "--bind-address=127.0.0.1", f"--secure-port={port}")
    assert r.returncode == 1 and r.stderr.count("\n") == 1 and "in use" in r.stderr
    s.close()
    r = run("serve", "--secure-port=0", "--bind-address=127.0.0.1", "--token-auth-file=/nowhere")
    assert r.returncode == 1 and "--token-auth-file /nowhere" in r.stderr


def test_exec():
    script = ("import os, sys; text = open(os.environ['KUBECONFIG']).read();"
              "sys.exit(7 if 'server: https://127.0.0.1:' in text and 'token: ' in text else 1)")
    r = run("exec", "--", sys.executable, "-c", script)
    assert r.returncode == 7
    assert run("exec", "--", "/no/such/command").returncode == 127
    assert run("exec").returncode == 1


def test_cert_dir_is_written_then_used(tmp_path):
    certs = tmp_path / "certs" / "deep"
    seen = []
    for _ in range(2):
        server = start(tmp_path, f"--cert-dir={certs}")
        context = ssl.create_default_context(cafile=certs / "apiserver.crt")
        s = context.wrap_socket(socket.create_connection((server.host, server.port)),
                                server_hostname="kubernetes.default.svc")
        seen.append(s.getpeercert(True))
        s.close()
        stop(server)
    assert seen[0] == seen[1]
    assert (certs / "apiserver.key").stat().st_mode & 0o077 == 0


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def test_client_certificates(tmp_path):
    """A self-signed leaf as its own authority is let in; a stranger's is answered 401."""
    for name, subject in (("known", "/O=system:masters/CN=boss"), ("stranger", "/CN=stranger")):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", str(tmp_path / f"{name}.key"), "-out", str(tmp_path / f"{name}.crt"),
                "-days", "2", "-subj", subject)
    server = start(tmp_path, f"--client-ca-file={tmp_path}/known.crt")
    answers = {}
    for name in ("known", "stranger", None):
        context = ssl._create_unverified_context()
        if name:
            context.load_cert_chain(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        s = context.wrap_socket(socket.create_connection((server.host, server.port)))
        s.sendall(b"GET /api/v1/namespaces HTTP/1.1\r\nHost: x\r\n\r\n")
        answers[name] = int(s.recv(65536).split(b" ")[1])
        s.close()
    stop(server)
    assert answers == {"known": 200, "stranger": 401, None: 403}


@pytest.mark.parametrize("tls", [True, False])
def test_stop_is_quick_and_ends_watches(tmp_path, tls):
    server = start(tmp_path)
    watchers = []
    for _ in range(20):
        s = server.connect(tls)
        s.sendall(REQUEST % b"/api/v1/namespaces?watch=1")
        assert s.recv(65536).startswith(b"HTTP/1.1 200")
        watchers.append(s)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0
    assert time.monotonic() - began < 30  # 50 ms on a quiet machine; a watch has half an hour
    for s in watchers:
        s.settimeout(30)
        data = b""
        while more := s.recv(65536):
            data += more
        assert data.endswith(b"0\r\n\r\n")
    server.process.stdout.close()


def test_out_of_descriptors(tmp_path):
    server = start(tmp_path)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (20, 20))
    held = [socket.create_connection((server.host, server.http_port)) for _ in range(40)]
    time.sleep(0.2)
    assert server.process.poll() is None
    for s in held:
        s.close()
    time.sleep(0.2)
    assert get(server, "/healthz").startswith(b"HTTP/1.1 200")
    stop(server)


@pytest.mark.parametrize("tls", [True, False])
def test_slow_reader_gets_everything(tmp_path, tls):
    server = start(tmp_path)
    s = server.connect(tls, timeout=60)
    count = 100
    s.sendall((REQUEST % b"/openapi/v2") * count)
    time.sleep(0.5)
    assert get(server, "/healthz").startswith(b"HTTP/1.1 200")  # others are served meanwhile
    total, answers, tail = 0, 0, b""
    while answers < count:
        data = s.recv(1 << 20)
        assert data
        total += len(data)
        answers += (tail + data).count(b"HTTP/1.1 200 OK\r\n")
        tail = data[-16:]
    s.close()
    assert total > count * 100000
    assert get(server, "/healthz").startswith(b"HTTP/1.1 200")
    stop(server)


def test_exits_with_its_parent(tmp_path):
    script = (f"import subprocess; p = subprocess.Popen([{binary()!r}, 'serve', '--secure-port=0', "
              "'--bind-address=127.0.0.1', '--exit-with-parent', '--print-port'], "
              "stdout=subprocess.PIPE, stderr=subprocess.DEVNULL); p.stdout.readline(); print(p.pid)")
    pid = int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout)
    for _ in range(50):
        try:
            os.kill(pid, 0)
            if open(f"/proc/{pid}/stat").read().split()[2] == "Z":
                return
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("it outlived its parent")


def test_virtual_clock(tmp_path):
    dates = []
    for _ in range(2):
        server = start(tmp_path, "--clock=virtual", "--seed=5")
        dates.append(get(server, "/api/v1/namespaces/default"))
        stop(server)
    assert dates[0] == dates[1] and b"2026-01-01T00:00:00Z" in dates[0]
