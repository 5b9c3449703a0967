"""record.py URL TOKEN OUT.jsonl [SEED]: what a real server makes of values under schemas.

One CustomResourceDefinition has a property for each schema of cases.py; an object with that property alone is created for
each value, and updated where there is an old one (created while the schema was loose). A line of OUT is {"s": schema,
"v": value, "old": value, "unknown": fields that strict decoding refuses, "out": the value stored, or "causes": [[field,
reason, message], ...]}. The property is called "f" in it. With a SEED: random ones, of which those are left out that no CRD may have.
"""
import json
import ssl
import sys
import time
import urllib.error
import urllib.request

import cases
import random_cases

GROUP, KIND = "cases.example.com", "Case"
OBJECTS = f"/apis/{GROUP}/v1/namespaces/default/cases"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def ask(method, path, body=None):
    request = urllib.request.Request(
        sys.argv[1] + path, data=json.dumps(body).encode() if body is not None else None, method=method,
        headers={"Authorization": "Bearer " + sys.argv[2], "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, context=ssl._create_unverified_context()) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        text = error.read()
        return error.code, json.loads(text) if text.startswith(b"{") else {}


def definition(schema):
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"cases.{GROUP}"},
            "spec": {"group": GROUP, "scope": "Namespaced", "names": {"plural": "cases", "kind": KIND},
                     "versions": [{"name": "v1", "served": True, "storage": True,
                                   "schema": {"openAPIV3Schema": schema}}]}}


def instance(name, field, value):
    return {"apiVersion": GROUP + "/v1", "kind": KIND, "metadata": {"name": name}, field: value}


def until(done):
    for _ in range(200):
        if done():
            return
        time.sleep(0.1)
    sys.exit("the schema is not in force")


def put_schema(schema):
    code, old = ask("GET", f"{CRDS}/cases.{GROUP}")
    body = definition(schema)
    if code == 404:
        code, answer = ask("POST", CRDS, body)
    else:
        body["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        code, answer = ask("PUT", f"{CRDS}/cases.{GROUP}", body)
    if code >= 300:
        sys.exit(answer["message"])


def is_valid(schema):
    body = definition({"type": "object", "properties": {"f": schema}})
    body["metadata"]["name"] = "tried." + GROUP
    body["spec"]["names"] = {"plural": "tried", "kind": "Tried"}
    return len(sys.argv) <= 4 or ask("POST", CRDS + "?dryRun=All", body)[0] == 201


def outcome(line, code, answer, field):
    if code < 300:
        if field in answer:
            line["out"] = answer[field]
    elif code == 422:
        line["causes"] = sorted([c["field"].replace(field, "f"), c["reason"], c["message"].replace(field, "f")]
                                for c in answer["details"]["causes"])
    else:
        line["error"] = answer["message"].replace(field, "f")


def unknown_of(answer, field):
    text = answer.get("message", "")
    return [w.split('"')[1].replace(field, "f") for w in text.split("unknown field ")[1:]]


def main():
    tried, updates = cases.CASES, cases.UPDATES
    if len(sys.argv) > 4:
        tried, updates = random_cases.random_cases(int(sys.argv[4]))
    put_schema({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    until(lambda: ask("POST", OBJECTS + "?dryRun=All", instance("probe", "x", 1))[0] == 201)
    tried = [(s, values) for s, values in tried if is_valid(s)]
    updates = [update for update in updates if is_valid(update[0])]
    fields = {f"zq{i}z": s for i, (s, _) in enumerate(tried)}
    changes = []
    for i, (schema, old, new) in enumerate(updates):
        field, name = f"zu{i}z", f"u{i}"
        fields[field] = schema
        code, stored = ask("POST", OBJECTS, instance(name, field, old))
        if code != 201:
            sys.exit(str(stored))
        changes.append((field, name, schema, old, new, stored["metadata"]["resourceVersion"]))
    put_schema({"type": "object", "properties": dict(fields, probe={"type": "string", "maxLength": 1})})
    until(lambda: ask("POST", OBJECTS + "?dryRun=All", instance("probe", "probe", "xx"))[0] == 422)
    with open(sys.argv[3], "w", encoding="utf-8") as out:
        for i, (schema, values) in enumerate(tried):
            field = f"zq{i}z"
            for value in values:
                line = {"s": schema, "v": value}
                body = instance("new", field, value)
                _, strict = ask("POST", OBJECTS + "?dryRun=All&fieldValidation=Strict", body)
                if unknown_of(strict, field):
                    line["unknown"] = unknown_of(strict, field)
                outcome(line, *ask("POST", OBJECTS + "?dryRun=All&fieldValidation=Ignore", body), field)
                print(json.dumps(line, ensure_ascii=False), file=out)
        for field, name, schema, old, new, version in changes:
            line = {"s": schema, "old": old, "v": new}
            body = instance(name, field, new)
            body["metadata"]["resourceVersion"] = version
            outcome(line, *ask("PUT", f"{OBJECTS}/{name}?dryRun=All&fieldValidation=Ignore", body), field)
            print(json.dumps(line, ensure_ascii=False), file=out)
    ask("DELETE", f"{CRDS}/cases.{GROUP}")


if __name__ == "__main__":
    main()
