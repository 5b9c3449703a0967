"""A kopf operator, outside of this project's own code: each ConfigMap labelled app=claims gets one
Secret with a copy of its data, and the Secret goes with it.

BUG=stale-create plants a mistake: it looks for the Secret in kopf's index (a cache fed by a watch) and,
when it is not there, creates one with a generated name. A cache that lags makes a second one.
"""

import base64
import os

import kopf
import kubernetes

BUG = os.environ.get("BUG", "")
MINE = {"app": "claims"}


@kopf.on.startup()
def configure(settings, **_):
    settings.posting.enabled = False  # no Events
    settings.persistence.finalizer = "apisim.example/claims"
    settings.networking.error_backoffs = [0.1, 0.2, 0.5, 1]
    settings.watching.reconnect_backoff = 0.1
    settings.queueing.error_delays = [0.2, 0.5, 1]
    settings.execution.max_workers = 4
    kubernetes.config.load_kube_config()


@kopf.index("secrets", labels=MINE)
def by_owner(labels, name, **_):
    return {labels.get("of"): name}


def core():
    return kubernetes.client.CoreV1Api()


def secret(name, data):
    meta = {"labels": {**MINE, "of": name}}
    meta.update({"generateName": name + "-"} if BUG == "stale-create" else {"name": name})
    return {"metadata": meta, "data": {k: base64.b64encode(v.encode()).decode() for k, v in data.items()}}


def again(error):
    return kopf.TemporaryError(str(error.status), delay=0.3)


@kopf.on.create("configmaps", labels=MINE, retries=20, backoff=0.3)
@kopf.on.resume("configmaps", labels=MINE, retries=20, backoff=0.3)
@kopf.on.update("configmaps", labels=MINE, retries=20, backoff=0.3)
def ensure(name, namespace, body, by_owner: kopf.Index, **_):
    if BUG == "stale-create" and name in by_owner:
        return
    wanted = secret(name, body.get("data", {}))
    try:
        core().create_namespaced_secret(namespace, wanted)
    except kubernetes.client.ApiException as e:
        if e.status != 409:
            raise again(e)
        try:
            core().patch_namespaced_secret(name, namespace, wanted)
        except kubernetes.client.ApiException as e2:
            raise again(e2)


@kopf.on.delete("configmaps", labels=MINE, retries=20, backoff=0.3)
def remove(name, namespace, **_):
    try:
        core().delete_collection_namespaced_secret(namespace, label_selector=f"app=claims,of={name}")
    except kubernetes.client.ApiException as e:
        raise again(e)
