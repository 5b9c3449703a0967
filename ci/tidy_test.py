"""Style as a test: what the rules of CONTRIBUTING.md forbid, found by reading the files."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def files(*suffixes, under=("apiserver", "sim", "fuzz")):
    listed = subprocess.run(["git", "ls-files", *under], cwd=ROOT, capture_output=True, text=True, check=True)
    return [p for p in listed.stdout.split() if p.endswith(suffixes) and (ROOT / p).is_file()]


def code(path):
    """The file without comments and strings, lines kept."""
    text = (ROOT / path).read_text()
    keep = lambda m: re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', keep, text, flags=re.S)


BANNED = {
    # call: what to use instead
    r"\b(?:time|gettimeofday|clock_gettime|localtime|gmtime)\s*\(": "the turn's clock: env->wall_ns, env->mono_ns",
    r"\b(?:rand|random|srand|drand48|getrandom|arc4random)\s*\(": "base/rng.h, a stream of the server's",
    r"\b(?:malloc|calloc|realloc|strdup|asprintf)\s*\(": "base/heap.h or an arena",
    r"\bgetenv\s*\(": "an option handed in by sim/",
    r"\b(?:printf|puts|putchar)\s*\(": "env->log",
    r"\b(?:sprintf|strcpy|strcat|gets|strtok|atoi|atol)\s*\(": "a bounded form",
    r"\b(?:pthread_\w+|fork|popen|system)\s*\(": "one thread, one process",
    r"\b(?:fopen|open|read|write|socket)\s*\(": "env",
}
ALLOWED = {  # the door itself
    "apiserver/base/heap.c", "apiserver/base/heap.h",
}


def is_door(path):
    return path in ALLOWED or path.startswith("apiserver/env/env_") or path.endswith(("_test.c", "plan_main.c"))


def test_banned_calls():
    bad = []
    for path in files(".c", ".h", under=("apiserver",)):
        if is_door(path):
            continue
        for number, line in enumerate(code(path).split("\n"), 1):
            for pattern, instead in BANNED.items():
                if re.search(r"(?<![\w>.])" + pattern, line):
                    bad.append(f"{path}:{number}: use {instead}: {line.strip()[:60]}")
    assert not bad, "\n".join(bad)


def test_only_the_world_includes_libevent():
    bad = [p for p in files(".c", ".h", under=("apiserver",))
           if "#include <event2/" in (ROOT / p).read_text() and not p.startswith("apiserver/env/")]
    assert not bad, bad


def test_the_server_never_includes_the_simulator():
    bad = [p for p in files(".c", ".h", under=("apiserver",)) if re.search(r'#include "sim/', (ROOT / p).read_text())]
    assert not bad, bad


def test_no_static_mutable_state():
    pattern = re.compile(r"^static\s+(?!const\b|inline\b|_Thread)[\w\s\*]+?\b(\w+)(\[[^\]]*\])?\s*(=|;)")
    bad = []
    for path in files(".c", under=("apiserver",)):
        if is_door(path):
            continue
        raw = (ROOT / path).read_text().split("\n")
        for number, line in enumerate(code(path).split("\n"), 1):
            if pattern.match(line) and "const" not in line and "tidy: allow-static" not in raw[number - 1]:
                bad.append(f"{path}:{number}: {line.strip()}")
    assert not bad, "\n".join(bad)


def test_files_are_short():
    bad = [f"{p}: {n} lines" for p in files(".c", ".h") if (n := len((ROOT / p).read_text().split("\n"))) > 800]
    assert not bad, "\n".join(bad)


def test_files_say_why_they_exist():
    bad = [p for p in files(".c", ".h") if not (ROOT / p).read_text().startswith("/*")]
    assert not bad, bad


def functions(path):
    """(name, first line, lines) of each function body: a brace in column 0 closes it."""
    lines = code(path).split("\n")
    start, name = None, ""
    for i, line in enumerate(lines):
        if start is None and line.rstrip().endswith("{") and line[:1] not in " \t}#" and "(" in line:
            start, name = i, line.strip()[:60]
        elif start is None and line.rstrip().endswith(") {"):
            start, name = i, line.strip()[:60]
        elif start is not None and line.startswith("}"):
            yield name, start + 1, i - start + 1
            start = None


def test_public_functions_have_one_home():
    """Two of one name in different members of the archive would link silently."""
    homes = {}
    for p in files(".c"):
        if p.endswith(("_test.c", "main.c")) or p.startswith("fuzz/"):
            continue
        for found in re.finditer(r"^(?!static\b|typedef\b|__attribute)[a-z][\w \t\*]*?\b(\w+)\([^;{}]*\)\s*\{", code(p), re.M):
            homes.setdefault(found.group(1), set()).add(p)
    bad = [f"{name}: {sorted(where)}" for name, where in homes.items() if len(where) > 1]
    assert not bad, "\n".join(bad)


LONG_FUNCTIONS_MAX = 0  # a ratchet: it may only go down


def test_functions_are_short():
    long = [f"{p}:{at}: {n} lines: {name}" for p in files(".c") if not p.endswith("_test.c")
            for name, at, n in functions(p) if n > 70]
    assert len(long) <= LONG_FUNCTIONS_MAX, "\n".join(long)


# Folders with lines above COLUMNS, and how many: ratchets too. What is not named has none.
COLUMNS = 100
LONG_LINES_MAX = {"apiserver/registry/validation/": 1200, "sim/": 24, "fuzz/": 60}


def test_lines_are_not_endless():
    bad = {folder: [] for folder in ("", *LONG_LINES_MAX)}
    for p in files(".c", ".h"):
        folder = next((f for f in LONG_LINES_MAX if p.startswith(f)), "")
        for number, line in enumerate((ROOT / p).read_text().split("\n"), 1):
            if len(line) > COLUMNS:
                bad[folder].append(f"{p}:{number}: {len(line)} columns")
    for folder, lines in bad.items():
        assert len(lines) <= LONG_LINES_MAX.get(folder, 0), "\n".join(lines[:40])


def test_no_machine_paths_or_leftovers():
    bad = []
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for p in listed:
        if p.startswith("fixtures/") or not (ROOT / p).is_file() or p.endswith("tidy_test.py"):
            continue
        text = (ROOT / p).read_text(errors="replace")
        for word in ("/root/", "/work/", "FIXME", "XXX:"):
            if word in text:
                bad.append(f"{p}: {word}")
    assert not bad, "\n".join(bad)
