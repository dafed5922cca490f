//! What an application refers to in force may be in another repository: no file of others makes it an error.

use crate::catalogs::{application, catalog, findings, in_force};
use istio_config::{InForce, Level};

/// What an application of `shop` says, what a file has by hand in the places that it refers to, and the rule.
const MISSED: [(&str, &str, &str); 12] = [
    (
        "{virtualService: {hosts: [shop.example.com], gateways: [istio-ingress/public]}}",
        "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: x, namespace: istio-ingress}, spec: {selector: {istio: x}, servers: [{hosts: [x.example.com], port: {name: http, number: 80, protocol: HTTP}}]}}",
        "X101a",
    ),
    (
        "{virtualService: {routes: [{to: [{service: pay.bank}]}]}}",
        "{apiVersion: v1, kind: Service, metadata: {name: x, namespace: bank}, spec: {ports: [{port: 80}]}}",
        "X101b",
    ),
    (
        "{virtualService: {spec: {hosts: [reviews], http: [{route: [{destination: {host: pay.example.com}}]}]}}}",
        "{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: x, namespace: shop}, spec: {hosts: [x.example.com], location: MESH_EXTERNAL, ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS, exportTo: [.]}}",
        "X101b",
    ),
    (
        "{virtualService: {render: httpRoute, port: 80, routes: [{to: [{service: pay, port: 80}]}]}}",
        "{apiVersion: v1, kind: Service, metadata: {name: reviews, namespace: shop}, spec: {ports: [{port: 80}]}}",
        "X101b",
    ),
    (
        "{gateway: {hosts: [shop.example.com], tls: {secret: cert}, selector: {istio: x}}}",
        "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: x, namespace: ingress}}, {apiVersion: v1, kind: Pod, metadata: {name: x, namespace: ingress, labels: {istio: x}}}]}",
        "X101g",
    ),
    (
        "{virtualService: {routes: [{to: [{service: pay.bank, port: 81}]}]}}",
        "{apiVersion: v1, kind: Service, metadata: {name: pay, namespace: bank}, spec: {ports: [{port: 80}]}}",
        "X101c",
    ),
    (
        "{virtualService: {render: httpRoute, port: 80, routes: [{to: [{service: pay, port: 81}]}]}}",
        "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Service, metadata: {name: reviews, namespace: shop}, spec: {ports: [{port: 80}]}}, {apiVersion: v1, kind: Service, metadata: {name: pay, namespace: shop}, spec: {ports: [{port: 80}]}}]}",
        "X101c",
    ),
    (
        "{virtualService: {spec: {hosts: [reviews], http: [{route: [{destination: {host: pay.example.com, port: {number: 80}}}]}]}}}",
        "{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: x, namespace: shop}, spec: {hosts: [pay.example.com], location: MESH_EXTERNAL, ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS, exportTo: [.]}}",
        "X101c",
    ),
    (
        "{virtualService: {hosts: [shop.example.com], gateways: [ops/public]}}",
        "{apiVersion: v1, kind: Service, metadata: {name: reviews, namespace: shop}, spec: {ports: [{port: 80}, {port: 81}]}}",
        "X112",
    ),
    (
        "{destinationRule: {host: reviews, subsets: [{name: v2, labels: {version: v2}}]}}",
        "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Service, metadata: {name: reviews, namespace: shop}, spec: {selector: {app: reviews}, ports: [{port: 80}]}}, {apiVersion: v1, kind: Pod, metadata: {name: v1, namespace: shop, labels: {app: reviews, version: v1}}}]}",
        "X173",
    ),
    (
        "{virtualService: {spec: {hosts: [example.com], http: [{route: [{destination: {host: reviews}}]}]}}}",
        "{apiVersion: v1, kind: Service, metadata: {name: example, namespace: com}, spec: {ports: [{port: 80}]}}",
        "H33",
    ),
    (
        "{virtualService: {spec: {hosts: [example.com], http: [{route: [{destination: {host: reviews}}]}]}}}",
        "{apiVersion: v1, kind: Namespace, metadata: {name: com}}",
        "H33",
    ),
];

#[test]
fn what_is_missed_since_a_file_has_something_beside_it_is_a_warning() {
    for (said, by_hand, rule) in MISSED {
        let before = in_force(&[("a.yaml", application("shop/reviews", said))]);
        let changed = said.replacen('{', "{environment: dev, ", 1);
        let files = [("a.yaml", application("shop/reviews", &changed)), ("b.yaml", by_hand.to_owned())];
        let after = catalog(&files, &before);
        assert!(after.is_valid(), "{rule}: {:?}", findings(&after));
        assert_ne!(after.to_be_in_force(), before, "{rule}: it follows its document");
        let level = |found: &istio_config::LocatedFinding| {
            (found.finding.rule == rule).then_some(found.finding.level)
        };
        let told: Vec<_> = after.findings().iter().filter_map(level).collect();
        assert_eq!(told, [Level::Warning], "{rule}: {:?}", findings(&after));
        // What is new there has to be right.
        let new = catalog(&files, &InForce::default());
        let told: Vec<_> = new.findings().iter().filter_map(level).collect();
        assert_eq!(told, [Level::Error], "{rule}: {:?}", findings(&new));
    }
}

#[test]
fn a_private_wildcard_of_others_provides_nobody_with_what_is_missed() {
    let evil =
        ("e.yaml", application("evil/a", "{serviceEntry: {hosts: ['*.local', '*.com'], ports: [443]}}"));
    for (said, by_hand, rule) in MISSED {
        let before = in_force(&[("a.yaml", application("shop/reviews", said)), evil.clone()]);
        let changed = said.replacen('{', "{environment: dev, ", 1);
        let files =
            [("a.yaml", application("shop/reviews", &changed)), ("b.yaml", by_hand.to_owned()), evil.clone()];
        let after = catalog(&files, &before);
        assert!(after.is_valid(), "{rule}: {:?}", findings(&after));
    }
}

#[test]
fn what_an_application_takes_away_is_missed_by_those_that_refer_to_it() {
    let gateway = |hosts: &str| format!("{{hosts: [{hosts}], tls: {{secret: a}}}}");
    let entry = |name: &str| format!("{{name: {name}, hosts: [{name}.example.com], ports: [443]}}");
    for (both, one, consumer, rule) in [
        (
            format!(
                "{{gateway: [{}, {{name: b, hosts: [b.example.com], tls: {{secret: b}}}}]}}",
                gateway("a.example.com")
            ),
            "{gateway: {name: b, hosts: [b.example.com], tls: {secret: b}}}".to_owned(),
            "{virtualService: {spec: {hosts: [a.example.com], gateways: [shop/edge-gateway], http: [{route: [{destination: {host: web}}]}]}}}",
            "X101a",
        ),
        (
            format!("{{serviceEntry: [{}, {}]}}", entry("a"), entry("b")),
            format!("{{serviceEntry: {}}}", entry("b")),
            "{virtualService: {spec: {hosts: [web], http: [{route: [{destination: {host: a.example.com}}]}]}}}",
            "X101b",
        ),
        (
            "{serviceEntry: {hosts: [a.example.com], ports: [80, 443]}}".to_owned(),
            "{serviceEntry: {hosts: [a.example.com], ports: [443]}}".to_owned(),
            "{virtualService: {spec: {hosts: [web], http: [{route: [{destination: {host: a.example.com, port: {number: 80}}}]}]}}}",
            "X101c",
        ),
        (
            "{serviceEntry: {hosts: [a.example.com], ports: [80]}}".to_owned(),
            "{serviceEntry: {hosts: [a.example.com], ports: [80, 443]}}".to_owned(),
            "{virtualService: {spec: {hosts: [b.example.com], gateways: [ops/public], http: [{route: [{destination: {host: a.example.com}}]}]}}}",
            "X112",
        ),
        (
            "{destinationRule: {host: a, subsets: [{name: v1, labels: {v: '1'}}, {name: v2, labels: {v: '2'}}]}}".to_owned(),
            "{destinationRule: {host: a, subsets: [{name: v2, labels: {v: '2'}}]}}".to_owned(),
            "{virtualService: {spec: {hosts: [web], http: [{route: [{destination: {host: a, subset: v1}}]}]}}}",
            "X101d",
        ),
        (
            "{telemetry: {logs: all}, requestAuthentication: {issuer: 'https://id.example.com', required: false}}".to_owned(),
            "{telemetry: {logs: all}}".to_owned(),
            "{virtualService: {spec: {hosts: [b.example.com], gateways: [ops/public], http: [{match: [{headers: {'@request.auth.claims.group': {exact: beta}}}], route: [{destination: {host: web}}]}]}}}",
            "X149",
        ),
    ] {
        let consumer = ("c.yaml", application("shop/web", consumer));
        let before = in_force(&[("a.yaml", application("shop/edge", &both)), consumer.clone()]);
        let after = catalog(&[("a.yaml", application("shop/edge", &one)), consumer], &before);
        let errors = after.findings().iter().filter(|found| found.finding.level == Level::Error);
        let errors: Vec<_> = errors.map(|found| (&*found.file, found.finding.rule)).collect();
        assert!(errors.contains(&("c.yaml", rule)), "{:?}", findings(&after));
    }
}

#[test]
fn a_host_at_gateways_in_force_is_new_in_the_mesh() {
    let routes = |gateways: &str| {
        let http = "[{route: [{destination: {host: web}}]}]";
        let spec = format!("{{hosts: [pay.bank], gateways: [{gateways}], http: {http}}}");
        ("a.yaml", application("shop/web", &format!("{{virtualService: {{spec: {spec}}}}}")))
    };
    let service = "{apiVersion: v1, kind: Service, metadata: {name: pay, namespace: bank}, spec: {ports: [{port: 80}]}}";
    let service = ("b.yaml", service.to_owned());
    for (before, now, level) in [
        ("ops/public", "ops/public, mesh", Level::Error),
        ("ops/public", "ops/public, ops/other", Level::Warning),
        ("mesh", "ops/public, mesh", Level::Warning),
        ("mesh", "ops/public", Level::Warning),
    ] {
        let before = in_force(&[routes(before)]);
        let after = catalog(&[routes(now), service.clone()], &before);
        let told: Vec<_> =
            after.findings().iter().filter(|found| ["H27", "H33"].contains(&found.finding.rule)).collect();
        assert!(!told.is_empty(), "{now}: {:?}", findings(&after));
        assert!(told.iter().all(|found| found.finding.level == level), "{now}: {told:?}");
    }
}

#[test]
fn a_gateway_that_moves_to_other_pods_needs_its_secret_there() {
    let gateway = |labels: &str| {
        let gateway = format!("{{hosts: [shop.example.com], tls: {{secret: cert}}, selector: {{{labels}}}}}");
        application("shop/reviews", &format!("{{gateway: {gateway}}}"))
    };
    let object = |kind: &str, namespace: &str, name: &str, labels: &str| {
        format!(
            "---\n{{apiVersion: v1, kind: {kind}, metadata: {{name: {name}, namespace: {namespace}, labels: {{{labels}}}}}}}\n"
        )
    };
    let there = object("Pod", "istio-system", "x", "istio: ingressgateway, edge: a")
        + &object("Secret", "istio-system", "cert", "")
        + &object("Pod", "gw", "x", "istio: private")
        + &object("Secret", "gw", "other", "");
    let files = |labels: &str, there: &str| [("a.yaml", gateway(labels)), ("b.yaml", there.to_owned())];
    let before = in_force(&files("istio: ingressgateway", &there));
    let moved = catalog(&files("istio: private", &there), &before);
    let told = moved.findings().iter().map(|found| (found.finding.rule, found.finding.level));
    assert_eq!(told.collect::<Vec<_>>(), [("X101g", Level::Error)], "{:?}", findings(&moved));
    assert_eq!(moved.to_be_in_force(), before);
    // Where the same Pods lose the Secret, the Gateway goes on.
    let without = there.replace("name: cert", "name: gone");
    let stays = catalog(&files("istio: ingressgateway, edge: a", &without), &before);
    assert!(stays.is_valid(), "{:?}", findings(&stays));
    let told = stays.findings().iter().map(|found| (found.finding.rule, found.finding.level));
    assert_eq!(told.collect::<Vec<_>>(), [("X101g", Level::Warning)], "{:?}", findings(&stays));
}

#[test]
fn ports_that_a_service_by_hand_gets_are_a_warning_beside_a_wildcard_in_force() {
    let service = |ports: &str| {
        let ports = format!("spec: {{ports: [{ports}]}}");
        format!("{{apiVersion: v1, kind: Service, metadata: {{name: reviews, namespace: shop}}, {ports}}}")
    };
    let entry = "{serviceEntry: {hosts: ['*.shop.svc.cluster.local'], ports: [80, 443]}}";
    let routes = |rest: &str| {
        format!("{{{rest}virtualService: {{hosts: [shop.example.com], gateways: [ops/public]}}}}")
    };
    // Documents of one file may share services.
    let files = |rest: &str, ports: &str| {
        let both = [application("shop/reviews", &routes(rest)), application("shop/entry", entry)];
        [("a.yaml", both.join("---\n")), ("b.yaml", service(ports))]
    };
    let before = in_force(&files("", "{port: 80}"));
    let after = catalog(&files("environment: dev, ", "{port: 80}, {port: 81}"), &before);
    assert!(after.is_valid(), "{:?}", findings(&after));
    let told = after.findings().iter().find(|found| found.finding.rule == "X112").unwrap();
    assert_eq!(told.finding.level, Level::Warning);
}
