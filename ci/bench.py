"""bench.py BINARY: rates, CPU per request and memory of apisim, side by side with the real server and nginx
where they are found. Prints a table and writes reports/bench.txt. Nothing here passes or fails.

Where things are looked for: the load tool in $APILOAD or build/apiload (built from $APILOAD_SRC or
../shared/bench/apiload where Go is there); the real server's binaries in $ORACLE_BIN (with etcd); wrk and nginx on PATH.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

import bench_scale

ROOT = pathlib.Path(__file__).resolve().parent.parent
HZ = os.sysconf("SC_CLK_TCK")
TOKEN = "admintoken"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_s(pids):
    """User and system seconds of the processes."""
    total = 0
    for pid in pids:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / HZ


def rss_mb(pids):
    total = 0
    for pid in pids:
        for line in open(f"/proc/{pid}/status"):
            if line.startswith("VmRSS"):
                total += int(line.split()[1])
    return total / 1024


def first_answer(port, path="/readyz", deadline=60):
    """Seconds until the first 200 over TLS, asked again and again."""
    context = ssl._create_unverified_context()
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n".encode()
    start = time.perf_counter()
    while time.perf_counter() - start < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as raw, context.wrap_socket(raw) as s:
                s.sendall(request)
                if s.recv(64).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            time.sleep(0.0002)
    raise SystemExit(f"no answer on port {port}")


class Apisim:
    name = "apisim"

    def __init__(self, binary, folder):
        self.port = free_port()
        tokens = folder / "tokens.csv"
        tokens.write_text(f'{TOKEN},admin,admin-uid,system:masters\n')
        start = time.perf_counter()
        self.process = subprocess.Popen(
            [binary, "serve", "--secure-port", str(self.port), "--bind-address", "127.0.0.1", "--token-auth-file", str(tokens),
             "--disable-admission-plugins=ServiceAccount"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        first_answer(self.port)
        self.ready_s = time.perf_counter() - start
        self.pids = [self.process.pid]

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Real:
    name = "kube-apiserver"

    def __init__(self, binaries, folder):
        self.port, etcd_port = free_port(), free_port()
        subprocess.run(["openssl", "genrsa", "-out", folder / "sa.key", "2048"], check=True, capture_output=True)
        etcd_url = f"http://127.0.0.1:{etcd_port}"
        start = time.perf_counter()
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.etcd = subprocess.Popen(
            [f"{binaries}/etcd", "--data-dir", folder / "etcd", "--listen-client-urls", etcd_url, "--advertise-client-urls",
             etcd_url, "--listen-peer-urls", "http://127.0.0.1:0", "--unsafe-no-fsync", "--log-level", "error"], **quiet)
        self.process = subprocess.Popen(
            [f"{binaries}/kube-apiserver", "--etcd-servers", etcd_url, "--secure-port", str(self.port), "--bind-address",
             "127.0.0.1", "--cert-dir", folder / "real-certs", "--service-account-issuer", "https://kubernetes.default.svc",
             "--service-account-key-file", folder / "sa.key", "--service-account-signing-key-file", folder / "sa.key",
             "--token-auth-file", folder / "tokens.csv", "--authorization-mode", "Node,RBAC", "--service-cluster-ip-range",
             "10.0.0.0/24", "--disable-admission-plugins=ServiceAccount"], **quiet)
        first_answer(self.port)
        self.ready_s = time.perf_counter() - start
        self.pids = [self.process.pid, self.etcd.pid]
        time.sleep(1)

    def stop(self):
        for p in (self.process, self.etcd):
            p.send_signal(signal.SIGKILL)
            p.wait()


def load_tool():
    given = os.environ.get("APILOAD")
    if given:
        return given
    built = ROOT / "build" / "apiload"
    source = pathlib.Path(os.environ.get("APILOAD_SRC", ROOT.parent / "shared" / "bench" / "apiload"))
    if not built.exists() and source.is_dir() and shutil.which("go"):
        with tempfile.TemporaryDirectory() as copy:
            shutil.copytree(source, f"{copy}/apiload")
            subprocess.run(["go", "build", "-o", built, "."], cwd=f"{copy}/apiload", check=True)
    return str(built) if built.exists() else None


def child_cpu_s():
    times = os.times()
    return times.children_user + times.children_system


def run_load(tool, server, item, n):
    """(requests a second, the server's CPU microseconds a request, the tool's, errors)"""
    before, ours = cpu_s(server.pids), child_cpu_s()
    out = subprocess.run([tool, "-server", f"https://127.0.0.1:{server.port}", "-token", TOKEN, "-n", str(n), item],
                         capture_output=True, text=True, check=True).stdout
    figures = json.loads(out.strip().splitlines()[-1])
    used, tool_used = cpu_s(server.pids) - before, child_cpu_s() - ours
    count = max(figures["n"], 1)
    return figures["rate_per_s"], used / count * 1e6, tool_used / count * 1e6, figures["errors"]


def wrk_rate(url):
    out = subprocess.run(["wrk", "-t2", "-c16", "-d3", "-H", f"Authorization: Bearer {TOKEN}", url], capture_output=True, text=True).stdout
    for line in out.splitlines():
        if line.startswith("Requests/sec"):
            return float(line.split()[1])
    return 0.0


class Nginx:
    """nginx over TLS with one worker: the same bytes from files. What the load tool gets from it is about all it can take."""

    name = "nginx (files)"

    def __init__(self, folder, bodies):
        self.port = free_port()
        for path, body in bodies.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(body)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                        folder / "n.key", "-out", folder / "n.crt", "-subj", "/CN=localhost", "-days", "2"], check=True, capture_output=True)
        user = "user root;" if os.geteuid() == 0 else ""  # its worker must be able to read the folder
        (folder / "nginx.conf").write_text(f"""
{user} worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 256; }}
http {{ access_log off; keepalive_requests 1000000; default_type application/json;
  server {{ listen 127.0.0.1:{self.port} ssl; ssl_certificate {folder}/n.crt; ssl_certificate_key {folder}/n.key; root {folder};
    location = /api/v1/namespaces {{ return 201 "{{}}"; }} }} }}
""")
        self.process = subprocess.Popen(["nginx", "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        assert get(self.port, GET_PATH) == bodies[GET_PATH.strip("/")], "nginx serves something else"
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            self.pids = [self.process.pid, *map(int, children.read().split())]

    def stop(self):
        self.process.terminate()
        self.process.wait()


def get(port, path):
    context = ssl._create_unverified_context()
    with socket.create_connection(("127.0.0.1", port)) as raw, context.wrap_socket(raw) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n".encode())
        data = b""
        while chunk := s.recv(65536):
            data += chunk
    return data.split(b"\r\n\r\n", 1)[1]


LISTS = 50000  # of the load tool: a hundredth of it times five, 100 lists of the 5,000 Pods
LIST_PATH, GET_PATH = "/api/v1/namespaces/load/pods", "/api/v1/namespaces/default"


def measure_load(server, tool, item, n, row):
    rate, micros, tool_micros, errors = run_load(tool, server, item, n)
    row[f"{item} rate"] = f"{rate:,.0f}/s" + (f" ({errors} errors)" if errors else "")
    row[f"{item} CPU"] = f"{micros:,.0f} us"
    row[f"{item} CPU, tool"] = f"{tool_micros:,.0f} us"


def measure(server, tool, lines):
    """The bodies of one get and one list."""
    row = {"ready": f"{server.ready_s * 1000:.1f} ms", "resident at ready": f"{rss_mb(server.pids):.1f} MB"}
    if tool:
        for item, n in (("create", 5000), ("get", 5000), ("update", 5000), ("list", LISTS), ("watch", 5000)):
            before = rss_mb(server.pids)
            measure_load(server, tool, item, n, row)
            if item == "create":
                row["resident per Pod"] = f"{(rss_mb(server.pids) - before) * 1024 / n:.1f} KB"
    if shutil.which("wrk"):
        row["get by wrk"] = f"{wrk_rate(f'https://127.0.0.1:{server.port}{GET_PATH}'):,.0f}/s"
        row["list by wrk"] = f"{wrk_rate(f'https://127.0.0.1:{server.port}{LIST_PATH}'):,.1f}/s"
    lines.append((server.name, row))
    return {path.strip("/"): get(server.port, path) for path in (GET_PATH, LIST_PATH)}


def measure_scale(make, folder, rows, small):
    """Each part on a fresh server in a folder of its own; figures join the row of the latest server."""
    tool = ROOT / "build" / "watchload"

    def fresh():
        place = pathlib.Path(tempfile.mkdtemp(dir=folder))
        (place / "tokens.csv").write_text(f"{TOKEN},admin,admin-uid,system:masters\n")
        return make(place)

    if tool.exists():
        bench_scale.measure(fresh, str(tool), TOKEN, rows[-1][1], small)


def main():
    binary = sys.argv[1]
    tool, rows = load_tool(), []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        server = Apisim(binary, folder)
        bodies = measure(server, tool, rows)
        server.stop()
        measure_scale(lambda place: Apisim(binary, place), folder, rows, False)
        oracle = os.environ.get("ORACLE_BIN")
        if oracle:
            server = Real(oracle, folder)
            measure(server, tool, rows)
            server.stop()
            measure_scale(lambda place: Real(oracle, place), folder, rows, True)
        if shutil.which("nginx"):
            server, row = Nginx(folder, bodies), {}
            if tool:
                measure_load(server, tool, "list", LISTS, row)
            if shutil.which("wrk"):
                row["get by wrk"] = f"{wrk_rate(f'https://127.0.0.1:{server.port}{GET_PATH}'):,.0f}/s"
                row["list by wrk"] = f"{wrk_rate(f'https://127.0.0.1:{server.port}{LIST_PATH}'):,.1f}/s"
            rows.append((server.name, row))
            server.stop()
    keys = list(dict.fromkeys(k for _, row in rows for k in row))
    lines = ["".join([f"{'':34}"] + [f"{name:>18}" for name, _ in rows])]
    lines += ["".join([f"{k:34}"] + [f"{row.get(k, '-'):>18}" for _, row in rows]) for k in keys]
    missing = [text for text, there in (("the load tool (APILOAD)", tool), ("the real server (ORACLE_BIN)", os.environ.get("ORACLE_BIN")),
                                        ("wrk", shutil.which("wrk")), ("nginx", shutil.which("nginx"))) if not there]
    if missing:
        lines.append("not found, so not measured: " + ", ".join(missing))
    (ROOT / "reports").mkdir(exist_ok=True)
    (ROOT / "reports" / "bench.txt").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
