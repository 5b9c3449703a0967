"""apisim fuzz: targets over a user's files, and generated requests against a server."""

import json
import subprocess

import conftest


def fuzz(*words, cwd):
    return subprocess.run([conftest.binary(), "fuzz", *words], capture_output=True, text=True, timeout=60, cwd=cwd)


def test_files(tmp_path):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    (tmp_path / "pod.json").write_text(json.dumps(pod))
    (tmp_path / "bare.json").write_text("{}")
    done = fuzz("--target", "json", "--runs", "50", "pod.json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "json: 1 files, 51 inputs, 0 failed\n")
    done = fuzz("--target", "json", "bare.json", cwd=tmp_path)
    assert done.returncode == 2 and "--kind v1/Pod" in done.stderr
    assert fuzz("--target", "yaml", "--kind", "apps/v1/Deployment", "bare.json", cwd=tmp_path).returncode == 0
    assert fuzz("--target", "none", "bare.json", cwd=tmp_path).returncode == 2
    (tmp_path / "patch").write_text(json.dumps(pod) + '\n{"metadata":{"labels":{"a":"b"}}}')
    assert fuzz("--target", "merge_patch", "--runs", "5", "patch", cwd=tmp_path).returncode == 0




def test_server(apisim, tmp_path):
    words = ("--server", apisim.url, "--insecure", "--token", apisim.token, "--requests", "150", "--write", "--seed", "5")
    done = fuzz(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("150 requests (seed 5): ")
    assert fuzz("--server", "https://127.0.0.1:1", "--insecure", "--requests", "5", cwd=tmp_path).returncode == 2
