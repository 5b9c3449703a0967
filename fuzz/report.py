#!/usr/bin/env python3
"""report.py [--fold]: reports/fuzz.html from fuzz/figures.tsv (committed: totals per target) and build/fuzz_runs.tsv (what ran
here since, fuzz/run.py). --fold adds the latter to the former and forgets it. Times are CPU minutes of the fuzzer's process."""
import collections
import html
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIGURES, RUNS, PAGE = ROOT / "fuzz/figures.tsv", ROOT / "build/fuzz_runs.tsv", ROOT / "reports/fuzz.html"
HEAD = "# target, CPU seconds, executions, edges reached, runs, runs that found something, CPU seconds since the last of these (see fuzz/report.py)\n"
STYLE = """:root{color-scheme:light dark;--ink:#1c2430;--soft:#5c6878;--line:#dfe4ea;--fill:#2f6fde;--bar:#e8edf5;--page:#fff;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa7b8;--line:#2c3542;--fill:#6ea0ff;--bar:#222b38;--page:#131922;--bad:#ff8a80}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:1000px;margin:2.5rem auto;padding:0 1.2rem}
h1{font-size:1.6rem;margin:0}p{color:var(--soft);max-width:46rem}table{border-collapse:collapse;width:100%;margin-top:1.2rem}
th,td{padding:.45rem .6rem;border-bottom:1px solid var(--line);text-align:right;font-variant-numeric:tabular-nums}
th{font-weight:600;color:var(--soft);font-size:.85rem}td:first-child,th:first-child{text-align:left;font-family:ui-monospace,monospace}
tfoot td{font-weight:600}.bar{width:30%;min-width:9rem}.bar div{background:var(--bar);border-radius:3px;height:.7rem;overflow:hidden}
.bar div div{background:var(--fill);height:100%}.found{color:var(--bad)}"""


class Total:
    def __init__(self, seconds=0.0, executions=0, edges=0, runs=0, found=0, clean=0.0):
        self.seconds, self.executions, self.edges, self.runs, self.found = seconds, executions, edges, runs, found
        self.clean = clean  # seconds since the last run that found something

    def add(self, other):
        """What ran behind it."""
        self.clean = other.clean if other.found else self.clean + other.clean
        self.seconds += other.seconds
        self.executions += other.executions
        self.edges = max(self.edges, other.edges)
        self.runs += other.runs
        self.found += other.found


def lines(path):
    if path.is_file():
        yield from (row.split("\t") for row in path.read_text().splitlines() if row and row[0] != "#")


def totals():
    """Committed figures, and those with this machine's runs."""
    sums = collections.defaultdict(Total)
    for name, seconds, executions, edges, runs, found, clean in lines(FIGURES):
        sums[name].add(Total(float(seconds), int(executions), int(edges), int(runs), int(found), float(clean)))
    for name, seconds, executions, edges, code in lines(RUNS):
        sums[name].add(Total(float(seconds), int(executions), int(edges), 1, int(code != "0"), 0 if code != "0" else float(seconds)))
    return sums


def fold(sums):
    rows = [f"{n}\t{t.seconds:.0f}\t{t.executions}\t{t.edges}\t{t.runs}\t{t.found}\t{t.clean:.0f}\n" for n, t in sorted(sums.items())]
    FIGURES.write_text(HEAD + "".join(rows))
    RUNS.unlink(missing_ok=True)


def row(name, t, longest):
    rate = t.executions / t.seconds if t.seconds else 0
    share = 100 * t.clean / longest if longest else 0
    found = f'<td class="found">{t.found}</td>' if t.found else "<td>0</td>"
    return (f"<tr><td>{html.escape(name)}</td><td>{t.executions:,}</td><td>{t.edges:,}</td><td>{rate:,.0f}</td><td>{t.seconds / 60:,.1f}</td>"
            f'<td class="bar"><div><div style="width:{share:.1f}%"></div></div></td><td>{t.runs}</td>{found}</tr>')


def page(sums):
    everything = Total()
    for t in sums.values():
        everything.add(t)
    longest = max((t.clean for t in sums.values()), default=0)
    body = "\n".join(row(n, t, longest) for n, t in sorted(sums.items()))
    rate = everything.executions / everything.seconds if everything.seconds else 0
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>apisim: fuzzing</title><style>{STYLE}</style>
<h1>Fuzzing</h1>
<p>Every target runs under AddressSanitizer and UndefinedBehaviorSanitizer with oracles of its own (round trip, equality of JSON, YAML, protobuf
and CBOR, fixed points, bounded memory). The figures add up over all runs; what a run found is mended and kept in fuzz/regression. Clean: CPU minutes since a run last found something.</p>
<table><thead><tr><th>target</th><th>executions</th><th>edges</th><th>exec/s</th><th>CPU min</th><th>clean</th><th></th><th>runs</th><th>found</th></tr></thead>
<tbody>{body}</tbody>
<tfoot><tr><td>all</td><td>{everything.executions:,}</td><td></td><td>{rate:,.0f}</td><td>{everything.seconds / 60:,.1f}</td><td>{sum(t.clean for t in sums.values()) / 60:,.1f}</td><td></td><td>{everything.runs}</td><td>{everything.found}</td></tr></tfoot></table></html>
"""


def main():
    sums = totals()
    if "--fold" in sys.argv[1:]:
        fold(sums)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(sums))
    print(f"{PAGE.relative_to(ROOT)}: {sum(t.executions for t in sums.values()):,} executions, {len(sums)} targets")


if __name__ == "__main__":
    main()
