//! An application that breaks a limit of its Guardrails is not rendered, whatever wrote the object that does.
#![cfg(test)]

use std::sync::Arc;

use istio_config::{Catalog, File, InForce, Kind, Limits, Setting};
use policies::{
    File as PolicyFile,
    language::{Dataplane, ISTIO_KINDS, IstioLimits},
};

/// What guardrails say, each as its `istio` is written.
fn guardrails(written: &[&str]) -> Vec<IstioLimits> {
    let read = |istio: &&str| {
        let file = PolicyFile::read(format!("kind: Guardrail\nspec: {{istio: {istio}}}\n").as_bytes());
        file.guardrails().unwrap_or_else(|| panic!("{istio}: {:?}", file.findings))[0].istio.clone()
    };
    written.iter().map(read).collect()
}

fn limits(written: &[&str]) -> Limits {
    Limits::of(&guardrails(written).iter().collect::<Vec<_>>())
}

/// The catalog of the application `reviews` in `shop` with these sections, below these guardrails.
fn catalog(sections: &str, guardrails: &[&str]) -> Catalog {
    let text = format!(
        "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: reviews, namespace: shop}}\nspec:\n  {sections}\n"
    );
    let (path, file): (Arc<str>, _) = (Arc::from("a.yaml"), File::read(text.as_bytes()));
    let guarded = |_: &str, setting: Setting| setting.within(limits(guardrails));
    Catalog::new(&[(path, &file)], &InForce::default(), &Setting::default(), guarded)
}

/// The limits that it breaks, and their places.
fn broken(sections: &str, guardrails: &[&str]) -> Vec<String> {
    let catalog = catalog(sections, guardrails);
    let found = catalog.findings().iter().map(|located| &located.finding);
    let found = found.filter(|finding| finding.rule.starts_with("LIM"));
    let broken: Vec<_> =
        found.map(|found| format!("{} {} {}", found.rule, found.at.line, found.field)).collect();
    assert_eq!(catalog.resources().is_empty(), !broken.is_empty(), "{:?}", catalog.findings());
    broken
}

#[test]
fn an_envoy_filter_needs_leave_and_another_kind_may_be_kept_out() {
    let filter = "envoyFilter: {localRateLimit: {requests: 1}}";
    let error = ["LIM01 5 spec.envoyFilter (EnvoyFilter kind)"];
    assert_eq!(broken(filter, &[]), error);
    assert!(broken(filter, &["{kinds: [EnvoyFilter]}"]).is_empty());
    assert_eq!(broken(filter, &["{kinds: [EnvoyFilter]}", "{kinds: [Gateway]}"]), error);
    let peers = "peerAuthentication: {}";
    assert!(broken(peers, &[]).is_empty());
    assert_eq!(
        broken(peers, &["{kinds: [EnvoyFilter]}"]),
        ["LIM01 5 spec.peerAuthentication (PeerAuthentication kind)"]
    );
}

#[test]
fn an_application_is_in_a_namespace_of_each_guardrail() {
    let peers = "peerAuthentication: {}";
    assert!(broken(peers, &["{namespaces: ['sh*']}", "{namespaces: [bank, shop]}"]).is_empty());
    assert_eq!(
        broken(peers, &["{namespaces: ['sh*']}", "{namespaces: [bank]}"]),
        ["LIM02 1 metadata.namespace"]
    );
}

#[test]
fn hosts_that_are_claimed_for_others_are_within_the_globs() {
    let guardrail = ["{hosts: ['*.shop.example.com']}"];
    let at = |host: &str| {
        format!(
            "gateway: {{name: front, hosts: [{host}], tls: {{secret: a}}}}\n  virtualService: {{hosts: [{host}], gateways: [front]}}"
        )
    };
    assert!(broken(&at("a.shop.example.com"), &guardrail).is_empty());
    assert_eq!(
        broken(&at("a.bank.example.com"), &guardrail),
        [
            "LIM03 5 spec.gateway (Gateway spec.servers[0].hosts[0])",
            "LIM03 6 spec.virtualService (VirtualService spec.hosts[1])",
        ]
    );
    let outside = |more: &str| format!("serviceEntry: {{hosts: [api.stripe.example], ports: [443]{more}}}");
    assert!(broken(&outside(""), &guardrail).is_empty(), "nobody else sees it");
    assert_eq!(
        broken(&outside(", namespaces: ['*']"), &guardrail),
        ["LIM03 5 spec.serviceEntry (ServiceEntry spec.hosts[0])"]
    );
    // A service of another namespace is claimed for others, and one of the own namespace is not.
    let shadow = |host: &str, namespaces: &str| {
        format!(
            "serviceEntry: {{hosts: [{host}], namespaces: [{namespaces}], ports: [80], endpoints: [10.0.0.66]}}"
        )
    };
    let (own, other) = ("pay.shop.svc.cluster.local", "pay.bank.svc.cluster.local");
    assert_eq!(
        broken(&shadow(other, "'*'"), &guardrail),
        ["LIM03 5 spec.serviceEntry (ServiceEntry spec.hosts[0])"]
    );
    assert!(broken(&shadow(own, "'*'"), &guardrail).is_empty());
    assert!(broken(&shadow(other, "."), &guardrail).is_empty());
    assert!(broken("virtualService: {timeout: 5s}", &guardrail).is_empty(), "a service of the mesh");
}

#[test]
fn istios_own_fields_are_kept_off_what_they_are_for_or_forbidden() {
    let own = |spec: &str| format!("peerAuthentication: {{mtls: strict, spec: {spec}}}");
    let (harmless, selector) =
        (own("{portLevelMtls: {\"80\": {mode: DISABLE}}}"), own("{selector: {matchLabels: {app: b}}}"));
    let item = "virtualService: {routes: [{name: a, timeout: 1s, spec: {retries: {attempts: 0}}}]}";
    assert!(broken(&selector, &["{allowSpec: all}"]).is_empty());
    let safe = ["{allowSpec: all}", "{allowSpec: safe}"];
    assert!(broken(&harmless, &safe).is_empty());
    assert!(broken(item, &safe).is_empty());
    assert_eq!(broken(&selector, &safe), ["LIM04 5 spec.peerAuthentication.spec"]);
    // A field of the same name further in says something else.
    for harmless in [
        "authorizationPolicy: {allow: [{from: [web], spec: {to: [{operation: {hosts: [a.example.com]}}]}}]}",
        "sidecar: {calls: [a], spec: {egress: [{hosts: [./a.shop.svc.cluster.local, istio-system/*]}]}}",
    ] {
        assert!(broken(harmless, &safe).is_empty(), "{harmless}");
    }
    let servers = "gateway: {hosts: [a.example.com], spec: {servers: [{hosts: [./b.example.com], port: {name: http, number: 80, protocol: HTTP}}]}}";
    assert_eq!(broken(servers, &safe), ["LIM04 5 spec.gateway.spec"]);
    let none = ["{allowSpec: none}", "{allowSpec: all}"];
    assert_eq!(broken(&harmless, &none), ["LIM04 5 spec.peerAuthentication.spec"]);
    assert_eq!(broken(item, &none), ["LIM04 5 spec.virtualService.routes[0].spec"]);
}

#[test]
fn what_is_for_a_namespace_needs_leave_however_it_is_written() {
    let leave = ["{allowNamespaceWide: true}"];
    for (sections, place) in [
        ("telemetry: {applyTo: namespace, logs: all}", "spec.telemetry (Telemetry spec)"),
        (
            "peerAuthentication: {mtls: strict, spec: {selector: null}}",
            "spec.peerAuthentication (PeerAuthentication spec)",
        ),
        (
            "peerAuthentication: {mtls: strict, spec: {selector: {matchLabels: null}}}",
            "spec.peerAuthentication (PeerAuthentication spec)",
        ),
        ("authorizationPolicy: {spec: {rules: [{}]}}", "spec.authorizationPolicy (AuthorizationPolicy spec)"),
        ("sidecar: {spec: {egress: [{hosts: [./*]}]}}", "spec.sidecar (Sidecar spec)"),
        (
            "peerAuthentication: {spec: {selector: {matchLabels: {security.istio.io/tlsMode: istio}}}}",
            "spec.peerAuthentication (PeerAuthentication spec)",
        ),
        (
            "peerAuthentication: {spec: {selector: {matchLabels: {app.kubernetes.io/managed-by: Helm, app.kubernetes.io/part-of: shop}}}}",
            "spec.peerAuthentication (PeerAuthentication spec)",
        ),
    ] {
        assert_eq!(broken(sections, &[]), [format!("LIM05 5 {place}")], "{sections}");
        assert!(broken(sections, &leave).is_empty(), "{sections}");
        assert_eq!(broken(sections, &["{allowNamespaceWide: true}", "{allowNamespaceWide: false}"]).len(), 1);
    }
    assert!(broken("requestAuthentication: {issuer: https://id.example.com, ports: [80]}", &[]).is_empty());
    assert!(broken("dataplane: ambient\n  telemetry: {logs: all}", &[]).is_empty(), "at the Service");
    let selected =
        |labels: &str| format!("peerAuthentication: {{spec: {{selector: {{matchLabels: {{{labels}}}}}}}}}");
    for of_all in [
        "sidecar.istio.io/inject: \"true\"",
        "istio.io/dataplane-mode: ambient",
        "service.istio.io/canonical-revision: v1, app.kubernetes.io/version: v1",
        "helm.sh/chart: shop-1",
        "topology.kubernetes.io/zone: a, topology.istio.io/network: b",
    ] {
        assert_eq!(broken(&selected(of_all), &[]).len(), 1, "{of_all}");
    }
    for of_one in [
        "service.istio.io/canonical-name: reviews",
        "istio.io/gateway-name: waypoint",
        "gateway.networking.k8s.io/gateway-name: waypoint",
        "app.kubernetes.io/instance: reviews",
        "myistio.io/app: reviews",
        "sidecar.istio.io/inject: \"true\", app: reviews",
    ] {
        assert!(broken(&selected(of_one), &[]).is_empty(), "{of_one}");
    }
    let own = "peerAuthentication: {spec: {selector: {matchLabels: {istio.io/rev: canary, app: reviews}}}}";
    assert!(broken(own, &[]).is_empty(), "a label of its own");
    let own = "workload: {labels: {app.kubernetes.io/part-of: shop, app: reviews}}\n  peerAuthentication: {}";
    assert!(broken(own, &[]).is_empty(), "a label of its own");
}

#[test]
fn a_policy_that_denies_all_calls_needs_leave_however_it_is_written() {
    let at = "LIM06 5 spec.authorizationPolicy (AuthorizationPolicy spec.rules)";
    for sections in [
        "authorizationPolicy: {denyAll: true}",
        "authorizationPolicy: {allow: [{from: [web]}], spec: {rules: null}}",
        "authorizationPolicy: {deny: [{from: [web]}], spec: {rules: [{}]}}",
        "authorizationPolicy: {deny: [{from: [web], spec: {from: null}}]}",
        "authorizationPolicy: {deny: [{from: [\"*\"]}]}",
        "authorizationPolicy: {deny: [{ports: [22]}, {paths: [/*]}]}",
        "authorizationPolicy: {deny: [{from: [\"*\"]}], spec: {rules: [{to: [{operation: {paths: [\"*\"], methods: [\"*\"]}}]}]}}",
        "authorizationPolicy: {allow: [{from: [\"*\"], not: {from: [\"*\"]}}]}",
        "authorizationPolicy: {allow: [{methods: [GET], not: {methods: [GET]}}]}",
    ] {
        assert_eq!(broken(sections, &[]), [at], "{sections}");
        assert!(broken(sections, &["{allowDenyAll: true}"]).is_empty(), "{sections}");
    }
    assert!(
        broken("authorizationPolicy: {mode: shadow, deny: [{from: [web], spec: {from: null}}]}", &[])
            .is_empty()
    );
    assert!(
        broken("authorizationPolicy: {allow: [{from: [web], spec: {from: null}}]}", &[]).is_empty(),
        "allows all"
    );
}

#[test]
fn the_nearest_data_plane_counts_and_every_call_that_is_always_made() {
    let both = limits(&[
        "{dataplane: sidecar, maxRemovals: 9, sidecarAlways: [tracing/*]}",
        "{dataplane: ambient, maxRemovals: 3}",
    ]);
    assert_eq!((both.dataplane, both.max_removals), (Some(Dataplane::Ambient), Some(3)));
    let sidecar = catalog("sidecar: {calls: [ratings]}", &["{sidecarAlways: [tracing/*]}"]);
    let hosts = sidecar.resources()[0].spec["egress"][0]["hosts"].to_string();
    assert!(hosts.contains("tracing/*") && hosts.contains("istio-system/*"), "{hosts}");
    let ambient = catalog("sidecar: {calls: [ratings]}", &["{dataplane: ambient}"]);
    assert!(!ambient.is_valid());
}

#[test]
fn a_guardrail_names_every_kind() {
    assert!(Kind::ALL.iter().all(|kind| ISTIO_KINDS.contains(&kind.name())));
}

#[test]
fn a_document_outside_of_its_namespaces_claims_nothing() {
    let document = |spec: &str| {
        format!(
            "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: reviews, namespace: shop}}\nspec: {spec}\n"
        )
    };
    let owner = ("shop/a.yaml", document("{peerAuthentication: {}}"));
    let guarded = |path: &str, setting: Setting| {
        setting.within(if path.starts_with("bank/") {
            limits(&["{namespaces: [bank]}"])
        } else {
            limits(&[])
        })
    };
    for spec in ["{remove: true}", "{peerAuthentication: {mtls: disable}}", "{wrong: 1}"] {
        let files = [owner.clone(), ("bank/b.yaml", document(spec))];
        let files: Vec<(Arc<str>, File)> =
            files.iter().map(|(path, text)| (Arc::from(*path), File::read(text.as_bytes()))).collect();
        let files: Vec<_> = files.iter().map(|(path, file)| (Arc::clone(path), file)).collect();
        let catalog = Catalog::new(&files, &InForce::default(), &Setting::default(), guarded);
        let found: Vec<_> =
            catalog.findings().iter().map(|located| (&*located.file, located.finding.rule)).collect();
        assert!(found.contains(&("bank/b.yaml", "LIM02")), "{found:?}");
        assert!(found.iter().all(|(file, _)| *file == "bank/b.yaml"), "{found:?}");
        assert!(catalog.removals().is_empty() && catalog.frozen().is_empty());
        assert_eq!(catalog.resources().len(), 1, "{spec}");
        // As long as nobody else speaks of it, a stricter guardrail takes nothing away.
        let before = catalog.to_be_in_force();
        let catalog = Catalog::new(&files[1..], &before, &Setting::default(), guarded);
        assert_eq!((catalog.frozen().len(), catalog.to_be_in_force()), (1, before), "{spec}");
        // What is not in force is nothing that could stay.
        let catalog = Catalog::new(&files[1..], &InForce::default(), &Setting::default(), guarded);
        assert!(catalog.frozen().is_empty() && !catalog.is_valid(), "{spec}");
    }
}

#[test]
fn a_route_of_the_gateway_api_needs_the_leave_of_a_virtual_service_and_names_its_hosts() {
    let route = |hosts: &str| format!("virtualService: {{render: httpRoute, port: 80, {hosts}}}");
    assert!(broken(&route("timeout: 5s"), &[]).is_empty());
    assert!(broken(&route("timeout: 5s"), &["{kinds: [VirtualService]}"]).is_empty());
    let error = ["LIM01 5 spec.virtualService (HTTPRoute kind)"];
    assert_eq!(broken(&route("timeout: 5s"), &["{kinds: [Gateway]}"]), error);
    let all = ["LIM03 5 spec.virtualService (HTTPRoute spec.hostnames)"];
    assert_eq!(broken(&route("hosts: [reviews], gateways: [edge/public]"), &[]), all);
    assert!(broken(&route("hosts: [shop.example.com], gateways: [edge/public]"), &[]).is_empty());
}

#[test]
fn a_policy_that_denies_some_calls_needs_no_leave() {
    for policy in [
        "deny: [{from: [\"*\"], ports: [22]}]",
        "deny: [{from: [\"*\"], not: {from: [{ip: 10.0.0.1}]}}]",
        "deny: [{not: {from: [\"*\"]}}]",
        "deny: [{paths: [/*], methods: [DELETE], ports: [80]}]",
        "deny: [{paths: [/admin/*], ports: [80]}]",
        "deny: [{ports: [80], spec: {from: [{source: {requestPrincipals: [\"*\"]}}]}}]",
        "deny: [{paths: [/*], headers: {x-a: [b]}, ports: [80]}]",
        "allow: [{from: [\"*\"], not: {from: [{ip: 10.0.0.1}]}}]",
        "allow: [{from: [web], not: {from: [evil]}}]",
        "allow: [{from: [\"*\"], not: {from: [\"*\"]}}, {from: [web]}]",
    ] {
        let sections = format!("authorizationPolicy: {{{policy}}}");
        assert_eq!(broken(&sections, &[]), [""; 0], "{sections}");
    }
}
