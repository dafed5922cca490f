//! A commit is judged in seconds of the processor, whatever is in force before it.

use std::{fmt::Write, fs, time::Duration};

use crate::catalogs::{application, catalog, findings, in_force};
use istio_config::{Catalog, InForce};

/// Without optimization, for what a comparison of each two hosts or labels would keep busy for minutes.
const DEADLINE: Duration = Duration::from_secs(15);

/// The time of this thread alone: other programs use the processor too.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

fn catalog_in_time(what: &str, files: &[(&str, String)], before: &InForce) -> Catalog {
    let began = processor_time();
    let catalog = catalog(files, before);
    let took = processor_time() - began;
    // Shown only when the test fails.
    println!("{what}: {took:?}");
    assert!(took < DEADLINE, "{what} took {took:?}");
    catalog
}

fn judged_in_time(what: &str, files: &[(&str, String)], before: &InForce) -> usize {
    let catalog = catalog_in_time(what, files, before);
    catalog.findings().iter().filter(|found| found.finding.rule == "APP22").count()
}

fn list(length: usize, item: impl Fn(usize) -> String) -> String {
    (0..length).map(item).collect::<Vec<_>>().join(", ")
}

#[test]
fn thousands_of_hosts_and_labels_are_no_square() {
    let hosts = list(19_900, |number| format!("h{number:05}"));
    let hosts = format!(
        "{{virtualService: {{spec: {{hosts: [{hosts}], http: [{{route: [{{destination: {{host: a}}}}]}}]}}}}}}"
    );
    let labels = list(4_000, |number| format!("l{number}: a"));
    let entries = list(20, |number| {
        format!(
            "{{name: a{number}, spec: {{selector: {{matchLabels: {{{labels}, m: b{number}}}}}, rules: [{{}}]}}}}"
        )
    });
    let labels = format!("{{authorizationPolicy: [{entries}]}}");
    for (what, spec) in [("hosts", hosts), ("labels", labels)] {
        let owner = ("a.yaml", application("shop/web", &spec));
        let before = in_force(std::slice::from_ref(&owner));
        let taker = ("b.yaml", application("shop/evil", &spec));
        assert_eq!(judged_in_time(what, std::slice::from_ref(&owner), &before), 0);
        let refused = ("a.yaml", application("shop/web", "{destinationRule: 1}"));
        assert!(judged_in_time(what, &[refused, taker], &before) > 0, "{what}");
    }
}

#[test]
fn thousands_of_applications_that_share_a_label_are_no_square() {
    let mut file = String::new();
    for number in 0..2_000 {
        let spec =
            format!("{{workload: {{labels: {{app: a{number}, version: v1}}}}, peerAuthentication: {{}}}}");
        writeln!(file, "---\n{}", application(&format!("shop/a{number}"), &spec)).unwrap();
    }
    let owners = ("a.yaml", file);
    let before = in_force(std::slice::from_ref(&owners));
    let wide = list(200, |number| {
        format!("{{name: a{number}, spec: {{selector: {{matchLabels: {{version: v1}}}}, rules: [{{}}]}}}}")
    });
    let taker = ("b.yaml", application("shop/evil", &format!("{{authorizationPolicy: [{wide}]}}")));
    assert_eq!(judged_in_time("applications", &[owners, taker], &before), 200);
}

#[test]
fn thousands_of_tokens_and_gateways_are_no_square() {
    let object = |kind: &str, name: &str, spec: &str| {
        format!("---\napiVersion: {kind}\nmetadata: {{name: {name}, namespace: ops}}\nspec: {spec}\n")
    };
    let each = |text: &dyn Fn(usize) -> String| (0..2_000).map(text).collect::<String>();
    // Each selector has Pods of its own, so that all readers are known to be for others.
    let readers = each(&|number| {
        let spec = format!(
            "{{selector: {{matchLabels: {{app: a, r: r{number}}}}}, jwtRules: [{{issuer: 'https://id.example.com'}}]}}"
        );
        object("security.istio.io/v1\nkind: RequestAuthentication", &format!("r{number}"), &spec)
            + &format!(
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: r{number}, namespace: ops, labels: {{app: a, r: r{number}}}}}\n"
            )
    });
    let gateways = each(&|number| {
        let port = "{name: http, number: 80, protocol: HTTP}";
        let spec = format!(
            "{{selector: {{istio: x, g: g{number}}}, servers: [{{hosts: [w{number}.example.com], port: {port}}}]}}"
        );
        object("networking.istio.io/v1\nkind: Gateway", &format!("g{number}"), &spec)
    });
    let behind = each(&|number| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: g{number}, namespace: ops, labels: {{istio: x, g: g{number}}}}}\n"
        ) + &object(
            "v1\nkind: Service",
            &format!("g{number}"),
            &format!("{{selector: {{g: g{number}}}, ports: [{{port: 80}}]}}"),
        )
    });
    let routes = each(&|number| {
        let http = "[{match: [{headers: {'@request.auth.claims.a': {exact: b}}}], route: [{destination: {host: web}}]}]";
        let spec = format!(
            "{{virtualService: {{spec: {{hosts: [w{number}.example.com], gateways: [ops/g{number}], http: {http}}}}}}}"
        );
        format!("---\n{}", application(&format!("ops/w{number}"), &spec))
    });
    let web = object("v1\nkind: Service", "web", "{ports: [{port: 80}]}");
    let files = [("r.yaml", readers), ("g.yaml", gateways), ("p.yaml", behind + &web), ("w.yaml", routes)];
    let catalog = catalog_in_time("tokens", &files, &InForce::default());
    assert!(catalog.is_valid(), "{:?}", findings(&catalog).first());
    assert_eq!(catalog.applications().len(), 2_000);
}

/// Of so few each is looked at, and known to be for others.
#[test]
fn sixteen_readers_of_each_namespace_are_looked_at_once() {
    const NAMESPACES: usize = 16;
    const LENGTH: usize = 500;
    let labels = list(100, |number| format!("l{number:02}: a"));
    let readers = list(16, |number| {
        let spec = format!(
            "{{selector: {{matchLabels: {{{labels}, r: r{number}}}}}, jwtRules: [{{issuer: 'https://id.example.com'}}]}}"
        );
        format!("{{name: r{number}, spec: {spec}}}")
    });
    let of_namespace = |number: usize| {
        let spec = format!("{{requestAuthentication: [{readers}]}}");
        format!("---\n{}", application(&format!("n{number}/tokens"), &spec))
    };
    let readers = ("r.yaml", (0..NAMESPACES).map(of_namespace).collect::<String>());
    let names = list(NAMESPACES, |number| format!("n{number}/g"));
    let service = |number: usize, gateways: &str| {
        let http = "[{match: [{headers: {'@request.auth.claims.a': {exact: b}}}], route: [{destination: {host: web}}]}]";
        format!(
            "{{name: a{number}, spec: {{hosts: [h{number}.example.com], gateways: [{gateways}], http: {http}}}}}"
        )
    };
    let again_and_again = service(LENGTH, &vec![&*names; LENGTH].join(", "));
    let services = list(LENGTH, |number| service(number, &names));
    // Of one more nobody knows that no tokens are read there.
    let too_many = service(LENGTH + 1, &format!("{names}, n0/other"));
    let spec = format!("{{virtualService: [{services}, {again_and_again}, {too_many}]}}");
    let owner = ("a.yaml", application("shop/web", &spec));
    let before = in_force(&[owner.clone(), readers.clone()]);
    // Something that stays has what may depend on it looked for.
    let before = before.holding_along([("ops".to_owned(), "other".to_owned())]);
    let gateway = |number: usize| {
        let port = "{name: http, number: 80, protocol: HTTP}";
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: n{number}}}\nspec: {{selector: {{l99: b}}, servers: [{{hosts: ['*.example.com'], port: {port}}}]}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: g, namespace: n{number}, labels: {{l99: b}}}}\n"
        )
    };
    let other = gateway(0).replace("{name: g,", "{name: other,");
    let gateways = ("g.yaml", (0..NAMESPACES).map(gateway).chain([other]).collect::<String>());
    let catalog = catalog_in_time("few readers", &[owner, readers, gateways], &before);
    assert!(catalog.is_valid(), "{:?}", findings(&catalog).first());
    let found = catalog.findings().iter().filter(|found| found.finding.rule == "X149").count();
    assert_eq!(found, LENGTH + 1);
}

#[test]
fn thousands_of_destinations_of_an_application_are_no_square() {
    const LENGTH: usize = 1_000;
    let more = list(14, |number| format!("{{destination: {{host: w{number}}}, weight: 1}}"));
    let to = "{destination: {host: pay.bank.svc.cluster.local, port: {number: 81}, subset: v1}, weight: 40}, {destination: {host: pay.bank.svc.cluster.local}, weight: 26}";
    let destinations = |number| {
        let gone = format!("{{host: a{number}.bank.svc.cluster.local, port: {{number: 80}}}}");
        format!("{more}, {to}, {{destination: {gone}, weight: 20}}")
    };
    let services = list(LENGTH, |number| {
        let wanted = "[{headers: {'@request.auth.claims.a': {exact: b}}}]";
        let http = format!("[{{match: {wanted}, route: [{}]}}]", destinations(number));
        format!(
            "{{name: a{number}, spec: {{hosts: [h{number}.example.com], gateways: [ops/public], http: {http}}}}}"
        )
    });
    let owner = ("a.yaml", application("shop/web", &format!("{{virtualService: [{services}]}}")));
    let object = |kind: &str, namespace: &str, spec: &str| {
        format!("---\napiVersion: {kind}\nmetadata: {{name: pay, namespace: {namespace}}}\nspec: {spec}\n")
    };
    let subsets = "{host: pay.bank.svc.cluster.local, subsets: [{name: v1, labels: {version: v1}}]}";
    let there = object("networking.istio.io/v1\nkind: DestinationRule", "bank", subsets)
        + &object(
            "security.istio.io/v1\nkind: RequestAuthentication",
            "ops",
            "{jwtRules: [{issuer: 'https://id.example.com'}]}",
        );
    let before = in_force(&[owner.clone(), ("b.yaml", there)]);
    let port = "{name: http, number: 80, protocol: HTTP}";
    let gateway = format!("{{selector: {{istio: x}}, servers: [{{hosts: [a.example.com], port: {port}}}]}}");
    let now =
        object("v1\nkind: Service", "bank", "{ports: [{name: http, port: 80}, {name: more, port: 82}]}")
            + &object("networking.istio.io/v1\nkind: Gateway", "ops", &gateway);
    let files = [owner, ("b.yaml", now)];
    let catalog = catalog_in_time("destinations", &files, &before);
    assert!(catalog.is_valid(), "{:?}", findings(&catalog).first());
    for rule in ["X101a", "X101b", "X101c", "X101d", "X112", "X149"] {
        let found = catalog.findings().iter().filter(|found| found.finding.rule == rule).count();
        assert!(found >= LENGTH, "{rule}: {found}");
    }
}

/// Each reference in force is found once, not for each of those that are missed.
#[test]
fn thousands_of_missed_references_are_no_square() {
    // As many as an entry has room for. To find all of them for each one takes 5 seconds and more, without optimization.
    const LENGTH: usize = 1_800;
    const SOON: Duration = Duration::from_secs(3);
    let object = |kind: &str, name: &str, rest: &str| {
        let (namespace, name) = name.split_once('/').unwrap_or(("", name));
        format!(
            "---\n{{apiVersion: v1, kind: {kind}, metadata: {{name: {name}, namespace: '{namespace}'{rest}}}\n"
        )
    };
    let service =
        |name: &str| object("Service", name, "}, spec: {selector: {app: reviews}, ports: [{port: 80}]}");
    let servers = list(LENGTH, |number| {
        let port = format!("{{name: https-{number}, number: 443, protocol: HTTPS}}");
        let tls = format!("{{mode: SIMPLE, credentialName: s{number}}}");
        format!("{{hosts: [h{number}.example.com], port: {port}, tls: {tls}}}")
    });
    let gateway = format!("{{gateway: {{spec: {{selector: {{istio: x}}, servers: [{servers}]}}}}}}");
    let subsets = list(LENGTH, |number| format!("{{name: v{number}, labels: {{version: v{number}}}}}"));
    let routes = |hosts: &str| {
        let http = "[{route: [{destination: {host: web}}]}]";
        format!("{{virtualService: {{spec: {{hosts: [{hosts}], http: {http}}}}}}}")
    };
    let outside = routes(&list(LENGTH, |number| format!("h{number}.com")));
    let short = routes(&list(LENGTH, |number| format!("h{number}.bank")));
    // As many as a route of the Gateway API has room for.
    let of_gateway_api = |backend: &dyn Fn(usize) -> String| {
        let route = |number: usize| {
            let to = list(16, |at| {
                let weight = if at == 0 { 25 } else { 5 };
                format!("{{{}, weight: {weight}}}", backend(16 * number + at))
            });
            format!("{{match: {{path: {{exact: /{number}}}}}, to: [{to}]}}")
        };
        let entry = |at: usize| {
            let routes = list(8, |number| route(8 * at + number));
            format!("{{name: a{at}, render: httpRoute, port: 80, routes: [{routes}]}}")
        };
        format!("{{virtualService: [{}]}}", list(LENGTH / 128 + 1, entry))
    };
    let gone = of_gateway_api(&|number| format!("service: pay{number}, port: 80"));
    let closed = of_gateway_api(&|_| "service: pay, port: 81".to_owned());
    let pod = |name: &str, labels: &str| object("Pod", name, &format!(", labels: {{{labels}}}}}"));
    let cases = [
        ("X101g", gateway, pod("ops/x", "istio: x") + &object("Secret", "ops/x", "}")),
        (
            "X173",
            format!("{{destinationRule: {{spec: {{host: reviews, subsets: [{subsets}]}}}}}}"),
            service("shop/reviews") + &pod("shop/x", "app: reviews"),
        ),
        ("H33", outside, object("Namespace", "com", "}")),
        ("H27", short, (0..LENGTH).map(|number| service(&format!("bank/h{number}"))).collect()),
        ("X101b", gone, service("shop/reviews")),
        ("X101c", closed, service("shop/reviews") + &service("shop/pay")),
    ];
    for (rule, said, by_hand) in cases {
        let owner = ("a.yaml", application("shop/reviews", &said));
        let before = in_force(std::slice::from_ref(&owner));
        let began = processor_time();
        let catalog = catalog_in_time(rule, &[owner, ("b.yaml", by_hand)], &before);
        let took = processor_time() - began;
        assert!(took < SOON, "{rule} took {took:?}");
        assert!(catalog.is_valid(), "{rule}: {:?}", findings(&catalog).first());
        let found = catalog.findings().iter().filter(|found| found.finding.rule == rule).count();
        assert!(found >= LENGTH, "{rule}: {found}");
    }
}
