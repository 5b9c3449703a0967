"""apisim sim live with a small controller on the standard library: planted mistakes are found, shrunk
and repeated; the correct controller passes. The plans are the worked examples of sim/live/README.md."""

import os
import re
import shlex
import signal
import subprocess
import sys
import xml.etree.ElementTree

import pytest

import conftest

PLANS = conftest.ROOT / "conformance" / "live_plans"
pytestmark = pytest.mark.skipif(bool(os.environ.get("APISIM_URL")), reason="of apisim only")


def live(tmp_path, plan, bug, *options):
    controller = [sys.executable, str(PLANS / "tiny.py"), "--bug", bug]
    return run(["sim", "live", "--plan", str(PLANS / "examples" / plan), "--out", str(tmp_path / "out"), "--tries", "1",
                *options, "--", *controller])


def run(arguments):
    done = subprocess.run([conftest.binary(), *arguments], capture_output=True, text=True, timeout=120)
    print(done.stdout, done.stderr)
    return done


@pytest.mark.parametrize("plan,options", [("lost-reply.yaml", []), ("crash-point.yaml", ["--sweep", "writes"]),
                                          ("expired.yaml", [])])
def test_the_correct_controller_passes(tmp_path, plan, options):
    done = live(tmp_path, plan, "none", *options)
    assert done.returncode == 0 and "1 faults fired" in done.stdout or "3 faults fired" in done.stdout


def test_a_stale_read_is_found_and_shrunk_and_repeated(tmp_path):
    junit = tmp_path / "junit.xml"
    done = live(tmp_path, "lost-reply.yaml", "stale-create", "--junit", str(junit))
    assert done.returncode == 3
    assert "noDuplicateCreate: 2 equal objects were alive at once" in done.stdout
    assert "faults that it needs: 2" in done.stdout  # of three
    assert "steps that it needs: 1 of 2" in done.stdout
    line = re.search("^repeat: apisim (.*)$", done.stdout, re.M).group(1)
    good, bad = xml.etree.ElementTree.parse(junit).getroot()
    assert (good.get("name"), len(good), bad.get("name")) == ("without faults", 0, "seed-0")
    failure = bad.find("failure")
    assert failure.get("message") in failure.text and line in failure.text
    words = shlex.split(line)
    again = run([*words[:2], "--no-shrink", "--out", str(tmp_path / "again"), *words[2:]])
    assert again.returncode == 3 and "faults that it needs: 2" in again.stdout
    log = open(re.search("^log: (.*)$", again.stdout, re.M).group(1)).read()
    assert re.search(r"request +ctl +create +secrets/default/ +504 rv=\d+  replaced", log)


def test_a_crash_point_is_found_by_the_sweep(tmp_path):
    done = live(tmp_path, "crash-point.yaml", "half-done", "--sweep", "writes", "--no-shrink", "--keep-going")
    assert done.returncode == 3
    assert re.findall(r"^(write-\d+) +(\S+)", done.stdout, re.M) == [("write-1", "FAIL"), ("write-2", "ok")]


def test_an_unhandled_410_is_no_progress_and_lint(tmp_path):
    done = live(tmp_path, "expired.yaml", "ignore-410", "--no-shrink")
    assert done.returncode in (3, 4)  # it asks for ever, or has given up
    assert "lint: unhandled410: ctl watches configmaps/default/ from revision" in done.stdout
    assert "expect: secrets/default/two metadata.labels.of is not as line 13" in done.stdout


def test_an_interrupt_ends_the_session(tmp_path):
    """Also while it makes a failing plan small: no other run begins."""
    plan = tmp_path / "plan.yaml"
    plan.write_text((PLANS / "examples" / "lost-reply.yaml").read_text())
    words = ["sim", "live", "--plan", str(plan), "--out", str(tmp_path / "out"), "--tries", "9"]
    with subprocess.Popen([conftest.binary(), *words, "--", sys.executable, str(PLANS / "tiny.py"), "--bug", "stale-create"],
                          stdout=subprocess.PIPE, text=True) as session:
        for line in session.stdout:
            if line.startswith("seed-0 ") and " FAIL " in line:
                session.send_signal(signal.SIGINT)
                break
        rest = session.stdout.read()
    assert session.returncode == 130 and "  interrupted: it may need fewer" in rest
    assert int(re.search(r"^(\d+) runs", rest, re.M)[1]) <= 4  # two references, the first, and at most one more


def test_two_sessions_do_not_share_a_folder(tmp_path):
    """Their clients would take each other's kubeconfig."""
    plan = tmp_path / "plan.yaml"
    plan.write_text("oracles: [noDuplicateCreate]\n")
    inner = [conftest.binary(), "sim", "live", "--plan", str(plan), "--out", str(tmp_path / "out"), "--reference", "--", "true"]
    script = tmp_path / "client.sh"
    script.write_text(f"{shlex.join(inner)} > {tmp_path}/inner 2>&1; echo code $? >> {tmp_path}/inner; kubectl version\n")
    done = run(["sim", "live", "--plan", str(plan), "--out", str(tmp_path / "out"), "--reference", "--", "sh", str(script)])
    assert done.returncode == 0  # nobody asks for the client's end
    inner_said = (tmp_path / "inner").read_text()
    assert f"another session works in {tmp_path}/out: give --out another directory" in inner_said and "code 1" in inner_said


def test_a_reference_that_fails_is_told(tmp_path):
    plan, junit = tmp_path / "plan.yaml", tmp_path / "junit.xml"
    plan.write_text("quiesce: {quiet: 100ms, within: 2s}\n")
    done = run(["sim", "live", "--plan", str(plan), "--out", str(tmp_path / "out"), "--junit", str(junit), "--",
                "sh", "-c", "echo no config '<&>'; exit 3"])
    assert done.returncode == 2 and "client ctl ended by itself: exit code 3" in done.stdout
    assert "    no config <&>\n" in done.stdout  # the end of its output
    case, = xml.etree.ElementTree.parse(junit).getroot()
    assert case.get("name") == "without faults" and "no config <&>" in case.find("failure").text


POLLER = """
import os, re, ssl, time, urllib.request
text = open(os.environ["KUBECONFIG"]).read()
url, token = (re.search(word + r": (\\S+)", text).group(1) for word in ("server", "token"))
request = urllib.request.Request(url + "/api/v1/namespaces/default/configmaps", headers={"Authorization": "Bearer " + token})
while True:
    urllib.request.urlopen(request, context=ssl._create_unverified_context()).read()
    time.sleep(0.02)
"""


def test_a_client_that_polls(tmp_path):
    for reads, code in (("false", 2), ("true", 0)):
        plan = tmp_path / "plan.yaml"
        plan.write_text("scenario:\n- apply: {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n"
                        f"quiesce: {{quiet: 3s, within: 1s, ignoreReads: {reads}}}\noracles: [{{quiesceWithin: 1s}}]\n")
        if code == 0:  # what is quiet for long enough is nobody's time
            plan.write_text(plan.read_text().replace("quiet: 3s", "quiet: 200ms").replace("1s", "30s"))
        done = run(["sim", "live", "--plan", str(plan), "--out", str(tmp_path / "out"), "--reference", "--",
                    sys.executable, "-c", POLLER])
        assert done.returncode == code
        assert ("is quiet with `quiesce: {ignoreReads: true}`" in done.stdout) == (code == 2)


def test_what_the_swarm_draws_from(tmp_path):
    words = ["sim", "live", "--out", str(tmp_path / "out"), "--classes", "hold,nonsense"]
    plain, drawn = tmp_path / "plain.yaml", tmp_path / "drawn.yaml"
    plain.write_text("seed: 1\n")
    drawn.write_text("swarm: 2\nquiesce: {quiet: 50ms, within: 1s}\nclients: {c: {match: {userAgent: none}}}\n")
    done = run([*words, "--plan", str(plain), "--", "true"])
    assert done.returncode == 1 and "--classes needs a plan with `swarm`" in done.stderr
    done = run([*words, "--plan", str(drawn)])
    assert done.returncode == 1 and '--classes: no swarm class "nonsense" (known: crash' in done.stderr
