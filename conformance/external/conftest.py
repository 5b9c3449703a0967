"""Fixtures for tests that talk to a running apisim from outside.

`apisim` (one server a module) gives base URLs, credentials and a kubeconfig. The binary is
build/apisim, or $APISIM. With $APISIM_URL (and $APISIM_TOKEN) set, that server is tested instead
and nothing is started: the same tests run against a real kube-apiserver.
"""

import dataclasses
import os
import pathlib
import socket
import ssl
import subprocess
import time
import urllib.parse
import urllib.request
import zlib

import pytest

from client import Api, Place
from etcd import Etcd

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKENS = 'admintoken,admin,admin-uid,system:masters\nalicetoken,alice,alice-uid,"devs,testers"\n'


@dataclasses.dataclass
class Server:
    url: str  # https://127.0.0.1:PORT
    http_url: str | None  # http://127.0.0.1:PORT, None for a server not started here
    token: str  # of an administrator
    kubeconfig: str | None
    process: subprocess.Popen | None
    log: pathlib.Path | None
    since: float = 0  # when it was started, where that matters

    @property
    def host(self):
        return urllib.parse.urlsplit(self.url).hostname

    @property
    def port(self):
        return urllib.parse.urlsplit(self.url).port

    @property
    def http_port(self):
        return urllib.parse.urlsplit(self.http_url).port if self.http_url else None

    def connect(self, tls=True, timeout=30):
        """A raw connection: a socket, or a TLS socket without verification."""
        s = socket.create_connection((self.host, self.port if tls else self.http_port), timeout)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            s = context.wrap_socket(s)
        return s


def binary():
    return os.path.abspath(os.environ.get("APISIM", ROOT / "build" / "apisim"))


def seed_of(directory):
    """Of the test's own directory: a run's UIDs and names are the last run's, so that no check fails by chance."""
    return zlib.crc32("/".join(directory.parts[-2:]).encode())


def start(directory, *flags):
    """A server with plain and TLS ports chosen by the kernel; the caller stops it."""
    directory = pathlib.Path(directory)
    if not any(flag.startswith("--seed") for flag in flags):
        flags = (f"--seed={seed_of(directory)}", *flags)
    tokens, kubeconfig, log = (directory / n for n in ("tokens.csv", "kubeconfig", "log"))
    tokens.write_text(TOKENS)
    command = [binary(), "serve", "--bind-address=127.0.0.1", "--secure-port=0", "--http-port=0",
               f"--kubeconfig-out={kubeconfig}", f"--token-auth-file={tokens}", "--print-port",
               "--authorization-mode=Node,RBAC", "--service-cluster-ip-range=10.0.0.0/24",
               "--disable-admission-plugins=ServiceAccount", *flags]
    with open(log, "w") as err:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True)
    port = process.stdout.readline().strip()
    if not port:
        process.wait()
        raise RuntimeError(f"{' '.join(command)}: {log.read_text()}")
    plain = [w for w in log.read_text().split() if w.startswith("http://")]
    return Server(f"https://127.0.0.1:{port}", plain[0], "admintoken", str(kubeconfig), process, log)


def stop(server):
    if server.process:
        server.process.terminate()
        server.process.wait(60)
        server.process.stdout.close()


def wait_ready(server, seconds=120):
    """A server with its objects elsewhere listens before it has read them."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if urllib.request.urlopen(server.http_url + "/readyz", timeout=2).status == 200:
                return server
        except OSError:
            pass
        time.sleep(0.02)
    raise RuntimeError(f"not ready: {server.log.read_text()}")


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def pytest_generate_tests(metafunc):
    """A module whose BACKENDS name "memory" and "etcd" is run on a server over each."""
    backends = getattr(metafunc.module, "BACKENDS", None)
    if backends and "apisim" in metafunc.fixturenames and not os.environ.get("APISIM_URL"):
        metafunc.parametrize("apisim", backends, indirect=True, scope="module")


@pytest.fixture(scope="session", autouse=True)
def unused(tmp_path_factory):
    """A server that nobody asks until test_zz_unused.py, which is the last to run; and when it was started."""
    if os.environ.get("APISIM_URL"):
        yield None
        return
    server = start(tmp_path_factory.mktemp("unused"))
    server.since = time.monotonic()
    yield server
    stop(server)


@pytest.fixture(scope="module")
def apisim(request, tmp_path_factory):
    if os.environ.get("APISIM_URL"):
        token = os.environ.get("APISIM_TOKEN", "admintoken")
        yield Server(os.environ["APISIM_URL"], None, token, None, None, None)
        return
    kept = Etcd() if getattr(request, "param", "memory") == "etcd" else None
    server = start(tmp_path_factory.mktemp("apisim"), *(["--etcd-servers", kept.wait().url] if kept else []))
    yield wait_ready(server)
    code = server.process.poll()
    stop(server)
    if kept:
        kept.close()
    assert code is None, f"the server ended by itself ({code}): {server.log.read_text()}"


# ---- what most modules of the read path stand on; a module may have its own of the same name ----

@pytest.fixture(scope="module")
def api(apisim):
    return Api(apisim)


@pytest.fixture(scope="module")
def shared(api):
    place = Place(api)
    yield place
    place.remove()


@pytest.fixture
def place(shared):
    yield shared
    shared.clear()


@pytest.fixture(scope="module")
def old(apisim, tmp_path_factory):
    """Config maps of a server whose history has gone on, and a version that is no longer in it."""
    if apisim.process is None:
        place = Place(Api(apisim))
        yield place, 5
        place.remove()
        return
    server = start(tmp_path_factory.mktemp("history"), "--store-history-events=100")
    place = Place(Api(server))
    first = int(place.create("first")["metadata"]["resourceVersion"])
    for i in range(120):
        place.label("first", n=str(i))
    place.delete("first")
    yield place, first
    stop(server)
