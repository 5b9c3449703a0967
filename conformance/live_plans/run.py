#!/usr/bin/env python3
"""run.py APISIM BUILD: real controllers under live plans. The correct ones pass every seed; each planted
mistake is found, made small, fails again by the line that was printed, and the correct variant passes
that same small plan. Ends with 1 when one of these does not hold.

All rows run side by side, for a run mostly waits. SEEDS=1..12 of the correct ones, JOBS=6 sessions at a
time, LIMIT=45 minutes in all, KCM=kube-controller-manager, ONLY=claims.yaml for one plan's rows."""

import concurrent.futures
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SEEDS = [int(n) for n in os.environ.get("SEEDS", "1..12").split("..")]
JOBS = int(os.environ.get("JOBS", "6"))
BEGAN = time.monotonic()
ENDS = BEGAN + 60 * float(os.environ.get("LIMIT", "45"))
ONLY = os.environ.get("ONLY", "")
KCM = os.environ.get("KCM") or shutil.which("kube-controller-manager")
CHUNK = 4  # seeds a session: each has reference runs of its own
SEARCH = "1..60"  # for a planted mistake
AGAIN = 3  # the printed line is tried so often: real controllers race
RUNNING = set()
FAILED = {3: "wrong result", 4: "not quiet", 5: "client died", 6: "lint"}


class Late(Exception):
    pass


class Row:
    """One controller under one plan: what came of it, and the line that repeats it."""

    def __init__(self, name, jobs):
        self.name, self.jobs, self.line = name, jobs, ""
        self.ok, self.seeds, self.result, self.more = False, 0, "not done within LIMIT", ""
        self.began = self.ended = None

    def starts(self):
        self.began = self.began or time.monotonic()

    def ends(self):
        self.ended = time.monotonic()

    def took(self):
        return (self.ended or time.monotonic()) - (self.began or time.monotonic())


def sh(*words, **more):
    """Exit code and output; what still runs at the end of LIMIT is stopped."""
    process = subprocess.Popen([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               start_new_session=True, **more)
    RUNNING.add(process)
    try:
        text, _ = process.communicate(timeout=max(ENDS - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)  # its clients go with it
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        raise Late from None
    finally:
        RUNNING.discard(process)
    return process.returncode, text


def interrupted(number, _frame):
    """^C or SIGTERM: the sessions go, in groups of their own, and their clients with them."""
    for process in list(RUNNING):
        os.killpg(process.pid, signal.SIGTERM)
    print("interrupted", flush=True)
    os._exit(128 + number)


class Plans:
    def __init__(self, apisim, build):
        self.apisim, self.build = os.path.relpath(apisim), pathlib.Path(os.path.relpath(build))
        self.out = self.build / "live-plans"
        self.out.mkdir(parents=True, exist_ok=True)
        self.rows, self.pool = [], concurrent.futures.ThreadPoolExecutor(JOBS)

    def must(self, *words, **more):
        try:
            code, text = sh(*words, **more)
        except Late:
            sys.exit(f"{shlex.join(map(str, words))}: not done within LIMIT")
        if code:
            sys.exit(f"{shlex.join(map(str, words))}: exit code {code}\n{text}")

    def install(self):
        ring, venv = self.build / "ring", self.build / "kopf"
        self.must("go", "build", "-o", ring.resolve(), ".", cwd=HERE / "runtime")
        if not (venv / "bin" / "kopf").exists():
            self.must(sys.executable, "-m", "venv", venv)
            self.must(venv / "bin" / "pip", "install", "-q", "kopf==1.45.2", "kubernetes==37.0.2")
        claims = os.path.relpath(HERE / "claims.py")
        return [str(ring)], [str(venv / "bin" / "kopf"), "run", "--namespace", "default", "--standalone", claims]

    def live(self, name, plan, command, *options):
        return sh(self.apisim, "sim", "live", "--plan", plan, "--out", self.out / name, *options,
                  *(["--", *command] if command else []))

    # ---- one job each

    def chunk(self, row, plan, seeds, command):
        row.starts()
        name = f"{plan}-{seeds}"
        code, text = self.live(name, os.path.relpath(HERE / plan), command, "--seeds", seeds, "--keep-going", "--no-shrink",
                               "--junit", self.out / f"{name}.xml")
        return code, re.findall(r"^seed-\d+ +(ok|FAIL)", text, re.M), text

    def search(self, row, plan, bug, wrong, right, options, fault):
        row.starts()
        name = f"{plan}-{bug}"
        code, text = self.live(name, os.path.relpath(HERE / plan), wrong, "--seeds", SEARCH, "--shrink-for", "5m",
                               "--junit", self.out / f"{name}.xml", *options)
        row.seeds = len(re.findall(r"^seed-\d+ +(?:ok|FAIL)", text, re.M))
        line = re.search("^repeat: (apisim .*)$", text, re.M)
        if code not in FAILED or not line:
            row.result, row.more = f"NOT FOUND (exit code {code})", text
            return
        row.line = line.group(1).replace("apisim", self.apisim, 1)
        seed, oracle = re.search(r"^FAILED seed-(\d+).*: (\w+)$", text, re.M).groups()
        faults = re.findall(r"^    (\{.*on:.*do:.*\})$", text, re.M)
        steps = re.search(r"steps that it needs: (\d+ of \d+)", text)
        small = f"{len(faults)} fault{'s' * (len(faults) != 1)}" + (f", steps {steps.group(1)}" if steps else "")
        words = shlex.split(row.line)
        for tried in range(1, AGAIN + 1):
            again, said = sh(*words[:3], "--no-shrink", "--out", self.out / f"{name}-again", *words[3:])
            if again in FAILED:
                break
        fine, story = self.live(f"{name}-right", words[words.index("--plan") + 1], right)
        other = fault and not all(fault in f for f in faults)
        row.result = ", ".join([f"found by seed {seed} ({oracle})", f"made small: {small}",
                                f"again by its line: {f'try {tried}' if again in FAILED else f'NO ({again})'}",
                                f"correct variant: {'passes' if fine == 0 else f'FAILS ({fine})'}",
                                *([f"it was to need {fault}"] if other else [])])
        row.ok = again in FAILED and fine == 0 and not other
        row.more = "\n".join([*(f"  {f}" for f in faults), *([] if row.ok else [text, said, story])])

    # ---- all of them

    def passes(self, plan, command):
        if ONLY not in plan:
            return
        row = Row(f"{plan}, correct", [])
        row.line = shlex.join([*([] if command else ["env", f"KCM={KCM}"]), self.apisim, "sim", "live", "--plan", os.path.relpath(HERE / plan),
                               "--seeds", f"{SEEDS[0]}..{SEEDS[-1]}", *(["--", *command] if command else [])])
        row.jobs = [self.pool.submit(self.chunk, row, plan, f"{a}..{min(a + CHUNK - 1, SEEDS[-1])}", command)
                    for a in range(SEEDS[0], SEEDS[-1] + 1, CHUNK)]
        self.rows.append(row)

    def finds(self, plan, bug, wrong, right, *options, fault=None):
        if ONLY in plan:
            row = Row(f"{plan}, {bug}", [])
            row.jobs = [self.pool.submit(self.search, row, plan, bug, wrong, right, options, fault)]
            self.rows.append(row)

    @staticmethod
    def close(row):
        """All jobs of the row are done."""
        row.ends()
        try:
            results = [j.result() for j in row.jobs]
        except Late:
            return
        if results == [None]:
            return
        runs = [run for _, some, _ in results for run in some]
        row.ok = all(code == 0 for code, _, _ in results)
        row.seeds, row.result = len(runs), f"{runs.count('FAIL')} false alarms"
        row.more = "\n".join(f"exit code {code}\n{said}" for code, _, said in results if code)

    def tell(self):
        left = {job: row for row in self.rows for job in row.jobs}
        for job in concurrent.futures.as_completed(list(left)):
            row = left.pop(job)
            if row in left.values():
                continue
            self.close(row)
            print(f"{'pass' if row.ok else 'FAIL'}  {row.name}: {row.result} ({row.took():.0f} s)", flush=True)
            if row.more:
                print(row.more, flush=True)
        bad = sum(not row.ok for row in self.rows)
        print("\nsummary: what holds, seeds tried, seconds; below each row the line that repeats it")
        for row in self.rows:
            print(f"  {'pass' if row.ok else 'FAIL'}  {row.name:26} {row.seeds:3} seeds {row.took():5.0f} s  {row.result}\n          {row.line}")
        print(f"{len(self.rows)} rows, {bad} failed, {time.monotonic() - BEGAN:.0f} s; plans, logs and JUnit files: {self.out}")
        return bad


def main():
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    plans = Plans(*sys.argv[1:3])
    tiny = [sys.executable, os.path.relpath(HERE / "tiny.py")]
    ring, kopf = plans.install()
    # What takes longest comes first.
    plans.finds("claims.yaml", "stale-prune", ["env", "BUG=stale-prune", *kopf], kopf, "--classes", "hold*,lag,unobserved", fault="hold")
    plans.finds("ring.yaml", "stale-delete", [*ring, "-bug", "stale-delete"], ring)
    for bug in ("stale-create", "ignore-410", "half-done"):
        plans.finds("tiny.yaml", bug, [*tiny, "--bug", bug], tiny)
    plans.passes("claims.yaml", kopf)
    plans.passes("ring.yaml", ring)
    plans.passes("tiny.yaml", tiny)
    if KCM:
        os.environ["KCM"] = KCM
        plans.passes("deployments.yaml", None)
    else:
        print("skip  deployments.yaml: no kube-controller-manager in the PATH, and KCM names none")
    sys.exit(plans.tell() > 0)


main()
