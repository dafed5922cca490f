"""HelmReleases: each finds its chart's source and the releases before it, and is pinned."""

import re

from ..objects import key, name, namespace, of, show
from ..times import seconds

FRESH = 10 * 60


def releases(cluster):
    return of(cluster.objects, "HelmRelease")


def sources_exist(cluster):
    present = {key(thing) for thing in cluster.objects}
    for release in releases(cluster):
        source = release["spec"]["chart"]["spec"]["sourceRef"]
        where = source.get("namespace", namespace(release))
        if ("source.toolkit.fluxcd.io", source["kind"], where, source["name"]) not in present:
            yield f"{show(release)}: its source {source['kind']} {where}/{source['name']} is not there"


def dependencies_exist(cluster):
    known = {(namespace(release), name(release)): release for release in releases(cluster)}

    def before(release, seen):
        for each in release["spec"].get("dependsOn", []):
            found = known.get((each.get("namespace", namespace(release)), each["name"]))
            if found and key(found) not in seen:
                seen.add(key(found))
                before(found, seen)
        return seen

    for release in known.values():
        for each in release["spec"].get("dependsOn", []):
            where = each.get("namespace", namespace(release))
            if (where, each["name"]) not in known:
                yield f"{show(release)}: depends on HelmRelease {where}/{each['name']}, which is not there"
        if key(release) in before(release, set()):
            yield f"{show(release)}: waits for itself"


def versions_are_exact(cluster):
    for release in releases(cluster):
        version = str(release["spec"]["chart"]["spec"].get("version", ""))
        if not re.fullmatch(r"v?\d+\.\d+\.\d+", version):
            yield f"{show(release)}: its chart's version {version!r} is not exact"


def releases_try_again(cluster):
    for release in releases(cluster):
        for phase in ("install", "upgrade"):
            if release["spec"].get(phase, {}).get("strategy", {}).get("name") != "RetryOnFailure":
                yield f"{show(release)}: {phase} must be tried again"


def releases_set_changes_back(cluster):
    for release in releases(cluster):
        if release["spec"].get("driftDetection", {}).get("mode") != "enabled":
            yield f"{show(release)}: would leave what somebody changed by hand; it needs driftDetection with the mode enabled"


def new_versions_are_found(cluster):
    """A version that the cached index lacks is looked for only when the index is read again."""
    for source in of(cluster.objects, "HelmRepository"):
        if source["spec"].get("type") != "oci" and seconds(source["spec"]["interval"]) > FRESH:
            yield f"{show(source)}: a new version of a chart would not be found for {source['spec']['interval']}; at most 10m"


CHECKS = [
    sources_exist,
    dependencies_exist,
    versions_are_exact,
    releases_try_again,
    releases_set_changes_back,
    new_versions_are_found,
]
