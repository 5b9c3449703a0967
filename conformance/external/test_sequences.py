"""Sequences of requests (sequences/*.jsonl) with what a fresh kube-apiserver v1.36.3 answered to each, recorded by
version_cases.py: every answer is the same, but for ids, versions and times."""

import json
import pathlib

import pytest

import conftest
import version_cases
from client import Api

FILES = sorted(pathlib.Path(__file__).with_name("sequences").glob("*.jsonl"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_answers_are_the_recorded_ones(tmp_path, file):
    server = conftest.start(tmp_path)
    conftest.wait_ready(server)
    api, differ = Api(server), []
    for case in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
        body, headers = version_cases.request_of(case)
        answer = api.call(case["method"], case["path"], body=body, headers=headers)
        got = version_cases.answer_of(answer.status, answer.bytes, answer.headers.get_all("Warning") or [])
        wanted = version_cases.settle({k: case[k] for k in got})
        if got != wanted:
            differ.append(f"{case['method']} {case['path']} {body}\n  real {json.dumps(wanted)}\n  ours {json.dumps(got)}")
    conftest.stop(server)
    assert not differ, "\n".join(differ)
