"""Flux's post-build substitution, as far as our manifests use it: ${NAME} and ${NAME:=default}."""

import re

import yaml

VARIABLE = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)(?::=([^}]*))?\}")
DISABLED = "kustomize.toolkit.fluxcd.io/substitute"


def exempt(thing):
    """True if Flux leaves an object as it is."""
    metadata = thing.get("metadata", {})
    marks = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    return marks.get(DISABLED) == "disabled" or thing.get("kind") == "CustomResourceDefinition"


def used(objects):
    """All variables in the objects that are not exempt, each with the defaults that it is given."""
    text = "\n".join(yaml.safe_dump(thing, width=10_000) for thing in objects if not exempt(thing))
    found = {}
    for match in VARIABLE.finditer(text):
        found.setdefault(match[1], set()).add(match[2])
    return found


def with_own(objects, values):
    """The objects with these variables filled in, and no others."""
    fill = lambda match: values.get(match[1], match[0])  # noqa: E731
    return [yaml.safe_load(VARIABLE.sub(fill, yaml.safe_dump(thing, width=10_000))) for thing in objects]


def substituted(objects, values):
    """The objects with every variable filled in, and the names of those that have no value."""
    missing = set()

    def fill(match):
        value = values.get(match[1]) or match[2]
        if value is None:
            missing.add(match[1])
        return value or ""

    # Of the text and not of the values, as Flux does it: 2 becomes a number, false a boolean.
    filled = [
        thing if exempt(thing) else yaml.safe_load(VARIABLE.sub(fill, yaml.safe_dump(thing, width=10_000)))
        for thing in objects
    ]
    return filled, missing
