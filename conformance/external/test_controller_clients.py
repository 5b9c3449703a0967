"""What kube-controller-manager asks of a server, without its binary: metadata-only protobuf lists
and watches (garbage collector, namespace controller), and tokens that live in Secrets."""

import base64
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
import uuid

import pytest

import conftest

BACKENDS = ["memory", "etcd"]

PROTOBUF = "application/vnd.kubernetes.protobuf;as={};g=meta.k8s.io;v=v1"


def call(server, method, path, body=None, token=None, accept="application/json", kind="application/json"):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token or server.token}", "Accept": accept, "Content-Type": kind}
    request = urllib.request.Request(server.url + path, data, headers, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=40, context=conftest.ssl._create_unverified_context())
    except urllib.error.HTTPError as e:
        answer = e
    with answer:
        return answer.status, answer.headers, answer.read()


def fields(data):
    """The fields of one protobuf message: {number: [bytes or int]}."""
    out, i = {}, 0

    def varint():
        nonlocal i
        n = shift = 0
        while True:
            byte = data[i]
            i += 1
            n |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return n

    while i < len(data):
        tag = varint()
        assert tag & 7 in (0, 2), tag
        value = varint()
        if tag & 7 == 2:
            value, i = data[i:i + value], i + value
        out.setdefault(tag >> 3, []).append(value)
    return out


def envelope(data):
    """(apiVersion, kind, the message) of bytes behind the magic number."""
    assert data[:4] == b"k8s\0"
    unknown = fields(data[4:])
    kind = fields(unknown[1][0])
    return kind[1][0].decode(), kind[2][0].decode(), unknown.get(2, [b""])[0]


@pytest.fixture
def namespace(apisim):
    name = "cc-" + uuid.uuid4().hex[:8]
    assert call(apisim, "POST", "/api/v1/namespaces", {"metadata": {"name": name}})[0] == 201
    yield name
    call(apisim, "DELETE", f"/api/v1/namespaces/{name}")


def config_map(server, namespace, name, **meta):
    body = {"metadata": {"name": name, **meta}, "data": {"secret": "payload"}}
    status, _, answer = call(server, "POST", f"/api/v1/namespaces/{namespace}/configmaps", body)
    assert status == 201
    return json.loads(answer)


def test_metadata_list_in_protobuf(apisim, namespace):
    made = config_map(apisim, namespace, "a", labels={"k": "v"})
    accept = PROTOBUF.format("PartialObjectMetadataList")
    status, headers, data = call(apisim, "GET", f"/api/v1/namespaces/{namespace}/configmaps?labelSelector=k", accept=accept)
    assert (status, headers["Content-Type"]) == (200, "application/vnd.kubernetes.protobuf")
    version, kind, raw = envelope(data)
    assert (version, kind) == ("meta.k8s.io/v1", "PartialObjectMetadataList")
    items = fields(raw)[2]
    assert len(items) == 1
    meta = fields(fields(items[0])[1][0])
    assert (meta[1], meta[3], meta[5]) == ([b"a"], [namespace.encode()], [made["metadata"]["uid"].encode()])
    assert b"payload" not in data


def test_metadata_watch_in_protobuf(apisim, namespace):
    config_map(apisim, namespace, "a")
    path = (f"/api/v1/namespaces/{namespace}/configmaps?watch=true&sendInitialEvents=true&fieldSelector=metadata.name%3Da"
            "&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=2")
    accept = PROTOBUF.format("PartialObjectMetadata") + ",application/json"
    status, headers, data = call(apisim, "GET", path, accept=accept)
    assert status == 200
    assert headers["Content-Type"] == "application/vnd.kubernetes.protobuf;stream=watch"
    events = []
    while data:
        size = int.from_bytes(data[:4], "big")
        event = fields(data[4:4 + size])
        data = data[4 + size:]
        raw = fields(event[2][0])[1][0]
        events.append((event[1][0].decode(), *envelope(raw)))
    assert [e[:3] for e in events[:2]] == [("ADDED", "meta.k8s.io/v1", "PartialObjectMetadata"),
                                           ("BOOKMARK", "meta.k8s.io/v1", "PartialObjectMetadata")]
    assert fields(fields(events[0][3])[1][0])[1] == [b"a"]
    assert b"k8s.io/initial-events-end" in events[1][3]


def test_metadata_patch_in_protobuf(apisim, namespace):
    """How the garbage collector removes an owner."""
    made = config_map(apisim, namespace, "a", finalizers=["example.com/x"])
    status, headers, data = call(apisim, "PATCH", f"/api/v1/namespaces/{namespace}/configmaps/a",
                                 {"metadata": {"uid": made["metadata"]["uid"], "finalizers": None}},
                                 accept=PROTOBUF.format("PartialObjectMetadata"), kind="application/merge-patch+json")
    assert status == 200
    version, kind, raw = envelope(data)
    assert (version, kind) == ("meta.k8s.io/v1", "PartialObjectMetadata")
    assert 14 not in fields(fields(raw)[1][0])
    wrong = str(uuid.UUID(int=1))
    status, _, data = call(apisim, "PATCH", f"/api/v1/namespaces/{namespace}/configmaps/a",
                           {"metadata": {"uid": wrong, "labels": {"a": "b"}}}, kind="application/merge-patch+json")
    assert status == 422 and "metadata.uid" in data.decode()


# Tokens in Secrets. The token controller signs them with the server's own key.


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """A server and the private key whose tokens it believes."""
    if os.environ.get("APISIM_URL"):
        if not os.environ.get("APISIM_SA_KEY"):
            pytest.skip("needs $APISIM_SA_KEY, the private key of the server's service account tokens")
        yield conftest.Server(os.environ["APISIM_URL"], None, os.environ.get("APISIM_TOKEN", "admintoken"), None, None,
                              None), os.environ["APISIM_SA_KEY"]
        return
    folder = tmp_path_factory.mktemp("signed")
    key, public = folder / "sa.key", folder / "sa.pub"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    server = conftest.start(folder, f"--service-account-key-file={public}", f"--service-account-signing-key-file={key}",
                            "--service-account-issuer=https://kubernetes.default.svc")
    yield server, str(key)
    conftest.stop(server)


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(key, claims):
    text = url64(b'{"alg":"RS256"}') + "." + url64(json.dumps(claims).encode())
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text.encode(), check=True,
                               capture_output=True).stdout
    return text + "." + url64(signature)


class Account:
    """A ServiceAccount with a token Secret, as the token controller would fill it in."""

    def __init__(self, server, key, name):
        self.server, self.namespace = server, name
        assert call(server, "POST", "/api/v1/namespaces", {"metadata": {"name": name}})[0] == 201
        self.path = f"/api/v1/namespaces/{name}"
        status, _, data = call(server, "POST", self.path + "/serviceaccounts", {"metadata": {"name": "robot"}})
        assert status == 201
        self.uid = json.loads(data)["metadata"]["uid"]
        prefix = "kubernetes.io/serviceaccount/"
        self.claims = {"iss": "kubernetes/serviceaccount", "sub": f"system:serviceaccount:{name}:robot",
                       prefix + "namespace": name, prefix + "secret.name": "robot",
                       prefix + "service-account.name": "robot", prefix + "service-account.uid": self.uid}
        self.token = sign(key, self.claims)
        notes = {"kubernetes.io/service-account.name": "robot", "kubernetes.io/service-account.uid": self.uid}
        status, _, data = call(server, "POST", self.path + "/secrets", {
            "metadata": {"name": "robot", "annotations": notes}, "type": "kubernetes.io/service-account-token",
            "data": {"token": base64.b64encode(self.token.encode()).decode()}})
        assert status == 201, data

    def review(self, token=None):
        status, _, data = call(self.server, "POST", "/apis/authentication.k8s.io/v1/tokenreviews",
                               {"spec": {"token": token or self.token}})
        assert status == 201
        return json.loads(data)["status"]

    def secret(self):
        return json.loads(call(self.server, "GET", self.path + "/secrets/robot")[2])


@pytest.fixture
def account(signed):
    a = Account(*signed, "cc-" + uuid.uuid4().hex[:8])
    yield a
    call(a.server, "DELETE", f"/api/v1/namespaces/{a.namespace}")


def test_token_of_a_secret(account):
    assert account.review() == {
        "authenticated": True, "audiences": ["https://kubernetes.default.svc"],
        "user": {"username": f"system:serviceaccount:{account.namespace}:robot", "uid": account.uid,
                 "groups": ["system:serviceaccounts", f"system:serviceaccounts:{account.namespace}", "system:authenticated"]}}
    status, headers, _ = call(account.server, "GET", "/api", token=account.token)
    assert (status, headers["Warning"]) == (200, None)
    meta = account.secret()["metadata"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", meta["labels"]["kubernetes.io/legacy-token-last-used"])
    mine = [m for m in meta["managedFields"] if m["manager"] == "kube-apiserver"]
    assert [m["operation"] for m in mine] == ["Update"]
    assert mine[0]["fieldsV1"] == {"f:metadata": {"f:labels": {".": {}, "f:kubernetes.io/legacy-token-last-used": {}}}}


def test_token_listed_in_its_account_warns(account):
    call(account.server, "PATCH", account.path + "/serviceaccounts/robot", {"secrets": [{"name": "robot"}]},
         kind="application/merge-patch+json")
    status, headers, _ = call(account.server, "GET", "/api", token=account.token)
    assert status == 200
    assert headers["Warning"] == ('299 - "Use tokens from the TokenRequest API or manually created secret-based tokens '
                                  'instead of auto-generated secret-based tokens."')


def test_token_marked_invalid(account):
    call(account.server, "PATCH", account.path + "/secrets/robot",
         {"metadata": {"labels": {"kubernetes.io/legacy-token-invalid-since": "2026-01-01"}}},
         kind="application/merge-patch+json")
    assert call(account.server, "GET", "/api", token=account.token)[0] == 401
    status = account.review()
    assert "authenticated" not in status and "has been marked invalid" in status["error"]


def test_token_of_a_deleted_secret(account):
    call(account.server, "DELETE", account.path + "/secrets/robot")
    assert "Token has been invalidated" in until_error(account)


def test_token_of_a_deleted_account(account):
    call(account.server, "DELETE", account.path + "/serviceaccounts/robot")
    assert until_error(account)


def until_error(account):
    """Real servers look at caches: a token may live for some seconds."""
    for _ in range(150):
        status = account.review()
        if not status.get("authenticated"):
            return status["error"]
        time.sleep(0.1)
    raise AssertionError("still authenticated")


def test_tokens_that_differ_from_the_secret(account, signed):
    key = signed[1]
    for change, error in (({"jti": "other bytes"}, "Token does not match server's copy"),
                          ({"sub": "system:serviceaccount:x:robot"}, "sub claim is invalid"),
                          ({"kubernetes.io/serviceaccount/secret.name": ""}, "secretName claim is missing")):
        assert error in account.review(sign(key, {**account.claims, **change}))["error"]


# What the scheduler and the endpoints controller leave to the server.


def test_binding_ends_the_nomination(apisim, namespace):
    path = f"/api/v1/namespaces/{namespace}/pods"
    call(apisim, "POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "default"}})
    assert call(apisim, "POST", path, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})[0] == 201
    earlier = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "none fits", "observedGeneration": 1,
               "lastProbeTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    assert call(apisim, "PATCH", path + "/p/status", {"status": {"nominatedNodeName": "n", "conditions": [earlier]}},
                kind="application/merge-patch+json")[0] == 200
    assert call(apisim, "POST", path + "/p/binding", {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}})[0] == 201
    status = json.loads(call(apisim, "GET", path + "/p")[2])["status"]
    assert "nominatedNodeName" not in status
    since = status["conditions"][0].pop("lastTransitionTime")
    assert since > "2026-01-01T00:00:00Z"
    assert status["conditions"] == [{"type": "PodScheduled", "status": "True", "lastProbeTime": None}]
    call(apisim, "DELETE", path + "/p?gracePeriodSeconds=0")


def test_service_takes_its_endpoints_along(apisim, namespace):
    core = f"/api/v1/namespaces/{namespace}"
    for name in ("a", "b"):
        assert call(apisim, "POST", core + "/services", {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}})[0] == 201
        assert call(apisim, "POST", core + "/endpoints", {"metadata": {"name": name}})[0] == 201
    assert call(apisim, "DELETE", core + "/services/a?dryRun=All")[0] == 200
    assert call(apisim, "GET", core + "/endpoints/a")[0] == 200
    status, _, data = call(apisim, "DELETE", core + "/services/a")
    assert (status, json.loads(data)["metadata"]["name"]) == (200, "a")
    assert call(apisim, "GET", core + "/endpoints/a")[0] == 404
    assert call(apisim, "GET", core + "/endpoints/b")[0] == 200
    assert call(apisim, "DELETE", core + "/services")[0] == 200
    assert call(apisim, "GET", core + "/endpoints/b")[0] == 404
