"""/statusz in its three forms, as a kube-apiserver v1.36.3 gives them (the text between a name and its value is
drawn by lot there), and paths that only look like those of resources."""

import json
import re

import pytest

import conftest
from client import Api

OBJECT = "application/{};as=Statusz;v={};g=config.k8s.io"
REFUSED = "only the following media types are accepted: application/json, application/yaml, text/plain"


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    server = conftest.start(tmp_path_factory.mktemp("statusz"))
    conftest.wait_ready(server)
    yield Api(server)
    conftest.stop(server)


def ask(api, accept, **headers):
    return api.get("/statusz", {"Accept": accept, **headers})


@pytest.mark.parametrize("accept", ["", "*/*", "text/plain", "text/plain;q=0.5,application/json",
                                    "application/json;as=Table;v=v1;g=meta.k8s.io, */*"])
def test_text(api, accept):
    answer = ask(api, accept)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    names = re.findall(r"^([A-Z][a-z]+(?: version)?): ", answer.bytes.decode(), re.M)
    assert names == ["Warning", "Started", "Up", "Go version", "Binary version", "Emulation version", "Paths"]


@pytest.mark.parametrize("version", ["v1beta1", "v1alpha1"])
def test_object(api, version):
    answer = ask(api, OBJECT.format("json", version))
    assert answer.headers["Content-Type"] == f"application/json;g=config.k8s.io;v={version};as=Statusz"
    assert list(answer.json) == ["kind", "apiVersion", "metadata", "startTime", "uptimeSeconds", "goVersion",
                                 "binaryVersion", "emulationVersion", "paths"]
    assert answer.bytes == json.dumps(answer.json, separators=(",", ":")).encode() + b"\n"
    assert ("Warning" in answer.headers) == (version == "v1alpha1")
    person = ask(api, OBJECT.format("json", version), **{"User-Agent": "curl/8"})
    assert person.bytes.startswith(b'{\n  "kind": "Statusz",\n')
    yaml = ask(api, OBJECT.format("yaml", version))
    assert yaml.headers["Content-Type"] == f"application/yaml;g=config.k8s.io;v={version};as=Statusz"
    assert yaml.bytes.startswith(f"apiVersion: config.k8s.io/{version}\nbinaryVersion: 1.36.3\n".encode())


@pytest.mark.parametrize("accept", ["application/json", "application/*", "text/html", "foo", OBJECT.format("json", "v2"),
                                    "application/json;as=Statusz;g=config.k8s.io", "text/plain;as=Statusz;v=v1beta1"])
def test_refused(api, accept):
    answer = ask(api, accept)
    assert (answer.status, answer.json["reason"], answer.json["message"]) == (406, "NotAcceptable", REFUSED)


@pytest.mark.parametrize("path", ["//api/v1/pods", "///apis/apps/v1/deployments", "/apis//v1/pods", "//healthz"])
def test_paths_that_lead_nowhere(api, path):
    answer = api.get(path)
    assert (answer.status, answer.bytes) == (404, b"404 page not found\n")


def test_deleting_metrics(api):
    assert api.call("DELETE", "/metrics").bytes == b"metrics reset\n"
