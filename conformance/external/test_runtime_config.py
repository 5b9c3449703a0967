"""--runtime-config and the feature gates that open resources: what is served, converted, defaulted,
checked and warned about, as a kube-apiserver v1.36 does it (version_cases.jsonl is its answers)."""

import json
import pathlib
import subprocess

import pytest

import conftest
import version_cases
from client import Api

CASES = [json.loads(line) for line in open(pathlib.Path(__file__).with_name("version_cases.jsonl"), encoding="utf-8")]


def area_of(case):
    """Its group; both groups of events together, since they show the same objects."""
    return "events" if "/events" in case["path"] else case["path"].split("/")[2]


AREAS = sorted({area_of(c) for c in CASES})
PART = ("apps/v1=false,batch/v1/cronjobs=false,storage.k8s.io/v1beta1/volumeattributesclasses=true,"
        "policy/v1/poddisruptionbudgets=false,autoscaling/v2=false,apps/v1/foo=true")


def started(folder, *flags):
    server = conftest.start(folder, *flags)
    conftest.wait_ready(server)
    return server


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    server = started(tmp_path_factory.mktemp("all"), "--runtime-config=api/all=true",
                     "--feature-gates=" + version_cases.GATES)
    yield Api(server)
    conftest.stop(server)


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    server = started(tmp_path_factory.mktemp("part"), "--runtime-config=" + PART)
    yield Api(server)
    conftest.stop(server)


@pytest.mark.parametrize("area", AREAS)
def test_answers_are_the_recorded_ones(everything, area):
    differ = version_cases.differences(everything, (c for c in CASES if area_of(c) == area))
    assert not differ, "\n".join(differ)


def versions(api):
    return {g["name"]: [v["version"] for v in g["versions"]] for g in api.call("GET", "/apis").json["groups"]}


def test_versions_come_in_discoverys_order(everything):
    found = versions(everything)
    assert found["resource.k8s.io"] == ["v1", "v1beta2", "v1beta1", "v1alpha3"]
    assert found["admissionregistration.k8s.io"] == ["v1", "v1beta1", "v1alpha1"]
    assert found["certificates.k8s.io"] == ["v1", "v1beta1", "v1alpha1"]
    assert list(found)[-2:] == ["internal.apiserver.k8s.io", "storagemigration.k8s.io"]


def test_what_is_turned_off_is_nowhere(part):
    found = versions(part)
    assert "apps" not in found and "policy" not in found and found["autoscaling"] == ["v1"]
    assert found["storage.k8s.io"] == ["v1", "v1beta1"]
    names = [r["name"] for r in part.call("GET", "/apis/batch/v1").json["resources"]]
    assert names == ["jobs", "jobs/status"]
    assert part.call("GET", "/apis/apps/v1/deployments").status == 404
    assert part.call("GET", "/apis/batch/v1/cronjobs").status == 404
    assert part.call("GET", "/apis/batch/v1/jobs").status == 200
    assert part.call("GET", "/apis/autoscaling/v1/horizontalpodautoscalers").status == 200
    assert part.call("GET", "/apis/apiregistration.k8s.io/v1/apiservices/v1.apps").status == 404
    paths = part.call("GET", "/openapi/v3").json["paths"]
    assert "apis/apps/v1" not in paths and "apis/storage.k8s.io/v1beta1" in paths
    batch = part.call("GET", paths["apis/batch/v1"]["serverRelativeURL"]).json
    assert "io.k8s.api.batch.v1.CronJob" not in batch["components"]["schemas"]
    swagger = part.call("GET", "/openapi/v2").json
    assert not [p for p in swagger["paths"] if "cronjobs" in p or p.startswith("/apis/apps")]


def test_fields_of_closed_gates_are_dropped(part):
    sources = [{"clusterTrustBundle": {"name": "b", "path": "p"}},
               {"podCertificate": {"signerName": "a.b/c", "keyType": "ED25519", "credentialBundlePath": "q"}}]
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "gated"},
            "spec": {"containers": [{"name": "c", "image": "i"}], "schedulingGroup": {"podGroupName": "g"},
                     "volumes": [{"name": "v", "projected": {"sources": sources}}]}}
    made = part.call("POST", "/api/v1/namespaces/default/pods", body=json.dumps(body),
                     headers={"Content-Type": "application/json"})
    assert made.status == 201 and "schedulingGroup" not in made.json["spec"]
    assert made.json["spec"]["volumes"][0]["projected"]["sources"] == [{}, {}]
    assert '299 - "volume \\"v\\" (Projected) has no sources provided"' in made.headers.get_all("Warning")


def test_a_watch_shows_its_own_version(everything):
    base = "/apis/resource.k8s.io/%s/namespaces/default/resourceclaims"
    body = {"apiVersion": "resource.k8s.io/v1beta1", "kind": "ResourceClaim", "metadata": {"name": "watched"},
            "spec": {"devices": {"requests": [{"name": "r", "deviceClassName": "c"}]}}}
    version = everything.call("GET", base % "v1").version
    made = everything.call("POST", base % "v1beta1", body=json.dumps(body), headers={"Content-Type": "application/json"})
    assert made.status == 201
    seen = {}
    for name in ("v1", "v1beta1", "v1beta2"):
        answer = everything.call("GET", f"{base % name}?watch=1&resourceVersion={version}&timeoutSeconds=1")
        kind, seen[name] = (lambda e: (e["type"], e["object"]))(json.loads(answer.bytes.splitlines()[0]))
        assert kind == "ADDED" and seen[name]["apiVersion"] == "resource.k8s.io/" + name
    assert seen["v1beta1"]["spec"]["devices"]["requests"][0]["deviceClassName"] == "c"
    assert seen["v1"]["spec"] == seen["v1beta2"]["spec"]
    assert seen["v1"]["spec"]["devices"]["requests"][0]["exactly"]["deviceClassName"] == "c"


@pytest.mark.parametrize("value, words", [
    ("foo.k8s.io/v1=true,bar/v2=false", "unknown api groups bar/v2,foo.k8s.io/v1"),
    ("apps/v2=true", "group version apps/v2 that has not been registered"),
    ("apps=true", "runtime-config invalid key apps"),
    ("api/all=false", "invalid runtime-config with only api/all=false"),
    ("api/ga=x", "invalid value api/ga=x"),
    ("apps/v1=banana", 'invalid value of apps/v1: banana, err: strconv.ParseBool: parsing "banana": invalid syntax'),
])
def test_mistakes_end_the_start(value, words):
    command = [conftest.binary(), "serve", "--bind-address=127.0.0.1", "--secure-port=0", "--runtime-config=" + value]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and words in done.stderr
