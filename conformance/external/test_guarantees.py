"""Guarantees that no other file here is about, on both backends; and the table that says which test proves which guarantee:
each test that it names must be there."""

import pathlib
import re

import pytest

from client import Api

BACKENDS = ["memory", "etcd"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "conformance" / "guarantees.txt"
CONFLICT = "the object has been modified; please apply your changes to the latest version and try again"
MERGE = "application/merge-patch+json"


class Place:
    def __init__(self, server, namespace):
        self.api, self.maps = Api(server), f"/api/v1/namespaces/{namespace}/configmaps"
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})

    def ask(self, method, path, body=None, content="application/json"):
        answer = self.api.call(method, path, body, {"Content-Type": content})
        return answer.status, answer.json

    def make(self, name, **data):
        status, made = self.ask("POST", self.maps, {"metadata": {"name": name}, "data": data})
        assert status == 201, made
        return made


@pytest.fixture(scope="module")
def place(apisim):
    p = Place(apisim, "guarantees")
    yield p
    p.ask("DELETE", "/api/v1/namespaces/guarantees")


def version(obj):
    return obj["metadata"]["resourceVersion"]


def test_versions_are_numbers_that_rise(place):
    """G4, and G1's one order: a write's version is above all before it; another resource's writes come in between."""
    seen = []
    for i in range(5):
        made = place.make(f"rise-{i}")
        seen += [version(made), version(place.ask("PATCH", f"{place.maps}/rise-{i}", {"data": {"k": "v"}}, MERGE)[1])]
        seen.append(version(place.ask("GET", place.maps)[1]))
    assert all(re.fullmatch("[1-9][0-9]*", v) for v in seen)
    numbers = [int(v) for v in seen]
    assert numbers == sorted(numbers)
    assert all(a < b for a, b in zip(numbers[::3], numbers[1::3]))


def test_a_put_with_an_old_version_conflicts(place):
    """G11."""
    made = place.make("put", n="0")
    path = place.maps + "/put"
    status, newer = place.ask("PUT", path, {**made, "data": {"n": "1"}})
    assert status == 200 and int(version(newer)) > int(version(made))
    status, refused = place.ask("PUT", path, {**made, "data": {"n": "2"}})
    assert (status, refused["reason"], refused["code"]) == (409, "Conflict", 409)
    assert refused["message"] == f'Operation cannot be fulfilled on configmaps "put": {CONFLICT}'
    status, refused = place.ask("PATCH", path, {"metadata": {"resourceVersion": version(made)}, "data": {"n": "2"}}, MERGE)
    assert (status, refused["reason"]) == (409, "Conflict")
    assert place.ask("GET", path)[1] == newer
    unconditional = {**made, "metadata": {"name": "put"}, "data": {"n": "3"}}
    assert place.ask("PUT", path, unconditional)[0] == 200  # its strategy allows that


def test_a_put_without_a_version_is_refused_where_it_must_not_be(place):
    """G11: a resource without unconditional updates."""
    path = "/apis/coordination.k8s.io/v1/namespaces/guarantees/leases"
    status, made = place.ask("POST", path, {"metadata": {"name": "l"}, "spec": {"holderIdentity": "a"}})
    assert status == 201
    status, refused = place.ask("PUT", path + "/l", {"metadata": {"name": "l"}, "spec": {"holderIdentity": "b"}})
    assert (status, refused["reason"]) == (422, "Invalid")
    assert "metadata.resourceVersion: Invalid value" in refused["message"] and "must be specified for an update" in refused["message"]
    assert place.ask("GET", path + "/l")[1] == made


def test_what_changes_nothing_is_no_write(place):
    """G11: the version stays, and no watcher hears of it."""
    made = place.make("same", a="1")
    path = place.maps + "/same"
    for answer in (place.ask("PUT", path, made), place.ask("PATCH", path, {"data": {"a": "1"}}, MERGE),
                   place.ask("PATCH", path, [{"op": "test", "path": "/data/a", "value": "1"}], "application/json-patch+json")):
        assert answer == (200, made)
    assert version(place.ask("GET", path)[1]) == version(made)


def test_a_deletion_with_preconditions(place):
    """G11: uid and version; the object stays."""
    made = place.make("pre")
    path = place.maps + "/pre"
    place.ask("PATCH", path, {"data": {"a": "1"}}, MERGE)
    for precondition in ({"uid": "11111111-1111-1111-1111-111111111111"}, {"resourceVersion": version(made)}):
        status, refused = place.ask("DELETE", path, {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": precondition})
        assert (status, refused["reason"]) == (409, "Conflict"), precondition
        assert "Precondition failed" in refused["message"] or "precondition" in refused["message"].lower()
    status, now = place.ask("GET", path)
    assert status == 200
    assert place.ask("DELETE", path, {"preconditions": {"uid": made["metadata"]["uid"], "resourceVersion": version(now)}})[0] == 200
    assert place.ask("GET", path)[0] == 404


def test_what_was_written_is_read_in_every_way(place):
    """G5, G6: a get, a list, a page and a watch without a version see the write that was answered before."""
    for i in range(5):
        made = place.make(f"read-{i}")
        assert place.ask("GET", f"{place.maps}/read-{i}") == (200, made)
        for query in ("", "?limit=500", "?resourceVersion=" + version(made)):
            listed = place.ask("GET", place.maps + query)[1]
            assert int(version(listed)) >= int(version(made))
            assert f"read-{i}" in [o["metadata"]["name"] for o in listed["items"]]


# ---- the table

KINDS = ("contract", "unit", "pytest", "simulator", "script", "none")


def rows():
    for line in TABLE.read_text().split("\n"):
        if line and not line.startswith("#"):
            guarantee, backend, kind, *rest = line.split(maxsplit=3)
            yield guarantee, backend, kind, (rest or [""])[0]


def is_there(kind, name):
    if kind == "contract":
        return any(f"CASE({name})" in p.read_text() for p in (ROOT / "apiserver/store").glob("contract_*.c"))
    if kind == "unit":
        path, test = name.split("::")
        return re.search(rf"cmocka_unit_test\({test}\)", (ROOT / path).read_text())
    if kind == "pytest":
        path, test = name.split("::")
        return re.search(rf"^def {test}\(", (ROOT / path).read_text(), re.M)
    if kind == "simulator":
        return f"X({name}," in (ROOT / "sim/check/check.h").read_text()
    if kind == "none":
        return name  # the reason
    return (ROOT / name.split()[0]).exists()


def test_the_table_names_tests_that_are_there():
    for guarantee, backend, kind, name in rows():
        assert kind in KINDS and backend in ("memory", "etcd", "both"), (guarantee, backend, kind)
        assert is_there(kind, name), f"{guarantee}: no {kind} test {name}"
        if backend == "both" and kind == "pytest":
            assert re.search(r'^BACKENDS = \["memory", "etcd"\]|params=\["memory", "etcd"\]', (ROOT / name.split("::")[0]).read_text(), re.M), f"{guarantee}: {name} is not run on both"


def test_every_guarantee_is_proven_on_both():
    proven = {(guarantee, b) for guarantee, backend, _, _ in rows() for b in (BACKENDS if backend == "both" else [backend])}
    assert proven == {(f"G{n}", b) for n in range(1, 19) for b in BACKENDS}
