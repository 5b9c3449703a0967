"""Bodies (body_cases.jsonl) with what a kube-apiserver v1.36.3 answered to them: found and recorded by
conformance/differential/bodies.py. All are dry runs: their order does not matter."""

import base64
import json
import pathlib

import pytest

import conftest
from client import Api

CASES = [json.loads(line) for line in pathlib.Path(__file__).with_name("body_cases.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    server = conftest.start(tmp_path_factory.mktemp("bodies"), "--feature-gates=CBORServingAndStorage=true")
    conftest.wait_ready(server)
    api = Api(server)
    assert api.call("POST", "/api/v1/namespaces", body=b'{"metadata": {"name": "bodies"}}', headers={"Content-Type": "application/json"}).status == 201
    yield api
    conftest.stop(server)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["message"][-40:])
def test_answers_are_the_recorded_ones(api, case):
    headers = {"Content-Type": case["type"], "Accept": "application/json"}
    answer = api.call(case["method"], case["path"], body=base64.b64decode(case["body"]), headers=headers)
    message = answer.json["message"] if case["message"] else ""
    assert (answer.status, message) == (case["code"], case["message"])
