"""A kopf operator, outside of this project's own code: each ConfigMap labelled app=claims has one Secret
NAME-vV with a copy of its data, where V is its data.v; a new one is made for a new V, and the older ones go.

BUG=stale-prune plants a stale read: which older ones there are, it asks kopf's index (a cache fed by a
watch) and not the server. One that the index does not know yet stays for ever.
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
def secrets_of(labels, name, **_):
    return {labels.get("of"): name}


def core():
    return kubernetes.client.CoreV1Api()


def secret(owner, name, data):
    return {"metadata": {"name": name, "labels": {**MINE, "of": owner}}, "immutable": True,
            "data": {k: base64.b64encode(v.encode()).decode() for k, v in data.items()}}


def again(error):
    return kopf.TemporaryError(str(error.status), delay=0.3)


def ask(call, *words, fine=(), **more):
    """The call; a status that is fine counts as done, any other makes the handler run again."""
    try:
        return call(*words, **more)
    except kubernetes.client.ApiException as e:
        if e.status not in fine:
            raise again(e)


def older(namespace, owner, name, index):
    if BUG == "stale-prune":
        return [n for n in index.get(owner, []) if n != name]
    have = ask(core().list_namespaced_secret, namespace, label_selector=f"app=claims,of={owner}")
    return [s.metadata.name for s in have.items if s.metadata.name != name]


@kopf.on.create("configmaps", labels=MINE, retries=20, backoff=0.3)
@kopf.on.resume("configmaps", labels=MINE, retries=20, backoff=0.3)
@kopf.on.update("configmaps", labels=MINE, retries=20, backoff=0.3)
def ensure(name, namespace, body, secrets_of: kopf.Index, **_):
    data = body.get("data", {})
    wanted = f"{name}-v{data.get('v', '0')}"
    ask(core().create_namespaced_secret, namespace, secret(name, wanted, data), fine=(409,))
    for old in older(namespace, name, wanted, secrets_of):
        ask(core().delete_namespaced_secret, old, namespace, fine=(404,))


@kopf.on.delete("configmaps", labels=MINE, retries=20, backoff=0.3)
def remove(name, namespace, **_):
    ask(core().delete_collection_namespaced_secret, namespace, label_selector=f"app=claims,of={name}")
