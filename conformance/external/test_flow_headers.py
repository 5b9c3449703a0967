"""Which FlowSchema and priority level each answer names: flow_cases.jsonl has requests in order, with what a fresh
kube-apiserver v1.36.3 answered: status and the two names (found by the uids in the headers), or null for none."""

import http.client
import json
import pathlib

import conftest
from client import Api

CASES = pathlib.Path(__file__).with_name("flow_cases.jsonl").read_text(encoding="utf-8").splitlines()
GROUP = "/apis/flowcontrol.apiserver.k8s.io/v1/"


def names(api):
    items = [o for kind in ("flowschemas", "prioritylevelconfigurations") for o in api.get(GROUP + kind).json["items"]]
    return {o["metadata"]["uid"]: o["metadata"]["name"] for o in items}


def call(connection, case):
    """The administrator asks, unless the case names another token, or null: nobody."""
    headers = {"Accept": "application/json", "Content-Type": "application/json", **(case.get("headers") or {})}
    token = case.get("token", "admintoken")
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps(case["body"]) if "body" in case else None
    connection.request(case["method"], case["path"], body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer


def test_answers_name_their_flow(tmp_path):
    server = conftest.start(tmp_path)
    conftest.wait_ready(server)
    known, differ = names(Api(server)), []
    connection = http.client.HTTPConnection(server.http_url.removeprefix("http://"), timeout=40)
    for case in map(json.loads, CASES):
        answer = call(connection, case)
        if "answer" not in case:
            known = names(Api(server))
            continue
        uids = [answer.headers.get(f"X-Kubernetes-Pf-{of}-Uid") for of in ("Flowschema", "Prioritylevel")]
        got = [answer.status, *(uid and known[uid] for uid in uids)]
        if got != case["answer"]:
            differ.append(f"{case} got {got}")
    connection.close()
    conftest.stop(server)
    assert not differ, "\n".join(differ)


def test_it_can_be_switched_off(tmp_path):
    server = conftest.start(tmp_path, "--enable-priority-and-fairness=false")
    conftest.wait_ready(server)
    headers = Api(server).get("/api/v1/namespaces/default").headers
    conftest.stop(server)
    assert not [name for name in headers if name.lower().startswith("x-kubernetes-pf")]
