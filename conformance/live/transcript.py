"""Transcripts: what a person typed and saw, and what of it may differ between two runs.

A transcript is text: "$ command" lines, the output of each, "[exit N]" where N is not 0, and
"# output of N" for what was started in the background. normalise() replaces what legitimately
varies (ids, versions, times, ages, allocated addresses and ports, generated names, tokens).
"""

import json
import re

LEFT_OUT = "[output left out]"
# What else runs on the machine is not the server's to say.
NOT_COMPARED = ("kubectl get componentstatuses",)

RULES = [
    (r"\x1b\[[0-9;]*m", ""),
    (r"/tmp/[^\s\"]*?(LIVE|MERGED)-\d+", r"$TMP/\1"),
    (r"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}", "TOKEN"),
    (r"\beyJ2Ijoi[\w-]+", "CONTINUE"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UID"),
    (r"\b[0-9A-F]{128}\b", "HASH"),
    (r"\bLS0tLS1CRUdJTi[\w+/=]+", "PEM"),
    (r"\bapiserver-[a-z0-9]{26}\b", "apiserver-ID"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4}", "TIME"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} UTC", "TIME"),
    (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "TIME"),
    (r"(resourceVersion\\?\"?: ?\\?\"?)\d+", r"\1RV"),
    (r"(Resource Version:\s+)\d+", r"\1RV"),
    (r"current: \d+", "current: RV"),
    (r"https?://(127\.0\.0\.1|192\.0\.2\.2|localhost):\d+", "SERVER"),
    (r"\b(127\.0\.0\.1|192\.0\.2\.2):\d{4,5}\b", "HOST:PORT"),
    (r"\b(IPv4\s+)\d{4,5}(\s+192\.0\.2\.2)\b", r"\1PORT\2"),
    (r"(TargetPort:\s+)\d{4,5}/TCP", r"\1PORT/TCP"),
    (r"\b192\.0\.2\.2\b", "HOST"),
    (r"\b10\.0\.0\.(?!1\b)\d{1,3}\b", "IP"),
    (r"\b3[0-2]\d{3}\b", "NODEPORT"),
    (r"\bdebugger-[a-z0-9]{5}\b", "debugger-XXXXX"),
    (r"(?<![\w.-])\d+(s|m|h|d)(\d+s)?(?![\w.-])", "AGE"),
    (r"\"(kid|n)\":\"[^\"]+\"", r'"\1":"KEY"'),
]
COMPILED = [(re.compile(pattern), to) for pattern, to in RULES]


# What no file of the project may hold: credentials and paths of the machine.
KEPT_OUT = COMPILED[1:4]


def presentable(text):
    for pattern, to in KEPT_OUT:
        text = pattern.sub(to, text)
    return text


def sort_managers(value):
    """managedFields by manager: their order within one second is the clock's."""
    if isinstance(value, list):
        return [sort_managers(v) for v in value]
    if not isinstance(value, dict):
        return value
    value = {k: sort_managers(v) for k, v in value.items()}
    if isinstance(value.get("managedFields"), list):
        value["managedFields"].sort(key=lambda m: re.sub(r'"time": "[^"]*"', "", json.dumps(m)))
    return value


def managers_sorted(text):
    if "managedFields" not in text:
        return text
    try:
        return json.dumps(sort_managers(json.loads(text)), indent=4)
    except ValueError:
        pass
    lines = []
    for line in text.split("\n"):
        try:
            line = json.dumps(sort_managers(json.loads(line)))
        except ValueError:
            pass
        lines.append(line)
    return yaml_managers_sorted("\n".join(lines))


def yaml_managers_sorted(text):
    """Entries of a YAML list under managedFields, each from its "- " to the next."""

    def sorted_block(found):
        indent = found.group(2)
        entries = re.split(rf"^(?={re.escape(indent)}- )", found.group(3), flags=re.M)
        entries = sorted((e for e in entries if e), key=lambda e: re.sub(r"time: .*", "", e))
        return found.group(1) + "".join(entries)

    block = r"^(( *)managedFields:\n)((?:\2(?:- |  ).*\n)+)"
    return re.sub(block, sorted_block, text, flags=re.M)


def normalise(text):
    text = managers_sorted(text)
    for pattern, to in COMPILED:
        text = pattern.sub(to, text)
    lines = []
    for line in text.split("\n"):
        body = line.lstrip(" ")
        indent = line[: len(line) - len(body)]
        lines.append(indent + re.sub(r" {2,}", "  ", body).rstrip())
    return "\n".join(lines).strip("\n")


class Step:
    def __init__(self, command, output="", code=0, background=()):
        self.command, self.output, self.code = command, output, code
        self.background = list(background)

    def __repr__(self):
        return f"$ {self.command}"


def parse(text):
    """Text to steps."""
    steps, part = [], None
    for line in text.split("\n"):
        if line.startswith("$ kubectl"):
            steps.append(Step(re.sub(r" &   # 0$", "", line[2:])))
            part = "output"
        elif line.startswith("# output of "):
            steps[-1].background.append("")
            part = "background"
        elif not steps:
            continue
        elif re.fullmatch(r"\[exit \d+\]", line):
            steps[-1].code = int(line[6:-1])
        elif part == "background":
            steps[-1].background[-1] += line + "\n"
        else:
            steps[-1].output += line + "\n"
    return steps


def render(steps):
    """Steps to text; parse() reads it back."""
    out = []
    for step in steps:
        out.append(f"$ {step.command}\n")
        if step.output:
            out.append(step.output if step.output.endswith("\n") else step.output + "\n")
        if step.code:
            out.append(f"[exit {step.code}]\n")
        for number, text in enumerate(step.background, 1):
            out.append(f"# output of {number}\n{text}")
            if text and not text.endswith("\n"):
                out.append("\n")
    return "".join(out)


def looks_alike(want, got):
    """The rules of a subject come in the order of a Go map."""
    a, b = normalise(want), normalise(got)
    if "SelfSubjectRulesReview" in a or "Non-Resource URLs" in a:
        return sorted(a.split("\n")) == sorted(b.split("\n"))
    return a == b


def same_lines(want, got):
    """Alike but for the order of lines: what kubectl itself prints in a map's random order."""
    return sorted(normalise(want).split("\n")) == sorted(normalise(got).split("\n"))


# kubectl walks the data of a Secret, and up to 1.31 of a ConfigMap, in map order when it describes one.
RANDOM_ORDER = re.compile(r"^kubectl describe (cm|configmaps?|secrets?) ")


def differences(expected, actual, background=True):
    """Lines that say where two runs differ; empty when they look alike."""
    found = []
    if [s.command for s in expected] != [s.command for s in actual]:
        return ["the commands differ"]
    for want, got in zip(expected, actual):
        if want.output.strip() == LEFT_OUT or want.command in NOT_COMPARED:
            continue
        alike = looks_alike(want.output, got.output) or (
            RANDOM_ORDER.match(want.command) and same_lines(want.output, got.output))
        if not alike or want.code != got.code:
            found += [f"$ {want.command}", *side("expected", want), *side("actual", got)]
        if background and [normalise(b) for b in want.background] != [
            normalise(b) for b in got.background
        ]:
            found += [f"background of $ {want.command}"]
            found += ["  expected: " + repr(b) for b in want.background]
            found += ["  actual:   " + repr(b) for b in got.background]
    return found


def side(name, step):
    lines = normalise(step.output).split("\n")
    return [f"  {name} (exit {step.code})"] + ["    " + line for line in lines]
