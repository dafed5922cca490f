"""Istio's charts: one version, in Istio's order, of one profile."""

from ..objects import namespace, of, show

ORDER = ["base", "istiod", "cni", "ztunnel"]


def istio(cluster):
    found = {}
    for release in of(cluster.objects, "HelmRelease"):
        chart = release["spec"]["chart"]["spec"]
        if chart["sourceRef"]["name"] == "istio":
            found[chart["chart"]] = release
    return found


def versions_agree(cluster):
    versions = {str(release["spec"]["chart"]["spec"]["version"]) for release in istio(cluster).values()}
    if len(versions) > 1:
        yield f"Istio's charts are of several versions: {', '.join(sorted(versions))}"


def order_is_istios(cluster):
    found = istio(cluster)
    chain = [found[chart] for chart in ORDER if chart in found]
    for earlier, later in zip(chain, chain[1:]):
        if earlier["metadata"]["name"] not in [each["name"] for each in later["spec"].get("dependsOn", [])]:
            yield f"{show(later)}: must depend on {show(earlier)}"


def profiles_agree(cluster):
    found = istio(cluster)
    profiles = {chart: release["spec"].get("values", {}).get("profile") for chart, release in found.items()}
    ambient = {chart for chart, profile in profiles.items() if profile == "ambient"}
    if ("ztunnel" in found or ambient) and ambient != set(ORDER):
        yield f"only Istio's charts {sorted(ambient)} have the profile ambient; it takes {sorted(ORDER)}"


def webhooks_are_not_fought_over(cluster):
    for chart, release in istio(cluster).items():
        policy = release["spec"].get("values", {}).get("base", {}).get("validationFailurePolicy")
        if chart in ("base", "istiod") and policy != "Fail":
            yield f"{show(release)}: needs base.validationFailurePolicy: Fail, else Flux and istiod change the webhook back and forth"


def namespaces_are_istios(cluster):
    for release in istio(cluster).values():
        if namespace(release) != "istio-system":
            yield f"{show(release)}: Istio's charts find each other in istio-system"


CHECKS = [versions_agree, order_is_istios, profiles_agree, webhooks_are_not_fought_over, namespaces_are_istios]
