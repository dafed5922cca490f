//! Whatever teams commit, one after another: what is wrong loses nothing, owners stay, and the order of files is
//! nothing.

use crate::catalogs::{application, catalog, findings};
use istio_config::{Catalog, InForce, Level, rules, surroundings::Surroundings};
use proptest::prelude::*;

const NAMES: [&str; 4] = ["shop/a", "shop/b", "shop/c", "test/a"];

/// The spec of a document. `NAME` stands for the application.
const SPECS: [&str; 14] = [
    "{peerAuthentication: {}}",
    "{destinationRule: {host: a.shop.svc.cluster.local, subsets: [{name: v1, labels: {version: v1}}]}}",
    "{destinationRule: {host: a.shop.svc.cluster.local, trafficPolicy: {ejectionSettings: {}}}}",
    "{virtualService: {routes: [{to: [{service: a.shop, subset: v1}]}]}}",
    "{virtualService: {timeout: 1s}}",
    "{service: a, virtualService: {timeout: 2s}}",
    "{gateway: {hosts: [x.example.com], tls: {secret: NAME}}}",
    "{gateway: {hosts: [x.example.com, y.example.com], tls: {secret: NAME}}}",
    "{telemetry: {applyTo: namespace, logs: all}}",
    "{peerAuthentication: {spec: {mtls: {mode: STRICT}}}}",
    "{sidecar: {calls: [a], applyTo: namespace}}",
    "{peerAuthentication: {resourceName: one}}",
    "{virtualService: {timeouts: 1s}}",
    "{remove: true}",
];

/// The rules by which two applications claim one thing.
const CLAIMS: [&str; 7] = ["X145", "X109", "H15", "X160", "H16", "APP11", "APP04"];

/// A commit: the spec of each application, if it has a document, and whether a file cannot be read.
#[derive(Clone, Debug)]
struct Commit {
    specs: Vec<Option<usize>>,
    is_unreadable: bool,
}

fn commit() -> impl Strategy<Value = Commit> {
    let spec = prop::option::weighted(0.9, 0..SPECS.len());
    (prop::collection::vec(spec, NAMES.len()), prop::bool::weighted(0.1))
        .prop_map(|(specs, is_unreadable)| Commit { specs, is_unreadable })
}

impl Commit {
    fn catalog(&self, in_force: &InForce, is_reversed: bool) -> Catalog {
        let documents = NAMES.iter().zip(&self.specs);
        let mut files: Vec<_> =
            documents.filter_map(|(name, spec)| Some((*name, document(name, SPECS[(*spec)?])))).collect();
        if self.is_unreadable {
            files.push(("broken.yaml", "kind: [AppConfiguration\n".to_owned()));
        }
        if is_reversed {
            files.reverse();
        }
        catalog(&files, in_force)
    }
}

fn document(name: &str, spec: &str) -> String {
    application(name, &spec.replace("NAME", &name.replace('/', "-")))
}

/// The catalog of one application alone.
fn catalog_of(name: &str, spec: &str) -> Catalog {
    catalog(&[(name, document(name, spec))], &InForce::default())
}

/// What must hold after a commit.
fn judge(before: &InForce, commit: &Commit) -> InForce {
    let catalog = commit.catalog(before, false);
    let (told, after) = (findings(&catalog), catalog.to_be_in_force());
    let reversed = commit.catalog(before, true);
    assert_eq!(findings(&reversed), told);
    assert_eq!(reversed.to_be_in_force(), after);

    for (number, full) in NAMES.iter().enumerate() {
        let (namespace, name) = full.split_once('/').unwrap();
        let id = (namespace.to_owned(), name.to_owned());
        let (old, new) = (before.of(namespace, name), after.of(namespace, name));
        let rendered = catalog.applications().iter().find(|rendered| &*rendered.file == *full);
        let is_valid = rendered.is_some_and(|rendered| rendered.is_valid);
        let is_gone = catalog.removals().contains(&id)
            || commit.specs[number].is_none() && !catalog.frozen().contains_key(&id);
        if is_valid {
            let wanted: Vec<_> = rendered.unwrap().resources.iter().map(|own| own.resource.clone()).collect();
            assert_eq!(new, wanted, "{full}: {told:?}");
        } else if is_gone {
            assert!(new.is_empty(), "{full}: {told:?}");
        } else {
            assert_eq!(new, old, "{full}: {told:?}");
            assert!(old.is_empty() || catalog.frozen().contains_key(&id), "{full}: {told:?}");
        }
        // An owner whose document is as it was: what others claim too is their fault.
        let alone = commit.specs[number].map(|spec| catalog_of(full, SPECS[spec]).to_be_in_force());
        if !old.is_empty() && alone.is_some_and(|alone| alone.of(namespace, name) == old) {
            let of_claims = catalog.findings().iter().find(|located| {
                &*located.file == *full
                    && located.finding.level == Level::Error
                    && CLAIMS.contains(&located.finding.rule)
            });
            assert!(of_claims.is_none(), "{full}: {told:?}");
        }
    }
    // What is rendered is right beside all that is in force then.
    let all: Vec<_> = after.resources().collect();
    for (at, finding) in rules::check_all(&all, &after, &Surroundings::default()) {
        let (namespace, name) = all[at].application().unwrap();
        let is_frozen = catalog.frozen().contains_key(&(namespace.to_owned(), name.to_owned()));
        assert!(finding.level != Level::Error || is_frozen, "{namespace}/{name}: {finding}");
    }
    after
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_history_keeps_what_is_right(commits in prop::collection::vec(commit(), 1..6)) {
        let mut in_force = InForce::default();
        for commit in &commits {
            in_force = judge(&in_force, commit);
        }
    }
}
