//! A public host at a shared Gateway is of one namespace: of two, the one that has it in force stays.

use istio_config::{Catalog, InForce, Level};

use crate::catalogs::{application, catalog, findings, in_force};

/// What an owner and a newcomer write, for each API.
const SHARED: [(&str, &str); 2] = [
    (
        "{virtualService: {hosts: [shop.example.com], gateways: [infra/public]}}",
        "{virtualService: {internal: false, hosts: [shop.example.com], gateways: [infra/public], fallback: none, routes: [{match: {path_prefix: /pay}, to: [{service: thief}]}]}}",
    ),
    (
        "{virtualService: {render: httpRoute, port: 80, hosts: [shop.example.com], gateways: [infra/public]}}",
        "{virtualService: {render: httpRoute, port: 80, internal: false, hosts: [shop.example.com], gateways: [infra/public], fallback: none, routes: [{match: {path_prefix: /pay}, to: [{service: thief, port: 80}]}]}}",
    ),
];

/// The files and levels that the rule is about.
fn told(catalog: &Catalog) -> Vec<(&str, Level)> {
    let found = catalog.findings().iter().filter(|found| found.finding.rule == "H35");
    found.map(|found| (&*found.file, found.finding.level)).collect()
}

#[test]
fn a_newcomer_takes_no_paths_of_an_owner() {
    for (owner, newcomer) in SHARED {
        let owner = ("o.yaml", application("shop/reviews", owner));
        let before = in_force(std::slice::from_ref(&owner));
        for (path, name) in [("a.yaml", "evil/a"), ("z.yaml", "zoo/z")] {
            let after = catalog(&[owner.clone(), (path, application(name, newcomer))], &before);
            assert_eq!(told(&after), [(path, Level::Error)], "{:?}", findings(&after));
            assert_eq!(after.to_be_in_force(), before);
        }
    }
}

#[test]
fn of_two_newcomers_neither_has_the_host() {
    for (one, other) in SHARED {
        let files = [("a.yaml", application("shop/a", one)), ("b.yaml", application("bank/b", other))];
        let catalog = catalog(&files, &InForce::default());
        assert_eq!(told(&catalog), [("a.yaml", Level::Error), ("b.yaml", Level::Error)]);
    }
}

#[test]
fn two_that_share_a_host_already_go_on() {
    for (one, other) in SHARED {
        let files = [("a.yaml", application("shop/a", one)), ("b.yaml", application("bank/b", other))];
        let [one, other] = files.clone().map(|file| in_force(&[file]));
        let both = one.applications().chain(other.applications());
        let both: InForce = both.map(|(id, resources)| (id.clone(), resources.to_vec())).collect();
        let after = catalog(&files, &both);
        assert_eq!(
            told(&after),
            [("a.yaml", Level::Warning), ("b.yaml", Level::Warning)],
            "{:?}",
            findings(&after)
        );
        assert_eq!(after.to_be_in_force(), both);
    }
}

#[test]
fn a_host_stays_with_its_namespace_when_its_application_changes() {
    for (owner, newcomer) in SHARED {
        let before = in_force(&[("o.yaml", application("shop/reviews", owner))]);
        let renamed = ("o.yaml", application("shop/comments", owner));
        let after = catalog(&[renamed, ("a.yaml", application("evil/a", newcomer))], &before);
        assert_eq!(told(&after), [("a.yaml", Level::Error)], "{:?}", findings(&after));
        assert_eq!(after.to_be_in_force().of("shop", "comments").len(), 1);
    }
}

#[test]
fn a_gateway_may_admit_both_by_name() {
    let (owner, newcomer) = SHARED[0];
    let gateway = "{gateway: {resourceName: public, hosts: [shop.example.com], tls: {secret: a}, allowRoutesFrom: [shop, bank]}}";
    let files = [
        ("a.yaml", application("shop/a", owner)),
        ("b.yaml", application("bank/b", newcomer)),
        ("g.yaml", application("infra/g", gateway)),
    ];
    let catalog = catalog(&files, &InForce::default());
    assert!(catalog.is_valid() && told(&catalog).is_empty(), "{:?}", findings(&catalog));
}
