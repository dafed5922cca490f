"""Names of objects."""

FLUX_KUSTOMIZATION = ("kustomize.toolkit.fluxcd.io", "Kustomization")


def group(thing):
    """The API group, "" for the core one."""
    version = thing["apiVersion"]
    return version.rsplit("/", 1)[0] if "/" in version else ""


def name(thing):
    return thing["metadata"]["name"]


def namespace(thing):
    return thing["metadata"].get("namespace")


def key(thing):
    """The identity of an object in the cluster, whatever version of its API it is written in."""
    return (group(thing), thing["kind"], namespace(thing), name(thing))


def of(objects, kind, groups=None):
    """The objects of a kind; of some groups only, where other groups have that kind too."""
    return [thing for thing in objects if thing["kind"] == kind and (groups is None or group(thing) in groups)]


def show(thing):
    """As a message names it."""
    where = namespace(thing)
    return f"{thing['kind']} {where + '/' if where else ''}{name(thing)}"


def made_by_hfi(kind, where, called):
    """True for an artifact that hfi makes for a namespace while it runs."""
    return kind == "ExternalArtifact" and where == "hfi-istio" and (called == "*" or called.startswith("hfi-istio-"))
