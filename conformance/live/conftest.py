"""What the live suite runs with: every kubectl found, and apisim servers."""

import glob
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

ROOT = pathlib.Path(__file__).parents[2]
APISIM = pathlib.Path(os.environ.get("APISIM", ROOT / "build" / "apisim")).resolve()
TOKENS = 'admintoken,admin,admin-uid,system:masters\nalicetoken,alice,alice-uid,"devs,testers"\n'


def version_of(path):
    """ "1.29", or None for what is no kubectl of its own (a dispatcher to others)."""
    try:
        out = subprocess.run([path, "version", "--client", "-o", "json"], capture_output=True,
                             timeout=60, check=True).stdout
        git_version = json.loads(out)["clientVersion"]["gitVersion"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return None
    found = re.fullmatch(r"v(\d+\.\d+)\.\d+(\+.*)?", git_version)
    return found.group(1) if found else None


def kubectls():
    """Version to path: the first found of each minor version."""
    folders = [f for f in os.environ.get("KUBECTL_BIN_DIRS", "").split(":") if f]
    folders += os.environ["PATH"].split(":") + ["/usr/lib/google-cloud-sdk/bin"]
    paths = [p for f in folders for p in sorted(glob.glob(os.path.join(f, "kubectl*")))]
    paths += glob.glob(str(ROOT / "build" / "tools" / "**" / "kubectl"), recursive=True)
    found = {}
    for path in paths:
        name = os.path.basename(path)
        if re.fullmatch(r"kubectl([.-]?\d+(\.\d+)*)?", name) and os.access(path, os.X_OK):
            if os.path.isfile(path):
                version = version_of(path)
                if version:
                    found.setdefault(version, path)
    wanted = os.environ.get("LIVE_KUBECTLS")  # "1.20,1.36": only these
    return {v: p for v, p in found.items() if not wanted or v in wanted.split(",")}


KUBECTLS = kubectls()


def pytest_report_header():
    names = ", ".join(sorted(KUBECTLS, key=lambda v: int(v.split(".")[1]))) or "none"
    return f"kubectl found: {names}"


class Server:
    """One `apisim serve` on free ports of loopback; `with` it."""

    def __init__(self, directory, *flags):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        tokens, config = self.directory / "tokens.csv", self.directory / "admin.kubeconfig"
        tokens.write_text(TOKENS)
        key = self.directory / "sa.key"
        public = self.directory / "sa.pub"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True,
                       capture_output=True)
        subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True,
                       capture_output=True)
        self.log = open(self.directory / "apisim.log", "wb")
        self.process = subprocess.Popen(
            [APISIM, "serve", "--secure-port", "0", "--bind-address", "127.0.0.1",
             "--cert-dir", self.directory / "certs", "--token-auth-file", tokens,
             "--service-account-issuer", "https://kubernetes.default.svc",
             "--service-account-key-file", public, "--service-account-signing-key-file", key,
             "--authorization-mode", "Node,RBAC", "--service-cluster-ip-range", "10.0.0.0/24",
             "--allow-privileged=true", "--disable-admission-plugins=ServiceAccount",
             "--advertise-address", "192.0.2.2", "--exit-with-parent",
             "--kubeconfig-out", config, *flags],
            stdout=self.log, stderr=subprocess.STDOUT,
        )
        self.url = self.wait_for(config)

    def wait_for(self, config):
        until = time.time() + 120
        while time.time() < until:
            text = config.read_text() if config.exists() else ""
            found = re.search(r"server: \"?https://[^\s\"]+:(\d+)", text)
            if found:  # its host is the advertised address
                return f"https://127.0.0.1:{found.group(1)}"
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        log = (self.directory / "apisim.log").read_text()
        raise RuntimeError(f"apisim serve did not start:\n{log}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


@pytest.fixture
def serve(tmp_path):
    """serve(*flags) starts a server; all end with the test."""
    servers = []

    def start(*flags):
        server = Server(tmp_path / f"server-{len(servers)}", *flags)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.__exit__()


@pytest.fixture
def apisim():
    if not APISIM.exists() or not shutil.which("openssl"):
        pytest.skip("build/apisim or openssl is missing")
    return str(APISIM)
