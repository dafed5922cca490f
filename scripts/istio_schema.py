#!/usr/bin/env python3
"""Prints the facts of Istio's CRDs that a validator needs: istio_schema.py OLDEST NEWEST, each a list of files FILE,FILE...

The routes of the Gateway API are among them, as Istio of that version takes them.

A node is the schema of one value. Equal nodes are one, over all kinds and both versions, and name each other by their
number. CEL is not taken over, but for durations; descriptions are not either. A schema of another shape than those
below is an error, so that nothing is lost silently.
"""

import json
import sys

import yaml

KINDS = {
    "DestinationRule": "v1",
    "VirtualService": "v1",
    "ServiceEntry": "v1",
    "Gateway": "v1",
    "EnvoyFilter": "v1alpha3",
    "ProxyConfig": "v1beta1",
    "Sidecar": "v1",
    "AuthorizationPolicy": "v1",
    "PeerAuthentication": "v1",
    "RequestAuthentication": "v1",
    "Telemetry": "v1",
    "HTTPRoute": "v1",
    "GRPCRoute": "v1",
}
# What a node keeps as it is.
FACTS = [
    "type", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
    "minProperties", "maxProperties", "required", "nullable",
]
EXTENSIONS = {
    "x-kubernetes-preserve-unknown-fields": "anyFields",
    "x-kubernetes-int-or-string": "intOrString",
    "x-kubernetes-list-type": "listType",
    "x-kubernetes-list-map-keys": "listMapKeys",
}
DURATION = "duration(self) >= duration('1ms')"
# What is read elsewhere in this file, or is no fact.
OTHERS = {
    "description", "format", "properties", "items", "additionalProperties", "oneOf", "allOf", "anyOf",
    "x-kubernetes-validations", "default",
}

nodes, numbers = [], {}


def number(node):
    text = json.dumps(node, separators=(",", ":"))
    if text not in numbers:
        numbers[text] = len(nodes)
        nodes.append(text)
    return numbers[text]


def at_most_one(choice, place):
    """The names of which at most one may be there: [not any of them, or the first, or the second, ...]."""
    names = [name for option in choice for name in option.get("required", [])]
    wanted = [{"not": {"anyOf": [{"required": [name]} for name in names]}}, *({"required": [name]} for name in names)]
    if choice != wanted:
        sys.exit(f"istio-schema: {place} has a oneOf of another shape: {json.dumps(choice)}")
    return names


def read(schema, place):
    """The number of the node of a schema."""
    if unknown := set(schema) - set(FACTS) - set(EXTENSIONS) - OTHERS:
        sys.exit(f"istio-schema: {place} has {', '.join(sorted(unknown))}, which is not known here")
    node = {fact: schema[fact] for fact in FACTS if fact in schema}
    if schema.get("format") == "int32":
        node.setdefault("minimum", -(2**31))
        node.setdefault("maximum", 2**31 - 1)
    node |= {name: schema[key] for key, name in EXTENSIONS.items() if key in schema}
    if node.get("intOrString"):
        node.pop("type", None)
    elif "anyOf" in schema:
        sys.exit(f"istio-schema: {place} has an anyOf")
    if any(rule["rule"] == DURATION for rule in schema.get("x-kubernetes-validations", [])):
        node["duration"] = True
    choices = [schema["oneOf"]] if "oneOf" in schema else []
    for part in schema.get("allOf", []):
        if list(part) != ["oneOf"]:
            sys.exit(f"istio-schema: {place} has an allOf of another shape")
        choices.append(part["oneOf"])
    if choices:
        node["atMostOne"] = [at_most_one(choice, place) for choice in choices]
    if "items" in schema:
        node["items"] = read(schema["items"], f"{place}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        node["values"] = read(schema["additionalProperties"], f"{place}.*")
    if "properties" in schema:
        node["properties"] = {
            name: read(schema["properties"][name], f"{place}.{name}") for name in sorted(schema["properties"])
        }
    return number(node)


def version(files):
    """The spec of each kind, by its number."""
    specs = {}
    for file in files.split(","):
        with open(file, encoding="utf-8") as text:
            for crd in yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
                kind = crd["spec"]["names"]["kind"]
                for served in crd["spec"]["versions"]:
                    if served["name"] == KINDS.get(kind):
                        specs[kind] = read(served["schema"]["openAPIV3Schema"]["properties"]["spec"], kind)
    if missing := set(KINDS) - set(specs):
        sys.exit(f"istio-schema: {files} lacks {', '.join(sorted(missing))}")
    return {kind: specs[kind] for kind in KINDS}


def main():
    oldest, newest = (version(files) for files in sys.argv[1:3])
    lines = ",\n".join(nodes)
    print(f'{{"oldest":{json.dumps(oldest)},\n"newest":{json.dumps(newest)},\n"nodes":[\n{lines}\n]}}')


if __name__ == "__main__":
    main()
