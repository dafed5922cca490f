//! A chain of refused applications of one namespace takes along of others only what depends on it.

use crate::catalogs::{application, catalog, findings, in_force};
use istio_config::{Catalog, InForce};

/// The catalog of these files.
fn catalog_of(files: &[(String, String)], before: &InForce) -> Catalog {
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text)).collect();
    catalog(&files, before)
}

/// A chain in a namespace that nothing ties but labels of pods, beside one application that needs a subset of the last
/// one, and one that needs nothing.
fn chain_of_pods(last: usize, is_moved: bool) -> Vec<(String, String)> {
    let version = if is_moved { "v2" } else { "v1" };
    let one = |number: usize| {
        let label = if is_moved { number - 1 } else { number };
        let allow = "authorizationPolicy: {allow: [{from: [x]}]}";
        let subsets = format!("subsets: [{{name: {version}, labels: {{version: {version}}}}}]");
        let rule = format!(", destinationRule: {{host: b{last:02}, {subsets}}}");
        let rule = if number == last { rule } else { String::new() };
        let spec = match (number, is_moved) {
            (1, true) => "{wrong: 1}".to_owned(),
            _ => format!("{{workload: {{labels: {{app: p{label}}}}}, {allow}{rule}}}"),
        };
        // Alternately: whoever comes first in the order of files is refused later.
        (format!("{}/{number}.yaml", number % 2), application(&format!("evil/b{number:02}"), &spec))
    };
    let to = format!("[{{to: [{{service: b{last:02}.evil, subset: {version}}}]}}]");
    let consumer = application("shop/web", &format!("{{virtualService: {{routes: {to}}}}}"));
    let timeout = if is_moved { "2s" } else { "1s" };
    let other = application("shop/cart", &format!("{{virtualService: {{timeout: {timeout}}}}}"));
    let of_shop = [("web.yaml", consumer), ("cart.yaml", other)].map(|(path, text)| (path.to_owned(), text));
    (1..=last).map(one).chain(of_shop).collect()
}

#[test]
fn a_chain_without_ties_takes_along_no_other_namespace() {
    for last in [17, 39] {
        let [before, after] = [false, true].map(|is_moved| chain_of_pods(last, is_moved));
        let before = catalog_of(&before, &InForce::default()).to_be_in_force();
        let catalog = catalog_of(&after, &before);
        let told = findings(&catalog);
        let reason = "all of evil stays as it is, since after all was checked 16 times `b17` is refused too";
        let is_of_chain = |found: &&String| found.contains(reason);
        assert_eq!(told.iter().filter(is_of_chain).count(), last - 17, "{told:?}");
        let of_shop: Vec<_> = catalog.frozen().keys().filter(|(namespace, _)| namespace == "shop").collect();
        assert_eq!(of_shop, [&("shop".to_owned(), "web".to_owned())], "{told:?}");
        assert_eq!(catalog.frozen().len(), last + 1, "{told:?}");
    }
}

/// A chain of five in one namespace, of which the first one is wrong, and what the last one has beside it.
fn chain_with(last: &str) -> String {
    chain_and("", last)
}

/// The same, with another VirtualService of the last one.
fn chain_and(other: &str, last: &str) -> String {
    let one = |number: usize| {
        let wrong = if number == 1 { "subsetz" } else { "subsets" };
        let rule =
            format!("destinationRule: {{host: a{number}, {wrong}: [{{name: v1, labels: {{v: '1'}}}}]}}");
        let before = number - 1;
        let routes = format!("{{routes: [{{to: [{{service: a{before}, subset: v1}}]}}]}}");
        let other = if number == 5 { other } else { "" };
        let routes = format!("virtualService: [{routes}{other}]");
        let spec = match number {
            1 => format!("{{{rule}}}"),
            5 => format!("{{{routes}, {last}}}"),
            _ => format!("{{{rule}, {routes}}}"),
        };
        application(&format!("evil/a{number}"), &spec)
    };
    // Documents of one file may share services.
    (1..6).map(one).collect::<Vec<_>>().join("---\n")
}

#[test]
fn what_others_do_not_see_takes_along_nobody() {
    let claims = "{match: [{headers: {'@request.auth.claims.group': {exact: beta}}}], route: [{destination: {host: checkout}}]}";
    let of_shop = [
        "{serviceEntry: {hosts: [pay.example.com], ports: [443]}}".to_owned(),
        "{virtualService: {routes: [{to: [{service: api.example.com}]}]}}".to_owned(),
        "{virtualService: {routes: [{to: [{service: checkout, port: 80}]}]}}".to_owned(),
        format!(
            "{{virtualService: {{spec: {{hosts: [web.example.org], gateways: [ops/public], http: [{claims}]}}}}}}"
        ),
    ];
    let of_shop = of_shop.into_iter().enumerate().map(|(number, spec)| {
        let namespace = if number == 0 { "bank" } else { "shop" };
        (format!("shop{number}.yaml"), application(&format!("{namespace}/b{number}"), &spec))
    });
    let token = "{selector: {matchLabels: {istio: gateway}}, jwtRules: [{issuer: 'https://x.example.org'}]}";
    let by_hand = format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: checkout, namespace: shop}}\nspec: {{ports: [{{port: 80}}]}}\n---\napiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {{name: a, namespace: ops}}\nspec: {token}\n"
    );
    let of_shop: Vec<_> = of_shop.chain([("hand.yaml".to_owned(), by_hand)]).collect();
    let entry = |namespaces: &str| {
        format!(
            "serviceEntry: {{hosts: ['*.example.com', '*.local'], ports: [80], namespaces: {namespaces}}}, requestAuthentication: {{issuer: 'https://x.example.org', required: false}}"
        )
    };
    // The namespace with an entry of its own misses the hosts that it does not see.
    let named = application("shop/own", "{serviceEntry: {hosts: [own.example.org], ports: [443]}}");
    for (namespaces, is_complete, along) in
        [("['.']", false, 0), ("['.', bank]", false, 0), ("['.', shop]", false, 0), ("['.', shop]", true, 1)]
    {
        let chain = chain_with(&entry(namespaces));
        let files = of_shop.iter().map(|(path, text)| (path.as_str(), text));
        let own = is_complete.then_some(("own.yaml", &named));
        let files: Vec<_> = files.chain([("evil.yaml", &chain)]).chain(own).collect();
        let catalog = catalog(&files, &InForce::default());
        let others = catalog.frozen().keys().filter(|(namespace, _)| namespace != "evil").count();
        assert_eq!(catalog.frozen().len() - others, 5, "{:?}", findings(&catalog));
        assert_eq!(others, along, "{namespaces}: {:?}", findings(&catalog));
    }
}

#[test]
fn a_rule_for_a_host_of_others_takes_along_only_callers_of_its_namespace() {
    let rule = "destinationRule: {host: pay.shop.svc.cluster.local, subsets: [{name: v1, labels: {v: '1'}}]}";
    let routes = "virtualService: {routes: [{to: [{service: pay.shop, subset: v1}]}]}";
    let chain = chain_with(rule);
    let files = [
        ("evil.yaml", chain),
        ("b.yaml", application("evil/b", &format!("{{{routes}}}"))),
        ("shop.yaml", application("shop/web", &format!("{{{rule}, {routes}}}"))),
        ("bank.yaml", application("bank/web", &format!("{{{routes}}}"))),
    ];
    let catalog = catalog(&files, &InForce::default());
    let others: Vec<_> = catalog.frozen().keys().filter(|(_, name)| !name.starts_with('a')).collect();
    // `evil/b` would have the rule of `shop` without its own.
    assert_eq!(others, [&("evil".to_owned(), "b".to_owned())], "{:?}", findings(&catalog));
    assert_eq!(catalog.frozen().len(), 6, "{:?}", findings(&catalog));
}

#[test]
fn a_rule_of_the_owner_takes_along_nobody_who_has_his_own() {
    let rule = "{host: pay.evil.svc.cluster.local, subsets: [{name: v1, labels: {v: '1'}}]}";
    let routes = "virtualService: {routes: [{to: [{service: pay.evil, subset: v1}]}]}";
    for (own, along) in [("", 1), (rule, 0)] {
        let own = if own.is_empty() { own.to_owned() } else { format!("destinationRule: {own}, ") };
        let shop = application("shop/web", &format!("{{{own}{routes}}}"));
        let files = [("evil.yaml", chain_with(&format!("destinationRule: {rule}"))), ("shop.yaml", shop)];
        let catalog = catalog(&files, &InForce::default());
        assert_eq!(catalog.frozen().len(), 5 + along, "{:?}", findings(&catalog));
    }
}

#[test]
fn rules_for_a_host_outside_take_along_nobody_who_has_the_subset_from_somebody_else_too() {
    let rule = |host: &str| {
        format!("{{name: x{}, host: '{host}', subsets: [{{name: v1, labels: {{v: '1'}}}}]}}", host.len())
    };
    let [one, all] = ["api.example.com", "*.example.com"].map(rule);
    let entry = "serviceEntry: {hosts: [api.example.com], ports: [80], namespaces: ['*']}";
    let shop = application(
        "shop/web",
        "{virtualService: {routes: [{to: [{service: api.example.com, subset: v1}]}]}}",
    );
    let with = |rules: &str, rest: &str| format!("destinationRule: [{rules}]{rest}");
    let (with_entry, both) = (format!(", {entry}"), format!("{one}, {all}"));
    for (theirs, of_bank, along) in [
        (with(&one, &with_entry), None, 1),
        (with(&both, &with_entry), None, 1),
        (with(&one, &with_entry), Some(&one), 0),
        (with(&both, &with_entry), Some(&one), 0),
        (with(&both, ""), Some(&all), 0),
        (with(&both, ""), None, 1),
    ] {
        // The one of the other namespace stays, and comes after those of the chain.
        let bank =
            of_bank.map(|rule| ("bank.yaml", application("zoo/x", &format!("{{destinationRule: {rule}}}"))));
        let files = [("evil.yaml", chain_with(&theirs)), ("shop.yaml", shop.clone())];
        let files: Vec<_> = files.into_iter().chain(bank).collect();
        let catalog = catalog(&files, &InForce::default());
        assert_eq!(catalog.frozen().len(), 5 + along, "{theirs} {of_bank:?}: {:?}", findings(&catalog));
    }
}

#[test]
fn an_entry_or_a_host_of_others_takes_along_nobody_who_has_his_own() {
    let to = "http: [{route: [{destination: {host: web.example.com}}]}]";
    let routes = |host: &str| format!("{{name: x, spec: {{hosts: [{host}], {to}}}}}");
    let at = |gateway: &str| {
        format!("{{name: x, spec: {{hosts: [web.example.com], gateways: [{gateway}/public], {to}}}}}")
    };
    let entry = |host: &str| format!("serviceEntry: {{hosts: [{host}], ports: [80], namespaces: ['*']}}");
    let [named, top_level] = ["web.example.com", "'*.com'"].map(entry);
    let peers = "peerAuthentication: {}";
    for (own, other, last) in [
        (format!("{{virtualService: {}, {named}}}", routes("web")), String::new(), &*named),
        (format!("{{virtualService: {}}}", at("shop")), at("evil"), peers),
        (format!("{{virtualService: {}}}", routes("a.com")), String::new(), &*top_level),
    ] {
        // It is in force, and changes: of routes and entries of one host that counts.
        let theirs = if other.is_empty() { last.to_owned() } else { format!("virtualService: {other}") };
        let before = in_force(&[(
            "evil.yaml",
            application(
                "evil/a5",
                &format!("{{{theirs}}}").replace("80", "443").replace("host: web", "host: old"),
            ),
        )]);
        let other = if other.is_empty() { other } else { format!(", {other}") };
        let files = [("evil.yaml", chain_and(&other, last)), ("shop.yaml", application("shop/web", &own))];
        let catalog = catalog(&files, &before);
        let of_shop = catalog.frozen().keys().find(|(namespace, _)| namespace == "shop");
        assert_eq!(of_shop, None, "{:?}", findings(&catalog));
        assert_eq!(catalog.frozen().len(), 5, "{:?}", findings(&catalog));
    }
}

#[test]
fn what_is_as_it_is_in_force_is_not_told_that_it_stays() {
    let chain = |version: &str, wrong: &str| {
        let one = |number: usize| {
            let wrong = if number == 1 { wrong } else { "" };
            let subsets =
                format!("[{{name: v1, labels: {{v: '1'}}}}, {{name: {version}, labels: {{v: '2'}}}}]");
            let rule = format!("destinationRule: {{host: a{number}, subsets: {subsets}{wrong}}}");
            let routes = format!(
                "virtualService: {{routes: [{{to: [{{service: a{}, subset: {version}}}]}}]}}",
                number - 1
            );
            let spec = if number == 1 { format!("{{{rule}}}") } else { format!("{{{rule}, {routes}}}") };
            (format!("{number}.yaml"), application(&format!("shop/a{number}"), &spec))
        };
        (1..=5).map(one).collect::<Vec<_>>()
    };
    let caller =
        |rest: &str| format!("{{virtualService: {{{rest}routes: [{{to: [{{service: a5, subset: v1}}]}}]}}}}");
    let with = |mut files: Vec<(String, String)>, rest: &str| {
        files.push(("same.yaml".to_owned(), application("shop/same", &caller(""))));
        files.push(("other.yaml".to_owned(), application("shop/other", &caller(rest))));
        files
    };
    let [before, after] = [with(chain("v2", ""), ""), with(chain("v3", ", wrong: 1"), "timeout: 1s, ")];
    let catalog = catalog_of(&after, &catalog_of(&before, &InForce::default()).to_be_in_force());
    let frozen: Vec<_> = catalog.frozen().keys().map(|(_, name)| name.as_str()).collect();
    assert_eq!(frozen, ["a1", "a2", "a3", "a4", "a5", "other"], "{:?}", findings(&catalog));
}

#[test]
fn routes_of_a_host_wait_for_an_entry_of_others_that_stays() {
    for (entry, host, rule) in [
        ("x.example.org", "x.example.org", Some("APP21")),
        ("'*.example.org'", "a.x.example.org", Some("APP21")),
        ("x.example.org", "'*.example.org'", Some("APP21")),
        ("x.example.org", "y.example.org", None),
        ("'*.local'", "web", None),
    ] {
        let entry = format!("{{serviceEntry: {{hosts: [{entry}], ports: [80]}}}}");
        let before = in_force(&[("evil.yaml", application("evil/a5", &entry))]);
        let route = "[{route: [{destination: {host: web}}]}]";
        let route = format!("{{virtualService: {{spec: {{hosts: [{host}], http: {route}}}}}}}");
        let chain = chain_with("peerAuthentication: {}");
        let files = [("evil.yaml", chain), ("shop.yaml", application("shop/web", &route))];
        let catalog = catalog(&files, &before);
        let id = ("shop".to_owned(), "web".to_owned());
        let told = catalog.frozen().get(&id).map(|why| why.finding.rule);
        assert_eq!(told, rule, "{entry}, {host}: {:?}", findings(&catalog));
    }
}

#[test]
fn what_is_in_force_and_breaks_after_a_long_chain_takes_along_nobody() {
    let [before, mut after] = [false, true].map(|is_moved| chain_of_pods(18, is_moved));
    let mut between = before.clone();
    // The subset goes, and what needs it stays as it is. Then it would come back.
    let [first, second] = ["v1", "v2"].map(|name| format!("{{name: {name}, labels: {{version: {name}}}}}"));
    between[17].1 = before[17].1.replace(&first, &second);
    after[17].1 = after[17].1.replace(&second, &format!("{second}, {first}"));
    after[18] = before[18].clone();
    let before = catalog_of(&before, &InForce::default()).to_be_in_force();
    let between = catalog_of(&between, &before);
    assert_eq!(between.frozen().len(), 1, "{:?}", findings(&between));
    let after = catalog_of(&after, &between.to_be_in_force());
    let told = findings(&after);
    assert!(!after.frozen().keys().any(|(namespace, _)| namespace == "shop"), "{told:?}");
    // Nobody takes it away now, and so it is a warning.
    assert!(told.iter().any(|found| found.starts_with("web.yaml") && found.ends_with("[X101d]")), "{told:?}");
}
