"""Records transcripts of any kubectl against a real server, for fixtures/transcripts.

usage: record_real.py --server URL --etcd URL --etcdctl PATH --kubectl PATH --version 1.29 [NAME...]

The server (oracle's start.sh flags, without controllers) must be fresh. Between sessions its
store is put back as it was, so that one server serves for all of them.
"""

import argparse
import base64
import json
import pathlib
import subprocess
import tempfile
import time

import runner
import transcript

ROOT = pathlib.Path(__file__).parents[2]


class Store:
    """A snapshot of the server's store, and the way back to it."""

    def __init__(self, etcdctl, endpoint):
        self.command = [etcdctl, "--endpoints", endpoint]
        self.first = self.read()

    def read(self):
        out = subprocess.run(
            [*self.command, "get", "--prefix", "/registry/", "-w", "json"],
            capture_output=True, check=True,
        ).stdout
        pairs = json.loads(out).get("kvs", [])
        return {base64.b64decode(p["key"]): base64.b64decode(p.get("value", "")) for p in pairs}

    def reset(self):
        now = self.read()
        for key in now.keys() - self.first.keys():
            if b"/masterleases/" not in key and b"/leases/" not in key:
                subprocess.run([*self.command, "del", key.decode()], capture_output=True)
        for key, value in self.first.items():
            if now.get(key) != value and b"lease" not in key:
                subprocess.run([*self.command, "put", key.decode()], input=value,
                               capture_output=True, check=True)
        time.sleep(0.4)


def main():
    args = argparse.ArgumentParser()
    for name in ("server", "etcd", "etcdctl", "kubectl", "version"):
        args.add_argument("--" + name, required=True)
    args.add_argument("--token", default="admintoken")
    args.add_argument("names", nargs="*")
    a = args.parse_args()
    store = Store(a.etcdctl, a.etcd)
    to = ROOT / "fixtures" / "transcripts" / a.version
    to.mkdir(parents=True, exist_ok=True)
    for name in a.names or runner.SESSIONS:
        with tempfile.TemporaryDirectory() as directory:
            began = time.time()
            steps = runner.Runner(a.kubectl, a.server, a.token, directory).session(name)
            (to / f"{name}.txt").write_text(
                transcript.presentable(transcript.render(steps)))
            print(f"{a.version} {name}: {len(steps)} commands, {time.time() - began:.1f} s",
                  flush=True)
        store.reset()


if __name__ == "__main__":
    main()
