"""A live kubectl session recorded against `apisim serve`, replayed against a fresh one."""

import json
import re
import signal
import subprocess
import time

import pytest

import conftest
import runner


class Recorder:
    running = []

    def __init__(self, apisim, server, tape, *flags):
        self.process = subprocess.Popen(
            [apisim, "record", "--upstream", server.url, "--token", "admintoken", "--insecure",
             "-o", tape, *flags], stdout=subprocess.PIPE, text=True)
        self.running.append(self.process)
        line = self.process.stdout.readline()
        self.url = re.search(r"http://[\d.:]+", line).group(0)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=40)
        assert self.process.returncode == 0, out


@pytest.fixture(autouse=True)
def none_left_running():
    yield
    while Recorder.running:
        process = Recorder.running.pop()
        if process.poll() is None:
            process.kill()
            process.wait()


def newest():
    if not conftest.KUBECTLS:
        pytest.skip("no kubectl here")
    return max(conftest.KUBECTLS, key=lambda v: int(v.split(".")[1]))


def record(apisim, server, tape, directory, sessions, *flags):
    recorder = Recorder(apisim, server, tape, *flags)
    run = runner.Runner(conftest.KUBECTLS[newest()], recorder.url, "unused", directory)
    steps = [step for name in sessions for step in run.session(name)]
    time.sleep(0.3)
    recorder.stop()
    return steps


@pytest.mark.parametrize("session", ["01-pods", "04-patches", "07-services", "12-watch"])
def test_no_difference(session, serve, tmp_path, apisim):
    tape, home = tmp_path / "live.tape.jsonl", tmp_path / "home"
    record(apisim, serve(), tape, home, [session])
    lines = tape.read_text().splitlines()
    head = json.loads(lines[0])
    assert head["tape"] == 1 and head["exchanges"] == len(lines) - 1 > 10
    fresh = serve()
    done = subprocess.run(
        [apisim, "replay", tape, "--against", fresh.url, "--token", "admintoken", "--insecure",
         "--known", "/dev/null", "--list-differences"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_embedded_equals_served(serve, tmp_path, apisim):
    """The tape also replays against the embedded server without a difference."""
    tape, home = tmp_path / "live.tape.jsonl", tmp_path / "home"
    record(apisim, serve(), tape, home, ["06-config"])
    done = subprocess.run([apisim, "replay", tape, "--known", "/dev/null", "--list-differences"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_secrets_are_redacted(serve, tmp_path, apisim):
    tape, home = tmp_path / "live.tape.jsonl", tmp_path / "home"
    recorder = Recorder(apisim, serve(), tape, "--redact-secrets")
    run = runner.Runner(conftest.KUBECTLS[newest()], recorder.url, "unused", home)
    run.work.mkdir()
    commands = [
        "create secret generic s --from-literal=password=hunter2",
        "get secret s -o yaml",
        "get secrets -o json",
        "patch secret s -p {\"stringData\":{\"more\":\"hunter2\"}}",
        "create serviceaccount robot",
        "create token robot",
    ]
    output = ""
    for command in commands:
        text, code = run.run(["kubectl", *command.split(" ")], subprocess.DEVNULL)
        assert code == 0, text
        output += text
    recorder.stop()
    taped = tape.read_text()
    token = re.search(r"eyJ[\w.-]+", output).group(0)
    for secret in ("hunter2", "aHVudGVyMg==", token, "admintoken"):
        assert secret not in taped
    assert "redacted" in taped or "cmVkYWN0ZWQ=" in taped


def test_replay_says_what_is_wrong(tmp_path, apisim):
    broken = tmp_path / "broken.tape.jsonl"
    broken.write_text('{"tape":1,"name":"x","client":"x","about":"","exchanges":1}\n{"seq":1}\n')
    done = subprocess.run([apisim, "replay", broken], capture_output=True, text=True)
    assert done.returncode == 2 and "broken.tape.jsonl:2: not an exchange" in done.stderr
    done = subprocess.run([apisim, "replay", tmp_path / "none"], capture_output=True, text=True)
    assert done.returncode == 2 and "No such file" in done.stderr
    tape = conftest.ROOT / "fixtures/sessions/kubectl-1.36/08-namespaces.tape.jsonl"
    done = subprocess.run([apisim, "replay", tape, "--against", "http://127.0.0.1:1"],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "refused" in done.stdout


def test_a_watch_that_ends_in_the_millisecond_of_the_write_that_ends_it(tmp_path, apisim):
    """`kubectl wait` hangs up as soon as it sees what it waits for; a fast server sends that in the write's own millisecond."""
    lines = (conftest.ROOT / "fixtures/sessions/extra-1.36/26-watch-wait.tape.jsonl").read_text().splitlines()
    watch, patch = json.loads(lines[49]), json.loads(lines[51])
    assert "sendInitialEvents" in watch["req"]["target"] and patch["req"]["method"] == "PATCH"
    assert len(watch["res"]["frames"]) == 2
    watch["res"]["frames"][1]["at_ms"] = watch["done_ms"] = patch["at_ms"]
    tape = tmp_path / "tie.tape.jsonl"
    tape.write_text("\n".join(lines[:49] + [json.dumps(watch)] + lines[50:]) + "\n")
    done = subprocess.run([apisim, "replay", tape, "--known", "/dev/null", "--list-differences"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
