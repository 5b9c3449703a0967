#!/usr/bin/env python3
"""Packs a server's OpenAPI documents (without prose) into one facts file:

    openapi_facts.py ORACLE_DIR ALL_DIR OUT_JSONL

ALL_DIR is of a server with every version on (facts.py). Of it come the third version's documents,
which say the same there, and "v2/all", the second version's document of everything.

A line is a JSON value; every object or list that stands in more than one place, each path
and each schema is a line of its own, and {"@": N} refers to line N (from 0). The last line
maps a document's path ("v2", "v3/apis/apps/v1") to it. Key order is the server's."""
import json
import os
import sys

SHORT = 40 # a value whose text is shorter is not worth a line


def text_of(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Packer:
    def __init__(self):
        self.seen, self.line_of, self.lines = {}, {}, []

    def own_line(self, items):
        for value in items.values():
            text = text_of(value)
            self.seen[text] = self.seen.get(text, 0) + 1

    def count(self, value):
        if not isinstance(value, (dict, list)):
            return
        text = text_of(value)
        self.seen[text] = self.seen.get(text, 0) + 1
        if self.seen[text] == 1:
            for item in value.values() if isinstance(value, dict) else value:
                self.count(item)

    def pack(self, value):
        if not isinstance(value, (dict, list)):
            return value
        text = text_of(value)
        if text in self.line_of:
            return {"@": self.line_of[text]}
        if isinstance(value, dict):
            packed = {k: self.pack(v) for k, v in value.items()}
        else:
            packed = [self.pack(v) for v in value]
        if self.seen[text] < 2 or len(text) < SHORT:
            return packed
        self.line_of[text] = len(self.lines)
        self.lines.append(text_of(packed))
        return {"@": self.line_of[text]}


def load(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return json.load(f)


def documents_of(oracle, everything):
    documents = {"v2": load(oracle, "openapi-v2.json"),
                 "v2/all": load(everything, "openapi-v2.json")}
    definitions = documents["v2"]["definitions"]
    definitions.update({k: documents["v2/all"]["definitions"][k] for k in definitions})
    for name in load(everything, "openapi-v3", "index.json"):
        documents["v3/" + name] = load(everything, "openapi-v3", name.replace("/", "__") + ".json")
    return documents


def main():
    oracle, everything, target = sys.argv[1:]
    documents = documents_of(oracle, everything)
    packer = Packer()
    packer.count(list(documents.values()))
    for d in documents.values():
        packer.own_line(d["paths"])
        packer.own_line(d.get("definitions", {}))
        packer.own_line(d.get("components", {}).get("schemas", {}))
    top = {name: packer.pack(d) for name, d in documents.items()}
    with open(target, "w", encoding="utf-8") as out:
        out.writelines(line + "\n" for line in packer.lines + [text_of(top)])


if __name__ == "__main__":
    main()
