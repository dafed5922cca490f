"""Health: what a Kustomization waits for must itself say that it is ready."""

import re

from ..objects import group, name, namespace
from .chain import kustomizations
from .order import BUILT_IN, ISTIO

# Flux takes an object without a status for ready, unless it is of a kind that it knows. Flux's own kinds begin with
# an observed generation of -1, or have no status at all; istiod writes none, unless it is told to.
NEEDS_NO_EXPRESSION = BUILT_IN | ISTIO
NEWEST = re.compile(r"\bobservedGeneration == metadata\.generation\b")


def awaited(layer):
    """The objects that a Kustomization waits for."""
    if layer.spec.get("wait"):
        return layer.objects
    asked = {(each["kind"], each.get("namespace"), each["name"]) for each in layer.spec.get("healthChecks", [])}
    return [thing for thing in layer.objects if (thing["kind"], namespace(thing), name(thing)) in asked]


def health_is_asked_of_what_is_there(cluster):
    for layer in kustomizations(cluster):
        if layer.external:
            continue
        kinds = {(thing["apiVersion"], thing["kind"]) for thing in awaited(layer)}
        for each in layer.spec.get("healthCheckExprs", []):
            if (each["apiVersion"], each["kind"]) not in kinds:
                yield f"{layer.title}: healthCheckExprs asks about {each['apiVersion']} {each['kind']}, of which it has none"
        present = {(thing["kind"], namespace(thing), name(thing)) for thing in layer.objects}
        for each in layer.spec.get("healthChecks", []):
            if (each["kind"], each.get("namespace"), each["name"]) not in present:
                yield f"{layer.title}: healthChecks asks about {each['kind']} {each['name']}, which it has not"


def custom_kinds_say_that_they_are_ready(cluster):
    for layer in kustomizations(cluster):
        said = {(each["apiVersion"], each["kind"]) for each in layer.spec.get("healthCheckExprs", [])}
        for version, kind in sorted({(thing["apiVersion"], thing["kind"]) for thing in awaited(layer)} - said):
            api = group({"apiVersion": version})
            if api not in NEEDS_NO_EXPRESSION and not api.endswith("toolkit.fluxcd.io"):
                yield f"{layer.title}: takes a {kind} without a status for ready; it needs healthCheckExprs for {version} {kind}"


def expressions_demand_the_newest_state(cluster):
    """A condition that holds, and of this generation: `exists`, since `all` holds where there is none."""
    for layer in kustomizations(cluster):
        for each in layer.spec.get("healthCheckExprs", []):
            current = each["current"]
            if ".exists(" not in current or ".all(" in current or not NEWEST.search(current):
                yield f"{layer.title}: its expression for {each['kind']} must demand a condition (`exists`) whose observedGeneration is metadata.generation"


CHECKS = [health_is_asked_of_what_is_there, custom_kinds_say_that_they_are_ready, expressions_demand_the_newest_state]
