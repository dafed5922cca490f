"""Nothing comes before what it needs: CRDs, controllers, namespaces."""

from ..objects import group, name, namespace, of, show

ISTIO = {"extensions.istio.io", "networking.istio.io", "security.istio.io", "telemetry.istio.io"}
BUILT_IN = {"", "apps", "autoscaling", "batch", "policy"} | {
    f"{each}.k8s.io" for each in ("admissionregistration", "apiextensions", "networking", "rbac.authorization")
}
PRUNE = "kustomize.toolkit.fluxcd.io/prune"
# Of no namespace at all, or in one that is there before any of ours.
THERE_ALREADY = {None, "default", "flux-system", "kube-system"}


def brings(layer):
    """The API groups whose CRDs come with a layer."""
    groups = {thing["spec"]["group"] for thing in of(layer.objects, "CustomResourceDefinition")}
    if layer.external and layer.spec["sourceRef"]["name"] == "hfi-gateway-api":
        groups.add("gateway.networking.k8s.io")
    for release in of(layer.objects, "HelmRelease"):
        chart = release["spec"]["chart"]["spec"]["chart"]
        values = release["spec"].get("values", {})
        if chart == "base":
            groups |= ISTIO
        if chart == "cert-manager" and values.get("crds", {}).get("enabled"):
            groups.add("cert-manager.io")
    return groups


def crds_come_first(cluster):
    for layer in cluster.layers:
        ready = set().union(*[brings(each) for each in cluster.before(layer)])
        for thing in layer.objects:
            asked = group(thing)
            if asked not in BUILT_IN | ready and not asked.endswith("toolkit.fluxcd.io"):
                yield f"{show(thing)} ({layer.title}): nothing that {layer.title} depends on brings the CRDs of {asked}"


def controllers_come_first(cluster):
    for layer in cluster.layers:
        releases = [release for each in cluster.before(layer) for release in of(each.objects, "HelmRelease")]
        charts = {release["spec"]["chart"]["spec"]["chart"] for release in releases}
        for thing in of(layer.objects, "Gateway", {"gateway.networking.k8s.io"}):
            if "istiod" not in charts:
                yield f"{show(thing)} ({layer.title}): nothing that {layer.title} depends on brings istiod, which makes its pods"
            if thing["spec"]["gatewayClassName"] == "istio-waypoint" and "ztunnel" not in charts:
                yield f"{show(thing)} ({layer.title}): a waypoint without ztunnel gets no traffic"


def namespaces_come_first(cluster):
    for layer in cluster.layers:
        made = {name(thing) for each in [*cluster.before(layer), layer] for thing in of(each.objects, "Namespace")}
        for thing in layer.objects:
            if namespace(thing) not in THERE_ALREADY | made:
                yield f"{show(thing)} ({layer.title}): nothing that {layer.title} depends on makes its namespace"


def lasting_things_are_not_pruned(cluster):
    for layer in cluster.layers:
        pruned = layer.spec.get("prune") or layer.spec.get("deletionPolicy") != "Orphan"
        if layer.external and brings(layer) and pruned:
            yield f"{layer.title}: would take all objects of its CRDs along; `prune: false` and `deletionPolicy: Orphan`"
        for thing in of(layer.objects, "Namespace"):
            marks = thing["metadata"].get("annotations", {})
            holds_a_release = any(namespace(each) == name(thing) for each in of(cluster.objects, "HelmRelease"))
            if holds_a_release and marks.get(PRUNE) != "disabled":
                yield f"{show(thing)}: would be pruned with everything in it; annotate it with {PRUNE}: disabled"


CHECKS = [crds_come_first, controllers_come_first, namespaces_come_first, lasting_things_are_not_pruned]
