"""bench_etcd.py BINARY: apisim and the real server, each on an etcd of its own, with the same etcd, the same flags and the
same load. Prints a table and appends it to reports/bench.txt. Needs $ORACLE_BIN (kube-apiserver and etcd) and the load
tool ($APILOAD, or build/apiload that bench.py builds); nothing here passes or fails.
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.argv, arguments = sys.argv[:1] + [sys.argv[1]], sys.argv[1:]
from bench import ROOT, TOKEN, first_answer, free_port, load_tool, run_load  # noqa: E402

ITEMS = (("create", 3000), ("get", 5000), ("update", 2000), ("list", 5000))


class Kept:
    """A server over a fresh etcd; its CPU is the server's alone, etcd's is the same work for both."""

    def __init__(self, command, oracle, folder, fsync):
        self.port, etcd_port, peer = free_port(), free_port(), free_port()
        url = f"http://127.0.0.1:{etcd_port}"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.etcd = subprocess.Popen(
            [f"{oracle}/etcd", "--data-dir", folder / "etcd", "--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls",
             f"http://127.0.0.1:{peer}", "--log-level", "error", *([] if fsync else ["--unsafe-no-fsync"])], **quiet)
        (folder / "tokens.csv").write_text(f"{TOKEN},admin,admin-uid,system:masters\n")
        self.process = subprocess.Popen(
            [*command, "--etcd-servers", url, "--secure-port", str(self.port), "--bind-address", "127.0.0.1", "--cert-dir", folder / "certs",
             "--token-auth-file", folder / "tokens.csv", "--authorization-mode", "Node,RBAC", "--disable-admission-plugins=ServiceAccount",
             "--service-cluster-ip-range", "10.0.0.0/24"], **quiet)
        first_answer(self.port)
        self.pids = [self.process.pid]
        time.sleep(1)

    def stop(self):
        for p in (self.process, self.etcd):
            p.send_signal(signal.SIGKILL)
            p.wait()


def measure(command, oracle, tool, fsync):
    row = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        key = folder / "sa.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        server = Kept([str(c).replace("SA_KEY", str(key)) for c in command], oracle, folder, fsync)
        for item, n in ITEMS:
            rate, micros, _, errors = run_load(tool, server, item, n)
            row[item] = (rate, micros, errors)
        server.stop()
    return row


def main():
    tool, oracle = load_tool(), os.environ.get("ORACLE_BIN")
    if not tool or not oracle:
        print("over etcd: not measured, for want of " + ("the load tool (APILOAD)" if not tool else "the real server (ORACLE_BIN)"))
        return
    real = [f"{oracle}/kube-apiserver", "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", "SA_KEY",
            "--service-account-signing-key-file", "SA_KEY"]
    lines = [f"{'over etcd':24}{'apisim':>12}{'real server':>14}{'times':>8}{'CPU':>12}{'real CPU':>12}"]
    for fsync in (True, False):
        ours = measure([arguments[0], "serve"], oracle, tool, fsync)
        theirs = measure(real, oracle, tool, fsync)
        for item, _ in ITEMS:
            (a, cpu_a, errors_a), (b, cpu_b, errors_b) = ours[item], theirs[item]
            errors = f" errors: {errors_a}, {errors_b}" if errors_a or errors_b else ""
            lines.append(f"{item + (', fsync' if fsync else ', no fsync'):24}{a:>10,.0f}/s{b:>12,.0f}/s{a / b:>8.1f}{cpu_a:>9,.0f} us{cpu_b:>9,.0f} us{errors}")
    print("\n".join(lines))
    (ROOT / "reports").mkdir(exist_ok=True)
    with open(ROOT / "reports" / "bench.txt", "a") as out:
        out.write("\n" + "\n".join(lines) + "\n")


main()
