"""What a kube-apiserver v1.36 answers in the versions that are off by default, recorded:

    version_cases.py URL TOKEN REQUESTS_JSONL OUT_JSONL

URL is a fresh server with --runtime-config=api/all=true and the GATES. A line of REQUESTS (or of an
older OUT, whose answers are then recorded anew) is {"method","path"} with "body", "type", "accept" and
"headers" where they matter. test_runtime_config.py sends the lines in order and compares."""
import json
import re
import ssl
import sys
import urllib.error
import urllib.request

GATES = "ClusterTrustBundle=true,PodCertificateRequest=true,GenericWorkload=true,StorageVersionMigrator=true"
VOLATILE = {"uid", "creationTimestamp", "resourceVersion", "time", "timeAdded", "lastTransitionTime", "continue",
            "deletionTimestamp"}
AGE = re.compile(r"^\d+[smhd]$")
# Objects that stand in messages: what may differ there.
INSIDE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"
                    r"|(?<=resourceVersion\\\":\\\")\d+|(?<=resourceVersion\":\")\d+|(?<=in record \()\d+")
UNORDERED = ("managedFields", "causes")


def settle(value, key=""):
    """The answer without what differs between two runs of one server: ids, versions and times; the
    order of owners, which follows their times, and of causes, which can be a Go map's; ages and descriptions in tables."""
    if isinstance(value, dict):
        return {k: settle(v, k) for k, v in value.items() if k != "description"}
    if isinstance(value, list):
        items = [settle(v, "") for v in value]
        return sorted(items, key=lambda v: json.dumps(v, sort_keys=True)) if key in UNORDERED else items
    if isinstance(value, str) and (key in VOLATILE or AGE.match(value)):
        return "*"
    return INSIDE.sub("*", value) if isinstance(value, str) else value


def request_of(case):
    body = case.get("body")
    text = None if body is None else json.dumps(body)
    headers = {"Accept": case.get("accept", "application/json"), "User-Agent": "version-cases"}
    if text is not None:
        headers["Content-Type"] = case.get("type", "application/json")
    return text, {**headers, **case.get("headers", {})}


def answer_of(status, text, warnings):
    """Our own warnings, about what is stored without effect, do not count."""
    return {"status": status, "warnings": [w for w in warnings if "apisim" not in w], "answer": settle(json.loads(text))}


def differences(api, cases):
    """What a server (client.Api) answers otherwise than it is recorded in the cases: a text each."""
    differ = []
    for case in cases:
        body, headers = request_of(case)
        answer = api.call(case["method"], case["path"], body=body, headers=headers)
        got = answer_of(answer.status, answer.bytes, answer.headers.get_all("Warning") or [])
        wanted = settle({k: case[k] for k in got})
        if got != wanted:
            differ.append(f"{case['method']} {case['path']} {body}\n  real {json.dumps(wanted)}\n  ours {json.dumps(got)}")
    return differ


def send(url, token, case):
    text, headers = request_of(case)
    request = urllib.request.Request(url + case["path"], method=case["method"], data=text.encode() if text else None,
                                     headers={**headers, "Authorization": "Bearer " + token})
    context = ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer_of(answer.status, answer.read(), answer.headers.get_all("Warning") or [])
    except urllib.error.HTTPError as error:
        return answer_of(error.code, error.read(), error.headers.get_all("Warning") or [])


def main():
    url, token, source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as f:
        cases = [json.loads(line) for line in f]
    with open(target, "w", encoding="utf-8") as out:
        for case in cases:
            asked = {k: case[k] for k in ("method", "path", "body", "type", "accept", "headers") if k in case}
            line = {**asked, **send(url, token, asked)}
            out.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
