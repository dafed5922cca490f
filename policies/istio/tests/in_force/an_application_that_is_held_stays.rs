//! An application that is held stays as it is, whatever its document says, and the others are judged beside it.

use crate::catalogs::{application, catalog, findings, in_force, names};
use istio_config::{ApplicationId, InForce};

const HOST: &str = "{gateway: {hosts: [x.example.com], tls: {secret: NAME}}}";
const SUBSETS: &str = "{destinationRule: {host: a, subsets: [{name: v1, labels: {version: v1}}]}}";
const SPLIT: &str = "{virtualService: {routes: [{to: [{service: a, subset: v1}]}]}}";

fn host(name: &str) -> String {
    application(name, &HOST.replace("NAME", &name.replace('/', "-")))
}

fn holding(in_force: &InForce, name: &str) -> InForce {
    let id: ApplicationId = ("shop".to_owned(), name.to_owned());
    in_force.clone().holding([id])
}

#[test]
fn what_it_has_is_no_one_elses() {
    let before = in_force(&[("a.yaml", host("shop/a"))]);
    let other = ("b.yaml", host("bank/b"));
    let changed = ("a.yaml", application("shop/a", "{peerAuthentication: {}}"));
    let removed = ("a.yaml", application("shop/a", "{remove: true}"));
    for files in [vec![changed, other.clone()], vec![removed, other.clone()], vec![other]] {
        let free = catalog(&files, &before);
        assert_eq!(free.to_be_in_force().of("bank", "b").len(), 1, "{:?}", findings(&free));
        let held = catalog(&files, &holding(&before, "a"));
        assert_eq!(held.to_be_in_force(), before, "{:?}", findings(&held));
        assert_eq!(held.frozen().len(), 2);
        assert!(held.removals().is_empty());
        assert!(findings(&held).iter().all(|found| found.contains("[X145]")), "{:?}", findings(&held));
    }
}

#[test]
fn what_it_needs_stays_without_a_file_to_correct() {
    let before =
        in_force(&[("a.yaml", application("shop/a", SUBSETS)), ("b.yaml", application("shop/b", SPLIT))]);
    let held = catalog::<String>(&[], &holding(&before, "b"));
    assert_eq!(held.to_be_in_force(), before, "{:?}", findings(&held));
    let why = held.frozen().get(&("shop".to_owned(), "a".to_owned())).unwrap().to_string();
    assert!(why.starts_with("is not in force: all of shop stays as it is"), "{why}");
}

#[test]
fn what_it_keeps_is_there_for_others() {
    let before =
        in_force(&[("a.yaml", application("shop/a", SUBSETS)), ("b.yaml", application("shop/b", SPLIT))]);
    let changed = SPLIT.replace("[{to", "[{timeout: 1s, to");
    let files = [("b.yaml", application("shop/b", &changed))];
    assert!(catalog(&files, &before).frozen().contains_key(&("shop".to_owned(), "b".to_owned())));
    let held = catalog(&files, &holding(&before, "a"));
    assert!(held.findings().is_empty(), "{:?}", findings(&held));
    assert_eq!(names(&held.to_be_in_force()), names(&before));
    assert_ne!(held.to_be_in_force().of("shop", "b"), before.of("shop", "b"));
}
