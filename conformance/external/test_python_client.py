"""The official Python client: typed calls of every kind, patches, apply, watches, paging, errors."""

import contextlib
import json
import pathlib
import re
import subprocess
import threading
import time

import conftest
import pytest

kubernetes = pytest.importorskip("kubernetes")
from kubernetes import client, config, dynamic, watch  # noqa: E402
from kubernetes.client.exceptions import ApiException  # noqa: E402

BACKENDS = ["memory", "etcd"]

SAMPLES = pathlib.Path(__file__).parents[2] / "apiserver" / "version" / "testdata" / "defaults"


def api_client(server, token=None):
    c = client.Configuration()
    c.host = server.url
    c.verify_ssl = False
    c.api_key = {"authorization": "Bearer " + (token or server.token)}
    return client.ApiClient(c)


@pytest.fixture(scope="module")
def api(apisim):
    with api_client(apisim) as a:
        yield a


@pytest.fixture(scope="module")
def core(api):
    return client.CoreV1Api(api)


@pytest.fixture(scope="module")
def space(core):
    name = "python"
    with contextlib.suppress(ApiException):
        core.create_namespace({"metadata": {"name": name}})
    yield name
    core.delete_namespace(name)


def snake(text):
    text = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", text)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text).lower()


def samples():
    """One object a kind, as people write them."""
    seen = {}
    for path in sorted(SAMPLES.glob("*.json")):
        obj = json.loads(path.read_text())["in"]
        key = obj["apiVersion"] + "/" + obj["kind"]
        seen.setdefault(key, obj)
    drivers = [{"name": "a.b", "nodeID": "n"}]  # the client refuses none
    seen["storage.k8s.io/v1/CSINode"]["spec"] = {"drivers": drivers}
    seen["v1/Event"]["involvedObject"]["namespace"] = "python"
    seen["apps/v1/ControllerRevision"]["data"] = {}  # other data is compared with its spaces
    return seen


KINDS = samples()


def typed_api(api, obj):
    group, _, version = obj["apiVersion"].rpartition("/")
    words = group.removesuffix(".k8s.io").split(".") if group else ["core"]
    name = "".join(w[0].upper() + w[1:] for w in words)
    name = {"Flowcontrol.apiserver": "FlowcontrolApiserver"}.get(name, name)
    known = getattr(client, f"{name}{version[0].upper()}{version[1:]}Api", None)
    return known(api) if known else None


def error_of(call, *args, **kwargs):
    with pytest.raises(ApiException) as caught:
        call(*args, **kwargs)
    body = json.loads(caught.value.body)
    assert body["kind"] == "Status" and body["code"] == caught.value.status
    return body


def wait_gone(read, name):
    for _ in range(600):
        try:
            read(name)
        except ApiException as error:
            assert error.status == 404
            return
        time.sleep(0.05)
    raise AssertionError(f"{name} is still there")


@pytest.mark.parametrize("key", sorted(KINDS))
def test_typed_calls_of_every_kind(api, space, key):
    obj = json.loads(json.dumps(KINDS[key]))
    typed, kind = typed_api(api, obj), snake(obj["kind"])
    if not hasattr(typed, f"delete_{kind}") and not hasattr(typed, f"delete_namespaced_{kind}"):
        pytest.skip("not known to this client")
    namespaced = hasattr(typed, f"create_namespaced_{kind}")
    where = [space] if namespaced else []
    part = "namespaced_" if namespaced else ""
    meta = obj.setdefault("metadata", {})
    meta.pop("namespace", None)
    meta.setdefault("name", "py-" + kind.replace("_", "-"))
    meta["labels"] = {"suite": "python"}

    def call(verb):
        return getattr(typed, f"{verb}_{part}{kind}")

    made = call("create")(*where, obj)
    name = made.metadata.name
    try:
        assert made.metadata.uid and made.metadata.resource_version
        read = call("read")(name, *where)
        assert read.metadata.uid == made.metadata.uid
        listed = call("list")(*where, label_selector="suite=python")
        assert name in [i.metadata.name for i in listed.items]
        changed = call("patch")(name, *where, {"metadata": {"labels": {"more": "1"}}})
        assert changed.metadata.labels["more"] == "1"
        stream = watch.Watch().stream(call("list"), *where, label_selector="suite=python",
                                      timeout_seconds=2)
        first = next(e for e in stream if e["object"].metadata.name == name)
        assert first["type"] == "ADDED" and first["object"].metadata.uid == made.metadata.uid
        assert error_of(call("create"), *where, obj)["reason"] == "AlreadyExists"
    finally:
        call("delete")(name, *where, body={"gracePeriodSeconds": 0})
        if kind == "custom_resource_definition":  # with its APIService it goes some time later
            wait_gone(call("read"), name)


def test_four_patches(core, api, space):
    core.create_namespaced_config_map(space, {"metadata": {"name": "p"}, "data": {"a": "1"}})

    def send(body, content_type):
        return api.call_api(
            "/api/v1/namespaces/{ns}/configmaps/p", "PATCH", {"ns": space},
            [("fieldManager", "m"), ("force", "true")] if "apply" in content_type else [],
            {"Content-Type": content_type, "Accept": "application/json"}, body=body,
            auth_settings=["BearerToken"], response_type="V1ConfigMap")[0].data

    assert send({"data": {"b": "2"}}, "application/strategic-merge-patch+json")["b"] == "2"
    assert "a" not in send({"data": {"a": None}}, "application/merge-patch+json")
    ops = [{"op": "add", "path": "/data/c", "value": "3"}]
    assert send(ops, "application/json-patch+json") == {"b": "2", "c": "3"}
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "p"}, "data": {"d": "4"}}
    assert send(applied, "application/apply-patch+yaml") == {"b": "2", "c": "3", "d": "4"}
    core.delete_namespaced_config_map("p", space)


def test_errors_have_bodies(core, space):
    missing = error_of(core.read_namespaced_pod, "none", space)
    assert missing["message"] == 'pods "none" not found' and missing["reason"] == "NotFound"
    invalid = error_of(core.create_namespaced_service, space, {"metadata": {"name": "Bad_"}})
    assert invalid["reason"] == "Invalid" and invalid["details"]["causes"]
    made = core.create_namespaced_config_map(space, {"metadata": {"name": "v"}})
    core.patch_namespaced_config_map("v", space, {"data": {"x": "y"}})
    assert error_of(core.replace_namespaced_config_map, "v", space, made)["reason"] == "Conflict"
    core.delete_namespaced_config_map("v", space)


def test_a_user_without_rights(apisim, space):
    with api_client(apisim, "alicetoken") as a:
        body = error_of(client.CoreV1Api(a).list_namespaced_pod, space)
    assert body["message"] == (f'pods is forbidden: User "alice" cannot list resource "pods" in API '
                               f'group "" in the namespace "{space}"')
    with api_client(apisim, "nobody") as a:
        assert error_of(client.CoreV1Api(a).list_node)["reason"] == "Unauthorized"


def test_pages(core, space):
    for i in range(7):
        core.create_namespaced_config_map(
            space, {"metadata": {"name": f"page-{i}", "labels": {"page": "1"}}})
    names, token = [], None
    while token != "":
        page = core.list_namespaced_config_map(space, limit=3, _continue=token,
                                               label_selector="page")
        names += [i.metadata.name for i in page.items]
        token = page.metadata._continue or ""
    assert names == [f"page-{i}" for i in range(7)]
    core.delete_collection_namespaced_config_map(space, label_selector="page")
    assert not core.list_namespaced_config_map(space, label_selector="page").items


def test_watch_and_resume(core, space):
    version = core.list_namespaced_secret(space).metadata.resource_version

    def write():
        time.sleep(0.2)
        core.create_namespaced_secret(space, {"metadata": {"name": "w"}, "stringData": {"a": "b"}})
        core.patch_namespaced_secret("w", space, {"metadata": {"labels": {"x": "y"}}})
        core.delete_namespaced_secret("w", space)

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    w = watch.Watch()
    for event in w.stream(core.list_namespaced_secret, space, resource_version=version,
                          timeout_seconds=10):
        seen.append((event["type"], event["object"].metadata.resource_version))
        if len(seen) == 3:
            w.stop()
    writer.join()
    assert [t for t, _ in seen] == ["ADDED", "MODIFIED", "DELETED"]
    again = watch.Watch().stream(core.list_namespaced_secret, space, resource_version=seen[0][1],
                                 timeout_seconds=1)
    assert [e["type"] for e in again] == ["MODIFIED", "DELETED"]


def test_dynamic_client_applies(api, space):
    found = dynamic.DynamicClient(api)
    deployments = found.resources.get(api_version="apps/v1", kind="Deployment")
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"a": "b"}},
                     "template": {"metadata": {"labels": {"a": "b"}},
                                  "spec": {"containers": [{"name": "c", "image": "i"}]}}}}
    made = deployments.server_side_apply(body=body, name="d", namespace=space, field_manager="one")
    assert made.spec.replicas == 2 and made.metadata.managedFields[0].operation == "Apply"
    body["spec"]["replicas"] = 3
    with pytest.raises(dynamic.exceptions.ConflictError) as caught:
        deployments.server_side_apply(body=body, name="d", namespace=space, field_manager="two")
    assert 'conflict with "one": .spec.replicas' in caught.value.summary()
    forced = deployments.server_side_apply(body=body, name="d", namespace=space,
                                           field_manager="two", force_conflicts=True)
    assert forced.spec.replicas == 3
    assert deployments.scale.get(name="d", namespace=space).spec.replicas == 3
    scaled = deployments.scale.patch(name="d", namespace=space, body={"spec": {"replicas": 5}},
                                     content_type="application/merge-patch+json")
    assert scaled.spec.replicas == 5
    deployments.delete(name="d", namespace=space)


@pytest.fixture
def issuer(apisim, tmp_path):
    """A server that can sign tokens."""
    if not apisim.process:
        yield apisim
        return
    key, public = tmp_path / "sa.key", tmp_path / "sa.pub"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True,
                   capture_output=True)
    server = conftest.start(tmp_path, f"--service-account-signing-key-file={key}",
                            f"--service-account-key-file={public}",
                            "--service-account-issuer=https://kubernetes.default.svc")
    yield server
    conftest.stop(server)


def test_service_account_tokens(issuer):
    with api_client(issuer) as a:
        core = client.CoreV1Api(a)
        core.create_namespaced_service_account("default", {"metadata": {"name": "robot"}})
        request = core.create_namespaced_service_account_token("robot", "default", {"spec": {}})
    with api_client(issuer, request.status.token) as a:
        me = client.AuthenticationV1Api(a).create_self_subject_review({}).status.user_info
    assert me.username == "system:serviceaccount:default:robot"


def test_the_kubeconfig(apisim):
    if not apisim.kubeconfig:
        pytest.skip("a server that was not started here")
    with config.new_client_from_config(apisim.kubeconfig) as a:
        assert client.VersionApi(a).get_code().git_version.startswith("v1.36")
        assert client.CoreV1Api(a).list_namespace().items
