"""The part of the bench where apiload would be the limit: watch fan-out, idle watches, a hundred thousand Pods, a
million objects. The load comes from ci/load/watchload.c. Used by bench.py; alone: bench_scale.py BINARY WATCHLOAD."""
import json
import pathlib
import subprocess
import sys
import tempfile

# Watchers, events, writers, and writes a second of all of them; 0: each writes as soon as it is answered, so the machine is full.
# So many events that the first round of cold connections is less than a hundredth of them: it is unlike the others.
FANOUTS = ((100, 6000, 4, 0), (1000, 6000, 4, 0), (1000, 4000, 1, 0), (1000, 600, 4, 100))
SIZES = (1_000, 10_000, 100_000, 1_000_000)
SAMPLE = 2000  # writes timed at each size
PODS = 100_000
IDLE = 10_000


def status_kb(pid, key):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith(key + ":"):
            return int(line.split()[1])
    return 0


def forget_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


class Load:
    def __init__(self, tool, server, token):
        self.head = [tool, f"127.0.0.1:{server.port}", token, ",".join(map(str, server.pids))]

    def run(self, *words):
        out = subprocess.run([*self.head, *map(str, words)], capture_output=True, text=True, timeout=600)
        if out.returncode:
            return {"failed": out.stderr.strip()}
        return json.loads(out.stdout)

    def start(self, *words):
        process = subprocess.Popen([*self.head, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return process, json.loads(process.stdout.readline() or '{"failed": "no answer"}')


def fanout(make, tool, token, row):
    for watchers, events, writers, rate in FANOUTS:
        server = make()
        try:
            r = Load(tool, server, token).run("fanout", watchers, events, writers, rate)
        finally:
            server.stop()
        key = f"{watchers} watchers, {f'{rate} writes/s' if rate else f'{writers} writer' + 's' * (writers > 1)}"
        if "failed" in r:
            row[key] = r["failed"][:18]
            continue
        row[f"{key}: events"] = f"{r['rate_per_s']:,.0f}/s" + (f" ({r['missing']} missing)" if r["missing"] else "")
        row[f"{key}: CPU"] = f"{r['server_cpu_us']:.2f} us"
        row[f"{key}: p99"] = f"{r['p99_ms']:.1f} ms"


def pods(make, tool, token, row):
    server = make()
    try:
        load, pid = Load(tool, server, token), server.pids[0]
        load.run("create", "pods", 0, PODS, 8)
        row[f"{PODS:,} Pods: resident"] = f"{status_kb(pid, 'VmRSS') / 1024:.0f} MB"
        before = status_kb(pid, "VmRSS")
        forget_peak(pid)
        r = load.run("list", "/api/v1/namespaces/load/pods")
        row[f"{PODS:,} Pods: list"] = f"{r['bytes'] / 1e6:.0f} MB, {r['MB_per_s']} MB/s"
        row["list: memory above"] = f"{(status_kb(pid, 'VmHWM') - before) / 1024:.1f} MB"
        row["list: first bytes"] = f"{r['first_ms']:.1f} ms"
    finally:
        server.stop()


def curve(make, tool, token, row):
    server = make()
    try:
        load, have = Load(tool, server, token), 0
        for size in SIZES:
            if size - SAMPLE // 2 > have:
                load.run("create", "configmaps", have, size - have, 8)
                have = size
            r = load.run("create", "configmaps", have, SAMPLE, 8)
            have += SAMPLE
            row[f"create at {size:,}"] = f"{r['server_cpu_us']:.1f} us"
        row[f"{SIZES[-1]:,} objects"] = f"{status_kb(server.pids[0], 'VmRSS') / 1024:,.0f} MB"
    finally:
        server.stop()


def idle(make, tool, token, row):
    server = make()
    try:
        pid = server.pids[0]
        before = status_kb(pid, "VmRSS")
        process, r = Load(tool, server, token).start("idle", IDLE)
        each = (status_kb(pid, "VmRSS") - before) / IDLE
        row[f"{IDLE:,} idle watches"] = r["failed"] if "failed" in r else f"{each:.1f} KB each"
        process.stdin.close()
        process.wait()
    finally:
        server.stop()


def measure(make, tool, token, row, small):
    """make: a fresh server. small: only what the real server does in seconds."""
    fanout(make, tool, token, row)
    if small:
        return
    for part in (idle, pods, curve):
        part(make, tool, token, row)


def main():
    import bench
    with tempfile.TemporaryDirectory() as name:
        row = {}
        measure(lambda: bench.Apisim(sys.argv[1], pathlib.Path(name)), sys.argv[2], bench.TOKEN, row, False)
        for key, value in row.items():
            print(f"{key:36}{value:>24}")


if __name__ == "__main__":
    main()
