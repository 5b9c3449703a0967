#!/usr/bin/env python3
"""run.py BIN_DIR TARGET SECONDS [FOUND]: one target for a while. New inputs are kept in build/corpus/TARGET, so that the next run
starts where this one ended; a crash becomes a file under FOUND/TARGET (fuzz/regression). Each run adds a line to build/fuzz_runs.tsv
(target, CPU seconds, executions, edges, exit code), which report.py reads. Exit code: the fuzzer's."""
import pathlib
import re
import resource
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMON = ["-timeout=20", "-rss_limit_mb=4096", "-max_len=8192", "-entropic=0", "-print_final_stats=1"]


def arguments(target, kept, into):
    """Flags and folders of libFuzzer for a target: dictionary, where crashes go, corpora."""
    before, found = ROOT / "fuzz/regression" / target, into / target
    found.mkdir(parents=True, exist_ok=True)
    kept.mkdir(parents=True, exist_ok=True)
    words = ROOT / "fuzz/dict" / f"{target}.dict"
    flags = COMMON + ([f"-dict={words}"] if words.is_file() else []) + [f"-artifact_prefix={found}/"]
    seeds = [d for d in (ROOT / "fuzz/corpus" / target, before) if d.is_dir()]
    return flags + [str(kept)] + [str(d) for d in seeds]


def figures(log):
    """Executions and edges as the log last told them."""
    units = re.findall(r"stat::number_of_executed_units: *(\d+)", log)
    runs = units or re.findall(r"^#(\d+)\t", log, re.M) or ["0"]
    edges = re.findall(r"cov: (\d+)", log) or ["0"]
    return int(runs[-1]), int(edges[-1])


def main():
    folder, target, seconds = sys.argv[1:4]
    into = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else ROOT / "fuzz/regression"
    command = [f"{folder}/{target}_fuzzer", f"-max_total_time={seconds}"] + arguments(target, ROOT / "build/corpus" / target, into)
    lines = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as child:
        for line in child.stderr:
            lines.append(line)
            sys.stderr.write(line)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    executions, edges = figures("".join(lines))
    with open(ROOT / "build/fuzz_runs.tsv", "a", encoding="ascii") as out:
        print(target, round(used.ru_utime + used.ru_stime, 1), executions, edges, child.returncode, sep="\t", file=out)
    return child.returncode


if __name__ == "__main__":
    sys.exit(main())
