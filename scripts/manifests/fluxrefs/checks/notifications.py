"""Alerts, Providers and Receivers: each finds what it is about, and believes nobody without a proof."""

from ..objects import made_by_hfi, name, namespace, of, show


def alerts_have_providers(cluster):
    present = {(namespace(thing), name(thing)) for thing in of(cluster.objects, "Provider")}
    for alert in of(cluster.objects, "Alert"):
        if (namespace(alert), alert["spec"]["providerRef"]["name"]) not in present:
            yield f"{show(alert)}: its provider {alert['spec']['providerRef']['name']} is not there"


def what_is_watched_is_there(cluster):
    present = {(thing["kind"], namespace(thing), name(thing)) for thing in cluster.objects}
    for thing in [*of(cluster.objects, "Alert"), *of(cluster.objects, "Receiver")]:
        for each in thing["spec"].get("eventSources", thing["spec"].get("resources", [])):
            where = each.get("namespace", namespace(thing))
            some = any(kind == each["kind"] and place == where for kind, place, _ in present)
            if made_by_hfi(each["kind"], where, each["name"]):
                continue
            if not (some if each["name"] == "*" else (each["kind"], where, each["name"]) in present):
                yield f"{show(thing)}: {each['kind']} {where}/{each['name']} is not there"


def nobody_is_believed_without_a_proof(cluster):
    for thing in [*of(cluster.objects, "Receiver"), *of(cluster.objects, "Provider")]:
        if thing["spec"]["type"] == "generic":
            yield f"{show(thing)}: type generic authenticates nobody; use generic-hmac or the forge's own"
        if not thing["spec"].get("secretRef"):
            yield f"{show(thing)}: needs a secretRef"


CHECKS = [alerts_have_providers, what_is_watched_is_there, nobody_is_believed_without_a_proof]
