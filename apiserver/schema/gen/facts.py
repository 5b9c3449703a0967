#!/usr/bin/env python3
"""Makes schema/facts/ from recorded facts of a real server.

Run by a maintainer, once for each Kubernetes version; the build itself reads only the
committed result, so that nobody needs the recordings to build:

    facts.py TYPES_JSON ORACLE_DIR ALL_DIR FACTS_DIR

TYPES_JSON  every Go API type: fields in wire order, protobuf numbers, patch directives
ORACLE_DIR  what the server serves: discovery/, openapi-v3/, table-columns.json
ALL_DIR     the same of one with --runtime-config=api/all=true and the GATES below on: what can
            be served at all, which resources.jsonl marks "off" where ORACLE_DIR lacks it
"""
import copy
import json
import os
import sys

PREFIX = "io.k8s."
META = "apimachinery.pkg.apis.meta.v1."
# Marshal themselves, and their members still matter to protobuf.
UNIONS = ("JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrStringArray")
# Kinds of versions that are not served are in the tables too: bodies of them get the real server's
# words, and the codecs know them. Only these groups are of schemes that it does not decode with.
OTHER_SCHEMES = {"audit.k8s.io"}
EXTRA_TYPES = [META + n for n in (
    "Status", "Table", "PartialObjectMetadata", "PartialObjectMetadataList", "WatchEvent",
    "ObjectMeta", "ListMeta", "TableOptions", "LabelSelector", "Condition")]
# The forms that a client may ask any object in, also by their older version's name.
EXTRA_KINDS = {("meta.k8s.io", v, k): META + k for v in ("v1", "v1beta1")
               for k in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")}
# The older list has its two fields the other way round.
OLD_LIST = "apimachinery.pkg.apis.meta.v1beta1.PartialObjectMetadataList"
EXTRA_KINDS["meta.k8s.io", "v1beta1", "PartialObjectMetadataList"] = OLD_LIST
# Discovery's older version has the types of the newer one.
EXTRA_KINDS.update({("apidiscovery.k8s.io", "v2beta1", k): "api.apidiscovery.v2." + k
                    for k in ("APIGroupDiscovery", "APIGroupDiscoveryList")})
# Where a stored object's key does not start with its resource's name.
ETCD_PREFIX = {
    ("", "replicationcontrollers"): "controllers",
    ("", "endpoints"): "services/endpoints",
    ("", "nodes"): "minions",
    ("", "services"): "services/specs",
    ("networking.k8s.io", "ingresses"): "ingress",
    ("apiextensions.k8s.io", "customresourcedefinitions"):
        "apiextensions.k8s.io/customresourcedefinitions",
    ("apiregistration.k8s.io", "apiservices"): "apiregistration.k8s.io/apiservices",
}
# Resources that are stored in the form of another group or version: as an etcd behind the real
# server shows it.
POLICIES = "admissionregistration.k8s.io/v1beta1"
STORAGE = {
    ("autoscaling", "v1", "horizontalpodautoscalers"): "autoscaling/v2",
    ("events.k8s.io", "v1", "events"): "v1",
    ("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicies"): POLICIES,
    ("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicybindings"): POLICIES,
    ("admissionregistration.k8s.io", "v1alpha1", "mutatingadmissionpolicies"): POLICIES,
    ("admissionregistration.k8s.io", "v1alpha1", "mutatingadmissionpolicybindings"): POLICIES,
    ("certificates.k8s.io", "v1alpha1", "clustertrustbundles"): "certificates.k8s.io/v1beta1",
    ("coordination.k8s.io", "v1alpha2", "leasecandidates"): "coordination.k8s.io/v1beta1",
    ("networking.k8s.io", "v1beta1", "ipaddresses"): "networking.k8s.io/v1",
    ("networking.k8s.io", "v1beta1", "servicecidrs"): "networking.k8s.io/v1",
    ("resource.k8s.io", "v1beta2", "devicetaintrules"): "resource.k8s.io/v1alpha3",
    ("storage.k8s.io", "v1beta1", "volumeattributesclasses"): "storage.k8s.io/v1",
}
STORAGE.update({("resource.k8s.io", v, r): "resource.k8s.io/v1" for v in ("v1beta1", "v1beta2")
                for r in ("deviceclasses", "resourceclaims", "resourceclaimtemplates",
                          "resourceslices")})
# Resources that a feature gate must open too.
GATES = {
    ("certificates.k8s.io", "clustertrustbundles"): "ClusterTrustBundle",
    ("certificates.k8s.io", "podcertificaterequests"): "PodCertificateRequest",
    ("scheduling.k8s.io", "podgroups"): "GenericWorkload",
    ("scheduling.k8s.io", "workloads"): "GenericWorkload",
    ("storagemigration.k8s.io", "storageversionmigrations"): "StorageVersionMigrator",
}


def load(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return json.load(f)


def split_type(name):
    """Element of "[]T", "[]*T", "map[K]V"; None for anything else."""
    if name.startswith("[]"):
        return name[2:].lstrip("*")
    if name.startswith("map["):
        return name[name.index("]") + 1:].lstrip("*")
    return None


def reach(types, roots):
    seen, todo = set(), list(roots)
    while todo:
        name = todo.pop()
        elem = split_type(name)
        if elem is not None:
            todo.append(elem)
            continue
        if name in seen or name not in types:
            continue
        seen.add(name)
        t = types[name]
        if t.get("json") == "custom" and not name.endswith(UNIONS):
            continue
        if t.get("elem"):
            todo.append(t["elem"].split(" ")[-1])
        todo.extend(f["type"] for f in t.get("fields", []))
    return seen


def schemas(oracle):
    out = {}
    folder = os.path.join(oracle, "openapi-v3")
    for file in sorted(os.listdir(folder)):
        out.update(load(folder, file).get("components", {}).get("schemas", {}))
    return out


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def field_line(field, prop, required):
    words = [field["name"] or "~", field["type"].replace(" ", ""), str(field.get("proto", 0))]
    flags = [("omitempty", "e"), ("omitzero", "z"), ("pointer", "p")]
    words += [short for key, short in flags if field.get(key)]
    if required:
        words.append("r")
    for strategy in filter(None, field.get("patchStrategy", "").split(",")):
        words.append({"merge": "m", "retainKeys": "k", "replace": "x"}[strategy])
    if field.get("patchMergeKey"):
        words.append("mk=" + field["patchMergeKey"])
    if prop.get("x-kubernetes-list-type"):
        words.append("lt=" + prop["x-kubernetes-list-type"])
    if prop.get("x-kubernetes-list-map-keys"):
        words.append("lk=" + ",".join(prop["x-kubernetes-list-map-keys"]))
    if prop.get("x-kubernetes-map-type") in ("atomic", "granular"):
        words.append({"atomic": "am", "granular": "gm"}[prop["x-kubernetes-map-type"]])
    if "default" in prop:
        words.append("d=" + compact(prop["default"]))
    return " ".join(words)


def schema_of(types, names, api):
    """Schemas flatten inlined structs, so a struct that is only ever inlined has its
    facts on the outer type."""
    found = {n: api[PREFIX + n] for n in names if PREFIX + n in api}
    grown = True
    while grown:
        grown = False
        for name in sorted(names & set(found)):
            for field in types[name].get("fields", []):
                if field.get("inline") and field["type"] not in found:
                    found[field["type"]] = {**found[name], "x-kubernetes-map-type": None}
                    grown = True
    return found


def write_types(path, types, names, api):
    found = schema_of(types, names, api)
    with open(path, "w", encoding="utf-8") as out:
        for name in sorted(names):
            t = types[name]
            head = [t["kind"], name]
            if t.get("json") == "custom":
                head.append("custom")
            if t.get("elem"):
                head.append(t["elem"].split(" ")[-1])
            schema = found.get(name, {})
            if schema.get("x-kubernetes-map-type") == "atomic":
                head.append("am")
            out.write(" ".join(head) + "\n")
            if t.get("json") == "custom" and not name.endswith(UNIONS):
                continue
            props, required = schema.get("properties", {}), schema.get("required", [])
            for field in t.get("fields", []):
                prop = props.get(field["name"], {})
                out.write(" " + field_line(field, prop, field["name"] in required) + "\n")


def resource_row(group, version, entry, kinds, columns):
    gv = f"{group}/{version}" if group else version
    name = entry["name"]
    row = {"resource": name, "singular": entry["singularName"], "kind": entry["kind"],
           "namespaced": entry["namespaced"], "verbs": entry["verbs"]}
    if (group, version, entry["kind"] + "List") in kinds:
        row["list"] = entry["kind"] + "List"
    for key, short in (("shortNames", "short"), ("categories", "categories"),
                       ("storageVersionHash", "hash")):
        if entry.get(key):
            row[short] = entry[key]
    row["etcd"] = ETCD_PREFIX.get((group, name), name)
    if (group, version, name) in STORAGE:
        row["storage"] = STORAGE[(group, version, name)]
    row["subresources"] = []
    row["columns"] = [[c["name"], c["type"], c["format"], c["priority"]]
                      for c in columns.get(f"{gv}/{name}", [])]
    return row


def subresource_row(group, version, entry):
    row = {"name": entry["name"].split("/", 1)[1], "kind": entry["kind"], "verbs": entry["verbs"]}
    if entry["singularName"] or entry.get("shortNames") or entry.get("categories"):
        sys.exit(f"subresource {entry['name']} says more than the tables can")
    if "group" in entry or "version" in entry:
        row["group"], row["version"] = entry.get("group", ""), entry.get("version", "")
    return row


def served_versions(oracle):
    return {("", "v1")} | {(g["name"], v["version"])
                           for g in load(oracle, "discovery", "apis.json")["groups"]
                           for v in g["versions"]}


def write_resources(path, standard, oracle, kinds):
    columns, on = load(oracle, "table-columns.json"), served_versions(standard)
    order = [("", ["v1"])] + [
        (g["name"], [v["version"] for v in g["versions"]])
        for g in load(oracle, "discovery", "apis.json")["groups"]]
    with open(path, "w", encoding="utf-8") as out:
        for group, versions in order:
            for version in versions:
                file = f"apis__{group}__{version}.json" if group else "api__v1.json"
                out.write(compact({"group": group, "version": version}) + "\n")
                rows = {}
                for entry in load(oracle, "discovery", file)["resources"]:
                    if "/" in entry["name"]:
                        parent = entry["name"].split("/", 1)[0]
                        rows[parent]["subresources"].append(subresource_row(group, version, entry))
                    else:
                        row = resource_row(group, version, entry, kinds, columns)
                        if (group, version) not in on:
                            row["off"] = True
                        if (group, entry["name"]) in GATES:
                            row["gate"] = GATES[group, entry["name"]]
                        rows[entry["name"]] = row
                out.writelines(" " + compact(r) + "\n" for r in rows.values())


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    source, oracle, everything, facts = sys.argv[1:]
    data = load(source)
    types = data["types"]
    kinds = {(k["group"], k["version"], k["kind"]): k["type"] for k in data["kinds"]
             if k["group"] not in OTHER_SCHEMES}
    kinds.update(EXTRA_KINDS)
    types[OLD_LIST] = copy.deepcopy(types[META + "PartialObjectMetadataList"])
    for field in types[OLD_LIST]["fields"][1:]:
        field["proto"] = 3 - field["proto"]
    names = reach(types, list(kinds.values()) + EXTRA_TYPES)
    os.makedirs(facts, exist_ok=True)
    write_types(os.path.join(facts, "types.txt"), types, names,
                {**schemas(everything), **schemas(oracle)})
    with open(os.path.join(facts, "kinds.txt"), "w", encoding="utf-8") as out:
        for (group, version, kind), name in sorted(kinds.items()):
            out.write(f"{group or '-'} {version} {kind} {name}\n")
    write_resources(os.path.join(facts, "resources.jsonl"), oracle, everything, kinds)


if __name__ == "__main__":
    main()
