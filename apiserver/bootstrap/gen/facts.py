#!/usr/bin/env python3
"""Makes bootstrap/facts/objects.jsonl from a fresh server's objects:

    facts.py ORACLE_DIR ALL_DIR OUT_JSONL

ORACLE_DIR/bootstrap/RESOURCE.json are lists as served. What differs from one start to the
next becomes a placeholder: ${uid}, ${rv}, ${time}, ${microtime}, ${date}, ${address},
${port} (alone: a number), ${cidr}, ${ip}, ${family}, ${address_family}, ${identity},
${hostname}, ${uuid}, ${client_ca}. One object a line, in the order in which the server wrote
them; "needs" names a value without which it is not made.

ALL_DIR is of a server with every version and its gates on: behind ORACLE_DIR's objects come those
that only it has, with the "gate" that makes them, and roles get its rules as {"gate":G,"rule":R}."""
import json
import os
import re
import sys

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
MICRO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
DATE = re.compile(r"^\d{4}-\d\d-\d\d$")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Made only with --client-ca-file, which the recorded server was started without.
CLIENT_CA = {
    "group": "", "version": "v1", "resource": "configmaps", "needs": "client_ca", "object": {
        "kind": "ConfigMap", "apiVersion": "v1", "metadata": {
            "name": "extension-apiserver-authentication", "namespace": "kube-system",
            "uid": "${uid}", "resourceVersion": "${rv}", "creationTimestamp": "${time}",
            "managedFields": [{
                "manager": "kube-apiserver", "operation": "Update", "apiVersion": "v1",
                "time": "${time}", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:data": {".": {}, "f:client-ca-file": {}}}}]},
        "data": {"client-ca-file": "${client_ca}"}}}


# Which gate makes what: by the object's name, by a resource of the rule.
GATED_OBJECTS = {
    "system:cluster-trust-bundle-discovery": "ClusterTrustBundle",
    "system:controller:kube-apiserver-serving-clustertrustbundle-publisher": "ClusterTrustBundle",
    "system:controller:podcertificaterequestcleaner": "PodCertificateRequest",
    "system:controller:podgroup-protection-controller": "GenericWorkload",
    "system:controller:storage-version-migrator-controller": "StorageVersionMigrator",
}
GATED_RULES = {
    "clustertrustbundles": "ClusterTrustBundle", "podcertificaterequests": "PodCertificateRequest",
    "podgroups": "GenericWorkload", "podgroups/status": "GenericWorkload"}


def gated_rules(rules, more):
    """The standard rules with those of the gates where they stand."""
    if not rules or not more:
        return rules
    return [r if r in rules else {"gate": GATED_RULES[r["resources"][0]], "rule": r} for r in more]


def add_gated(rows, everything):
    known = {(r["resource"], r["object"]["metadata"]["name"]): r for _, r in rows}
    for resource in ("apiservices", "clusterroles", "clusterrolebindings"):
        with open(os.path.join(everything, "bootstrap", resource + ".json"), encoding="utf-8") as f:
            served = json.load(f)
        for item in served["items"]:
            name = item["metadata"]["name"]
            if (resource, name) in known:
                found = known[resource, name]["object"]
                if found.get("rules"):
                    found["rules"] = gated_rules(found["rules"], item.get("rules"))
                continue
            head = {"kind": served["kind"][:-len("List")], "apiVersion": served["apiVersion"]}
            group, _, version = served["apiVersion"].rpartition("/")
            row = {"group": group, "version": version, "resource": resource}
            if name in GATED_OBJECTS:
                row["gate"] = GATED_OBJECTS[name]
            row["object"] = {**head, **Times().replace(item)}
            rows.append((1 << 40, row))


class Values:
    """What is particular to the recorded server, found in its own objects."""

    def __init__(self, lists):
        endpoints = lists["endpoints"]["items"][0]["subsets"][0]
        lease = lists["leases"]["items"][0]["metadata"]
        self.port = endpoints["ports"][0]["port"]
        self.texts = [
            (lists["servicecidrs"]["items"][0]["spec"]["cidrs"][0], "${cidr}"),
            (lists["services"]["items"][0]["spec"]["clusterIP"], "${ip}"),
            (lease["name"], "${identity}"),
            (endpoints["addresses"][0]["ip"], "${address}"),
        ]
        self.hostname = lease["labels"]["kubernetes.io/hostname"]

    def replace_text(self, key, text):
        if key == "uid":
            return "${uid}"
        if key == "resourceVersion":
            return "${rv}"
        if text in ("IPv4", "IPv6"):
            return "${address_family}" if key == "addressType" else "${family}"
        if key == "kubernetes.io/hostname" and text == self.hostname:
            return "${hostname}"
        for pattern, name in ((TIME, "${time}"), (MICRO, "${microtime}"), (DATE, "${date}")):
            if pattern.match(text):
                return name
        for found, name in self.texts:
            text = text.replace(found, name)
        return UUID.sub("${uuid}", text).replace(":%d" % self.port, ":${port}")

    def replace(self, value, key=""):
        if isinstance(value, dict):
            return {k: self.replace(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [self.replace(v, key) for v in value]
        if isinstance(value, str):
            return self.replace_text(key, value)
        if value == self.port and not isinstance(value, bool):
            return "${port}"
        return value


class Times(Values):
    """Only what every object has that differs."""

    def __init__(self):
        self.port, self.texts, self.hostname = -1, [], None


def main():
    oracle, everything, target = sys.argv[1:]
    folder, lists = os.path.join(oracle, "bootstrap"), {}
    for file in sorted(os.listdir(folder)):
        with open(os.path.join(folder, file), encoding="utf-8") as f:
            lists[file[:-len(".json")]] = json.load(f)
    values, rows = Values(lists), []
    for resource, served in lists.items():
        group, _, version = served["apiVersion"].rpartition("/")
        for item in served["items"]:
            head = {"kind": served["kind"][:-len("List")], "apiVersion": served["apiVersion"]}
            row = {"group": group, "version": version, "resource": resource,
                   "object": {**head, **values.replace(item)}}
            rows.append((int(item["metadata"]["resourceVersion"]), row))
            if resource == "configmaps":
                rows.append((rows[-1][0] - 0.5, CLIENT_CA))
    add_gated(rows, everything)
    with open(target, "w", encoding="utf-8") as out:
        for _, row in sorted(rows, key=lambda r: r[0]):
            out.write(json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
