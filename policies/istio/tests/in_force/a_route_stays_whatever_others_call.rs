//! The routes of a host in force stay, whatever ServiceEntries others write. A newcomer's routes of their hosts do not come.

use istio_config::{InForce, Level};

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

#[test]
fn of_two_newcomers_the_routes_get_a_warning() {
    let files = [("o.yaml", application("shop/web", PUBLIC)), ("a.yaml", application("partner/a", CALLS))];
    let catalog = catalog(&files, &InForce::default());
    assert!(catalog.is_valid(), "{:?}", findings(&catalog));
    let levels: Vec<_> = catalog.findings().iter().filter(|found| found.finding.rule == "H27").collect();
    assert!(levels.iter().all(|found| &*found.file == "o.yaml" && found.finding.level == Level::Warning));
    assert_eq!(levels.len(), 1, "{:?}", findings(&catalog));
}
