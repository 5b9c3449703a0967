#!/usr/bin/env python3
"""run.py APISIM BUILD: real controllers under live plans. The correct ones pass every seed; planted mistakes are found, shrunk, and
fail again by the line that was printed. Ends with 1 when one of these does not hold."""

import os
import pathlib
import re
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SEEDS = os.environ.get("SEEDS", "1..12")


def sh(*words, **more):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, **more)


class Plans:
    def __init__(self, apisim, build):
        self.apisim, self.build, self.bad = os.path.abspath(apisim), pathlib.Path(build).resolve(), 0
        self.out = self.build / "live-plans"

    def install(self):
        ring, venv = self.build / "ring", self.build / "kopf"
        done = sh("go", "build", "-o", ring, ".", cwd=HERE / "runtime")
        if done.returncode:
            sys.exit(done.stderr)
        if not (venv / "bin" / "kopf").exists():
            sh(sys.executable, "-m", "venv", venv, check=True)
            sh(venv / "bin" / "pip", "install", "-q", "kopf==1.45.2", "kubernetes==37.0.2", check=True)
        return [str(ring)], [str(venv / "bin" / "kopf"), "run", "--namespace", "default", "--standalone", str(HERE / "claims.py")]

    def live(self, plan, seeds, command, *options):
        words = [self.apisim, "sim", "live", "--plan", HERE / plan, "--seeds", seeds, "--out", self.out / plan, *options]
        return sh(*words, *(["--", *command] if command else []))

    def say(self, ok, name, text):
        self.bad += not ok
        print(f"{'pass' if ok else 'FAIL'}  {name}: {text}", flush=True)

    def passes(self, plan, command):
        done = self.live(plan, SEEDS, command, "--keep-going", "--no-shrink")
        runs = re.findall(r"^seed-\d+ +(ok|FAIL)", done.stdout, re.M)
        self.say(done.returncode == 0, f"{plan}, correct", f"{len(runs)} seeds, {runs.count('FAIL')} false alarms")
        if done.returncode:
            print(done.stdout, done.stderr)

    def finds(self, plan, bug, command):
        done = self.live(plan, "1..60", command)
        line = re.search("^repeat: apisim (.*)$", done.stdout, re.M)
        if done.returncode not in (3, 4, 6) or not line:
            self.say(False, f"{plan}, {bug}", f"not found (exit code {done.returncode})\n{done.stdout}{done.stderr}")
            return
        seeds = len(re.findall(r"^seed-\d+ +(?:ok|FAIL)", done.stdout, re.M))
        faults = re.search(r"faults that it needs: (\d+)", done.stdout).group(1)
        words = shlex.split(line.group(1))
        again = sh(self.apisim, *words[:2], "--no-shrink", "--out", self.out / "again", *words[2:])
        why = re.search(r"^FAILED .*: (\w+)$", done.stdout, re.M).group(1)
        self.say(again.returncode != 0, f"{plan}, {bug}", f"found by seed {seeds} ({why}), shrunk to {faults} fault(s), repeated: "
                 f"{'yes' if again.returncode else 'no'}\n      {line.group(0)}")


def main():
    plans = Plans(*sys.argv[1:3])
    tiny = [sys.executable, str(HERE / "tiny.py")]
    ring, kopf = plans.install()
    plans.passes("tiny.yaml", tiny)
    plans.finds("tiny.yaml", "stale-create", [*tiny, "--bug", "stale-create"])
    plans.passes("ring.yaml", ring)
    plans.finds("ring.yaml", "stale-delete", [*ring, "-bug", "stale-delete"])
    plans.passes("claims.yaml", kopf)
    plans.finds("claims.yaml", "stale-create", ["env", "BUG=stale-create", *kopf])
    if os.environ.get("KCM"):
        plans.passes("deployments.yaml", None)
    else:
        print("skip  deployments.yaml: KCM names no kube-controller-manager")
    sys.exit(plans.bad > 0)


main()
