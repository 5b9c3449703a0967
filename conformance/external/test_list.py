"""Lists and gets: versions, pages, continue tokens, selectors.

Every expectation holds for kube-apiserver v1.36.3 too: run with APISIM_URL and APISIM_TOKEN.
"""

import concurrent.futures
import itertools
import threading
import time

import pytest

import conftest
from client import Api, Place, PROTOBUF, TABLE, PARTIAL, token, token_fields

BACKENDS = ["memory", "etcd"]

V = "meta.k8s.io/v1"
NAMES = ["a", "b", "c", "d", "e"]
LABELS = {"a": {"x": "1"}, "b": {"x": "2"}, "c": {"x": "1", "y": "3"}, "d": {}, "e": {"x": "1"}}
FUTURE = "900000000"


@pytest.fixture(scope="module")
def place(api):
    """Five config maps that no test changes."""
    place = Place(api)
    for name in NAMES:
        place.create(name, LABELS[name], {"k": name})
    yield place
    place.remove()


@pytest.fixture
def scratch(api):
    place = Place(api)
    for name in NAMES:
        place.create(name, LABELS[name])
    yield place
    place.remove()


def walk(api, path, **params):
    """Every page of a list, as answers."""
    pages = [api.get(path, **params)]
    while "continue" in pages[-1].json["metadata"]:
        assert len(pages) < 100
        more = {k: v for k, v in params.items() if k not in ("resourceVersion", "resourceVersionMatch")}
        pages.append(api.get(path, **{**more, "continue": pages[-1].json["metadata"]["continue"]}))
        assert pages[-1].status == 200, pages[-1].bytes
    return pages


SELECTORS = [{}, {"labelSelector": "x=1"}, {"labelSelector": "x in (1,2)"}, {"labelSelector": "!x"},
             {"labelSelector": "x notin (1)"}, {"fieldSelector": "metadata.name!=b"},
             {"labelSelector": "x", "fieldSelector": "metadata.name!=a"}]


@pytest.mark.parametrize("limit, selector", itertools.product([1, 2, 3, 5], SELECTORS))
def test_pages_make_the_whole(api, place, limit, selector):
    whole = api.get(place.maps, **selector)
    pages = walk(api, place.maps, limit=limit, **selector)
    assert sum((p.names for p in pages), []) == whole.names
    assert len({p.version for p in pages}) == 1
    for number, page in enumerate(pages):
        meta = page.json["metadata"]
        last = number == len(pages) - 1
        assert len(page.names) == limit or last
        if selector or last:
            assert "remainingItemCount" not in meta
        else:
            assert meta["remainingItemCount"] == len(NAMES) - (number + 1) * limit


def test_token_format(api, place):
    page = api.get(place.maps, limit=2)
    fields = token_fields(page.json["metadata"]["continue"])
    assert fields == {"v": V, "rv": int(page.version), "start": "/b\0"}


def test_token_format_across_namespaces(api, place):
    page = api.get("/api/v1/configmaps", limit=1, labelSelector="y=3")
    fields = [token_fields(p.json["metadata"]["continue"]) for p in
              walk(api, "/api/v1/configmaps", limit=1) if "continue" in p.json["metadata"]]
    assert f"/{place.name}/a\0" in [f["start"] for f in fields]
    assert page.names == ["c"]


def test_order_across_namespaces(api):
    first, second = Place(api, "rp-zz-order"), Place(api, "rp-aa-order")
    try:
        for place, name in ((first, "a"), (second, "z"), (second, "b"), (first, "c")):
            place.create(name, {"order": "1"})
        found = api.get("/api/v1/configmaps", labelSelector="order=1").json["items"]
        assert [(i["metadata"]["namespace"], i["metadata"]["name"]) for i in found] == [
            ("rp-aa-order", "b"), ("rp-aa-order", "z"), ("rp-zz-order", "a"), ("rp-zz-order", "c")]
    finally:
        first.remove()
        second.remove()


def boundary_deleted(place):
    place.delete("b")


def next_deleted(place):
    place.delete("c")


def all_deleted(place):
    place.clear()


def created_between(place):
    place.create("bb")


def changed(place):
    place.label("d", x="9")


@pytest.mark.parametrize("change", [boundary_deleted, next_deleted, all_deleted, created_between, changed])
def test_pages_are_of_one_moment(api, scratch, change):
    """What is written between two pages does not show."""
    page = api.get(scratch.maps, limit=2)
    before = api.get(scratch.maps).json["items"]
    change(scratch)
    rest = api.get(scratch.maps, **{"continue": page.json["metadata"]["continue"]})
    assert rest.json["items"] == before[2:]
    assert rest.version == page.version


@pytest.mark.parametrize("start, names", [
    ("/", NAMES), ("a\0", NAMES[1:]), ("/a\0", NAMES[1:]), ("/a", NAMES), ("/cc", NAMES[3:]), ("/e\0", []),
    ("~", [])])
def test_inconsistent_token(api, place, start, names):
    """rv -1: the current state from a key on."""
    answer = api.get(place.maps, **{"continue": token(v=V, rv=-1, start=start)})
    assert (answer.status, answer.names) == (200, names)


def test_inconsistent_token_sees_changes(api, scratch):
    scratch.delete("c")
    scratch.create("dd")
    answer = api.get(scratch.maps, limit=2, **{"continue": token(v=V, rv=-1, start="b\0")})
    assert answer.names == ["d", "dd"]
    assert answer.json["metadata"]["remainingItemCount"] == 1
    assert token_fields(answer.json["metadata"]["continue"])["rv"] == int(answer.version)


BAD_TOKENS = [
    ("!!!", "illegal base64 data at input byte 0"),
    ("ab cd", "illegal base64 data at input byte 2"),
    ("abcde", "illegal base64 data at input byte 4"),
    (token(v=V, rv=5, start="a") + "=", "illegal base64 data at input byte 55"),
    ("W10", "json: cannot unmarshal array into Go value of type storage.continueToken"),
    ("MTI", "json: cannot unmarshal number into Go value of type storage.continueToken"),
    ("e30", "server does not recognize this encoded version "),
    (token(v="v2", rv=5, start="a"), "server does not recognize this encoded version v2"),
    (token(v=5, rv=5, start="a"), "json: cannot unmarshal number into Go struct field continueToken.v of type string"),
    (token(v=V, rv="5", start="a"), "json: cannot unmarshal string into Go struct field continueToken.rv of type int64"),
    (token(v=V, rv=5.5, start="a"), "json: cannot unmarshal number 5.5 into Go struct field continueToken.rv of type int64"),
    (token(v=V, rv=5, start=["a"]), "json: cannot unmarshal array into Go struct field continueToken.start of type string"),
    (token(v=V, rv=0, start="a"), "incorrect encoded start resourceVersion (version meta.k8s.io/v1)"),
    (token(v=V, rv=5), "encoded start key empty (version meta.k8s.io/v1)"),
    (token(v=V, rv=5, start="../../secrets"), "../../secrets"),
    (token(v=V, rv=5, start="/a/"), "/a/"), (token(v=V, rv=5, start="//a"), "//a"),
    (token(v=V, rv=5, start="./a"), "./a"), (token(v=V, rv=5, start="a/../b"), "a/../b"),
]


@pytest.mark.parametrize("text, problem", BAD_TOKENS)
def test_bad_token(api, place, text, problem):
    answer = api.get(place.maps, limit=1, **{"continue": text})
    assert answer.status == 400
    assert answer.json["reason"] == "BadRequest"
    assert answer.json["message"] == "invalid continue token: continue key is not valid: " + problem


def test_token_of_another_resource(api, place):
    """A token names a key, not a resource."""
    text = api.get(place.maps, limit=1).json["metadata"]["continue"]
    answer = api.get(place.base + "/secrets", **{"continue": text})
    assert (answer.status, answer.names) == (200, [])


def test_token_with_version(api, place):
    text = token(v=V, rv=-1, start="/a\0")
    answer = api.get(place.maps, resourceVersion=5, **{"continue": text})
    assert (answer.status, answer.json["message"]) == (
        400, "specifying resource version is not allowed when using continue")
    answer = api.get(place.maps, resourceVersion=0, limit=1, **{"continue": text})
    assert answer.status == 200


def test_single_name_has_no_pages(api, place):
    for path, selector in ((place.maps, "metadata.name=b"),
                           ("/api/v1/configmaps", f"metadata.name=b,metadata.namespace={place.name}"),
                           ("/api/v1/namespaces", f"metadata.name={place.name}")):
        answer = api.get(path, limit=1, fieldSelector=selector)
        assert len(answer.names) == 1
        assert "continue" not in answer.json["metadata"]


@pytest.mark.parametrize("selector, names", [
    ("metadata.name=b", ["b"]), ("metadata.name==b", ["b"]), ("metadata.name!=b", ["a", "c", "d", "e"]),
    ("metadata.name=a,metadata.name=b", []), ("metadata.name=zz", []), ("metadata.name=", []),
    ("metadata.namespace=elsewhere", []), ("metadata.namespace!=elsewhere", NAMES)])
def test_field_selectors(api, place, selector, names):
    assert api.get(place.maps, fieldSelector=selector).names == names


@pytest.mark.parametrize("selector, names", [
    ("x=1", ["a", "c", "e"]), ("x==2", ["b"]), ("x!=1", ["b", "d"]), ("x", ["a", "b", "c", "e"]), ("!x", ["d"]),
    ("x in (1,2)", ["a", "b", "c", "e"]), ("x notin (1,2)", ["d"]), ("x=1,y=3", ["c"]), ("x=1,y", ["c"]),
    ("x=1,!y", ["a", "e"]), ("x>1", ["b"]), ("x<2", ["a", "c", "e"]), ("x=", []), ("", NAMES)])
def test_label_selectors(api, place, selector, names):
    assert api.get(place.maps, labelSelector=selector).names == names


def test_versions(api, place):
    """Which state a list shows, by resourceVersion, match and limit."""
    now = place.version()
    place.create("f")
    later = place.version()
    old, new = NAMES, [*NAMES, "f"]
    try:
        for params, names, exact in (
                ({}, new, False), ({"resourceVersion": "0"}, new, False), ({"resourceVersion": now}, new, False),
                ({"resourceVersion": now, "limit": 50}, old, True),
                ({"resourceVersion": now, "resourceVersionMatch": "Exact"}, old, True),
                ({"resourceVersion": now, "resourceVersionMatch": "Exact", "limit": 50}, old, True),
                ({"resourceVersion": now, "resourceVersionMatch": "NotOlderThan"}, new, False),
                ({"resourceVersion": now, "resourceVersionMatch": "NotOlderThan", "limit": 50}, new, False),
                ({"resourceVersion": "0", "resourceVersionMatch": "NotOlderThan"}, new, False),
                ({"resourceVersion": "00" + now, "resourceVersionMatch": "Exact"}, old, True),
                ({"resourceVersion": "0", "limit": 1}, new, False)):
            answer = api.get(place.maps, **params)
            assert (answer.status, answer.names) == (200, names), params
            assert (answer.version == now) if exact else int(answer.version) >= int(later), params
    finally:
        place.delete("f")


def test_exact_pages(api, scratch):
    now = scratch.version()
    scratch.clear()
    pages = walk(api, scratch.maps, limit=2, resourceVersion=now)
    assert sum((p.names for p in pages), []) == NAMES
    assert {p.version for p in pages} == {now}


@pytest.mark.parametrize("params, code, message", [
    ({"resourceVersion": "abc"}, 400, 'invalid resource version: resourceVersion: Invalid value: "abc": '
     'strconv.ParseUint: parsing "abc": invalid syntax'),
    ({"resourceVersion": "-1"}, 400, 'invalid resource version: resourceVersion: Invalid value: "-1": '
     'strconv.ParseUint: parsing "-1": invalid syntax'),
    ({"resourceVersion": "18446744073709551616"}, 400, 'invalid resource version: resourceVersion: Invalid value: '
     '"18446744073709551616": strconv.ParseUint: parsing "18446744073709551616": value out of range'),
    ({"resourceVersionMatch": "Exact"}, 422, 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: '
     'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided'),
    ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, 422, 'ListOptions.meta.k8s.io "" is invalid: '
     'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
    ({"sendInitialEvents": "true"}, 422, 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: '
     'sendInitialEvents is forbidden for list'),
    ({"limit": "abc"}, 400, 'strconv.ParseInt: parsing "abc": invalid syntax'),
    ({"limit": ""}, 400, 'strconv.ParseInt: parsing "": invalid syntax'),
    ({"limit": "99999999999999999999"}, 400, 'strconv.ParseInt: parsing "99999999999999999999": value out of range'),
    ({"timeoutSeconds": ""}, 400, 'strconv.ParseInt: parsing "": invalid syntax'),
    ({"fieldSelector": "spec.x=1"}, 400, '"spec.x" is not a known field selector: only "metadata.name", '
     '"metadata.namespace"'),
])
def test_refused(api, place, params, code, message):
    answer = api.get(place.maps, **params)
    assert (answer.status, answer.json["message"]) == (code, message)


def too_large(answer, asked):
    status = answer.json
    assert answer.status == status["code"] == 504
    assert status["reason"] == "Timeout"
    assert status["message"].startswith(f"Timeout: Too large resource version: {asked}, current: ")
    assert status["details"] == {"causes": [{"reason": "ResourceVersionTooLarge",
                                             "message": "Too large resource version"}], "retryAfterSeconds": 1}
    assert answer.headers["Retry-After"] == "1"
    return True


def test_versions_of_the_future(api, place):
    """A version that does not come is waited for, three seconds, and then refused."""
    asks = [(place.maps, {}), (place.maps, {"limit": 5}), (place.maps, {"resourceVersionMatch": "Exact"}),
            (place.maps, {"resourceVersionMatch": "NotOlderThan"}), (place.maps + "/a", {}),
            (place.maps + "/nosuch", {}), ("/api/v1/namespaces", {}), (place.maps, {"labelSelector": "x"})]

    def ask(what):
        began = time.monotonic()
        answer = api.get(what[0], resourceVersion=FUTURE, **what[1])
        return too_large(answer, FUTURE) and time.monotonic() - began

    with concurrent.futures.ThreadPoolExecutor(len(asks)) as pool:
        for seconds in pool.map(ask, asks):
            assert 2.9 < seconds < 60


def test_token_of_the_future(api, place):
    too_large(api.get(place.maps, **{"continue": token(v=V, rv=int(FUTURE), start="/a")}), FUTURE)


def test_largest_version(api, place):
    too_large(api.get(place.maps, resourceVersion=2**64 - 1), 2**64 - 1)


def test_own_timeout_is_shorter(api, place):
    answer = api.get(place.maps + "?timeout=1s", resourceVersion=FUTURE)
    assert answer.status == 504
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.json["message"] == "Timeout: request did not complete within the allotted timeout"


@pytest.mark.parametrize("kind", ["list", "get", "exact"])
def test_version_that_comes(api, scratch, kind):
    """The wait ends with the write that reaches the version."""
    wanted = str(int(scratch.version()) + 3)
    done = threading.Event()

    def write():
        time.sleep(0.4)
        while not done.is_set():
            scratch.label("a", x=str(time.monotonic_ns()))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        path = scratch.maps + ("/a" if kind == "get" else "")
        answer = api.get(path, resourceVersion=wanted, **({"resourceVersionMatch": "Exact"} if kind == "exact" else {}))
    finally:
        done.set()
        writer.join()
    assert answer.status == 200
    if kind == "exact":
        assert answer.version == wanted
    else:
        assert int(answer.version) >= int(wanted)


def test_peers_that_do_not_wait(api, place):
    """Connections that go while their read waits."""
    for _ in range(20):
        connection = api.server.connect()
        connection.sendall(f"GET {place.maps}?resourceVersion={FUTURE} HTTP/1.1\r\nHost: x\r\n"
                           f"Authorization: Bearer {api.token}\r\n\r\n".encode())
        connection.close()
    time.sleep(0.1)
    assert api.get(place.maps).status == 200


def test_pipelined_behind_a_wait(api, place):
    """The request behind a waiting one is answered after it."""
    head = f"HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n"
    connection = api.server.connect()
    connection.sendall(f"GET {place.maps}?resourceVersion={FUTURE} {head}\r\n"
                       f"GET {place.maps}/a {head}Connection: close\r\n\r\n".encode())
    got = b""
    while more := connection.recv(65536):
        got += more
    connection.close()
    assert got.startswith(b"HTTP/1.1 504") and got.count(b"HTTP/1.1 200") == 1


@pytest.fixture(scope="module")
def old(apisim, tmp_path_factory):
    """A place whose beginnings are compacted: (api, place, a version too old)."""
    if apisim.process is None:
        api = Api(apisim)
        place = Place(api)
        yield api, place, 5
        place.remove()
        return
    server = conftest.start(tmp_path_factory.mktemp("history"), "--store-history-events=100")
    api = Api(server)
    place = Place(api)
    first = place.create("first")["metadata"]["resourceVersion"]
    for i in range(120):
        place.label("first", n=str(i))
    place.delete("first")
    yield api, place, int(first)
    conftest.stop(server)


@pytest.mark.parametrize("params", [{"resourceVersionMatch": "Exact"}, {"limit": 5},
                                    {"resourceVersionMatch": "Exact", "limit": 5, "labelSelector": "x"}])
def test_compacted_exact(old, params):
    api, place, version = old
    answer = api.get(place.maps, resourceVersion=version, **params)
    assert answer.status == 410
    assert answer.json == {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 410,
                           "message": "The resourceVersion for the provided list is too old.", "reason": "Expired"}


@pytest.mark.parametrize("params", [{}, {"resourceVersionMatch": "NotOlderThan"}])
def test_compacted_is_no_bound(old, params):
    api, place, version = old
    assert api.get(place.maps, resourceVersion=version, **params).status == 200


@pytest.mark.parametrize("path, start, again", [("place", "/b\0", "b\0"), ("place", "b\0", "b\0"),
                                                ("all", "/n/b\0", "n/b\0"), ("all", "n/b", "n/b")])
def test_compacted_token(old, path, start, again):
    """410 with a token that goes on in the current state."""
    api, place, version = old
    target = place.maps if path == "place" else "/api/v1/configmaps"
    answer = api.get(target, limit=1, **{"continue": token(v=V, rv=version, start=start)})
    status = answer.json
    assert (answer.status, status["reason"]) == (410, "Expired")
    assert status["message"].startswith("The provided continue parameter is too old to display a consistent list "
                                        "result. You can start a new list without the continue parameter, or use")
    fields = token_fields(status["metadata"]["continue"])
    assert fields == {"v": V, "rv": -1, "start": again}
    assert api.get(target, **{"continue": status["metadata"]["continue"]}).status == 200


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH"])
def test_methods(api, place, method):
    headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
    assert api.call(method, place.maps, None if method in ("HEAD", "OPTIONS") else "{}", headers).status == 405


@pytest.mark.parametrize("accept, kind", [(TABLE, "Table"), (PARTIAL + "List", None),
                                          (PARTIAL.replace("Metadata;", "MetadataList;"), "PartialObjectMetadataList")])
def test_pages_in_other_forms(api, place, accept, kind):
    answer = api.get(place.maps, {"Accept": accept}, limit=2)
    if kind is None:
        assert answer.status == 406
        return
    assert answer.json["kind"] == kind
    assert answer.json["metadata"]["remainingItemCount"] == 3
    rest = api.get(place.maps, {"Accept": accept}, **{"continue": answer.json["metadata"]["continue"]})
    assert len(rest.json.get("rows") or rest.json.get("items")) == 3


def test_protobuf_page(api, place):
    answer = api.get(place.maps, {"Accept": PROTOBUF}, limit=2)
    assert answer.bytes.startswith(b"k8s\0") and b"ConfigMapList" in answer.bytes
