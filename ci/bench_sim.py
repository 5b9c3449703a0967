"""bench_sim.py BINARY: the simulator's figures: seeds a core-second of lite runs (500 operations, 2 servers, 3 clients), where
the time goes, virtual to wall time, how a fleet scales over processes, and how long a failure of 2,000 operations takes to
shrink. Prints a table and appends it to reports/bench.txt. Nothing here passes or fails.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LITE = ["--profile", "lite", "--servers", "2", "--clients", "3", "--operations", "500"]
SEEDS = 400


def sim(binary, *arguments):
    began = time.perf_counter()
    done = subprocess.run([binary, "sim", *map(str, arguments)], capture_output=True, text=True)
    return done.stdout, time.perf_counter() - began


def fleet(binary, folder, jobs):
    text, took = sim(binary, "fleet", "--seeds", f"1..{SEEDS}", "--jobs", jobs, *LITE, "--figures", "--check-determinism", "0", "-o", folder)
    return text, SEEDS / took


def lite(binary, folder, lines):
    alone = {}
    for jobs in sorted({1, 2, os.cpu_count()}):
        text, rate = fleet(binary, folder, jobs)
        alone[jobs] = rate
        if jobs == 1:
            core = re.search(r"([\d.]+) seeds a core-second; virtual to wall (\d+):1", text)
            lines.append(f"lite runs: {core[1]} seeds a core-second (wanted: 50, aim: 200); virtual to wall {core[2]}:1 (wanted: 1,000:1)")
            lines.append(re.search(r"where the time goes.*", text)[0])
        lines.append(f"fleet of {jobs}: {rate:.1f} seeds/s, {rate / alone[1]:.2f} times one process; {os.cpu_count()} cores")


def shrink(binary, folder, lines):
    text, _ = sim(binary, "fleet", "--seeds", "1..20", "--jobs", "1", "--canary", "--operations", "2000", "--stop", "-o", folder)
    seed = re.search(r"^seed (\d+): correctness (\w+)", text, re.M)
    text, took = sim(binary, "shrink", f"{folder}/seed-{seed[1]}.sim", "-o", f"{folder}/min.sim")
    kept = re.findall(r"^(\w+) +(\d+) of (\d+) are needed", text, re.M)[-3:]
    left = ", ".join(f"{n} of {of} {kind}" for kind, n, of in kept)
    runs = re.search(r"^(\d+) runs; the smallest", text, re.M)
    lines.append(f"shrinking seed {seed[1]} ({seed[2]}), 2,000 operations: {took:.1f} s, {runs[1]} runs, {left} (wanted: under 60 s)")


def main():
    lines = ["the simulator"]
    with tempfile.TemporaryDirectory() as folder:
        lite(sys.argv[1], folder, lines)
        shrink(sys.argv[1], folder, lines)
    text = "\n".join(lines) + "\n"
    print(text, end="")
    (ROOT / "reports").mkdir(exist_ok=True)
    with open(ROOT / "reports" / "bench.txt", "a") as out:
        out.write("\n" + text)


if __name__ == "__main__":
    main()
