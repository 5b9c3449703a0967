"""A real etcd for tests: Debian's etcd-server, or the binary that $APISIM_ETCD names."""

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


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


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

    def wait(self, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(self.url + "/health", timeout=1).read()
                return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("etcd did not start")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def post(self, path, body):
        """The JSON gateway: v3/kv/range and the like; keys and values in base64."""
        import json
        request = urllib.request.Request(f"{self.url}/v3/{path}", json.dumps(body).encode())
        return json.load(urllib.request.urlopen(request, timeout=10))

    def close(self):
        if self.process.poll() is None:
            self.go_on()
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
