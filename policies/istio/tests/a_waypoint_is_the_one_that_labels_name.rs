//! Pods take calls from the waypoint that the labels of their Service or Namespace name, and from no guess in
//! silence.
#![cfg(test)]

mod ambient;

const ALLOW: &str = "authorizationPolicy: {allow: [{methods: [GET]}]}";

/// The accounts that the object `-waypoint` allows, and the findings.
fn rendered(
    sections: &str,
    service: &[(&str, &str)],
    namespace: &[(&str, &str)],
) -> (Vec<String>, Vec<String>) {
    let (resources, findings) = ambient::rendered(sections, service, namespace);
    let accounts = resources.iter().filter(|rendered| rendered.resource.name.ends_with("-waypoint"));
    let accounts = accounts.map(|rendered| {
        let source = &rendered.resource.spec["rules"][0]["from"][0]["source"];
        source["serviceAccounts"][0].as_str().unwrap().to_owned()
    });
    (accounts.collect(), findings.iter().map(|found| format!("{:?} {}", found.level, found.rule)).collect())
}

#[test]
fn the_label_of_the_service_counts_and_else_that_of_its_namespace() {
    let none: &[(&str, &str)] = &[];
    for (service, namespace, account) in [
        (&[("use-waypoint", "infra")], none, "shop/infra"),
        (
            &[("use-waypoint", "infra")],
            &[("use-waypoint", "other"), ("use-waypoint-namespace", "mesh")],
            "shop/infra",
        ),
    ] {
        assert_eq!(rendered(ALLOW, service, namespace), (vec![account.to_owned()], Vec::new()));
    }
    let elsewhere = [("use-waypoint", "front"), ("use-waypoint-namespace", "mesh")];
    assert_eq!(rendered(ALLOW, none, &elsewhere), (vec!["mesh/front".to_owned()], Vec::new()));
}

#[test]
fn a_waypoint_that_no_label_names_is_guessed_with_a_warning() {
    let guess = |sections: &str| rendered(sections, &[], &[]);
    assert_eq!(guess(ALLOW), (vec!["shop/waypoint".to_owned()], vec!["Warning APP13".to_owned()]));
    for (written, account) in [("infra", "shop/infra"), ("mesh/infra", "mesh/infra")] {
        let sections =
            format!("authorizationPolicy: {{onlyViaWaypoint: {written}, allow: [{{methods: [GET]}}]}}");
        assert_eq!(guess(&sections), (vec![account.to_owned()], Vec::new()));
    }
    let off = "authorizationPolicy: {onlyViaWaypoint: false, allow: [{methods: [GET]}]}";
    assert_eq!(guess(off), (Vec::new(), Vec::new()));
}

#[test]
fn only_via_waypoint_is_rendered_where_it_is_asked_for_and_refused_elsewhere() {
    let labels = [("use-waypoint", "infra")];
    let deny = "authorizationPolicy: {onlyViaWaypoint: true, deny: [{methods: [PUT], ports: [80]}]}";
    assert_eq!(rendered(deny, &labels, &[]), (vec!["shop/infra".to_owned()], Vec::new()));
    let workload = "authorizationPolicy: {onlyViaWaypoint: true, allow: [{ports: [80]}]}";
    assert_eq!(rendered(workload, &labels, &[]), (Vec::new(), vec!["Error APP12".to_owned()]));
    let sidecar = format!("dataplane: sidecar\n  {deny}");
    assert_eq!(rendered(&sidecar, &labels, &[]), (Vec::new(), vec!["Error APP12".to_owned()]));
}

#[test]
fn a_service_that_has_no_waypoint_takes_nothing_that_is_for_one() {
    let none = [("use-waypoint", "none")];
    let namespace = [("use-waypoint", "infra")];
    for section in [ALLOW, "telemetry: {logs: all}"] {
        assert_eq!(rendered(section, &none, &namespace).1, ["Error APP14"], "{section}");
    }
}

#[test]
fn requests_of_a_gateway_go_through_the_waypoint_of_a_labelled_service_alone() {
    let public = "gateway: {hosts: [a.example.com], tls: {secret: a}, name: front}\n  virtualService: {hosts: [a.example.com], gateways: [front]}";
    let used = ("use-waypoint", "infra");
    let tokens = "requestAuthentication: {issuer: https://id.example.com, ports: [80]}";
    for guard in [ALLOW, tokens] {
        let sections = format!("{public}\n  {guard}");
        assert_eq!(rendered(&sections, &[used], &[]).1, ["Warning APP15"], "{guard}");
        assert!(rendered(&sections, &[used, ("ingress-use-waypoint", "true")], &[]).1.is_empty());
    }
    // The same by Istio's own fields.
    let route = "hosts: [a.example.com], http: [{route: [{destination: {host: reviews}}]}]";
    let by_spec = |more: &str| format!("virtualService: {{spec: {{{route}{more}}}}}\n  {ALLOW}");
    let at_gateway = rendered(&by_spec(", gateways: [infra/front]"), &[used], &[]).1;
    assert!(at_gateway.contains(&"Warning APP15".to_owned()), "{at_gateway:?}");
    let in_mesh = rendered(&by_spec(", gateways: [mesh]"), &[used], &[]).1;
    assert!(!in_mesh.contains(&"Warning APP15".to_owned()), "{in_mesh:?}");
    let telemetry = format!("{public}\n  telemetry: {{logs: all}}");
    assert!(rendered(&telemetry, &[used], &[]).1.is_empty());
}
