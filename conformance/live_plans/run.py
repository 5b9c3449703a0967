#!/usr/bin/env python3
"""run.py APISIM BUILD: real controllers under live plans. The correct ones pass every seed; each planted
mistake is found, made small, fails again by the line that was printed, and the correct variant passes
that same small plan. Ends with 1 when one of these does not hold.

SEEDS=1..12 of the correct ones, JOBS=2 at a time, LIMIT=45 minutes in all, KCM=kube-controller-manager,
ONLY=claims.yaml for one plan's rows."""

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
JOBS = int(os.environ.get("JOBS", "2"))
ENDS = time.monotonic() + 60 * float(os.environ.get("LIMIT", "45"))
ONLY = os.environ.get("ONLY", "")
KCM = os.environ.get("KCM") or shutil.which("kube-controller-manager")
CHUNK = 15  # seeds a session: each has reference runs of its own
SEARCH = "1..60"  # for a planted mistake
FAILED = {3: "wrong result", 4: "not quiet", 5: "client died", 6: "lint"}


class Late(Exception):
    pass


def sh(*words, **more):
    """Exit code and output; what still runs at the end of LIMIT is stopped."""
    process = subprocess.Popen([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               start_new_session=True, **more)
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
    return process.returncode, text


class Plans:
    def __init__(self, apisim, build):
        self.apisim, self.build = os.path.abspath(apisim), pathlib.Path(build).resolve()
        self.out = self.build / "live-plans"
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
        self.must("go", "build", "-o", ring, ".", cwd=HERE / "runtime")
        if not (venv / "bin" / "kopf").exists():
            self.must(sys.executable, "-m", "venv", venv)
            self.must(venv / "bin" / "pip", "install", "-q", "kopf==1.45.2", "kubernetes==37.0.2")
        return [str(ring)], [str(venv / "bin" / "kopf"), "run", "--namespace", "default", "--standalone", str(HERE / "claims.py")]

    def live(self, name, plan, seeds, command, *options):
        words = [self.apisim, "sim", "live", "--plan", HERE / plan, "--seeds", seeds, "--out", self.out / name,
                 "--junit", self.out / f"{name}.xml", *options]
        return sh(*words, *(["--", *command] if command else []))

    # ---- one job each

    def chunk(self, plan, seeds, command):
        name = f"{plan}-{seeds}"
        self.out.mkdir(parents=True, exist_ok=True)
        code, text = self.live(name, plan, seeds, command, "--keep-going", "--no-shrink")
        return code, re.findall(r"^seed-\d+ +(ok|FAIL)", text, re.M), text

    def search(self, plan, bug, wrong, right, options, fault):
        name = f"{plan}-{bug}"
        self.out.mkdir(parents=True, exist_ok=True)
        code, text = self.live(name, plan, SEARCH, wrong, "--shrink-for", "5m", *options)
        line = re.search("^repeat: apisim (.*)$", text, re.M)
        if code not in FAILED or not line:
            return False, f"NOT FOUND in seeds {SEARCH} (exit code {code})\n{text}"
        seed = re.search(r"^FAILED seed-(\d+).*: (\w+)$", text, re.M)
        faults = re.findall(r"^    (\{.*on:.*do:.*\})$", text, re.M)
        steps = re.search(r"steps that it needs: (\d+ of \d+)", text)
        words = shlex.split(line.group(1))
        again, said = sh(self.apisim, *words[:2], "--no-shrink", "--out", self.out / f"{name}-again", *words[2:])
        plan_file = words[words.index("--plan") + 1]
        fine, story = sh(self.apisim, "sim", "live", "--plan", plan_file, "--out", self.out / f"{name}-right", "--", *right)
        stale = not fault or all(fault in f for f in faults)
        told = [f"found by seed {seed.group(1)} ({seed.group(2)})",
                f"made small: {len(faults)} fault(s)" + (f", steps {steps.group(1)}" if steps else ""),
                f"repeated: {'yes' if again in FAILED else f'NO (exit code {again})'}",
                f"the correct one under it: {'passes' if fine == 0 else f'FAILS (exit code {fine})'}"]
        if not stale:
            told.append(f"it was to need {fault}")
        ok = again in FAILED and fine == 0 and stale
        more = [f"  {f}" for f in faults] + [f"  {line.group(0)}"] + ([] if ok else [text, said, story])
        return ok, "\n".join([", ".join(told), *more])

    # ---- all of them

    def passes(self, plan, command):
        if ONLY not in plan:
            return
        first, last = SEEDS[0], SEEDS[-1]
        jobs = [self.pool.submit(self.chunk, plan, f"{a}..{min(a + CHUNK - 1, last)}", command)
                for a in range(first, last + 1, CHUNK)]
        self.rows.append((f"{plan}, correct", jobs))

    def finds(self, plan, bug, wrong, right, *options, fault=None):
        if ONLY in plan:
            self.rows.append((f"{plan}, {bug}", [self.pool.submit(self.search, plan, bug, wrong, right, options, fault)]))

    @staticmethod
    def verdict(jobs):
        results = [j.result() for j in jobs]
        if len(results[0]) == 2:
            return results[0]
        runs = [run for _, some, _ in results for run in some]
        ok = all(code == 0 for code, _, _ in results)
        text = f"{len(runs)} seeds, {runs.count('FAIL')} false alarms"
        return ok, "\n".join([text] + [f"exit code {code}\n{said}" for code, _, said in results if code])

    def tell(self):
        bad, summary = 0, []
        for name, jobs in self.rows:
            try:
                ok, text = self.verdict(jobs)
            except Late:
                ok, text = False, "not done within LIMIT"
            bad += not ok
            print(f"{'pass' if ok else 'FAIL'}  {name}: {text}", flush=True)
            summary.append(f"  {'pass' if ok else 'FAIL'}  {name:28} {text.splitlines()[0]}")
        print("\n".join(["", "summary", *summary]))
        print(f"{len(self.rows)} rows, {bad} failed; plans, logs and JUnit files: {self.out}")
        return bad


def main():
    plans = Plans(*sys.argv[1:3])
    tiny = [sys.executable, str(HERE / "tiny.py")]
    ring, kopf = plans.install()
    plans.passes("claims.yaml", kopf)
    plans.finds("claims.yaml", "stale-prune", ["env", "BUG=stale-prune", *kopf], kopf, "--classes", "hold*,lag,unobserved", fault="hold")
    plans.passes("ring.yaml", ring)
    plans.finds("ring.yaml", "stale-delete", [*ring, "-bug", "stale-delete"], ring)
    plans.passes("tiny.yaml", tiny)
    for bug in ("stale-create", "ignore-410", "half-done"):
        plans.finds("tiny.yaml", bug, [*tiny, "--bug", bug], tiny)
    if KCM:
        os.environ["KCM"] = KCM
        plans.passes("deployments.yaml", None)
    else:
        print("skip  deployments.yaml: no kube-controller-manager in the PATH, and KCM names none")
    sys.exit(plans.tell() > 0)


main()
