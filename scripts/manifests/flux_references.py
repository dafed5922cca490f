#!/usr/bin/env python3
"""Follows every cluster below flux/clusters as Flux would, and says which reference leads nowhere.

usage: flux_references.py [DIRECTORY]    (flux, the default: the directory of that name in the repository)
"""

import pathlib
import sys

# Nothing is left in the checkout.
sys.dont_write_bytecode = True

try:
    import yaml  # noqa: F401
except ImportError:
    raise SystemExit("flux_references: PyYAML is missing; it is Debian's package python3-yaml") from None

from fluxrefs import folder as outside
from fluxrefs.checks import CHECKS, chain, health, helm, mesh, modules, notifications
from fluxrefs.cluster import Layer, Repository, expand
from fluxrefs.objects import of

# The settings that every user must give; all others have a default.
REQUIRED = {"POLICIES_URL"}


def settings(folder):
    """The settings that the example has, which is where users read of them."""
    lines = (folder / "examples/settings/settings.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def unsound_settings(documented, used):
    """The settings of the example, compared with those that the components use."""
    for name in sorted(set(documented) - set(used)):
        yield f"{name} is in settings.env, but nothing uses it"
    for name, defaults in sorted(used.items()):
        if name not in documented:
            yield f"{name} is a setting, but is not in settings.env"
        elif defaults != {None if name in REQUIRED else documented[name]}:
            yield f"{name} is {documented[name]} in settings.env, but components have {defaults} as its default"


def examples(folder):
    """The directories of examples, each of which stands on a cluster."""
    return sorted(str(path.parent) for path in (folder / "examples").rglob("kustomization.yaml"))


def findings(folder):
    """Everything that is wrong, as (where, message)."""
    folder = pathlib.Path(folder).resolve()
    repository = Repository(folder.parent)
    documented = settings(folder)
    given = {name: documented[name] for name in REQUIRED if name in documented}
    clusters = sorted(path.parent.name for path in (folder / "clusters").glob("*/kustomization.yaml"))
    used = {}
    for each in clusters:
        cluster, wrong = expand(repository, f"{folder.name}/clusters/{each}", given)
        yield from ((cluster.path, message) for message in wrong)
        yield from ((cluster.path, message) for check in CHECKS for message in check(cluster))
        for layer in cluster.layers:
            for name, defaults in layer.used.items():
                used.setdefault(name, set()).update(defaults)
    yield from (("flux/examples/settings", message) for message in unsound_settings(documented, used))
    yield from unsound_examples(repository, folder, given)
    yield from ((folder.name, message) for check in outside.CHECKS for message in check(folder, repository))


def unsound_examples(repository, folder, given):
    """Examples are applied to a production cluster, each for itself; what they need may be there already."""
    sound = [*chain.OF_LINKS, *health.CHECKS, *mesh.CHECKS, *modules.CHECKS, *notifications.CHECKS, *helm.CHECKS]
    for path in examples(folder):
        path = str(pathlib.Path(path).relative_to(folder.parent))
        try:
            objects = list(repository.build(path))
        except ValueError as error:
            yield path, str(error)
            continue
        links = of(objects, "Kustomization")
        cluster, wrong = expand(repository, f"{folder.name}/clusters/production", given, also=links)
        cluster.layers.append(Layer(None, None, [each for each in objects if each not in links]))
        yield from ((path, message) for message in wrong)
        yield from ((path, message) for check in sound for message in check(cluster))


def main(arguments):
    folder = arguments[0] if arguments else pathlib.Path(__file__).resolve().parents[2] / "flux"
    wrong = list(findings(folder))
    for where, message in wrong:
        print(f"{where}: {message}")
    print(f"flux: {len(wrong)} references that lead nowhere" if wrong else "flux: every reference leads somewhere")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
