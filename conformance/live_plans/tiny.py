#!/usr/bin/env python3
"""A small controller on the standard library: for each ConfigMap labelled app=tiny it keeps one Secret.

It has two informers (list, watch from there, list again after 410 or an error) and one worker.
--bug plants a mistake that faults must find:
  stale-create    trusts its cache that there is no Secret yet, and creates one with a generated name
  stale-delete    deletes Secrets whose ConfigMap its cache does not have
  ignore-410      watches on from the old revision after 410 Expired
  half-done       creates the Secret empty and fills it with a second write; if it is there, it is done
"""

import argparse
import http.client
import json
import os
import queue
import re
import ssl
import threading
import time
import urllib.parse

CONFIGMAPS, SECRETS = "/api/v1/namespaces/default/configmaps", "/api/v1/namespaces/default/secrets"
LABEL = "app=tiny"


class Api:
    def __init__(self):
        text = open(os.environ["KUBECONFIG"]).read()
        self.host, port = re.search(r"server: https://([^:\s]+):(\d+)", text).groups()
        self.port = int(port)
        self.token = re.search(r"token: (\S+)", text).group(1)
        self.tls = ssl.create_default_context()
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    def open(self, method, path, body=None, timeout=30, kind="application/json"):
        connection = http.client.HTTPSConnection(self.host, self.port, context=self.tls, timeout=timeout)
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": "tiny/1", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = kind
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        return connection, connection.getresponse()

    def call(self, method, path, body=None, kind="application/json"):
        """(status, JSON); waits and asks again when told to (429), raises when the connection breaks."""
        while True:
            connection, answer = self.open(method, path, body, kind=kind)
            try:
                data = json.loads(answer.read() or b"{}")
            finally:
                connection.close()
            if answer.status != 429:
                return answer.status, data
            time.sleep(int(answer.headers.get("Retry-After", "1")))


class Informer(threading.Thread):
    def __init__(self, api, path, notify, ignore_410=False):
        super().__init__(daemon=True)
        self.api, self.path, self.notify, self.ignore_410 = api, path, notify, ignore_410
        self.cache, self.synced, self.version = {}, threading.Event(), None

    def run(self):
        while True:
            try:
                if self.version is None:
                    self.relist()
                self.watch()
            except Exception:
                time.sleep(0.05)

    def relist(self):
        status, data = self.api.call("GET", f"{self.path}?labelSelector={LABEL}&resourceVersion=0")
        if status != 200:
            time.sleep(0.1)
            raise RuntimeError(status)
        self.cache = {o["metadata"]["name"]: o for o in data["items"]}
        self.version = data["metadata"]["resourceVersion"]
        self.synced.set()
        self.notify()

    def watch(self):
        query = urllib.parse.urlencode({"watch": 1, "labelSelector": LABEL, "resourceVersion": self.version,
                                        "allowWatchBookmarks": "true"})
        connection, answer = self.api.open("GET", f"{self.path}?{query}", timeout=600)
        try:
            while answer.status == 200 and (line := answer.readline()):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    if not self.ignore_410:
                        self.version = None
                    time.sleep(0.1)
                    return
                self.version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] == "BOOKMARK":
                    continue
                if event["type"] == "DELETED":
                    self.cache.pop(event["object"]["metadata"]["name"], None)
                else:
                    self.cache[event["object"]["metadata"]["name"]] = event["object"]
                self.notify()
            if answer.status != 200:
                self.version = None
                time.sleep(0.1)
        finally:
            connection.close()


class Controller:
    def __init__(self, bug):
        self.api, self.bug, self.work = Api(), bug, queue.Queue()
        notify = lambda: self.work.put(None)
        self.maps = Informer(self.api, CONFIGMAPS, notify, bug == "ignore-410")
        self.secrets = Informer(self.api, SECRETS, notify)

    def run(self):
        for informer in (self.maps, self.secrets):
            informer.start()
        for informer in (self.maps, self.secrets):
            informer.synced.wait()
        while True:
            self.work.get()
            while not self.work.empty():
                self.work.get_nowait()
            try:
                ok = self.reconcile()
            except Exception:
                ok = False
            if not ok:
                time.sleep(0.1)
                self.work.put(None)

    def reconcile(self):
        ok = True
        for name, owner in list(self.maps.cache.items()):
            mine = [s for s in self.secrets.cache.values() if s["metadata"]["labels"].get("of") == name]
            if not mine:
                ok = self.create(name, owner) and ok
        for name, secret in list(self.secrets.cache.items()):
            of = secret["metadata"]["labels"].get("of")
            if of not in self.maps.cache:
                ok = self.remove(name, of) and ok
        return ok

    def create(self, name, owner):
        meta = {"labels": {"app": "tiny", "of": name}}
        meta.update({"generateName": name + "-"} if self.bug == "stale-create" else {"name": name})
        data = {"stringData": {"from": owner["data"]["v"]}}
        status, _ = self.api.call("POST", SECRETS, {"metadata": meta, **({} if self.bug == "half-done" else data)})
        if status == 201 and self.bug == "half-done":
            status, _ = self.api.call("PATCH", f"{SECRETS}/{name}", data, "application/merge-patch+json")
        return status in (200, 201, 409)

    def remove(self, name, of):
        if self.bug != "stale-delete":  # ask the server, not the cache
            status, _ = self.api.call("GET", f"{CONFIGMAPS}/{of}")
            if status != 404:
                return status == 200
        status, _ = self.api.call("DELETE", f"{SECRETS}/{name}")
        return status in (200, 202, 404)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bug", default="none")
    Controller(parser.parse_args().bug).run()
