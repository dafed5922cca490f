"""The own repository as Flux checks it out: all that is applied, and nothing else."""

from ..cluster import OWN_SOURCE
from ..objects import name, of, show

# The directories that have manifests, each of which refers to the other.
APPLIED = {"flux", "k8s"}


def only_what_is_applied_is_checked_out(cluster):
    """Flux refuses a repository that has a file of a name which Windows cannot have, if it is checked out."""
    for source in of(cluster.objects, "GitRepository"):
        asked = source["spec"].get("sparseCheckout", [])
        if name(source) == OWN_SOURCE and set(asked) != APPLIED:
            what = ", ".join(asked) or "the whole repository"
            yield f"{show(source)}: checks out {what}; its sparseCheckout must be {', '.join(sorted(APPLIED))}"


CHECKS = [only_what_is_applied_is_checked_out]
