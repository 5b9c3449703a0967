"""A webhook server of the test's own, and cases that are asked of any API server.

    python3 conformance/external/webhook_cases.py URL TOKEN > conformance/external/webhook_answers.jsonl

records the answers of a real server anew: one line a case, `[kind, case, calls, status, warnings, body]`.
"""

import base64
import http.client
import http.server
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time

GROUP = "/apis/admissionregistration.k8s.io/v1"
CONFIGURATIONS = {"ValidatingWebhookConfiguration": f"{GROUP}/validatingwebhookconfigurations",
                  "MutatingWebhookConfiguration": f"{GROUP}/mutatingwebhookconfigurations"}
JSON = [("Content-Type", "application/json")]
PLAIN = [("Content-Type", "text/plain")]


def make_certificates(directory):
    """An authority, and a certificate of its for 127.0.0.1, localhost and a Service."""
    d = pathlib.Path(directory)

    def run(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True)

    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{d}/ca.key", "-out", f"{d}/ca.crt",
        "-subj", "/CN=hook-ca", "-days", "3650")
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{d}/tls.key", "-out", f"{d}/tls.csr", "-subj", "/CN=hook")
    (d / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:hook.default.svc\n")
    run("x509", "-req", "-in", f"{d}/tls.csr", "-CA", f"{d}/ca.crt", "-CAkey", f"{d}/ca.key", "-CAcreateserial",
        "-out", f"{d}/tls.crt", "-days", "3650", "-extfile", f"{d}/names")
    return d


class Webhooks:
    """Answers POSTs by `scripts` (path -> function of the review, giving status, headers, bytes; None: the
    connection ends) and keeps what came in `log`: (request line, headers, body, connection)."""

    def __init__(self, directory):
        self.directory = make_certificates(directory)
        self.log, self.scripts, self.released = [], {}, threading.Event()
        me = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                me.log.append((self.requestline, list(self.headers.items()), body, self.client_address))
                out = me.scripts.get(self.path.split("?")[0], allow)(json.loads(body))
                if out is None:
                    self.close_connection = True
                    return
                code, headers, data = out
                self.send_response(code)
                for key, value in headers:
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / "tls.crt", self.directory / "tls.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def never(self, _):
        """No answer, as long as the test lasts."""
        self.released.wait()
        return None

    def stop(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def ca(self):
        return base64.b64encode((self.directory / "ca.crt").read_bytes()).decode()

    def hook(self, name, path, rules=None, **fields):
        hook = {"name": name, "clientConfig": {"url": f"https://127.0.0.1:{self.port}{path}", "caBundle": self.ca},
                "rules": rules or [rule("configmaps")], "sideEffects": "None", "admissionReviewVersions": ["v1"]}
        return {**hook, **fields}

    def reviews(self):
        return [json.loads(body)["request"] for _, _, body, _ in self.log]


def rule(*resources, groups=("",), versions=("v1",), operations=("*",), **fields):
    return {"apiGroups": list(groups), "apiVersions": list(versions), "resources": list(resources),
            "operations": list(operations), **fields}


def review(request, **fields):
    response = {"uid": request["request"]["uid"], "allowed": True, **fields}
    return 200, JSON, json.dumps({"apiVersion": request["apiVersion"], "kind": "AdmissionReview",
                                  "response": response}).encode()


def allow(request):
    return review(request)


def deny(**status):
    return lambda request: review(request, allowed=False, **({"status": status} if status else {}))


def patch(*operations, **fields):
    text = base64.b64encode(json.dumps(operations).encode()).decode()
    return lambda request: review(request, patchType="JSONPatch", patch=text, **fields)


def raw(code, data, headers=JSON):
    return lambda _: (code, headers, data if isinstance(data, bytes) else json.dumps(data).encode())


def answer(response, headers=JSON, **top):
    """A review whose uid "@" is the request's; a None in `top` leaves the key out."""
    def make(request):
        own = {k: request["request"]["uid"] if v == "@" else v for k, v in response.items()}
        document = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": own, **top}
        return 200, headers, json.dumps({k: v for k, v in document.items() if v is not None}).encode()
    return make


YES = {"uid": "@", "allowed": True}
EMPTY_PATCH = base64.b64encode(b"[]").decode()
STATUS = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "sm", "code": 403, "reason": "Forbidden"}
ANSWERS = {
    "ok": allow, "deny0": deny(), "deny1": deny(message="no way"), "deny2": deny(reason="Because"),
    "deny3": deny(code=418, message="tea", reason="Forbidden"), "deny4": deny(status="Success", code=200, message="m"),
    "deny5": deny(status="Failure", message="q", metadata={"resourceVersion": "5"}, details={
        "name": "n", "kind": "k", "retryAfterSeconds": 3,
        "causes": [{"field": "f", "message": "x", "reason": "FieldValueInvalid"}]}),
    "warn": lambda r: review(r, warnings=["first", 'second "q"', "first"]),
    "warndeny": lambda r: review(r, allowed=False, warnings=["w"], status={"message": "m"}),
    "audit": lambda r: review(r, auditAnnotations={"a": "b"}),
    "badtext": raw(200, b"garbage"), "badtext2": raw(200, b"garbage", PLAIN), "empty": raw(200, b""),
    "emptyobj": raw(200, {}), "array": raw(200, []), "status": raw(200, STATUS),
    "noresp": raw(200, {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}),
    "nokind": answer(YES, kind=None), "noversion": answer(YES, apiVersion=None), "wrongkind": answer(YES, kind="Other"),
    "wrongver": answer(YES, apiVersion="admission.k8s.io/v1beta1"),
    "wrongver2": answer(YES, apiVersion="admission.k8s.io/v7"),
    "wronggroup": answer(YES, apiVersion="v1", kind="Pod"), "wronguid": answer({"uid": "x", "allowed": True}),
    "nouid": answer({"allowed": True}), "noallowed": answer({"uid": "@"}), "types": answer({"uid": "@", "allowed": "yes"}),
    "unknownfield": answer({**YES, "foo": 1}, bar=2),
    "yaml": lambda r: (200, [("Content-Type", "application/yaml")], (
        "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\n"
        f"response: {{uid: {r['request']['uid']}, allowed: true}}\n").encode()),
    "vpatch": answer({**YES, "patch": EMPTY_PATCH, "patchType": "JSONPatch"}),
    "vpatch2": answer({**YES, "patchType": "JSONPatch"}),
    "badb64": answer({**YES, "patch": "%%%", "patchType": "JSONPatch"}),
    "close": lambda _: None, "big": raw(200, b'"' + b"x" * 4000000 + b'"'),
    "ctnone": answer(YES, headers=[]), "cthtml": answer(YES, headers=[("Content-Type", "text/html")]),
    "ejson": raw(400, STATUS), "ejson2": raw(500, STATUS), "ehtml": raw(500, b"<p>x</p>", [("Content-Type", "text/html")]),
    "elong": raw(500, b"y" * 5000, PLAIN), "eempty": raw(500, b"", PLAIN), "e404empty": raw(404, b""),
    "edata": raw(500, b"{}"),
    **{f"e{code}": raw(code, b"" if code in (204, 304) else b"oops\n", PLAIN)
       for code in (201, 202, 204, 206, 207, 302, 304, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 413, 415,
                    418, 422, 429, 500, 501, 502, 503, 504, 599)},
}
MUTATIONS = {
    "p1": patch({"op": "add", "path": "/data/x", "value": "1"}), "pnone": patch(),
    "pbadpath": patch({"op": "replace", "path": "/data/q/z", "value": "1"}),
    "premove": patch({"op": "remove", "path": "/data/nope"}),
    "ptest": patch({"op": "test", "path": "/data/a", "value": "no"}),
    "ptype": answer({**YES, "patch": base64.b64encode(b'[{"op":"add","path":"/data/x","value":"1"}]').decode(),
                     "patchType": "Merge"}),
    "ptypeempty": answer({**YES, "patch": EMPTY_PATCH, "patchType": ""}), "pnotype": answer({**YES, "patch": EMPTY_PATCH}),
    "ponlytype": answer({**YES, "patchType": "JSONPatch"}),
    "pgarbage": answer({**YES, "patch": base64.b64encode(b"hello").decode(), "patchType": "JSONPatch"}),
    "pobj": answer({**YES, "patch": base64.b64encode(b'{"a":1}').decode(), "patchType": "JSONPatch"}),
    "pop": patch({"op": "frob", "path": "/data/x", "value": "1"}), "pnopath": patch({"op": "add", "value": "1"}),
    "pwrongtype": patch({"op": "add", "path": "/data/x", "value": 7}),
    "punknown": patch({"op": "add", "path": "/foo", "value": 7}),
    "pkind": patch({"op": "replace", "path": "/kind", "value": "Pod"}),
    "pver": patch({"op": "replace", "path": "/apiVersion", "value": "v9"}),
    "pname": patch({"op": "replace", "path": "/metadata/name", "value": "other"}),
    "pns": patch({"op": "replace", "path": "/metadata/namespace", "value": "other"}),
    "pinvalid": patch({"op": "add", "path": "/data/b~1c", "value": "x"}),
    "plabel": patch({"op": "add", "path": "/metadata/labels/z", "value": "1"}),
    "proot": patch({"op": "replace", "path": "", "value": {"kind": "ConfigMap", "apiVersion": "v1",
                                                           "metadata": {"name": "r", "namespace": "default"}}}),
    "pnull": patch({"op": "replace", "path": "/metadata", "value": None}),
    "pmf": patch({"op": "replace", "path": "/metadata/managedFields", "value": [{"manager": "z", "operation": "Bogus"}]}),
    "pmf2": patch({"op": "remove", "path": "/metadata/managedFields"}),
    "pdeny": patch({"op": "add", "path": "/data/x", "value": "1"}, allowed=False),
    "pwarn": patch({"op": "add", "path": "/data/x", "value": "1"}, warnings=["pw"]),
    "puid": patch({"op": "add", "path": "/metadata/uid", "value": "1234"}),
    "prv": patch({"op": "add", "path": "/metadata/resourceVersion", "value": "12"}),
}
SHARED = ("ok", "deny0", "deny1", "e500", "wronguid", "wrongver", "beta", "both", "never", "refused", "ign2", "ign3", "svc")


def hooks_of(w, closed_port):
    """All webhooks, each for the ConfigMaps with its name as the label t."""
    def one(case, **fields):
        selector = {"matchLabels": {"t": case}}
        return w.hook(f"{case}.example.com", f"/{case}", objectSelector=selector, timeoutSeconds=20, **fields)

    def there(case, config, **fields):
        hook = one(case, **fields)
        hook["clientConfig"] = {k: v for k, v in {**hook["clientConfig"], **config}.items() if v}
        return hook
    w.scripts.update({f"/{case}": make for case, make in {**ANSWERS, **MUTATIONS}.items()})
    w.scripts.update({"/never": w.never, "/ign4": w.never, "/ign2": raw(500, b"x"), "/ign3": deny(message="still")})
    closed = f"https://127.0.0.1:{closed_port}/x"
    return [*(one(case) for case in ANSWERS), {**one("never"), "timeoutSeconds": 1},
            there("refused", {"url": closed}), there("noca", {"caBundle": None}),
            there("local", {"url": f"https://localhost:{w.port}/local"}),
            one("beta", admissionReviewVersions=["v1beta1"]), one("both", admissionReviewVersions=["v7", "v1beta1", "v1"]),
            one("se", sideEffects="NoneOnDryRun"), there("ign1", {"url": closed}, failurePolicy="Ignore"),
            one("ign2", failurePolicy="Ignore"), one("ign3", failurePolicy="Ignore"),
            {**one("ign4", failurePolicy="Ignore"), "timeoutSeconds": 1},
            there("svc", {"url": None, "service": {"namespace": "default", "name": "nosuch", "path": "/svc"}}),
            *(one(case) for case in MUTATIONS)]


class Api:
    def __init__(self, url, token):
        self.host, self.port = re.match(r"https://([^:/]+):(\d+)", url).groups()
        self.token = token

    def call(self, method, path, body=None, content="application/json", token=None):
        """Status, Warning headers, body."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        c = http.client.HTTPSConnection(self.host, int(self.port), context=context, timeout=60)
        c.request(method, path, None if body is None else json.dumps(body),
                  {"Authorization": f"Bearer {token or self.token}", "Content-Type": content, "User-Agent": "probe"})
        r = c.getresponse()
        data = r.read()
        warnings = r.headers.get_all("Warning") or []
        c.close()
        return r.status, warnings, json.loads(data) if data[:1] == b"{" else data.decode()

    def configure(self, kind, name, *hooks):
        self.call("DELETE", f"{CONFIGURATIONS[kind]}/{name}")
        status, warnings, body = self.call("POST", CONFIGURATIONS[kind], {
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name},
            "webhooks": list(hooks)})
        assert status == 201, body
        return warnings

    def forget(self, kind, name):
        self.call("DELETE", f"{CONFIGURATIONS[kind]}/{name}")


UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def cases(api, w, closed_port, settle=0.0):
    """Yields [kind, case, calls, status, warnings, body] of dry-run creations."""
    hooks = hooks_of(w, closed_port)
    for kind in CONFIGURATIONS:
        mutating = kind.startswith("Mutating")
        api.configure(kind, "t", *hooks)
        time.sleep(settle)  # the real server hears of it by its own watch
        for case in [h["name"].split(".")[0] for h in hooks]:
            if case in MUTATIONS and not mutating or mutating and case not in MUTATIONS and case not in SHARED:
                continue
            w.log.clear()
            status, warnings, body = api.call("POST", "/api/v1/namespaces/default/configmaps?dryRun=All", {
                "metadata": {"name": f"x-{case}", "labels": {"t": case}}, "data": {"a": "b"}})
            if status < 300:
                for key in ("uid", "creationTimestamp", "managedFields"):
                    body["metadata"].pop(key, None)
            text = UUID.sub("UID", json.dumps(body)).replace(f":{w.port}", ":PORT").replace(f":{closed_port}", ":CLOSED")
            yield [kind, case, len(w.log), status, warnings, json.loads(text)]
        api.forget(kind, "t")


def closed_port():
    """A port that is bound and does not listen, so that nobody else gets it: connections are refused."""
    import socket
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    return s


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, closed_port() as closed:
        server = Webhooks(scratch)
        for line in cases(Api(sys.argv[1], sys.argv[2]), server, closed.getsockname()[1], 2.0):
            print(json.dumps(line))
        server.stop()
