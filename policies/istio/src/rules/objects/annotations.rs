//! Annotations of Istio.

use super::{Object, Rule};
use crate::{field::Field, rules::subject::Out, text::is_ip_or_block};

pub(super) const RULES: &[Rule] = &[Rule::new("X107", x107)];

fn x107(object: &Object, out: &mut Out) {
    check(object.kind, &object.metadata, out);
    if let Some((metadata, _)) = object.pods().filter(|_| object.kind != "Pod") {
        check("Pod", &metadata, out);
    }
}

fn check(kind: &str, metadata: &Field, out: &mut Out) {
    for (key, at) in metadata.get("annotations").entries() {
        let domain = key.split_once('/').map(|(domain, _)| domain).unwrap_or_default();
        if domain != "istio.io" && !domain.ends_with(".istio.io") {
            continue;
        }
        let Some((_, kinds, is_deprecated)) = KNOWN.iter().find(|(known, ..)| *known == key) else {
            out.warning(&at, "is an annotation that Istio does not know", "write one that it knows");
            continue;
        };
        // The label is the new way; both together serve old and new versions.
        if *is_deprecated && metadata.get("labels").word(key).is_empty() {
            out.warning(&at, "is deprecated", "see the annotations in the documentation of Istio");
        }
        if !kinds.contains(&kind) && !kinds.contains(&"Any") {
            let reason = format!("has no effect on a {kind}");
            out.warning(&at, reason, format!("it is for a {}", kinds.join(" or a ")));
        } else if let Some(right) = at.text().and_then(|value| flaw(key, value)) {
            out.warning(&at, "has a value that Istio does not take", right);
        }
    }
}

/// What would be right, if the value is wrong.
fn flaw(key: &str, value: &str) -> Option<&'static str> {
    let name = key.split_once('/').map(|(_, name)| name).unwrap_or_default();
    let each = |fits: fn(&str) -> bool| value.is_empty() || value.split(',').all(|part| fits(part.trim()));
    let (fits, right) = match name {
        "includeInboundPorts"
        | "includeOutboundPorts"
        | "excludeInboundPorts"
        | "excludeOutboundPorts"
        | "applicationPorts" => {
            (value == "*" || each(|port| port.parse::<u16>().is_ok()), "write ports with commas between them")
        }
        "includeOutboundIPRanges" | "excludeOutboundIPRanges" => {
            (value == "*" || each(is_ip_or_block), "write blocks of addresses with commas between them")
        }
        "interceptionMode" => {
            (["REDIRECT", "TPROXY", "NONE"].contains(&value), "write `REDIRECT`, `TPROXY` or `NONE`")
        }
        "rewriteAppHTTPProbers" | "nativeSidecar" | "merge-metrics" => {
            (["true", "false"].contains(&value), "write `\"true\"` or `\"false\"`")
        }
        _ => return None,
    };
    (!fits).then_some(right)
}

/// The annotations of the oldest and the newest supported Istio: the kinds that they are for, and whether they are
/// deprecated. Of the module `istio.io/api`.
const KNOWN: [(&str, &[&str], bool); 67] = [
    ("alpha.istio.io/canonical-serviceaccounts", &["Service"], true),
    ("alpha.istio.io/kubernetes-serviceaccounts", &["Service"], true),
    ("ambient.istio.io/bypass-inbound-capture", &["Pod"], false),
    ("ambient.istio.io/dns-capture", &["Pod"], false),
    ("ambient.istio.io/redirection", &["Pod"], false),
    ("ambient.istio.io/waypoint-inbound-binding", &["GatewayClass", "Gateway"], false),
    ("galley.istio.io/analyze-suppress", &["Any"], false),
    ("gateway.istio.io/controller-version", &["Any"], false),
    ("gateway.istio.io/name-override", &["Gateway"], false),
    ("gateway.istio.io/service-account", &["Gateway"], false),
    ("inject.istio.io/templates", &["Pod"], false),
    ("istio.io/autoRegistrationGroup", &["WorkloadEntry"], false),
    ("istio.io/connectedAt", &["WorkloadEntry"], false),
    ("istio.io/disconnectedAt", &["WorkloadEntry"], false),
    ("istio.io/dry-run", &["AuthorizationPolicy"], false),
    ("istio.io/reroute-virtual-interfaces", &["Pod"], false),
    ("istio.io/rev", &["Pod"], false),
    ("istio.io/workloadController", &["WorkloadEntry"], false),
    ("kubernetes.io/ingress.class", &["Ingress"], false),
    ("networking.istio.io/exportTo", &["Service"], false),
    ("networking.istio.io/service-type", &["Gateway"], false),
    ("networking.istio.io/traffic-distribution", &["Namespace", "Service", "ServiceEntry"], false),
    ("prometheus.istio.io/merge-metrics", &["Pod"], false),
    ("proxy.istio.io/config", &["Pod"], false),
    ("proxy.istio.io/overrides", &["Pod"], false),
    ("readiness.status.sidecar.istio.io/applicationPorts", &["Pod"], false),
    ("readiness.status.sidecar.istio.io/failureThreshold", &["Pod"], false),
    ("readiness.status.sidecar.istio.io/initialDelaySeconds", &["Pod"], false),
    ("readiness.status.sidecar.istio.io/periodSeconds", &["Pod"], false),
    ("sidecar.istio.io/agentLogLevel", &["Pod"], false),
    ("sidecar.istio.io/bootstrapOverride", &["Pod"], false),
    ("sidecar.istio.io/componentLogLevel", &["Pod"], false),
    ("sidecar.istio.io/discoveryAddress", &["Pod"], true),
    ("sidecar.istio.io/extraStatTags", &["Pod"], true),
    ("sidecar.istio.io/inject", &["Pod"], true),
    ("sidecar.istio.io/interceptionMode", &["Pod"], false),
    ("sidecar.istio.io/logLevel", &["Pod"], false),
    ("sidecar.istio.io/nativeSidecar", &["Pod"], false),
    ("sidecar.istio.io/proxyCPU", &["Pod"], false),
    ("sidecar.istio.io/proxyCPULimit", &["Pod"], false),
    ("sidecar.istio.io/proxyImage", &["Pod"], false),
    ("sidecar.istio.io/proxyImageType", &["Pod"], false),
    ("sidecar.istio.io/proxyMemory", &["Pod"], false),
    ("sidecar.istio.io/proxyMemoryLimit", &["Pod"], false),
    ("sidecar.istio.io/rewriteAppHTTPProbers", &["Pod"], false),
    ("sidecar.istio.io/statsCompression", &["Pod"], true),
    ("sidecar.istio.io/statsEvictionInterval", &["Pod"], false),
    ("sidecar.istio.io/statsFlushInterval", &["Pod"], false),
    ("sidecar.istio.io/statsHistogramBins", &["Pod"], false),
    ("sidecar.istio.io/statsHistogramBuckets", &["Pod"], false),
    ("sidecar.istio.io/statsInclusionPrefixes", &["Pod"], true),
    ("sidecar.istio.io/statsInclusionRegexps", &["Pod"], true),
    ("sidecar.istio.io/statsInclusionSuffixes", &["Pod"], true),
    ("sidecar.istio.io/status", &["Pod"], false),
    ("sidecar.istio.io/userVolume", &["Pod"], false),
    ("sidecar.istio.io/userVolumeMount", &["Pod"], false),
    ("status.sidecar.istio.io/port", &["Pod"], false),
    ("topology.istio.io/controlPlaneClusters", &["Namespace"], false),
    ("traffic.istio.io/nodeSelector", &["Service"], false),
    ("traffic.sidecar.istio.io/excludeInboundPorts", &["Pod"], false),
    ("traffic.sidecar.istio.io/excludeInterfaces", &["Pod"], false),
    ("traffic.sidecar.istio.io/excludeOutboundIPRanges", &["Pod"], false),
    ("traffic.sidecar.istio.io/excludeOutboundPorts", &["Pod"], false),
    ("traffic.sidecar.istio.io/includeInboundPorts", &["Pod"], false),
    ("traffic.sidecar.istio.io/includeOutboundIPRanges", &["Pod"], false),
    ("traffic.sidecar.istio.io/includeOutboundPorts", &["Pod"], false),
    ("traffic.sidecar.istio.io/kubevirtInterfaces", &["Pod"], true),
];
