"""Secrets are not in Git: flux/README.md has to name each one that a person must make."""

import functools
import pathlib

from ..objects import of, show

README = pathlib.Path(__file__).resolve().parents[4] / "flux/README.md"


@functools.cache
def text():
    return README.read_text()


def references(thing):
    """The names of the Secrets that an object refers to."""
    if isinstance(thing, dict):
        for field, value in thing.items():
            if field == "secretRef" and isinstance(value, dict) and "name" in value:
                yield value["name"]
            elif field == "secret" and isinstance(value, dict) and "secretName" in value:
                yield value["secretName"]
            else:
                yield from references(value)
    elif isinstance(thing, list):
        for each in thing:
            yield from references(each)


def secrets_are_documented(cluster):
    made = {thing["spec"]["secretName"] for thing in of(cluster.objects, "Certificate")}
    for thing in cluster.objects:
        for each in sorted(set(references(thing)) - made):
            if f"`{each}`" not in text():
                yield f"{show(thing)}: flux/README.md says nothing of the Secret `{each}`"


CHECKS = [secrets_are_documented]
