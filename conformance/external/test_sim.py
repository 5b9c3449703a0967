"""apisim sim from outside: what it exits with, what it says of a failure, what it writes, how small it makes it, and what its
page shows in a browser. Seeds are looked for and not named: what a seed does changes with the simulator."""

import html.parser
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import conftest

pytestmark = pytest.mark.skipif(bool(os.environ.get("APISIM_URL")), reason="of apisim only")
TAPE = conftest.ROOT / "fixtures" / "sessions" / "kubectl-1.36" / "01-pods.tape.jsonl"
CODES = {"event": (129, "correctness"), "stall": (128, "liveness"), "crash": (127, "crash"), "chance": (130, "non-determinism")}
SMALL = ["--jobs", "1", "--profile", "lite", "--operations", "150"]


def program():
    """Beside a sanitized build the plain one, where it is there: thousands of runs take ten times as long with the sanitizer,
    whose turn at the simulator is `make sim-hashes`."""
    path = pathlib.Path(conftest.binary())
    plain = path.parent.parent / "apisim"
    return str(plain if path.parent.name in ("asan", "clang-asan") and plain.exists() else path)


def sim(*arguments, cwd=None):
    done = subprocess.run([program(), "sim", *map(str, arguments)], capture_output=True, text=True, cwd=cwd)
    print(done.args, done.returncode, done.stdout[-3000:], done.stderr[-1000:])
    return done


def failing(folder, canary, *options):
    """The file of the first of some seeds that fails as the canary wants it."""
    done = sim("fleet", "--seeds", "1..30", *SMALL, "--canary=" + canary, "--check-determinism", "1", *options, "-o", folder)
    found = re.search(r"^seed (\d+): %s " % CODES[canary][1], done.stdout, re.M)
    return done, folder / f"seed-{found[1]}.sim", found[1]


# ---- exit codes, one a class ----

@pytest.mark.parametrize("canary", CODES)
def test_each_class_of_failure_has_its_exit_code(tmp_path, canary):
    code, word = CODES[canary]
    done, file, seed = failing(tmp_path, canary)
    assert done.returncode >= code  # the worst of all seeds
    assert f"failed {code} " in file.read_text()
    again = sim("repro", file)
    assert again.returncode == code
    if canary != "chance":
        assert f"seed     {seed}, commit " in again.stdout and f"sim repro {file}" in again.stdout
        alone = sim("run", "--seed", seed, "--profile", "lite", "--operations", "150", "--canary=" + canary,
                    "-o", tmp_path / "alone.sim")
        assert alone.returncode == code and (tmp_path / "alone.sim").exists()


def test_two_runs_that_differ_are_told_with_the_first_step_that_does(tmp_path):
    done, file, _ = failing(tmp_path, "chance")
    assert done.returncode == 130
    for text in done.stdout, sim("repro", file).stdout:
        steps = re.search(r"part at line \d+:\n  both : +(\d+) .*\n  run 1: +(\d+) .* note .*\n  run 2: +(\d+) .* note ", text)
        assert steps and steps[2] == steps[3] and int(steps[1]) <= int(steps[2])


def test_a_good_seed_exits_with_0_and_leaves_no_file(tmp_path):
    done = sim("run", "--seed", 1, "--profile", "quiet", "--operations", "30", "-o", tmp_path / "x.sim")
    assert done.returncode == 0 and not (tmp_path / "x.sim").exists()


@pytest.mark.parametrize("arguments", [["run", "--servers", "9"], ["fleet"], ["fleet", "--seeds", "2..1"], ["repro"],
                                       ["repro", "/nowhere.sim"], ["shrink", "/nowhere.sim"], ["run", "--jobs", "2"],
                                       ["fleet", "--seeds", "1..2", "--html", "x.html"], ["repro", "x", "--tape", "y"],
                                       ["run", "--tape", "/nowhere.jsonl"], ["run", "--canary=bird"],
                                       ["run", "--faults", "+weather"], ["run", "what"]])
def test_what_makes_no_sense_is_refused_in_one_line(tmp_path, arguments):
    done = sim(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert len((done.stdout + done.stderr).strip().splitlines()) == 1


@pytest.mark.parametrize("line", ["draw servers 0", "draw operations 99999999", "fault 1 99 0 0 0 0 0 0", "until -5", "tape x",
                                  "without ops 255 0 1", "without ops 0 9 1", "nonsense"])
def test_a_damaged_file_is_refused(tmp_path, line):
    _, file, _ = failing(tmp_path, "event")
    file.write_text(file.read_text() + line + "\n")
    assert sim("repro", file).returncode == 1


# ---- fleets ----

def test_a_fleet_gives_the_same_hashes_over_any_number_of_processes():
    one = sim("fleet", "--seeds", "1..12", *SMALL, "--hashes").stdout
    three = sim("fleet", "--seeds", "1..12", *SMALL, "--jobs", "3", "--hashes").stdout
    assert one == three
    lines = one.splitlines()
    assert [l.split()[0] for l in lines] == [str(n) for n in range(1, 13)]
    assert len({l.split()[1] for l in lines}) == 12


def test_a_fleet_runs_one_seed_in_twenty_twice_and_says_what_no_seed_reached(tmp_path):
    done = sim("fleet", "--seeds", "1..41", *SMALL, "-o", tmp_path)
    assert done.returncode == 0
    assert "3 of 41 seeds ran twice" in done.stdout
    reached, of = map(int, re.search(r"probes: (\d+) of (\d+) reached", done.stdout).groups())
    assert 0 < reached < of and done.stdout.count("  never: ") == of - reached
    for title in "checks (looks)", "fault classes (strikes)":
        assert title in done.stdout


# ---- tapes ----

def test_a_tape_plays_in_the_world_the_same_way_each_time():
    quiet = ["run", "--tape", TAPE, "--seed", 5, "--profile", "quiet", "--operations", 20]
    first = sim(*quiet)
    assert first.returncode == 0 and sim(*quiet).stdout == first.stdout
    alike, body, status, none = map(int, re.search(
        r"as on the tape (\d+), another body (\d+), another status (\d+), none (\d+)", first.stdout).groups())
    assert alike >= 40 and body + status + none == 0  # the session has 45 requests, some of which nobody compares


def test_a_tape_plays_under_faults_and_the_checkers_look():
    done = sim("fleet", "--tape", TAPE, "--seeds", "1..20", "--jobs", "1")
    assert done.returncode == 0 and "20 seeds, 0 failed" in done.stdout


def test_a_failure_carries_its_tape_and_shrinks_with_it(tmp_path):
    tape = tmp_path / "s.tape.jsonl"
    shutil.copy(TAPE, tape)
    done, file, _ = failing(tmp_path, "event", "--tape", tape)
    tape.unlink()
    before = file.read_text().count("\ntaped ")
    assert sim("repro", file).returncode == 129
    assert sim("shrink", file, "-o", tmp_path / "min.sim", "--budget", "0s").returncode == 0
    assert (tmp_path / "min.sim").read_text().count("\ntaped ") < before / 2
    assert sim("repro", tmp_path / "min.sim").returncode == 129


# ---- shrinking ----

def needed(text):
    """What the last round of a shrink says of faults, clients and operations."""
    return {kind: (int(n), int(of)) for kind, n, of in re.findall(r"^(\w+) +(\d+) of (\d+) are needed", text, re.M)}


def test_a_failure_of_2000_operations_shrinks_until_nothing_more_can_go(tmp_path):
    done = sim("fleet", "--seeds", "1..9", "--jobs", "1", "--canary", "--operations", "2000", "--stop", "-o", tmp_path)
    seed = re.search(r"^seed (\d+): correctness (\w+)", done.stdout, re.M)
    file, small = tmp_path / f"seed-{seed[1]}.sim", tmp_path / "min.sim"
    hasty = sim("shrink", file, "-o", small, "--budget", "1s")
    assert hasty.returncode == 0 and "smallest" in hasty.stdout and sim("repro", small).returncode == 129
    done = sim("shrink", file, "-o", small, "--budget", "0s")
    assert done.returncode == 0
    left = needed(done.stdout)
    assert left["operations"][1] == 2000 and left["operations"][0] <= 60
    assert left["faults"][0] <= 1 and left["clients"][0] <= 6
    again = sim("repro", small)
    assert again.returncode == 129 and f"failed   {seed[2]} " in again.stdout
    # without any one of the operations it is no longer this failure
    text = small.read_text()
    writers = int(re.search(r"draw writers (\d+)", text)[1])
    gone = {(int(w), n) for w, a, b in re.findall(r"without ops (\d+) (\d+) (\d+)", text) for n in range(int(a), int(b) + 1)}
    kept = [(w, n) for w in range(writers) for n in range(2000 // writers) if (w, n) not in gone]
    assert len(kept) == left["operations"][0]
    for w, n in kept[:12]:
        small.write_text(text + f"without ops {w} {n} {n}\n")
        less = sim("repro", small)
        assert less.returncode != 129 or f"failed   {seed[2]} " not in less.stdout


# ---- the page ----

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
browser = pytest.mark.skipif(not BROWSER, reason="no Chromium")


class Page(html.parser.HTMLParser):
    """Elements with their attributes and text, as a browser left them."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        element = {"tag": tag, "text": "", **dict(attributes)}
        self.found.append(element)
        if tag not in ("meta", "input", "link", "br", "img"):
            self.open.append(element)

    def handle_endtag(self, tag):
        while self.open and self.open.pop()["tag"] != tag:
            pass

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def by_class(self, name):
        return [e for e in self.found if name in (e.get("class") or "").split()]

    def by_id(self, name):
        return next(e for e in self.found if e.get("id") == name)


def render(file, tmp_path, fragment="", size="1280,1000"):
    """The page from its file in a browser that reaches no network; scripts must not have failed."""
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr",
               "--no-first-run", "--disable-extensions", "--disable-background-networking", "--proxy-server=127.0.0.1:9",
               f"--user-data-dir={tmp_path}/browser", f"--window-size={size}", "--virtual-time-budget=4000", "--dump-dom",
               f"file://{file}#{fragment}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Uncaught" not in done.stderr, done.stderr
    return Page(done.stdout)


def page_of(arguments, tmp_path):
    file = tmp_path / "sim.html"
    done = sim(*arguments, "--html", file)
    text = file.read_text()
    assert not re.search(r"(src|href)=|https?://|@import|fetch\(", text)  # one file, nothing from elsewhere
    return done, file


@browser
def test_the_page_of_a_failure_shows_lanes_faults_and_the_violation(tmp_path):
    _, failure, seed = failing(tmp_path, "event", "--servers", "2")
    done, file = page_of(["repro", failure], tmp_path)
    page = render(file, tmp_path)
    sim("repro", failure, "--trace", tmp_path / "trace.txt")
    rows = [line.split() for line in (tmp_path / "trace.txt").read_text().splitlines()]
    lanes = {e["data-actor"] for e in page.by_class("lane")}
    assert {"store", "server0", "server1", "writer0", "informer0"} <= lanes
    assert {row[2] for row in rows} <= lanes
    struck = [row for row in rows if row[3] == "fault"]
    assert len([e for e in page.by_class("fault") if e["tag"] == "button"]) == len(struck)
    assert page.by_id("title")["text"] == "Seed " + seed
    check = re.search(r"failed   (\w+) \(", done.stdout)[1]
    assert page.by_id("check")["text"].startswith(check) and "hidden" not in page.by_id("violation")
    assert "does not hold" in page.by_id("verdict")["text"]
    bad = [e for e in page.by_class("bad") if "row" in e["class"]]
    assert len(bad) == 1 and check in bad[0]["text"] and "at" in bad[0]["class"].split()  # scrolled to and marked
    assert f"sim repro {failure}" in page.by_id("draw")["text"]


@browser
def test_the_page_is_filtered_by_object(tmp_path):
    _, file = page_of(["run", "--seed", "7", "--profile", "quiet", "--operations", "150", "-o", tmp_path / "x.sim"], tmp_path)
    page = render(file, tmp_path)
    everything = page.by_class("row")
    assert page.by_id("verdict")["text"] == "every invariant held" and len(everything) > 10
    objects = [e["value"] for e in page.found if e["tag"] == "option"]
    wanted = objects[len(objects) // 2]
    some = render(file, tmp_path, "filter=" + wanted).by_class("row")
    assert some and all(wanted in e["text"] for e in some)
    assert render(file, tmp_path, "filter=nothing-is-called-so").by_class("row") == []


@browser
def test_a_long_run_stays_light_and_a_narrow_window_has_room(tmp_path):
    _, file = page_of(["run", "--seed", "3", "--profile", "quiet", "--operations", "4000", "-o", tmp_path / "x.sim"], tmp_path)
    for size in "1280,1000", "400,800":
        page = render(file, tmp_path, size=size)
        assert 5 < len(page.by_class("row")) < 100  # of thousands, only those in sight
        events = int(re.match(r"([\d,]+) events", page.by_id("lead")["text"])[1].replace(",", ""))
        assert events > 5000
