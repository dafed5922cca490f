//! A policy about callers at the pods, which ztunnel reads, is reported if the callers come through a waypoint:
//! ztunnel sees the waypoint in their place.
#![cfg(test)]

mod ambient;

const WAYPOINT: [(&str, &str); 1] = [("use-waypoint", "infra")];

/// Something at the Service says that there is a waypoint.
const AT_SERVICE: &str = "\n  telemetry: {logs: all}";

fn found(sections: &str, service: &[(&str, &str)]) -> Vec<String> {
    let (_, findings) = ambient::rendered(sections, service, &[]);
    findings.iter().map(|found| format!("{:?} {} {}", found.level, found.rule, found.field)).collect()
}

fn policy(text: &str) -> String {
    format!("authorizationPolicy: {{{text}}}")
}

const AT: &str = "spec.authorizationPolicy (AuthorizationPolicy spec.rules[0].from[0].source";

#[test]
fn a_deny_of_callers_is_an_error_behind_a_waypoint() {
    for (from, field) in [
        ("from: [evil]", "serviceAccounts"),
        ("from: [evil/*]", "namespaces"),
        ("from: [{ip: 10.0.0.1}]", "ipBlocks"),
        ("not: {from: [web]}", "notServiceAccounts"),
    ] {
        let deny = policy(&format!("deny: [{{{from}}}]"));
        let error = [format!("Error APP16 {AT}.{field})")];
        assert_eq!(found(&deny, &WAYPOINT), error, "{from}");
        assert_eq!(found(&(deny.clone() + AT_SERVICE), &[]), error, "{from}");
        assert!(found(&deny, &[]).is_empty(), "{from}: nothing says that there is a waypoint");
    }
}

#[test]
fn a_deny_at_the_service_holds_and_one_at_the_pods_too_is_a_warning() {
    let at = |binding: &str| policy(&format!("applyTo: {binding}, deny: [{{from: [evil]}}]"));
    assert!(found(&at("service"), &WAYPOINT).is_empty());
    for binding in ["workload", "namespace"] {
        assert_eq!(found(&at(binding), &WAYPOINT), [format!("Warning APP16 {AT}.serviceAccounts)")]);
    }
}

#[test]
fn an_allow_of_callers_is_a_warning_unless_the_waypoint_is_let_in() {
    let allow = policy("allow: [{from: [web]}]");
    let warning = [format!("Warning APP16 {AT}.serviceAccounts)")];
    assert_eq!(found(&allow, &WAYPOINT), warning);
    assert_eq!(found(&(allow + AT_SERVICE), &[]), warning);
    let both = "authorizationPolicy: [{allow: [{from: [web]}]}, {name: get, allow: [{methods: [GET]}]}]";
    assert!(found(both, &WAYPOINT).is_empty(), "{:?}", found(both, &WAYPOINT));
    assert!(found(&policy("allow: [{from: [web, infra]}]"), &WAYPOINT).is_empty());
}

#[test]
fn a_policy_that_names_no_callers_is_not_reported() {
    for text in
        ["deny: [{ports: [22]}]", "allow: [{ports: [80]}]", "deny: [{not: {from: [\"*\"]}}]", "denyAll: true"]
    {
        assert!(found(&policy(text), &WAYPOINT).is_empty(), "{text}");
    }
    let sidecar = format!("dataplane: sidecar\n  {}", policy("deny: [{from: [evil]}]"));
    assert!(found(&sidecar, &WAYPOINT).is_empty());
}

#[test]
fn istios_own_fields_are_looked_at_too() {
    let rule =
        |rule: &str| found(&policy(&format!("spec: {{action: DENY, rules: [{{{rule}}}]}}")), &WAYPOINT);
    let warning =
        |field: &str| [format!("Warning APP16 spec.authorizationPolicy (AuthorizationPolicy spec.{field})")];
    let evil = "cluster.local/ns/shop/sa/evil";
    for (from, field) in [
        ("namespaces: [evil]".to_owned(), "namespaces"),
        (format!("principals: [{evil}]"), "principals"),
        (format!("notPrincipals: [\"*\", {evil}]"), "notPrincipals"),
    ] {
        let at = format!("rules[0].from[0].source.{field}");
        assert_eq!(rule(&format!("from: [{{source: {{{from}}}}}]")), warning(&at), "{from}");
    }
    for when in [
        format!("key: source.principal, values: [{evil}]"),
        "key: source.ip, notValues: [10.0.0.1]".to_owned(),
    ] {
        assert_eq!(rule(&format!("when: [{{{when}}}]")), warning("rules[0].when[0].key"), "{when}");
    }
    for near in [
        "from: [{source: {principals: [\"*\"]}}]",
        "when: [{key: source.namespace, notValues: [\"*\"]}]",
        "when: [{key: destination.port, values: [\"80\"]}]",
    ] {
        assert!(rule(near).is_empty(), "{near}: {:?}", rule(near));
    }
    let allow = "spec: {rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/infra]}}]}]}";
    assert!(found(&policy(allow), &WAYPOINT).is_empty(), "the waypoint itself");
}
