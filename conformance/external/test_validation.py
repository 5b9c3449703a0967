"""What is refused, and in which words: recorded answers of kube-apiserver v1.36.3.

validation_cases/<kind>.json is a list of requests in order: {name, method, path, body, expect: {code,
reason, message, causes, warnings}}. Cases that make an object for later ones and remove it again stand
in the same list, so one test plays a whole file. PATCH bodies are merge patches. The same tests run
against a real kube-apiserver: set APISIM_URL and APISIM_TOKEN.
"""

import json
import pathlib
import re
import ssl
import urllib.error
import urllib.request

import pytest

CASES = sorted((pathlib.Path(__file__).parent / "validation_cases").glob("*.json"))
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # made once: loading a machine's roots is slow
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE
OWN_WARNING = "apisim"  # what this server says of itself is no part of the contract


def call(server, method, path, body=None, patch="merge-patch+json"):
    kind = "application/" + (patch if method == "PATCH" else "json")
    headers = {"Authorization": f"Bearer {server.token}", "Accept": "application/json",
               "Content-Type": kind}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data=data, method=method, headers=headers)
    try:
        answer = urllib.request.urlopen(request, context=CONTEXT, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, json.loads(answer.read()), answer.headers.get_all("Warning") or []


def found(code, answer, warnings):
    """The part of an answer that a case expects."""
    out = {"code": code}
    if code >= 400:
        out |= {"reason": answer.get("reason", ""), "message": answer.get("message", "")}
        causes = (answer.get("details") or {}).get("causes")
        if causes:
            out["causes"] = causes
    texts = [re.sub(r'^299 - "(.*)"$', r"\1", w).replace('\\"', '"') for w in warnings]
    texts = [t for t in texts if OWN_WARNING not in t]
    if texts:
        out["warnings"] = texts
    return out


@pytest.mark.parametrize("file", CASES, ids=lambda f: f.stem)
def test_recorded_answers(apisim, file):
    cases = json.loads(file.read_text())
    for name in sorted(set(re.findall(r"/namespaces/([^/?]+)/", " ".join(c["path"] for c in cases)))):
        call(apisim, "POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    wrong = []
    for number, case in enumerate(cases):
        got = found(*call(apisim, case["method"], case["path"], case.get("body")))
        if got != case["expect"]:
            wrong.append(f"{number} {case['name']}\n  expected {case['expect']}\n  found    {got}")
    assert not wrong, f"{len(wrong)} of {len(cases)} differ:\n" + "\n".join(wrong[:20])
