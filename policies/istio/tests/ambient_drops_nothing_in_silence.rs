//! In ambient, what is about requests and reaches pods or namespaces, where only ztunnel would read it, is an error:
//! whether attributes say it, or Istio's own fields.
#![cfg(test)]

mod ambient;

use istio_config::Level;

/// The fields of the errors APP06.
fn dropped(sections: &str) -> Vec<String> {
    let (_, findings) = ambient::rendered(sections, &[("use-waypoint", "infra")], &[]);
    let found = findings.into_iter().filter(|found| found.rule == "APP06");
    found.map(|found| (found.level == Level::Error).then_some(found.field).unwrap()).collect()
}

const SELECTOR: &str = "selector: {matchLabels: {app.kubernetes.io/name: reviews}}";

#[test]
fn a_policy_of_own_fields_about_requests_is_an_error() {
    let paths = "rules: [{to: [{operation: {paths: [/admin]}}]}]";
    let when = "rules: [{when: [{key: 'request.headers[x-a]', values: [b]}]}]";
    let remote = "rules: [{from: [{source: {remoteIpBlocks: [10.0.0.1]}}]}]";
    let sni = "rules: [{when: [{key: connection.sni, values: [a.example]}]}]";
    for (spec, field) in [
        (format!("spec: {{action: DENY, {SELECTOR}, {paths}}}"), "rules[0].to[0].operation.paths"),
        (format!("spec: {{action: DENY, {paths}}}"), "rules[0].to[0].operation.paths"),
        (format!("applyTo: workload, spec: {{{paths}}}"), "rules[0].to[0].operation.paths"),
        (format!("spec: {{{SELECTOR}, {when}}}"), "rules[0].when[0].key"),
        (format!("spec: {{{SELECTOR}, {remote}}}"), "rules[0].from[0].source.remoteIpBlocks"),
        (format!("spec: {{{SELECTOR}, {sni}}}"), "rules[0].when[0].key"),
        (format!("spec: {{action: AUDIT, {SELECTOR}}}"), "action"),
        (
            "allow: [{from: [\"*\"]}], spec: {rules: [{to: [{operation: {methods: [GET]}}]}]}".to_owned(),
            "rules[0].to[0].operation.methods",
        ),
        (
            "allow: [{methods: [GET]}], spec: {targetRefs: null}".to_owned(),
            "rules[0].to[0].operation.methods",
        ),
    ] {
        let wanted = [format!("spec.authorizationPolicy (AuthorizationPolicy spec.{field})")];
        assert_eq!(dropped(&format!("authorizationPolicy: {{{spec}}}")), wanted, "{spec}");
    }
}

#[test]
fn a_policy_that_ztunnel_or_a_waypoint_knows_is_right() {
    let callers = "rules: [{from: [{source: {principals: [\"*\"]}}], to: [{operation: {ports: [\"80\"]}}], when: [{key: source.ip, values: [10.0.0.1]}]}]";
    let paths = "rules: [{to: [{operation: {paths: [/admin]}}]}]";
    for spec in [
        format!("spec: {{{SELECTOR}, {callers}}}"),
        format!("applyTo: service, spec: {{{paths}}}"),
        format!("applyTo: {{gateway: infra}}, spec: {{{paths}}}"),
        format!("spec: {{selector: {{matchLabels: {{istio: ingressgateway}}}}, {paths}}}"),
        "allow: [{from: [\"*\"], spec: {when: [{key: remote.ip, values: [10.0.0.1]}]}}]".to_owned(),
    ] {
        assert_eq!(dropped(&format!("authorizationPolicy: {{{spec}}}")), [""; 0], "{spec}");
    }
    let sidecar = format!("dataplane: sidecar\n  authorizationPolicy: {{spec: {{{SELECTOR}, {paths}}}}}");
    assert_eq!(dropped(&sidecar), [""; 0]);
}

#[test]
fn what_selects_the_pods_of_a_gateway_of_the_document_is_read_there() {
    let gateway = |labels: &str| {
        format!(
            "gateway: {{hosts: [a.example.com], tls: {{secret: a}}, selector: {{{labels}}}}}\n  authorizationPolicy: {{spec: {{selector: {{matchLabels: {{app: edge}}}}, rules: [{{to: [{{operation: {{paths: [/x]}}}}]}}]}}}}"
        )
    };
    assert_eq!(dropped(&gateway("app: edge")), [""; 0]);
    assert_eq!(dropped(&gateway("app: other")).len(), 1);
}

#[test]
fn a_shadow_at_the_pods_is_told_by_its_annotation() {
    let shadow = dropped("authorizationPolicy: {applyTo: workload, mode: shadow, allow: [{from: [web]}]}");
    assert_eq!(
        shadow,
        ["spec.authorizationPolicy (AuthorizationPolicy metadata.annotations.istio.io/dry-run)"]
    );
}

#[test]
fn own_fields_of_other_kinds_are_judged_too() {
    let rules = "jwtRules: [{issuer: https://id.example.com}]";
    let filter = "workloadSelector: {labels: {app.kubernetes.io/name: reviews}}, configPatches: []";
    for (section, found) in [
        (format!("requestAuthentication: {{spec: {{{SELECTOR}, {rules}}}}}"), Some("spec")),
        (format!("requestAuthentication: {{applyTo: service, spec: {{{rules}}}}}"), None),
        (format!("telemetry: {{spec: {{{SELECTOR}}}}}"), Some("spec")),
        (
            "telemetry: {applyTo: namespace, spec: {tracing: [{randomSamplingPercentage: 5}]}}".to_owned(),
            None,
        ),
        (format!("envoyFilter: {{spec: {{{filter}}}}}"), Some("spec")),
        (
            "peerAuthentication: {mtls: strict, spec: {mtls: {mode: DISABLE}}}".to_owned(),
            Some("spec.mtls.mode"),
        ),
        (
            format!(
                "peerAuthentication: {{spec: {{{SELECTOR}, portLevelMtls: {{\"80\": {{mode: DISABLE}}}}}}}}"
            ),
            Some("spec.portLevelMtls.80.mode"),
        ),
        (format!("peerAuthentication: {{spec: {{{SELECTOR}, mtls: {{mode: PERMISSIVE}}}}}}"), None),
    ] {
        let dropped = dropped(&section);
        let fields: Vec<_> = dropped.iter().map(|found| found.rsplit(' ').next().unwrap()).collect();
        let wanted: Vec<_> = found.iter().map(|field| format!("{field})")).collect();
        assert_eq!(fields, wanted, "{section}");
    }
}
