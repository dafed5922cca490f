"""Traffic through the mesh: gateways, routes, certificates, and every name of a Service."""

import json
import re

from ..objects import name, namespace, of, show

OVERLAYS = {"deployment", "service", "serviceAccount", "horizontalPodAutoscaler", "podDisruptionBudget"}
WAYPOINT_FOR = {"service", "workload", "all", "none"}
HOST = re.compile(r"\b([a-z0-9-]+)\.([a-z0-9-]+)\.svc\.cluster\.local(?::(\d+))?")
MESH_PROVIDERS = {"envoy", "prometheus", "stackdriver"}
GATEWAY_API = {"gateway.networking.k8s.io"}


def gateways(cluster):
    return of(cluster.objects, "Gateway", GATEWAY_API)


def providers(objects):
    """The extension providers of the mesh."""
    values = [release["spec"].get("values", {}) for release in of(objects, "HelmRelease")]
    return [provider for each in values for provider in each.get("meshConfig", {}).get("extensionProviders", [])]


def parameters_exist(cluster):
    maps = {(namespace(thing), name(thing)): thing for thing in of(cluster.objects, "ConfigMap")}
    for gateway in gateways(cluster):
        reference = gateway["spec"].get("infrastructure", {}).get("parametersRef")
        if not reference:
            continue
        found = maps.get((namespace(gateway), reference["name"]))
        if not found:
            yield f"{show(gateway)}: its parameters, ConfigMap {reference['name']}, are not there"
        elif unknown := set(found["data"]) - OVERLAYS:
            yield f"{show(found)}: Istio takes no {', '.join(sorted(unknown))}; for one unknown key it makes no pods at all"


def listeners_have_certificates(cluster):
    made = {(namespace(thing), thing["spec"]["secretName"]) for thing in of(cluster.objects, "Certificate")}
    for gateway in gateways(cluster):
        for listener in gateway["spec"]["listeners"]:
            for each in listener.get("tls", {}).get("certificateRefs", []):
                if (namespace(gateway), each["name"]) not in made:
                    yield f"{show(gateway)}: no Certificate makes the Secret {each['name']} of its listener {listener['name']}"


def certificates_have_issuers(cluster):
    present = {name(thing) for thing in of(cluster.objects, "ClusterIssuer")}
    for thing in of(cluster.objects, "Certificate"):
        if thing["spec"]["issuerRef"]["name"] not in present:
            yield f"{show(thing)}: its issuer {thing['spec']['issuerRef']['name']} is not there"


def routes_have_parents(cluster):
    present = {("Gateway", namespace(thing), name(thing)) for thing in gateways(cluster)}
    present |= {("Service", namespace(thing), name(thing)) for thing in of(cluster.objects, "Service")}
    for route in of(cluster.objects, "HTTPRoute"):
        for parent in route["spec"]["parentRefs"]:
            wanted = (parent.get("kind", "Gateway"), parent.get("namespace", namespace(route)), parent["name"])
            if wanted[0] == "Gateway" and wanted not in present:
                yield f"{show(route)}: its parent {wanted[0]} {wanted[1]}/{wanted[2]} is not there"


def waypoints_are_of_a_kind_that_istio_has(cluster):
    for gateway in gateways(cluster):
        kind = gateway["metadata"].get("labels", {}).get("istio.io/waypoint-for", "service")
        if kind not in WAYPOINT_FOR:
            yield f"{show(gateway)}: Istio has no waypoint for {kind}; nothing would go through it"


def services_are_where_others_call_them(cluster):
    services = of(cluster.objects, "Service")
    ports = {(name(thing), namespace(thing)): {port["port"] for port in thing["spec"]["ports"]} for thing in services}
    # A part of Flux itself.
    ports["notification-controller", "flux-system"] = {80}
    for thing in cluster.objects:
        calls = HOST.findall(json.dumps(thing))
        for provider in providers([thing]):
            for settings in provider.values():
                if isinstance(settings, dict) and "service" in settings:
                    calls += [(*found[:2], str(settings["port"])) for found in HOST.findall(settings["service"])]
        for service, where, port in sorted(set(calls)):
            known = ports.get((service, where))
            if known is None:
                yield f"{show(thing)}: calls {service}.{where}, which is not there"
            elif port and int(port) not in known:
                yield f"{show(thing)}: calls port {port} of {service}.{where}, which has {', '.join(map(str, sorted(known)))}"


def waypoints_get_our_cluster(cluster):
    """A waypoint has a cluster only for what an extension provider names."""
    named = json.dumps(providers(cluster.objects))
    for plugin in of(cluster.objects, "WasmPlugin"):
        address = plugin["spec"]["pluginConfig"]["control_plane_address"].rsplit(":", 1)[0]
        if plugin["spec"].get("targetRefs") and address not in named:
            yield f"{show(plugin)}: no extension provider names {address}, so waypoints have no cluster for it"


def plugins_have_targets(cluster):
    """Of gateways in namespaces that are ours; applications have others."""
    ours = {name(thing) for thing in of(cluster.objects, "Namespace")}
    present = {(namespace(thing), name(thing)) for thing in gateways(cluster)}
    for plugin in of(cluster.objects, "WasmPlugin"):
        for target in plugin["spec"].get("targetRefs", []):
            wanted = (namespace(plugin), target["name"])
            if target["kind"] == "Gateway" and wanted[0] in ours and wanted not in present:
                yield f"{show(plugin)}: its target Gateway {wanted[0]}/{wanted[1]} is not there"


def telemetry_names_providers_that_exist(cluster):
    known = MESH_PROVIDERS | {provider["name"] for provider in providers(cluster.objects)}
    for thing in of(cluster.objects, "Telemetry"):
        for part in [*thing["spec"].get("accessLogging", []), *thing["spec"].get("metrics", [])]:
            for provider in part.get("providers", []):
                if provider["name"] not in known:
                    yield f"{show(thing)}: the mesh has no provider {provider['name']}"


CHECKS = [
    parameters_exist,
    listeners_have_certificates,
    certificates_have_issuers,
    routes_have_parents,
    waypoints_are_of_a_kind_that_istio_has,
    services_are_where_others_call_them,
    waypoints_get_our_cluster,
    plugins_have_targets,
    telemetry_names_providers_that_exist,
]
