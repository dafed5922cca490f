//! The number of checks, and the namespaces that are frozen.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::LAST;
use crate::{Catalog, File, InForce, Setting};

thread_local! {
    /// The checks of all resources among each other on this thread.
    pub(super) static CHECKS: Cell<usize> = const { Cell::new(0) };
}

/// Files by their paths.
type Files = BTreeMap<String, String>;

/// The text of an application `NAMESPACE/NAME`.
fn application(name: &str, spec: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap();
    format!(
        "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"
    )
}

/// A file with an application `NAMESPACE/NAME`.
fn put(files: &mut Files, name: &str, spec: &str) {
    files.insert(format!("{name}.yaml"), application(name, spec));
}

/// The catalog of files, and the number of checks that it took.
fn checked(files: &Files, before: &InForce) -> (Catalog, usize) {
    let read = |(path, text): (&String, &String)| (Arc::from(path.as_str()), File::read(text.as_bytes()));
    let files: Vec<(Arc<str>, File)> = files.iter().map(read).collect();
    let files: Vec<_> = files.iter().map(|(path, file)| (Arc::clone(path), file)).collect();
    CHECKS.set(0);
    let catalog = Catalog::new(&files, before, &Setting::default(), |_, setting| setting);
    (catalog, CHECKS.get())
}

/// What is in force after files without any mistake.
fn first(files: &Files) -> InForce {
    let (catalog, _) = checked(files, &InForce::default());
    assert!(catalog.is_valid(), "{:?}", findings(&catalog));
    catalog.to_be_in_force()
}

fn findings(catalog: &Catalog) -> Vec<String> {
    catalog.findings().iter().map(ToString::to_string).collect()
}

/// The namespaces with a frozen application of this name.
fn with_frozen<'c>(catalog: &'c Catalog, name: &str) -> BTreeSet<&'c str> {
    let frozen = catalog.frozen().keys().filter(|(_, frozen)| frozen == name);
    frozen.map(|(namespace, _)| namespace.as_str()).collect()
}

const NONE: &str = "{peerAuthentication: {}}";
const OTHER: &str = "{peerAuthentication: {mtls: permissive}}";
const WRONG: &str = "{virtualService: {hsots: []}}";

fn subset(host: &str) -> String {
    format!("{{destinationRule: {{host: {host}, subsets: [{{name: v1, labels: {{version: v1}}}}]}}}}")
}

fn route(to: &str) -> String {
    format!("{{virtualService: {{routes: [{{to: [{{service: {to}, subset: v1}}]}}]}}}}")
}

#[test]
fn of_many_namespaces_those_at_fault_are_frozen_and_found_by_few_checks() {
    // Of each namespace something stays that is wrong, and needs a subset that goes: its own, that of a namespace which
    // breaks itself, or that of one which does not.
    let owners = |prefix: &str, count: usize, owner: &str| {
        (0..count).map(|n| (format!("{prefix}{n:02}"), owner.to_owned())).collect::<Vec<_>>()
    };
    let all = [owners("ill", 40, "evil"), owners("own", 3, ""), owners("sad", 10, "owner")].concat();
    let all: Vec<_> = all.into_iter().chain([("evil".to_owned(), String::new())]).collect();
    let (mut before, mut after) = (Files::new(), Files::new());
    for (namespace, owner) in &all {
        let owner = if owner.is_empty() { namespace } else { owner };
        put(&mut before, &format!("{namespace}/web"), &route(&format!("a.{owner}")));
        put(&mut after, &format!("{namespace}/web"), WRONG);
        put(&mut before, &format!("{namespace}/cart"), NONE);
        put(&mut after, &format!("{namespace}/cart"), OTHER);
        put(&mut before, &format!("{owner}/a"), &subset("a"));
        put(&mut after, &format!("{owner}/a"), NONE);
    }
    let (catalog, checks) = checked(&after, &first(&before));
    let told = findings(&catalog);
    assert_eq!(with_frozen(&catalog, "cart"), ["evil", "own00", "own01", "own02"].into(), "{told:?}");
    assert_eq!(with_frozen(&catalog, "web").len(), all.len());
    // All of it, what is in force, and 6 bits; then all of it, and a bit that shows what cannot be cured.
    assert_eq!(checks, 2 + 12 + 1 + 2);
}

#[test]
fn of_namespaces_that_each_cure_the_same_one_is_frozen() {
    let (catalog, checks) = sharing(3);
    assert_eq!(with_frozen(&catalog, "cart"), ["n1"].into(), "{:?}", findings(&catalog));
    assert_eq!(checks, 2 + 4 + 1 + 1);
}

/// What is broken where namespaces each have the subset for all, and something that stays and needs it.
fn sharing(count: usize) -> (Catalog, usize) {
    let host = "api.example.com";
    // A rule counts for the callers of others where its namespace has an entry for the host.
    let entry = format!("{{serviceEntry: {{hosts: [{host}], ports: [80], namespaces: ['*']}}}}");
    let (mut before, mut after) = (Files::new(), Files::new());
    for namespace in (1..=count).map(|number| format!("n{number}")) {
        let of_all =
            [("web", route(host), WRONG), ("cart", NONE.to_owned(), OTHER), ("a", subset(host), NONE)];
        for (name, old, new) in of_all.iter().map(|(name, old, new)| (name, old.as_str(), *new)) {
            put(&mut before, &format!("{namespace}/{name}"), old);
            put(&mut after, &format!("{namespace}/{name}"), new);
        }
        put(&mut before, &format!("{namespace}/entry"), &entry);
        put(&mut after, &format!("{namespace}/entry"), &entry);
    }
    checked(&after, &first(&before))
}

#[test]
fn of_many_namespaces_that_each_cure_the_same_all_are_frozen_at_once() {
    let (catalog, checks) = sharing(8);
    assert_eq!(with_frozen(&catalog, "cart").len(), 8, "{:?}", findings(&catalog));
    assert_eq!(checks, 2 + 6 + 1);
}

#[test]
fn a_chain_through_namespaces_ends_where_each_of_them_has_a_few_links() {
    // In each namespace each application takes the pods of the one before it, and the first one needs a subset of the last
    // one of the namespace before. Ties know of the subsets alone.
    let (namespaces, links) = (6, 15);
    let files = |is_moved: bool| {
        let version = if is_moved { "v2" } else { "v1" };
        let mut files = Files::new();
        for namespace in 0..namespaces {
            for link in 1..=links {
                let pods = if is_moved { link - 1 } else { link };
                let labels = format!(
                    "workload: {{labels: {{app: p{pods}}}}}, authorizationPolicy: {{allow: [{{from: [x]}}]}}"
                );
                let rule = format!(
                    ", destinationRule: {{host: b{link}, subsets: [{{name: {version}, labels: {{version: {version}}}}}]}}"
                );
                let rule = if link == links { rule } else { String::new() };
                let route = format!(
                    ", virtualService: {{routes: [{{to: [{{service: b{links}.c{}, subset: {version}}}]}}]}}",
                    namespace.max(1) - 1
                );
                let route = if link == 1 && namespace > 0 { route } else { String::new() };
                let spec = match (namespace, link, is_moved) {
                    (0, 1, true) => WRONG.to_owned(),
                    _ => format!("{{{labels}{rule}{route}}}"),
                };
                // Alternately: whoever comes first in the order of files is refused later.
                let path = format!("{}/c{namespace}-{link}.yaml", link % 2);
                files.insert(path, application(&format!("c{namespace}/b{link}"), &spec));
            }
        }
        put(&mut files, "shop/cart", if is_moved { OTHER } else { NONE });
        files
    };
    let (catalog, checks) = checked(&files(true), &first(&files(false)));
    let told = findings(&catalog);
    let reason = format!("all of c4 stays as it is, since after all was checked {LAST} times");
    assert!(told.iter().any(|found| found.contains(&reason)), "{told:?}");
    assert!(!told.iter().any(|found| found.contains("all of c0") || found.contains("all of c3")), "{told:?}");
    assert_eq!(with_frozen(&catalog, "cart"), BTreeSet::new());
    assert_eq!(catalog.frozen().len(), namespaces * links, "{told:?}");
    assert!(checks <= LAST + namespaces + 1, "{checks}");
}
