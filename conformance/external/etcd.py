"""A real etcd for tests: Debian's etcd-server, or the binary that $APISIM_ETCD names."""

import itertools
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

import pytest


def binary():
    return os.environ.get("APISIM_ETCD") or shutil.which("etcd")


_ports = itertools.cycle(range(10240, 32000))
for _ in range(os.getpid() * 89 % 21760):  # processes beside each other begin far from each other
    next(_ports)


def free_port():
    """A port that nobody has, and that the kernel gives to nobody: who binds it, dies and binds it again still finds it free."""
    for port in _ports:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


class Etcd:
    """Data lives in memory where that can be had, for speed; `fsync=True` puts it on disk."""

    scheme = "http"

    def __init__(self, fsync=False, *flags):
        if not binary():
            pytest.skip("no etcd here: apt-get install etcd-server")
        shm = pathlib.Path("/dev/shm")
        self.directory = tempfile.mkdtemp(prefix="apisim-etcd-", dir=None if fsync or not os.access(shm, os.W_OK) else shm)
        self.port, self.peer = free_port(), free_port()
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"
        self.flags = list(flags)
        self.process = None
        self.start()

    def start(self):
        peer = f"http://127.0.0.1:{self.peer}"
        self.process = subprocess.Popen(
            [binary(), "--data-dir", self.directory, "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}", *self.flags],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait(self, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(self.url + "/health", timeout=1).read()
                return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("etcd did not start")

    def pause(self):
        """SIGSTOP, and every thread of it stands."""
        self.process.send_signal(signal.SIGSTOP)
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            while "State:\tT" not in (task / "status").read_text():
                time.sleep(0.001)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def post(self, path, body):
        """The JSON gateway: v3/kv/range and the like; keys and values in base64."""
        import json
        request = urllib.request.Request(f"{self.url}/v3/{path}", json.dumps(body).encode())
        return json.load(urllib.request.urlopen(request, timeout=40))

    def close(self):
        if self.process.poll() is None:
            self.go_on()
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
