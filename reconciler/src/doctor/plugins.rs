//! Problems of a `WasmPlugin`: most of them Istio accepts in silence.

use super::{
    Finding,
    inventory::{Inventory, Name, Plugin, PluginSpec, Pod},
    kind::{gateway, runs_in},
    selection::is_for,
};

pub(super) fn findings(inventory: &Inventory) -> Vec<Finding> {
    if inventory.plugins.is_empty() {
        return vec![Finding::error(
            "WasmPlugin",
            "of hfi does not exist: no proxy runs the filter",
            "apply one for the namespaces that faults are for",
        )];
    }
    let findings = inventory.plugins.iter().flat_map(|plugin| of(plugin, inventory));
    findings.chain(twice(inventory)).collect()
}

fn of(plugin: &Plugin, inventory: &Inventory) -> Vec<Finding> {
    let Plugin { metadata, spec, .. } = plugin;
    let subject = format!("WasmPlugin {metadata}");
    let mut findings = Vec::new();
    let mut error = |message: String, next: &str| findings.push(Finding::error(&subject, message, next));
    match spec.fail_strategy.as_deref() {
        Some("FAIL_OPEN") => {}
        // Istio's default.
        None | Some("FAIL_CLOSE") => error(
            "without `failStrategy: FAIL_OPEN` Istio denies all traffic of a proxy whose module fails".into(),
            "set `failStrategy: FAIL_OPEN`",
        ),
        Some(strategy) => error(
            format!(
                "with `failStrategy: {strategy}` a proxy that cannot fetch the module denies all traffic"
            ),
            "set `failStrategy: FAIL_OPEN`",
        ),
    }
    let is_for_all_modes = ["SERVER", "CLIENT"].into_iter().all(|mode| runs_in(spec, mode));
    if spec.target_refs.is_empty() && is_for_all_modes {
        error(
            "runs on inbound and outbound listeners alike".into(),
            "set `match: [{mode: SERVER}]`, and for outbound policies apply a second one with CLIENT",
        );
    }
    if spec.selector.is_some() && !spec.target_refs.is_empty() {
        error("has both a selector and targetRefs".into(), "make two plugins: Istio takes one or the other");
    }
    if is_for_mesh(plugin, inventory) {
        error(
            "is for every proxy of the mesh, gateways and system components among them".into(),
            "move it to the namespaces that faults are for, or give it a selector",
        );
    }
    if metadata.namespace == inventory.control_plane.namespace {
        error(
            "is for the proxies of the control plane, whose faults would keep policies from being changed"
                .into(),
            "remove it from this namespace",
        );
    }
    if let Some(message) = module(spec, inventory) {
        error(
            message,
            "give the plugin the digest of the module that this version of hfi has, or hfi the module (`--filter`)",
        );
    }
    if spec.plugin_config.control_plane_address.is_none() {
        error(
            "has no `control_plane_address` in its pluginConfig: its filter does nothing".into(),
            "set it to the address of the control plane, such as hfi-control-plane.boifi.svc.cluster.local:8080",
        );
    }
    if let Some(address) = &spec.plugin_config.control_plane_address
        && !is_address_of(address, inventory)
    {
        let message = format!("asks {address}, and not the Service {}", inventory.control_plane);
        findings.push(Finding::warning(
            &subject,
            message,
            "check that `control_plane_address` is meant to be another address",
        ));
    }
    if let Some(gateway) = without_pods(plugin, inventory) {
        findings.push(Finding::warning(
            &subject,
            format!("is for Gateway {gateway}, which has no pod that runs"),
            "correct the name in its targetRefs, or remove it",
        ));
    }
    if spec.phase.as_deref() != Some("STATS") {
        findings.push(Finding::warning(
            &subject,
            "may run before authorisation: requests that would be denied are faulted too",
            "set `phase: STATS`",
        ));
    }
    findings
}

/// Two that run the filter twice for the same requests of a pod. The first of them that has a rule decides.
fn twice(inventory: &Inventory) -> Vec<Finding> {
    let modes = ["SERVER", "CLIENT"];
    // A plugin for the whole mesh has its own finding.
    let is_narrow = |plugin: &&Plugin| !is_for_mesh(plugin, inventory);
    let mut rest = inventory.plugins.iter().filter(is_narrow);
    let mut findings = Vec::new();
    while let Some(one) = rest.next() {
        findings.extend(rest.clone().find_map(|other| {
            let is_shared = |mode| runs_in(&one.spec, mode) && runs_in(&other.spec, mode);
            let is_for_both = |pod: &&Pod| [one, other].iter().all(|plugin| is_for(plugin, pod, inventory));
            let pod = inventory.pods.iter().filter(|pod| pod.has_proxy).find(is_for_both)?;
            modes.into_iter().any(is_shared).then(|| {
                Finding::warning(
                    format!("WasmPlugin {}", one.metadata),
                    format!(
                        "and {} both run in Pod {}: one decides about a request, and the other only costs time",
                        other.metadata, pod.name
                    ),
                    "remove one, or give them selectors or modes that do not overlap",
                )
            })
        }));
    }
    findings
}

fn is_for_mesh(Plugin { metadata, spec, .. }: &Plugin, inventory: &Inventory) -> bool {
    metadata.namespace == inventory.istio.root_namespace
        && spec.target_refs.is_empty()
        && spec.selector.as_ref().is_none_or(|selector| selector.match_labels.is_empty())
}

/// The first Gateway that a plugin names and of which no pod runs: most likely a mistyped name.
fn without_pods(Plugin { metadata, spec, .. }: &Plugin, inventory: &Inventory) -> Option<Name> {
    let mut gateways = spec.target_refs.iter().filter(|target| target.kind == "Gateway");
    let has_pod = |name: &String| {
        let mut pods = inventory.pods.iter();
        pods.any(|pod| pod.name.namespace == metadata.namespace && gateway(pod) == Some(name))
    };
    let gateway = gateways.find(|gateway| !has_pod(&gateway.name))?;
    Some(Name { namespace: metadata.namespace.clone(), name: gateway.name.clone() })
}

/// The reason why proxies will not get the module, if they will not.
fn module(spec: &PluginSpec, inventory: &Inventory) -> Option<String> {
    let PluginSpec { url, sha256, .. } = spec;
    let is_digest = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
    if !sha256.is_empty() && !is_digest {
        return Some(format!("`sha256: {sha256}` is not 64 hexadecimal digits"));
    }
    let named = url.rsplit_once("/filter/").and_then(|(_, file)| file.strip_suffix(".wasm"));
    if let Some(named) = named
        && !sha256.is_empty()
        && named != sha256
    {
        return Some(format!("its `url` names another module than its `sha256`, {}…", start(sha256)));
    }
    let is_ours = url.starts_with("http") && url.contains(&inventory.control_plane.name);
    let without = inventory.replicas.iter().find(|replica| {
        let answer = replica.answer.as_ref();
        is_ours && !sha256.is_empty() && answer.is_ok_and(|answer| !answer.modules.contains(sha256))
    })?;
    Some(format!(
        "Pod {} does not hand out the module {}…: proxies that start wait for it",
        without.pod,
        start(sha256)
    ))
}

/// As much of a digest as tells it from others.
fn start(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// `host:port`, where the host may be shortened as in Kubernetes.
fn is_address_of(address: &str, inventory: &Inventory) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let mut parts = host.split('.');
    let control_plane = &inventory.control_plane;
    parts.next() == Some(&control_plane.name)
        && parts.next().is_none_or(|part| part == control_plane.namespace)
}
