"""Runs a session's script with one kubectl against one server, as a person would.

A script (sessions/NAME.txt) has a command a line, quoted as for a shell; "< FILE" at its end is
its input, and "&" starts it in the background. "@stop" ends what runs there, "@sleep N" waits,
"@certificate NAME" makes NAME.crt and NAME.key. Files are those of files/NAME, in the working
directory.
"""

import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import time

import transcript

HERE = pathlib.Path(__file__).parent
SESSIONS = sorted(p.stem for p in (HERE / "sessions").glob("*.txt"))
SETTLE = 0.8  # seconds a background command gets before the next one
TIMEOUT = 60
# Watches that end with the server's answer, not with a signal.
ENDS_BY_ITSELF = ("wait",)


def kubeconfig(path, server, token):
    path.write_text(
        f"""apiVersion: v1
kind: Config
current-context: c
clusters:
- name: c
  cluster: {{server: "{server}", insecure-skip-tls-verify: true}}
contexts:
- name: c
  context: {{cluster: c, user: u}}
users:
- name: u
  user: {{token: {token}}}
"""
    )


class Background:
    def __init__(self, process, output, argv):
        self.process, self.output, self.argv = process, output, argv

    def end(self):
        if self.argv[1] not in ENDS_BY_ITSELF:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=25)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.seek(0)
        text = self.output.read().decode("utf-8", "replace")
        self.output.close()
        return text


class Runner:
    def __init__(self, kubectl, server, token, directory):
        self.kubectl = str(kubectl)
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.work = self.directory / "work"
        config = self.directory / "kubeconfig"
        kubeconfig(config, server, token)
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "KUBECONFIG": str(config),
            "KUBE_EDITOR": "sed -i s/nginx:1.25/nginx:1.26/",
            "TZ": "UTC",
            "TERM": "dumb",
        }
        self.background = []

    def start(self, argv, stdin):
        number = len(self.background)
        output = open(self.directory / f"background-{time.time_ns()}-{number}", "w+b")
        process = subprocess.Popen(
            [self.kubectl, *argv[1:]], cwd=self.work, env=self.env, stdin=stdin,
            stdout=output, stderr=subprocess.STDOUT,
        )
        self.background.append(Background(process, output, argv))

    def run(self, argv, stdin):
        done = subprocess.run(
            [self.kubectl, *argv[1:]], cwd=self.work, env=self.env, stdin=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False,
        )
        text = done.stdout.decode("utf-8", "replace")
        if argv[1] == "explain" and done.returncode == 0:
            text = transcript.LEFT_OUT + "\n"
        return text, done.returncode

    def session(self, name):
        files = HERE / "files" / name
        shutil.rmtree(self.work, ignore_errors=True)
        if files.is_dir():
            shutil.copytree(files, self.work)
        else:
            self.work.mkdir(parents=True)
        steps = []
        for line in (HERE / "sessions" / f"{name}.txt").read_text().splitlines():
            if line == "@stop":
                time.sleep(SETTLE)
                steps[-1].background = [b.end() for b in self.background]
                self.background = []
            elif line.startswith("@sleep "):
                time.sleep(float(line.split()[1]))
            elif line.startswith("@certificate "):
                self.certificate(line.split()[1])
            elif line and not line.startswith("#"):
                steps.append(self.step(shlex.split(line)))
        return steps

    def certificate(self, name):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=t",
             "-days", "3650", "-keyout", f"{name}.key", "-out", f"{name}.crt"],
            cwd=self.work, check=True, capture_output=True)

    def step(self, argv):
        in_background = argv[-1] == "&"
        argv = argv[:-1] if in_background else argv
        stdin = subprocess.DEVNULL
        if "<" in argv:
            stdin = open(self.work / argv[argv.index("<") + 1], "rb")
            argv = argv[: argv.index("<")]
        step = transcript.Step(" ".join(argv))
        if in_background:
            self.start(argv, stdin)
            time.sleep(SETTLE)
        else:
            step.output, step.code = self.run(argv, stdin)
        if stdin is not subprocess.DEVNULL:
            stdin.close()
        return step
