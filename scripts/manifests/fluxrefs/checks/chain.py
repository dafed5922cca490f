"""The Kustomizations: each finds its source and those before it, says how often and how long, and waits."""

from ..objects import key, made_by_hfi, name, namespace, of, show
from ..times import seconds

# A new revision is looked at only when the health checks of the last one have ended.
LONGEST = 5 * 60
NEEDED = ("interval", "retryInterval", "timeout", "prune")


def kustomizations(cluster):
    return [layer for layer in cluster.layers if layer.kustomization]


def sources_exist(cluster):
    present = {key(thing) for thing in cluster.objects}
    for layer in kustomizations(cluster):
        source = layer.spec["sourceRef"]
        where = source.get("namespace", namespace(layer.kustomization))
        own = ("source.toolkit.fluxcd.io", source["kind"], where, source["name"])
        if own not in present and not made_by_hfi(*own[1:]):
            yield f"{layer.title}: its source {source['kind']} {where}/{source['name']} is not there"


def names_are_ours(cluster):
    """In flux-system, where a cluster may have an `istio` or `demo` of its own, which ours would replace."""
    for layer in cluster.layers:
        for thing in layer.objects:
            if namespace(thing) == "flux-system" and not name(thing).startswith("hfi"):
                yield f"{show(thing)}: needs a name that begins with hfi"


def dependencies_exist(cluster):
    for layer in kustomizations(cluster):
        for each in layer.spec.get("dependsOn", []):
            where = each.get("namespace", namespace(layer.kustomization))
            if not cluster.layer(where, each["name"]):
                yield f"{layer.title}: depends on Kustomization {where}/{each['name']}, which is not there"


def nothing_goes_round(cluster):
    for layer in kustomizations(cluster):
        for each in cluster.before(layer):
            if layer in cluster.before(each):
                yield f"{layer.title}: waits for {each.title}, which waits for it"


def what_others_wait_for_says_when_it_is_ready(cluster):
    awaited = {each["name"] for layer in kustomizations(cluster) for each in layer.spec.get("dependsOn", [])}
    for layer in kustomizations(cluster):
        checked = layer.spec.get("wait") or layer.spec.get("healthChecks")
        if name(layer.kustomization) in awaited and not checked:
            yield f"{layer.title}: others depend on it, so it needs `wait` or `healthChecks`"


def times_are_given_and_sane(cluster):
    for layer in kustomizations(cluster):
        missing = [each for each in NEEDED if each not in layer.spec]
        if missing:
            yield f"{layer.title}: needs {', '.join(missing)}"
            continue
        if seconds(layer.spec["retryInterval"]) >= seconds(layer.spec["interval"]):
            yield f"{layer.title}: retryInterval must be shorter than interval"
        if seconds(layer.spec["timeout"]) > LONGEST:
            yield f"{layer.title}: a commit that repairs a failed rollout would wait for {layer.spec['timeout']}; at most 5m"
        releases = of(layer.objects, "HelmRelease")
        if layer.spec.get("wait") and releases and seconds(layer.spec["timeout"]) < seconds(releases[0]["spec"]["timeout"]):
            yield f"{layer.title}: gives up before its first HelmRelease does"


def nothing_has_two_owners(cluster):
    owners = {}
    for layer in cluster.layers:
        for thing in layer.objects:
            other = owners.setdefault(key(thing), layer)
            if other is not layer:
                yield f"{show(thing)}: applied by {other.title} and by {layer.title}"


def settings_are_used(cluster):
    for layer in cluster.layers:
        for thing in of(layer.objects, "ConfigMap"):
            if name(thing) == "hfi-stack":
                known = {each for other in cluster.layers for each in other.used}
                for each in sorted(set(thing["data"]) - known):
                    yield f"{show(thing)}: nothing uses {each}"


def variables_come_from_maps_that_are_there(cluster):
    present = {(thing["kind"], namespace(thing), name(thing)) for thing in cluster.objects}
    for layer in kustomizations(cluster):
        for each in layer.spec.get("postBuild", {}).get("substituteFrom", []):
            if not each.get("optional") and (each["kind"], namespace(layer.kustomization), each["name"]) not in present:
                yield f"{layer.title}: {each['kind']} {each['name']} for its variables is not there"


OF_LINKS = [sources_exist, names_are_ours, dependencies_exist, nothing_goes_round, times_are_given_and_sane]

CHECKS = [
    *OF_LINKS,
    what_others_wait_for_says_when_it_is_ready,
    nothing_has_two_owners,
    settings_are_used,
    variables_come_from_maps_that_are_there,
]
