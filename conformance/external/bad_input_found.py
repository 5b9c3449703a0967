"""Rows of test_bad_input.py for what fuzzers and comparisons with the real server have found. See
bad_input_bodies.py for how a row is made."""

import json
from urllib.parse import quote

from bad_input_bodies import APPLY, CM, DRY, JSON, LIVE, MERGE, NS, PROTO, WEB, YAML, Case, configmap


def field(number, content):
    content = content.encode() if isinstance(content, str) else content
    return bytes([number << 3 | 2, len(content)]) + content


def selector_rows():
    """A NUL in a selector ends what the real lexer reads, of the text or of a token."""
    for text in ("a%00%3Db", "a%00", "a%00%00b", "a%3D%00b", "a%00,b", "%00a", "a%20%00b", "a%00b", "!%00a", "!%00%00", "a%00in%00(b%00)"):
        yield Case(f"labelSelector: NUL {text}", "GET", CM + "?labelSelector=" + text + "&fieldSelector=metadata.name%3Dzz")


def apply_rows():
    status = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "status": {"conditions": [{}], "replicas": 3}}
    to = WEB + "/status?fieldManager=m"
    yield Case("apply: item of default keys", "PATCH", to, status, APPLY, uses=WEB)
    yield Case("apply: item of default keys again", "PATCH", to, status, APPLY, uses=WEB, before=[("PATCH", to, json.dumps(status).encode(), APPLY)])
    twice = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: live}\ndata: {a: b, a: c}\ndata: {x: z, x: w}\n"
    for v in ("Warn", "Strict", "Ignore"):
        yield Case(f"apply: YAML keys twice {v}", "PATCH", LIVE + f"?dryRun=All&fieldManager=m&fieldValidation={v}", twice, APPLY, uses=LIVE)
        yield Case(f"yaml: keys twice {v}", "POST", DRY + f"&fieldValidation={v}", twice.replace("live", "found"), YAML)
        yield Case(f"apply: keys twice, no field {v}", "PATCH", LIVE + f"?dryRun=All&fieldManager=m&fieldValidation={v}",
                   twice.replace("data: {x", "zz: {x"), APPLY, uses=LIVE)


def protobuf_rows():
    spec = field(2, field(1, "/a") + field(2, "get")) + field(3, "u") + field(5, field(1, "k") + field(2, b""))
    body = b"k8s\0" + field(1, field(1, "authorization.k8s.io/v1") + field(2, "SubjectAccessReview")) + field(2, field(1, b"") + field(2, spec) + field(3, b""))
    yield Case("protobuf: extra without values", "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body, PROTO)


def delete_rows():
    """Without a body the preconditions' fields are query parameters, and a collection is listed page by page."""
    for q in ("resourceVersion=0", "resourceVersion=5", "uid=x", "uid=", "resourceVersion=", "preconditions.uid=x"):
        yield Case(f"delete: ?{q}", "DELETE", LIVE + "?dryRun=All&" + q, uses=LIVE, only_status=q.startswith("pre"))
    yield Case("delete collection: uid", "DELETE", DRY + "&fieldSelector=metadata.name%3Dlive&uid=x", uses=LIVE)
    yield Case("delete collection: body and version", "DELETE", CM + "?fieldSelector=metadata.name%3Dlive&resourceVersion=0", {"dryRun": ["All"]}, JSON, uses=LIVE)
    for q in ("resourceVersion=0&resourceVersionMatch=NotOlderThan", "resourceVersionMatch=Exact", "limit=x", "limit=-1"):
        yield Case(f"delete collection: {q}", "DELETE", DRY + "&fieldSelector=metadata.name%3Dlive&" + q, uses=LIVE)


def key_rows():
    for ns in (".", "..", "%2e"):
        at = f"/api/v1/namespaces/{ns}/configmaps"
        body = configmap("a", {"namespace": ".." if ns == ".." else "."})
        yield Case(f"namespace by URL {ns!r}: PUT", "PUT", at + "/a", body, JSON)
        yield Case(f"namespace by URL {ns!r}: POST", "POST", at, body, JSON)
        yield Case(f"namespace by URL {ns!r}: PATCH", "PATCH", at + "/a", {}, MERGE)
        yield Case(f"namespace by URL {ns!r}: apply", "PATCH", at + "/a?fieldManager=m", body, APPLY)
        yield Case(f"namespace by URL {ns!r}: DELETE", "DELETE", at + "/a")
        yield Case(f"namespace by URL {ns!r}: DELETE collection", "DELETE", at)
        yield Case(f"namespace by URL {ns!r}: watch", "GET", at + "?watch=1&timeoutSeconds=1")


def binding_rows():
    body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"kind": "Pod"}}
    yield Case("binding: wrong target", "POST", NS + "/pods/p/binding", body, JSON)
    yield Case("binding: wrong target, no subresource", "POST", NS + "/bindings", body, JSON)


def warning_rows():
    """Beyond 4096 characters each warning is cut to 256, and then no more come."""
    for count, size in ((20, 250), (20, 300), (40, 600), (3, 5000)):
        text = "".join(f',"{i}{"x" * size}":1' for i in range(count))
        yield Case(f"warnings: {count} of {size}", "POST", DRY, '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"found"}' + text + "}", JSON)


def disabled_rows():
    """Fields of features that are off are dropped."""
    pod = {"containers": [{"name": "c", "image": "i", "lifecycle": {"stopSignal": "SIGTERM"}}], "schedulingGroup": {"podGroupName": "g"}}
    labels = {"metadata": {"labels": {"a": "b"}}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": {**labels, "spec": pod}}
    yield Case("disabled: pod", "POST", NS + "/pods?dryRun=All", {"metadata": {"name": "found"}, "spec": pod}, JSON)
    yield Case("disabled: deployment", "POST", "/apis/apps/v1/namespaces/bad-input/deployments?dryRun=All", {"metadata": {"name": "found"}, "spec": spec}, JSON)
    yield Case("disabled: CSI driver", "POST", "/apis/storage.k8s.io/v1/csidrivers?dryRun=All", {"metadata": {"name": "found"}, "spec": {"preventPodSchedulingIfMissing": True}}, JSON)
    yield Case("disabled: node", "POST", "/api/v1/nodes?dryRun=All", {"metadata": {"name": "found"}, "spec": {"configSource": {"configMap": {"name": "x"}}}}, JSON)
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    for name, more in (("source", {"dataSource": {"kind": "K", "name": "n"}}), ("namespace", {"dataSourceRef": {"kind": "K", "apiGroup": "a.b", "name": "n", "namespace": "x"}}),
                       ("reference", {"dataSourceRef": {"kind": "K", "apiGroup": "a.b", "name": "n", "namespace": ""}})):
        yield Case("disabled: claim " + name, "POST", NS + "/persistentvolumeclaims?dryRun=All", {"metadata": {"name": "found"}, "spec": {**claim, **more}}, JSON)
    yield Case("gated pod", "POST", NS + "/pods?dryRun=All", {"metadata": {"name": "found"}, "spec": {"containers": [{"name": "c", "image": "i"}], "schedulingGates": [{"name": "a.b/c"}]}}, JSON)


def component_rows():
    at = "/api/v1/componentstatuses"
    for p in ("/etcd-0", "/scheduler", "/zz", "?labelSelector=x", "?fieldSelector=metadata.name%3Detcd-0", "?fieldSelector=spec.x%3Dy", "?watch=1"):
        yield Case("componentstatuses " + p, "GET", at + p)
    for form in ("Table", "PartialObjectMetadata"):
        yield Case("componentstatuses as " + form, "GET", at + "/etcd-0", headers=(f"Accept: application/json;as={form};v=v1;g=meta.k8s.io",))
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale"}
    for name, spec in (("replicas", {"spec": {"replicas": 1}}), ("nothing", {}), ("negative", {"spec": {"replicas": -1}})):
        yield Case("apply: to scale with force " + name, "PATCH", WEB + "/scale?fieldManager=m&force=true", {**scale, **spec}, APPLY, uses=WEB)


def option_kind_rows():
    """What else than DeleteOptions a deletion's body may claim to be, with and without a version."""
    for kind in ("ConfigMap", "Nothing", "Scale", "Status", "APIGroup", "Table", "WatchEvent", "CreateOptions", "PatchOptions", "GetOptions", "ListOptions", "PartialObjectMetadataList"):
        for version in (None, "v1", "apps/v1", "meta.k8s.io/v1", "meta.k8s.io/v1beta1", "__internal", "meta.k8s.io/__internal"):
            yield Case(f"delete: {kind} {version}", "DELETE", DRY, {"kind": kind, **({"apiVersion": version} if version else {})}, JSON)


def number_rows():
    for text in ("a>+1", "a>-1", "a>+-1", "a<00000000000000000000000001", "a>99999999999999999999", "a>+", "a<1.5"):
        yield Case("labelSelector: number " + text, "GET", CM + "?fieldSelector=metadata.name%3Dzz&labelSelector=" + quote(text))
    for text in ("+1", "+-1", "00000000000000000000000001", "-0", "+"):
        yield Case("limit: number " + text, "GET", CM + "?fieldSelector=metadata.name%3Dzz&limit=" + quote(text))
    for label in ('"metadata.name', "a\\b", "\u00e9", "a\x7f"):
        yield Case(f"fieldSelector: of a job {label!r}", "GET", "/apis/batch/v1/jobs?fieldSelector=" + quote(label + "=a"))


def yaml_rows():
    text = 'metadata: {name: found}\ndata: {a: "%s"}\n'
    for name, value in (("slash", "\\/"), ("emoji", "\U0001F600"), ("plain", "b")):
        for code in ("utf-16-le", "utf-16-be"):
            mark = "\ufeff".encode(code)
            yield Case(f"yaml: {name} in {code}", "POST", DRY, mark + (text % value).encode(code), YAML)
    for value in ("[http://x?y=1]", "{b: c?d}", "{b: c,\n d?e: f}", "[b: c?d]", '["b?c"]', "b?c"):
        yield Case(f"yaml: question mark {value!r}", "POST", DRY, "metadata: {name: found}\ndata: " + value, YAML)


def router_rows():
    """Whom the router sends away is not told that the kind is deprecated."""
    to = NS + "/endpoints"
    for accept in ("foo/bar", "foo", "application/cbor", "application/json;as=Foo;g=meta.k8s.io;v=v1"):
        yield Case("deprecated kind: Accept " + accept, "GET", to, headers=("Accept: " + accept,))
    yield Case("deprecated kind: patch's type", "PATCH", to + "/zz", {}, JSON)
    for accept in ("foo", "/", "a/b/c", "text/html"):
        yield Case("openapi v3: Accept " + accept, "GET", "/openapi/v3/version", headers=("Accept: " + accept,))


def all_rows():
    return [*option_kind_rows(), *number_rows(), *yaml_rows(), *router_rows(), *selector_rows(), *apply_rows(), *protobuf_rows(), *delete_rows(), *key_rows(), *binding_rows(), *warning_rows(), *disabled_rows(), *component_rows()]
