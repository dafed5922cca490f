"""The filter module: no plugin names one before the control plane serves it."""

import re

from ..objects import name, namespace, of, show

SERVED = re.compile(r"http://([a-z0-9-]+)\.([a-z0-9-]+)\.svc[^/]*(/filter/[0-9a-f]+\.wasm)")


def served(cluster):
    """Each plugin whose module a control plane of the cluster serves: its layer, that of the Deployment, and both paths."""
    for layer in cluster.layers:
        for plugin in of(layer.objects, "WasmPlugin"):
            found = SERVED.fullmatch(plugin["spec"]["url"])
            for server in cluster.layers:
                for deployment in of(server.objects, "Deployment"):
                    if found and (name(deployment), namespace(deployment)) == found.groups()[:2]:
                        yield layer, plugin, found[3], server, deployment


def modules_are_served_first(cluster):
    for layer, plugin, _, server, _ in served(cluster):
        # What somebody applies by hand is theirs to order.
        if layer.kustomization and server is not layer and server not in cluster.before(layer):
            yield f"{show(plugin)} ({layer.title}): its module comes from {server.title}, which it must depend on"


def replicas_start_with_the_module_that_plugins_name(cluster):
    """Else an image without it, such as that of an older setting, would look ready."""
    for _, plugin, path, server, deployment in served(cluster):
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        asked = container.get("startupProbe", {}).get("httpGet", {}).get("path")
        if asked != path:
            yield f"{show(deployment)} ({server.title}): starts with {asked}, but {show(plugin)} names {path}; run scripts/stamp"


CHECKS = [modules_are_served_first, replicas_start_with_the_module_that_plugins_name]
