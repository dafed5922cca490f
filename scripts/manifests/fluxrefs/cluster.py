"""A cluster as Flux would fill it: from what is applied by hand, through every Kustomization, to the end."""

import os
import pathlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field

import yaml

from . import variables
from .objects import FLUX_KUSTOMIZATION, name, namespace, of, show

OWN_SOURCE = "hfi"


class Repository:
    """The checkout; builds directories as Flux's kustomize-controller does."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        cached = self.root / ".cache/kustomize/usr/bin/kustomize"
        found = os.environ.get("HFI_KUSTOMIZE") or (str(cached) if cached.exists() else shutil.which("kustomize"))
        if not found:
            raise SystemExit("flux_references: no kustomize; scripts/manifests/tools unpacks one, or set HFI_KUSTOMIZE")
        self.kustomize = found
        self.built = {}

    def build(self, path, over=None, components=()):
        """The objects of a directory, with what a Kustomization of Flux adds; a ValueError with what kustomize
        says against it."""
        key = (path, yaml.safe_dump(over), *components)
        if key not in self.built:
            with tempfile.TemporaryDirectory() as folder:
                if over or components:

                    def where(path):
                        return os.path.relpath((self.root / path).resolve(), pathlib.Path(folder).resolve())

                    added = {**(over or {}), "resources": [where(path)], "components": list(map(where, components))}
                    (pathlib.Path(folder) / "kustomization.yaml").write_text(yaml.safe_dump(added))
                self.built[key] = self.run(folder if over or components else str(self.root / path))
        return self.built[key]

    def run(self, folder):
        done = subprocess.run([self.kustomize, "build", folder], capture_output=True, text=True)
        if done.returncode != 0:
            raise ValueError(done.stderr.strip())
        return [thing for thing in yaml.safe_load_all(done.stdout) if thing]


@dataclass
class Layer:
    """The objects of one Kustomization. The first layer, without one, is applied by hand."""

    kustomization: dict | None
    parent: "Layer | None"
    objects: list = field(default_factory=list)
    external: bool = False
    used: dict = field(default_factory=dict)

    @property
    def title(self):
        return show(self.kustomization) if self.kustomization else "what is applied by hand"

    @property
    def spec(self):
        return self.kustomization["spec"] if self.kustomization else {}


@dataclass
class Cluster:
    path: str
    layers: list
    values: dict

    @property
    def objects(self):
        return [thing for layer in self.layers for thing in layer.objects]

    def layer(self, where, called):
        for layer in self.layers:
            if layer.kustomization and (namespace(layer.kustomization), name(layer.kustomization)) == (where, called):
                return layer
        return None

    def before(self, layer):
        """The layers that are ready, or at least applied, before this one is."""
        seen, todo = [], [layer]
        while todo:
            current = todo.pop()
            where = namespace(current.kustomization) if current.kustomization else None
            found = [self.layer(each.get("namespace", where), each["name"]) for each in current.spec.get("dependsOn", [])]
            for each in [*found, current.parent]:
                if each and each not in seen and each is not layer:
                    seen.append(each)
                    todo.append(each)
        return seen


def expand(repository, path, settings, also=()):
    """The cluster that begins with a directory, and objects beside it; and what went wrong on the way."""
    wrong = []
    first = Layer(None, None, [*build(repository, path, path, wrong), *also])
    layers, todo = [first], [first]
    while todo:
        parent = todo.pop(0)
        for thing in of(parent.objects, FLUX_KUSTOMIZATION[1], {FLUX_KUSTOMIZATION[0]}):
            layer = Layer(thing, parent, external=thing["spec"]["sourceRef"]["name"] != OWN_SOURCE)
            if not layer.external:
                added = over(layer.spec), components(layer.spec)
                objects = build(repository, layer.spec.get("path", "./"), layer.title, wrong, *added)
                own = layer.spec.get("postBuild", {}).get("substitute", {})
                wrong += [f"{layer.title}: nothing uses {each}" for each in sorted(set(own) - set(variables.used(objects)))]
                # The Kustomizations among them are followed next.
                layer.objects = variables.with_own(objects, own) if own else objects
            layers.append(layer)
            todo.append(layer)
    values = {}
    for layer in layers:
        for thing in of(layer.objects, "ConfigMap"):
            if name(thing) == "hfi-stack":
                values |= thing.get("data", {})
    cluster = Cluster(path, layers, {**values, **settings})
    for layer in layers:
        layer.used = variables.used(layer.objects)
        if "postBuild" in layer.spec:
            layer.objects, missing = variables.substituted(layer.objects, cluster.values)
            wrong += [f"{layer.title}: ${{{each}}} has neither a default nor a value" for each in sorted(missing)]
        elif layer.used:
            wrong.append(f"{layer.title}: has variables ({', '.join(sorted(layer.used))}) but no postBuild")
    return cluster, wrong


# The fields that a Kustomization of Flux adds to the one in the directory, under the name that kustomize has for it.
ADDED = {"targetNamespace": "namespace", "patches": "patches", "images": "images"}


def over(spec):
    return {ADDED[field]: value for field, value in spec.items() if field in ADDED}


def components(spec):
    """The components of a Kustomization, below the root of the repository."""
    return [os.path.normpath(os.path.join(spec.get("path", "./"), each)) for each in spec.get("components", [])]


def build(repository, path, title, wrong, over=None, components=()):
    for each in [path, *components]:
        if not (repository.root / each / "kustomization.yaml").is_file():
            wrong.append(f"{title}: {each} is not a directory with a kustomization.yaml")
            return []
    try:
        return list(repository.build(path, over, components))
    except ValueError as error:
        wrong.append(f"{title}: {error}")
        return []
