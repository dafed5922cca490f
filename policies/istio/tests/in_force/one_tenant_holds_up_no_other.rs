//! What one tenant writes in its own namespace neither refuses nor freezes what another one has.

use crate::catalogs::{application, catalog, evil_keeps_to_itself, findings, guarded, in_force};
use istio_config::{Catalog, InForce, Level};

/// The levels of a rule's findings.
fn levels(catalog: &Catalog, rule: &str) -> Vec<Level> {
    let of_rule = catalog.findings().iter().filter(|found| found.finding.rule == rule);
    of_rule.map(|found| found.finding.level).collect()
}

/// An object of `networking.istio.io`, or of `security.istio.io`.
fn object(kind: &str, name: &str, spec: &str) -> String {
    let group = if kind == "RequestAuthentication" { "security" } else { "networking" };
    let (namespace, name) = name.split_once('/').unwrap();
    format!(
        "---\napiVersion: {group}.istio.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"
    )
}

fn pod(namespace: &str, labels: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: x, namespace: {namespace}, labels: {{{labels}}}}}\n"
    )
}

fn secret(name: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap();
    format!("---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: {namespace}}}\n")
}

fn entry(name: &str, port: u16) -> String {
    let ports = format!("[{{number: {port}, name: http-{port}, protocol: HTTP}}]");
    object("ServiceEntry", name, &format!("{{hosts: [api.example.com], ports: {ports}, resolution: DNS}}"))
}

/// Routes at a Gateway whose tokens decide.
const OF_CLAIMS: &str = "{virtualService: {spec: {hosts: [shop.example.com], gateways: [shop/public], http: [{match: [{headers: {'@request.auth.claims.group': {exact: beta}}}], route: [{destination: {host: reviews}}]}]}}}";

/// Routes to a port of a host outside, in the mesh and at a Gateway.
fn to_outside(port: &str) -> String {
    format!(
        "{{virtualService: {{spec: {{hosts: [reviews], gateways: [mesh, shop/public], http: [{{route: [{{destination: {{host: api.example.com{port}}}}}]}}]}}}}}}"
    )
}

fn gateway(labels: &str) -> String {
    object(
        "Gateway",
        "shop/public",
        &format!(
            "{{selector: {{{labels}}}, servers: [{{hosts: ['*.example.com'], port: {{name: http, number: 80, protocol: HTTP}}}}]}}"
        ),
    )
}

#[test]
fn what_a_namespace_says_of_itself_is_no_error_elsewhere() {
    let token = |labels: &str| {
        format!(
            "{{selector: {{matchLabels: {{{labels}}}}}, jwtRules: [{{issuer: 'https://id.example.com'}}]}}"
        )
    };
    // What an application of `shop` says, what `shop` or the platform has by hand, what `evil` has, the rule, and
    // whether it warns.
    let cases = [
        (
            "{gateway: {hosts: [shop.example.com], tls: {secret: cert}, selector: {istio: x}}}".to_owned(),
            String::new(),
            secret("evil/x") + &pod("evil", "istio: x"),
            "X101g",
            true,
        ),
        (to_outside(", port: {number: 80}"), gateway("istio: x"), entry("evil/x", 443), "X101c", true),
        (to_outside(""), gateway("istio: x") + &entry("shop/x", 80), entry("evil/x", 443), "X112", true),
        (
            OF_CLAIMS.to_owned(),
            gateway("istio: x") + &object("RequestAuthentication", "istio-system/x", &token("app: gateway")),
            pod("evil", "app: gateway"),
            "X149",
            false,
        ),
        (
            OF_CLAIMS.to_owned(),
            gateway("istio: x") + &object("RequestAuthentication", "edge/x", &token("app: gateway")),
            pod("evil", "istio: x"),
            "X149",
            true,
        ),
    ];
    for (said, own, evil, rule, warns) in cases {
        let files = [
            ("shop/reviews.yaml", application("shop/reviews", &said)),
            ("platform/own.yaml", own),
            ("evil/x.yaml", evil),
        ];
        let alone = in_force(&files[..2]);
        let beside = guarded(&files, &InForce::default(), evil_keeps_to_itself);
        assert_eq!(beside.to_be_in_force(), alone, "{rule}: {:?}", findings(&beside));
        let told = levels(&beside, rule);
        assert_eq!(
            told,
            if warns { vec![Level::Warning] } else { vec![] },
            "{rule}: {:?}",
            findings(&beside)
        );
    }
}

#[test]
fn what_a_namespace_takes_away_of_a_host_outside_freezes_nobody_elsewhere() {
    let shop = ("shop.yaml", application("shop/reviews", &to_outside("")));
    let own = "{serviceEntry: {hosts: [own.example.com], ports: [443]}}";
    let own = ("own.yaml", application("shop/own", own));
    let evil = |port| {
        format!(
            "{{serviceEntry: {{hosts: [api.example.com], ports: [{port}], namespaces: ['*']}}, peerAuthentication: {{}}}}"
        )
    };
    let evil = |port| ("evil.yaml", application("evil/a", &evil(port)));
    let gateway = ("gateway.yaml", gateway("istio: x"));
    let before = in_force(&[shop.clone(), own.clone(), evil("80"), gateway.clone()]);
    let gone = ("evil.yaml", application("evil/a", "{peerAuthentication: {}}"));
    for (after, rule) in [(gone, "X101b"), (evil("80, 443"), "X112")] {
        let catalog = catalog(&[shop.clone(), own.clone(), after, gateway.clone()], &before);
        assert!(catalog.is_valid(), "{rule}: {:?}", findings(&catalog));
        assert_eq!(levels(&catalog, rule), [Level::Warning], "{:?}", findings(&catalog));
    }
}

#[test]
fn a_subset_of_somebody_elses_rule_is_none_of_the_callers() {
    let subsets = |host: &str| format!("{{host: {host}, subsets: [{{name: v1, labels: {{version: v1}}}}]}}");
    let to = "{virtualService: {spec: {hosts: [reviews], http: [{route: [{destination: {host: pay.bank.svc.cluster.local, subset: v1}}]}]}}}";
    let shop = ("shop.yaml", application("shop/reviews", to));
    // Callers have the rules of their own namespace, of the service's, and of the root namespace.
    for (of, host, is_theirs) in [
        ("shop", "pay.bank.svc.cluster.local", true),
        ("bank", "pay", true),
        ("bank", "'*.bank.svc.cluster.local'", true),
        ("istio-system", "'*.bank.svc.cluster.local'", true),
        ("evil", "pay.bank.svc.cluster.local", false),
    ] {
        let rule = ("rule.yaml", object("DestinationRule", &format!("{of}/x"), &subsets(host)));
        let catalog = catalog(&[shop.clone(), rule], &InForce::default());
        assert_eq!(catalog.is_valid(), is_theirs, "{of}: {:?}", findings(&catalog));
    }
}

#[test]
fn a_subset_is_one_that_the_callers_of_exported_routes_have() {
    let routes = |scope: &str| {
        let to = "http: [{route: [{destination: {host: pay.ops.svc.cluster.local, subset: v1}}]}]";
        let host = "hosts: [reviews.shop.svc.cluster.local]";
        (
            "shop.yaml",
            application(
                "shop/reviews",
                &format!("{{virtualService: {{spec: {{{host}, exportTo: {scope}, {to}}}}}}}"),
            ),
        )
    };
    let rule = |of: &str, scope: &str| {
        let subsets = "host: pay.ops.svc.cluster.local, subsets: [{name: v1, labels: {version: v1}}]";
        (
            "rule.yaml",
            application(
                &format!("{of}/x"),
                &format!("{{destinationRule: {{spec: {{{subsets}, exportTo: {scope}}}}}}}"),
            ),
        )
    };
    // For callers of a namespace Istio has the rules there that it sees itself, and those of the service's namespace and the
    // root namespace that it sees.
    for (callers, of, seen_by, is_theirs) in [
        ("[bank]", "ops", "[bank]", true),
        ("[bank]", "ops", "['*']", true),
        ("[bank]", "ops", "['.', bank]", true),
        ("[bank]", "istio-system", "[bank]", true),
        ("[bank]", "bank", "['.']", true),
        ("[bank]", "ops", "[shop]", false),
        ("[bank]", "ops", "['.']", false),
        ("[bank]", "istio-system", "['.']", false),
        ("[bank]", "shop", "['.']", false),
        ("[bank]", "shop", "['*']", false),
        ("[bank]", "shop", "[bank]", false),
        ("[bank]", "evil", "[bank]", false),
        ("['.', bank]", "bank", "['.']", true),
        ("['.', bank]", "bank", "[shop]", false),
        ("['.']", "ops", "[shop]", true),
        ("['.']", "ops", "[bank]", false),
        ("['.']", "shop", "['.']", true),
        ("['.', bank]", "ops", "[shop]", true),
        ("['.', bank]", "ops", "[bank]", true),
        ("['.', bank]", "shop", "['.']", true),
        ("['*']", "shop", "['.']", true),
        ("['*']", "ops", "[bank]", false),
    ] {
        let files = [routes(callers), rule(of, seen_by)];
        let told = catalog(&files, &InForce::default());
        let expected = if is_theirs { vec![] } else { vec![Level::Error] };
        assert_eq!(levels(&told, "X101d"), expected, "{callers} {of} {seen_by}: {:?}", findings(&told));
    }
}

#[test]
fn a_subset_that_goes_is_missed_by_callers_of_exported_routes() {
    let to = "http: [{route: [{destination: {host: pay.ops.svc.cluster.local, subset: v1}}]}]";
    let routes = format!(
        "{{virtualService: {{spec: {{hosts: [reviews.shop.svc.cluster.local], exportTo: [bank], {to}}}}}}}"
    );
    let shop = ("shop.yaml", application("shop/reviews", &routes));
    let subsets = "host: pay.ops.svc.cluster.local, subsets: [{name: v1, labels: {version: v1}}]";
    // The service's own namespace takes it away, or that of its callers.
    for (of, level) in [("ops", Level::Error), ("bank", Level::Warning)] {
        let rule = format!("{{destinationRule: {{spec: {{{subsets}, exportTo: [bank]}}}}}}");
        let before = in_force(&[shop.clone(), ("rule.yaml", application(&format!("{of}/x"), &rule))]);
        let gone = application(&format!("{of}/x"), "{peerAuthentication: {}}");
        let told = catalog(&[shop.clone(), ("rule.yaml", gone)], &before);
        assert_eq!(levels(&told, "X101d"), [level], "{of}: {:?}", findings(&told));
    }
}

#[test]
fn callers_of_a_gateway_or_of_too_many_namespaces_may_have_any_rule() {
    let rule = object(
        "DestinationRule",
        "bank/x",
        "{host: pay.ops.svc.cluster.local, exportTo: [.], subsets: [{name: v1, labels: {version: v1}}]}",
    );
    let to = "http: [{route: [{destination: {host: pay.ops.svc.cluster.local, subset: v1}}]}]";
    let many: Vec<_> = (0..1_001).map(|number| format!("n{number}")).collect();
    let many = format!("exportTo: [{}]", many.join(","));
    for (of, is_theirs) in [(&*many, true), ("gateways: [shop/public]", true), ("gateways: [mesh]", false)] {
        let route =
            format!("{{virtualService: {{spec: {{hosts: [web.shop.svc.cluster.local], {of}, {to}}}}}}}");
        let files = [
            ("shop.yaml", application("shop/web", &route)),
            ("rule.yaml", rule.clone()),
            ("gateway.yaml", gateway("istio: x")),
        ];
        let catalog = catalog(&files, &InForce::default());
        let told = levels(&catalog, "X101d");
        assert_eq!(told.is_empty(), is_theirs, "{of}: {:?}", findings(&catalog));
    }
}

#[test]
fn what_a_file_by_hand_takes_away_is_a_warning_for_what_is_in_force() {
    let subsets = |name: &str| format!("{{host: pay, subsets: [{{name: {name}, labels: {{version: v1}}}}]}}");
    let rule = |name: &str| object("DestinationRule", "bank/x", &subsets(name));
    let to = "{virtualService: {spec: {hosts: [reviews], http: [{route: [{destination: {host: pay.bank.svc.cluster.local, subset: v1}}]}]}}}";
    let token = object("RequestAuthentication", "shop/x", "{jwtRules: [{issuer: 'https://id.example.com'}]}");
    for (said, before, after, rule) in [
        (to.to_owned(), rule("v1"), rule("v2"), "X101d"),
        (to.to_owned(), rule("v1"), String::new(), "X101d"),
        (OF_CLAIMS.to_owned(), gateway("istio: x") + &token, gateway("istio: x"), "X149"),
        (
            to_outside(", port: {number: 80}"),
            gateway("istio: x") + &entry("shop/x", 80),
            gateway("istio: x") + &entry("shop/x", 443),
            "X101c",
        ),
        (
            to_outside(""),
            gateway("istio: x") + &entry("shop/x", 80),
            gateway("istio: x") + &entry("shop/x", 80) + &entry("shop/y", 443),
            "X112",
        ),
    ] {
        let file = |said: &str| ("shop.yaml", application("shop/reviews", said));
        let in_force = in_force(&[file(&said), ("hand.yaml", before)]);
        let changed = said.replacen('{', "{environment: dev, ", 1);
        let files = [file(&changed), ("hand.yaml", after)];
        let catalog = catalog(&files, &in_force);
        assert!(catalog.is_valid(), "{rule}: {:?}", findings(&catalog));
        assert_ne!(catalog.to_be_in_force(), in_force, "{rule}: it follows its document");
        assert_eq!(levels(&catalog, rule), [Level::Warning], "{rule}: {:?}", findings(&catalog));
        let new = crate::catalogs::catalog(&files, &InForce::default());
        assert_eq!(levels(&new, rule), [Level::Error], "{rule}: {:?}", findings(&new));
    }
}

#[test]
fn tokens_at_another_gateway_are_new_whatever_is_in_force() {
    let routes = |name: &str| {
        let routes = OF_CLAIMS.strip_prefix("{virtualService: {").unwrap().strip_suffix("}}").unwrap();
        format!(
            "{{name: {name}, {}}}",
            routes.replace("shop/public", &format!("shop/{name}")).replace("shop.", &format!("{name}."))
        )
    };
    let gateway = |name: &str| gateway("istio: x").replace("name: public", &format!("name: {name}"));
    let token = object("RequestAuthentication", "shop/x", "{jwtRules: [{issuer: 'https://id.example.com'}]}");
    let file = |names: &[&str]| {
        let routes = names.iter().map(|name| routes(name)).collect::<Vec<_>>().join(", ");
        ("shop.yaml", application("shop/reviews", &format!("{{virtualService: [{routes}]}}")))
    };
    let gateways = gateway("public") + &gateway("admin");
    let before = in_force(&[file(&["public"]), ("hand.yaml", gateways.clone() + &token)]);
    let catalog = catalog(&[file(&["public", "admin"]), ("hand.yaml", gateways)], &before);
    let mut told = levels(&catalog, "X149");
    told.sort();
    assert_eq!(told, [Level::Error], "{:?}", findings(&catalog));
}

#[test]
fn ports_that_a_file_by_hand_adds_freeze_nobody() {
    let own = "{serviceEntry: {hosts: [api.example.com], ports: [80], namespaces: ['*']}}";
    let files = [
        ("own.yaml", application("shop/own", own)),
        ("shop.yaml", application("shop/reviews", &to_outside(""))),
        ("gateway.yaml", gateway("istio: x")),
    ];
    let before = in_force(&files);
    let by_hand = [("hand.yaml", entry("istio-system/x", 443))];
    let catalog = catalog(&files.into_iter().chain(by_hand).collect::<Vec<_>>(), &before);
    assert_eq!(levels(&catalog, "X112"), [Level::Warning], "{:?}", findings(&catalog));
}
