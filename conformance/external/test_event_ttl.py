"""Events have a time to live: they go when etcd's lease ends, which watchers see as a deletion at a revision of its own."""

import http.client
import json

import pytest

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


def ask(server, method, path, body=None):
    c = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
    c.request(method, path, json.dumps(body) if body else None, {"Authorization": "Bearer " + server.token, "Content-Type": "application/json"})
    answer = c.getresponse()
    text = json.loads(answer.read())
    c.close()
    return answer.status, text


def event(name):
    return {"metadata": {"name": name, "namespace": "default"}, "involvedObject": {"namespace": "default"}, "reason": "R", "type": "Normal"}


def test_events_go_by_themselves(server):
    made = [ask(server, "POST", EVENTS, event(n)) for n in "ab"]
    assert [status for status, _ in made] == [201, 201]
    since = made[1][1]["metadata"]["resourceVersion"]
    c = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)  # the lease ends long before
    c.request("GET", f"{EVENTS}?watch=1&resourceVersion={since}", headers={"Authorization": "Bearer " + server.token})
    stream = c.getresponse()
    told = [json.loads(stream.readline()) for _ in "ab"]  # two leases: etcd ends them in either order
    assert sorted((t["type"], t["object"]["metadata"]["uid"]) for t in told) == sorted(("DELETED", m["metadata"]["uid"]) for _, m in made)
    versions = [int(t["object"]["metadata"]["resourceVersion"]) for t in told]
    assert int(since) < versions[0] <= versions[1]  # the deletion's
    c.close()
    status, listed = ask(server, "GET", EVENTS)
    assert status == 200 and listed["items"] == []
    assert ask(server, "POST", EVENTS, event("a"))[0] == 201
