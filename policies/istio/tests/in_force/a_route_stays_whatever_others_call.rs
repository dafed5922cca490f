//! The routes of a host in force stay, whatever ServiceEntries others write. A newcomer's routes of their hosts do not come.

use istio_config::{Catalog, InForce, Level};

use crate::catalogs::{application, catalog, findings, in_force};

const PUBLIC: &str = "{gateway: {name: public, hosts: [shop.example.com], tls: {secret: a}}, virtualService: {hosts: [shop.example.com], gateways: [public]}}";
const CALLS: &str = "{serviceEntry: {hosts: [shop.example.com], ports: [80, 443]}}";
const TAKES: &str =
    "{virtualService: {spec: {hosts: [shop.example.com], http: [{route: [{destination: {host: evil}}]}]}}}";

#[test]
fn an_owner_stays_when_somebody_calls_its_host() {
    let owner = ("o.yaml", application("shop/web", PUBLIC));
    let before = in_force(std::slice::from_ref(&owner));
    for (path, name) in [("a.yaml", "partner/a"), ("z.yaml", "zoo/z")] {
        let after = catalog(&[owner.clone(), (path, application(name, CALLS))], &before);
        assert!(after.is_valid(), "{:?}", findings(&after));
        // Also when another application of the namespace has the routes later.
        let renamed = ("o.yaml", application("shop/site", PUBLIC));
        let later = catalog(&[renamed, (path, application(name, CALLS))], &after.to_be_in_force());
        assert!(later.is_valid(), "{:?}", findings(&later));
    }
}

#[test]
fn a_newcomer_takes_no_calls_of_an_entry() {
    let owner = ("o.yaml", application("bank/pay", CALLS));
    let before = in_force(std::slice::from_ref(&owner));
    let newcomer = |spec: &str| ("a.yaml", application("evil/a", spec));
    let after = catalog(&[owner.clone(), newcomer(TAKES)], &before);
    assert!(findings(&after).iter().any(|found| found.ends_with("[H27]")), "{:?}", findings(&after));
    assert_eq!(after.to_be_in_force(), before);
    // Nor in two steps: an entry for all, and the routes later.
    let entry = "{serviceEntry: {hosts: [shop.example.com], namespaces: ['*'], ports: [80, 443]}";
    let first = catalog(&[owner.clone(), newcomer(&format!("{entry}}}"))], &before);
    assert!(first.is_valid(), "{:?}", findings(&first));
    let both = format!("{entry}, {}", &TAKES[1..]);
    let second = catalog(&[owner, newcomer(&both)], &first.to_be_in_force());
    assert!(findings(&second).iter().any(|found| found.ends_with("[H27]")), "{:?}", findings(&second));
    assert_eq!(second.to_be_in_force(), first.to_be_in_force());
}

/// Routes of the host for the calls of two other namespaces.
const FOR_SOME: &str = "{virtualService: {spec: {hosts: [shop.example.com], exportTo: [bank, cart], http: [{route: [{destination: {host: evil}}]}]}}}";

/// The files and levels that a rule is about.
fn told<'c>(catalog: &'c Catalog, rule: &str) -> Vec<(&'c str, Level)> {
    let found = catalog.findings().iter().filter(|found| found.finding.rule == rule);
    found.map(|found| (&*found.file, found.finding.level)).collect()
}

#[test]
fn a_newcomer_takes_no_calls_of_some_namespaces() {
    let owner = ("o.yaml", application("shop/web", PUBLIC));
    let before = in_force(std::slice::from_ref(&owner));
    for (path, name) in [("a.yaml", "evil/a"), ("z.yaml", "zoo/z")] {
        let newcomer = (path, application(name, FOR_SOME));
        let after = catalog(&[owner.clone(), newcomer.clone()], &before);
        assert_eq!(told(&after, "X109"), [(path, Level::Error)], "{:?}", findings(&after));
        assert_eq!(after.to_be_in_force(), before);
        // Nor does the owner come where the other one was first.
        let first = in_force(std::slice::from_ref(&newcomer));
        let after = catalog(&[owner.clone(), newcomer], &first);
        assert_eq!(told(&after, "X109"), [("o.yaml", Level::Error)], "{:?}", findings(&after));
        assert_eq!(after.to_be_in_force(), first);
    }
}

#[test]
fn routes_for_all_and_for_some_that_are_both_in_force_go_on() {
    let files = [("o.yaml", application("shop/web", PUBLIC)), ("a.yaml", application("evil/a", FOR_SOME))];
    let [one, other] = files.clone().map(|file| in_force(&[file]));
    let both = one.applications().chain(other.applications());
    let both: InForce = both.map(|(id, resources)| (id.clone(), resources.to_vec())).collect();
    let after = catalog(&files, &both);
    assert_eq!(told(&after, "X109"), [("a.yaml", Level::Warning), ("o.yaml", Level::Warning)]);
    assert_eq!(after.to_be_in_force(), both);
    // For one namespace more they are new.
    let more = FOR_SOME.replace("[bank, cart]", "[bank, cart, ops]");
    let more = catalog(&[files[0].clone(), ("a.yaml", application("evil/a", &more))], &both);
    assert!(told(&more, "X109").contains(&("a.yaml", Level::Error)), "{:?}", findings(&more));
}

#[test]
fn routes_move_within_their_namespace_in_one_commit() {
    let owner = in_force(&[("o.yaml", application("shop/web", PUBLIC))]);
    let other = ("a.yaml", application("evil/a", FOR_SOME));
    let theirs = in_force(std::slice::from_ref(&other));
    let both = owner.applications().chain(theirs.applications());
    let both: InForce = both.map(|(id, resources)| (id.clone(), resources.to_vec())).collect();
    let by_hand = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: x, namespace: evil}\nspec: {hosts: [shop.example.com], exportTo: [bank], http: [{route: [{destination: {host: evil}}]}]}\n";
    let moved = [
        ("n.yaml", application("shop/frontend", PUBLIC)),
        ("o.yaml", application("shop/web", "{remove: true}")),
    ];
    for (before, beside) in [(both, other), (owner, ("x.yaml", by_hand.to_owned()))] {
        let [new, gone] = moved.clone();
        let after = catalog(&[beside.clone(), new.clone(), gone], &before);
        assert!(after.is_valid(), "{:?}", findings(&after));
        assert!(told(&after, "X109").contains(&("n.yaml", Level::Warning)), "{:?}", findings(&after));
        assert!(!after.to_be_in_force().of("shop", "frontend").is_empty());
        // Another namespace has none of them.
        let bank = (new.0, new.1.replace("namespace: shop", "namespace: bank"));
        let after = catalog(&[beside, bank], &before);
        assert!(told(&after, "X109").contains(&("n.yaml", Level::Error)), "{:?}", findings(&after));
    }
}

#[test]
fn a_mere_file_refuses_nothing_that_is_in_force() {
    let owner = ("o.yaml", application("shop/web", PUBLIC));
    let before = in_force(std::slice::from_ref(&owner));
    let by_hand = |kind: &str, rest: &str| {
        let metadata = "{name: x, namespace: evil}";
        format!(
            "apiVersion: networking.istio.io/v1\nkind: {kind}\nmetadata: {metadata}\nspec: {{hosts: [shop.example.com], {rest}}}\n"
        )
    };
    let routes = by_hand("VirtualService", "http: [{route: [{destination: {host: evil}}]}]");
    let after = catalog(&[owner.clone(), ("x.yaml", routes.clone())], &before);
    assert!(after.is_valid(), "{:?}", findings(&after));
    let new = catalog(&[owner.clone(), ("x.yaml", routes)], &InForce::default());
    assert_eq!(told(&new, "X109"), [("o.yaml", Level::Error)], "{:?}", findings(&new));
    // An entry by hand is no reason to refuse a newcomer either.
    let entry = by_hand(
        "ServiceEntry",
        "exportTo: [.], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]",
    );
    let new = catalog(&[owner, ("x.yaml", entry)], &InForce::default());
    assert!(new.is_valid(), "{:?}", findings(&new));
    assert_eq!(told(&new, "H27"), [("o.yaml", Level::Warning)]);
}

#[test]
fn more_namespaces_than_are_compared_are_refused() {
    let some = |namespaces: usize| {
        let names: Vec<_> = (0..namespaces).map(|number| format!("a{number}")).collect();
        FOR_SOME.replace("example.com]", "example.com, b.example.com]").replace("cart", &names.join(", "))
    };
    let after = catalog(&[("a.yaml", application("evil/a", &some(499)))], &InForce::default());
    assert!(after.is_valid(), "{:?}", findings(&after));
    let many = ("a.yaml", application("evil/a", &some(500)));
    let after = catalog(&[("o.yaml", application("shop/web", PUBLIC)), many], &InForce::default());
    assert_eq!(told(&after, "X109").first(), Some(&("a.yaml", Level::Error)), "{:?}", findings(&after));
}

#[test]
fn of_two_newcomers_both_get_a_warning() {
    let files = [("o.yaml", application("shop/web", PUBLIC)), ("a.yaml", application("partner/a", CALLS))];
    let catalog = catalog(&files, &InForce::default());
    assert!(catalog.is_valid(), "{:?}", findings(&catalog));
    assert_eq!(told(&catalog, "H27"), [("a.yaml", Level::Warning), ("o.yaml", Level::Warning)]);
}

#[test]
fn an_entry_whose_wildcard_fits_services_refuses_no_routes_of_these() {
    let evil = |spec: &str| ("e.yaml", application("evil/a", &format!("{{serviceEntry: {{{spec}}}}}")));
    let private = evil("hosts: ['*.cluster.local'], ports: [80]");
    let before = in_force(std::slice::from_ref(&private));
    // The owner's first routes.
    let owner = ("s.yaml", application("shop/a", "{virtualService: {timeout: 1s}}"));
    let after = catalog(&[private, owner], &before);
    assert!(after.is_valid() && after.frozen().is_empty(), "{:?}", findings(&after));
    // Routes to a Service of another repository.
    let routes = "{virtualService: {routes: [{to: [{service: b, port: 8080}]}]}}";
    let caller = ("s.yaml", application("shop/a", routes));
    let before = in_force(std::slice::from_ref(&caller));
    let after = catalog(&[evil("hosts: ['*.local'], ports: [443], namespaces: ['*']"), caller], &before);
    assert!(after.is_valid(), "{:?}", findings(&after));
    assert_eq!(told(&after, "H27"), [("e.yaml", Level::Warning)]);
}

#[test]
fn who_has_a_host_of_others_for_himself_has_it_for_others_no_more_than_a_newcomer() {
    for (own, all) in [
        (
            "{serviceEntry: {hosts: [pay.bank.svc], ports: [80], namespaces: [.]}}",
            "{serviceEntry: {hosts: [pay.bank.svc], ports: [80], namespaces: ['*']}}",
        ),
        (
            "{virtualService: {spec: {hosts: [pay.bank.svc], http: [{route: [{destination: {host: a}}]}], exportTo: [.]}}}",
            "{virtualService: {spec: {hosts: [pay.bank.svc], http: [{route: [{destination: {host: a}}]}]}}}",
        ),
    ] {
        let before = in_force(&[("a.yaml", application("evil/a", own))]);
        let after = catalog(&[("a.yaml", application("evil/a", all))], &before);
        assert!(told(&after, "H27").contains(&("a.yaml", Level::Error)), "{all}: {:?}", findings(&after));
        assert_eq!(after.to_be_in_force(), before);
    }
}
