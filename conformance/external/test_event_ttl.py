"""Events have a time to live: they go when etcd's lease ends, which watchers see as a deletion at a revision of its own."""

import pytest

from client import Api
from conftest import start, stop, wait_ready
from etcd import Etcd

EVENTS = "/api/v1/namespaces/default/events"


@pytest.fixture(params=["memory", "etcd"])
def server(request, tmp_path):
    kept = Etcd().wait() if request.param == "etcd" else None
    s = wait_ready(start(tmp_path, "--event-ttl=2s", *(["--etcd-servers", kept.url] if kept else [])))
    yield s
    code = s.process.poll()
    stop(s)
    if kept:
        kept.close()
    assert code is None, s.log.read_text()


def event(name):
    return {"metadata": {"name": name, "namespace": "default"}, "involvedObject": {"namespace": "default"}, "reason": "R", "type": "Normal"}


def test_events_go_by_themselves(server):
    api = Api(server)
    made = [api.post(EVENTS, event(n)) for n in "ab"]
    since = made[1]["metadata"]["resourceVersion"]
    with api.watch(EVENTS, timeout=60, resourceVersion=since) as w:  # the lease ends long before
        told = w.take(2)  # two leases: etcd ends them in either order
    assert sorted((kind, e["metadata"]["uid"]) for kind, e in told) == sorted(("DELETED", m["metadata"]["uid"]) for m in made)
    versions = [int(e["metadata"]["resourceVersion"]) for _, e in told]
    assert int(since) < versions[0] <= versions[1]  # the deletion's
    listed = api.get(EVENTS)
    assert listed.status == 200 and listed.json["items"] == []
    api.post(EVENTS, event("a"))
