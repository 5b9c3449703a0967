"""Objects in etcd that can't be read, as their encryption key is gone: what gets, lists, writes and deletions say, and their
deletion unread. The answers are kube-apiserver v1.36.3's on the same bytes."""

import base64

import pytest

from client import Api
from conftest import start, stop, wait_ready
from etcd import Etcd

CONFIG = """apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [configmaps]
  providers:
  - aesgcm: {keys: [{name: k9, secret: MTEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=}]}
  - identity: {}
"""
MAPS = "/api/v1/namespaces/default/configmaps"
KEY = "/registry/configmaps/default/"
OPTION = "ignoreStoreReadErrorWithClusterBreakingPotential"
WHY = "no matching prefix found"
UNTRANSFORMED = f"data from the storage is not transformable revision=0: {WHY}"
ONLY_CORRUPT = "is exclusively used to delete corrupt object(s), try again by removing this option"


def corrupt(key):
    return f"StorageError: corrupt object, Code: 7, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: {UNTRANSFORMED}"


@pytest.fixture(scope="module")
def etcd():
    etcd = Etcd()
    yield etcd.wait()
    etcd.close()


def serve(etcd, directory, *flags):
    (directory / "encryption.yaml").write_text(CONFIG)
    for name in "ab":
        value = base64.b64encode(b"k8s:enc:aescbc:v1:k1:0123456789abcdef0123456789abcdef").decode()
        etcd.post("kv/put", {"key": base64.b64encode((KEY + name).encode()).decode(), "value": value})
    server = start(directory, "--etcd-servers", etcd.url, f"--encryption-provider-config={directory}/encryption.yaml", *flags)
    return wait_ready(server)


@pytest.fixture(scope="module")
def plain(etcd, tmp_path_factory):
    server = serve(etcd, tmp_path_factory.mktemp("plain"))
    yield Api(server)
    stop(server)


@pytest.fixture
def gated(etcd, tmp_path):
    server = serve(etcd, tmp_path, "--feature-gates=AllowUnsafeMalformedObjectDeletion=true")
    yield Api(server)
    stop(server)


def refused(answer, text, code=500):
    status = answer.json
    assert (answer.status, status["message"]) == (code, text if code != 500 else f"Internal error occurred: {text}")
    if code == 500:
        assert (status["reason"], status["details"]) == ("InternalError", {"causes": [{"message": text}]})


def test_one_object(plain):
    refused(plain.get(f"{MAPS}/a"), WHY)
    refused(plain.get(f"{MAPS}/a", resourceVersion="0"), WHY)
    refused(plain.call("PUT", f"{MAPS}/a", {"metadata": {"name": "a"}, "data": {"k": "v"}}), WHY)
    refused(plain.call("DELETE", f"{MAPS}/a"), WHY)
    assert plain.call("POST", MAPS, {"metadata": {"name": "a"}}).json["reason"] == "AlreadyExists"


def test_lists(plain):
    """A list that the real server asks its watch cache for waits for a cache that never comes."""
    text = f'unable to transform key "{KEY}a": {WHY}'
    for params in ({"limit": 1}, {"limit": 500}):
        refused(plain.get(MAPS, **params), text)
    refused(plain.call("DELETE", MAPS), text)
    for params in ({}, {"resourceVersion": "0"}):
        answer = plain.get(MAPS, **params)
        refused(answer, f"storage is (re)initializing: failed to list *core.ConfigMap: {text}", 429)
        assert (answer.json["reason"], answer.headers["Retry-After"]) == ("TooManyRequests", "1")
    assert plain.get("/api/v1/namespaces/default/secrets").status == 200


def test_the_option_is_nothing_without_its_gate(plain):
    refused(plain.call("DELETE", f"{MAPS}/a?{OPTION}=true&dryRun=All"), WHY)


def test_words_of_the_gate(gated):
    refused(gated.get(f"{MAPS}/a"), corrupt("/configmaps/default/a"))
    refused(gated.call("PUT", f"{MAPS}/a", {"metadata": {"name": "a"}, "data": {"k": "v"}}), UNTRANSFORMED)
    answer = gated.get(MAPS, limit=1)
    causes = [{"reason": "UnexpectedServerResponse", "message": corrupt(KEY + n), "field": KEY + n} for n in "ab"]
    assert (answer.status, answer.json) == (500, {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "StorageReadError", "code": 500,
        "message": "failed to read one or more configmaps from the storage",
        "details": {"name": "list", "kind": "configmaps", "causes": causes}})


@pytest.mark.parametrize("params, body, field", [
    ("&dryRun=All", None, "dryRun"), ("&gracePeriodSeconds=0", None, "gracePeriodSeconds"),
    ("&propagationPolicy=Orphan", None, "propagationPolicy"),
    ("", {"preconditions": {"uid": "x"}, OPTION: True}, "preconditions"),
    ("", {"orphanDependents": False, OPTION: True}, "orphanDependents")])
def test_options_that_do_not_go_with_it(gated, params, body, field):
    answer = gated.call("DELETE", f"{MAPS}/a?{OPTION}=true{params}", body)
    text = f'DeleteOptions.meta.k8s.io "" is invalid: {OPTION}: Invalid value: true: cannot be set together with .{field}'
    refused(answer, text, 422)


def test_deletion_unread(gated):
    refused(gated.call("DELETE", f"{MAPS}/a"), corrupt("/configmaps/default/a"))
    refused(gated.call("DELETE", f"{MAPS}?{OPTION}=true"), f'DeleteOptions.meta.k8s.io "" is invalid: {OPTION}: Invalid value: '
            "true: is not allowed with DELETECOLLECTION, try again after removing the option", 422)
    gated.post(MAPS, {"metadata": {"name": "fine"}})
    for name in ("missing", "fine"):
        answer = gated.call("DELETE", f"{MAPS}/{name}?{OPTION}=true")
        refused(answer, f'configmaps "{name}" is invalid: {OPTION}: Invalid value: true: {ONLY_CORRUPT}', 422)
    assert gated.call("DELETE", f"{MAPS}/fine").status == 200
    for name in "ab":
        answer = gated.call("DELETE", f"{MAPS}/{name}?{OPTION}=true")
        assert (answer.status, answer.json) == (200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                                                      "details": {"name": name, "kind": "ConfigMap"}, "code": 200})
    assert gated.get(f"{MAPS}/a").status == 404
    assert gated.get(MAPS).status == 200
