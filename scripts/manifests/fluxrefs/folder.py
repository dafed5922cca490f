"""The files of flux/ that are not applied: its README, and the laptop's ports."""

import re

import yaml

LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
WRITTEN = re.compile(r"(?<![\w/])((?:\./)?(?:flux|k8s|scripts)/[\w./-]*\w|(?:clusters|stacks|components|examples)/[\w./-]*\w)")


def links_lead_somewhere(folder, _):
    """Links, and paths that are only written, which may be of the repository or of flux/."""
    text = (folder / "README.md").read_text()
    for link in sorted(set(LINK.findall(text))):
        if not (folder / link).exists():
            yield f"README.md links to {link}, which is not there"
    for path in sorted(set(WRITTEN.findall(text))):
        if not ((folder / path).exists() or (folder.parent / path).exists()):
            yield f"README.md names {path}, which is not there"


def node_ports(thing, key=""):
    """Every value called nodePort, also in the YAML that ConfigMaps hold as text."""
    if isinstance(thing, dict):
        for name, value in thing.items():
            yield from node_ports(value, name)
    elif isinstance(thing, list):
        for each in thing:
            yield from node_ports(each)
    elif key == "nodePort":
        yield thing
    elif isinstance(thing, str) and "nodePort:" in thing and "\n" in thing:
        yield from node_ports(yaml.safe_load(thing))


def the_laptops_ports_lead_to_services(folder, repository):
    config = yaml.safe_load((folder / "stacks/local/kind.yaml").read_text())
    mapped = {each["containerPort"] for node in config["nodes"] for each in node["extraPortMappings"]}
    served = ("components/istio/gateway/node-port", "examples/dual-ingress")
    opened = {port for path in served for port in node_ports(repository.build(f"{folder.name}/{path}"))}
    for port in sorted(mapped ^ opened):
        yield f"stacks/local/kind.yaml and the Services do not agree about node port {port}"


CHECKS = [links_lead_somewhere, the_laptops_ports_lead_to_services]
