//! What is refused takes along what depends on it, however long the chain is, and nothing else.

use std::{collections::BTreeSet, fmt::Write as _};

use crate::catalogs::{application, catalog, findings, in_force};
use istio_config::{Catalog, InForce, Level, rules, surroundings::Surroundings};
use proptest::prelude::*;

/// The namespaces. No application of the last one has to do with those of others.
const NAMESPACES: usize = 5;

/// What one application writes.
#[derive(Clone, Debug)]
struct Written {
    /// It has the subset that others may need.
    has_subset: bool,
    /// The applications whose subset it needs, and those that it calls without one.
    needs: BTreeSet<usize>,
    calls: BTreeSet<usize>,
    /// The namespace that sees its ServiceEntry beside its own; none for all.
    seen_by: Option<usize>,
    has_entry: bool,
    /// The applications whose ServiceEntries it needs.
    reaches: BTreeSet<usize>,
    is_wrong: bool,
}

impl Written {
    fn spec(&self, number: usize) -> String {
        let mut routes = String::new();
        for other in &self.needs {
            write!(
                routes,
                "{{match: {{path_prefix: /{other}}}, to: [{{service: {}, subset: v1}}]}}, ",
                host(*other)
            )
            .unwrap();
        }
        for other in &self.calls {
            write!(routes, "{{match: {{path_prefix: /c{other}}}, to: [{{service: {}}}]}}, ", host(*other))
                .unwrap();
        }
        for other in &self.reaches {
            write!(
                routes,
                "{{match: {{path_prefix: /e{other}}}, to: [{{service: e{other}.example.com}}]}}, "
            )
            .unwrap();
        }
        let routes = if routes.is_empty() { routes } else { format!(", routes: [{routes}]") };
        let subsets = if self.has_subset { ", subsets: [{name: v1, labels: {version: v1}}]" } else { "" };
        let wrong = if self.is_wrong { ", wrong: 1" } else { "" };
        let seen_by = match self.seen_by {
            None => "'*'".to_owned(),
            Some(own) if own == number % NAMESPACES => "'.'".to_owned(),
            Some(other) => format!("'.', n{other}"),
        };
        let entry =
            format!("serviceEntry: {{hosts: [e{number}.example.com], ports: [80], namespaces: [{seen_by}]}}");
        let entry = if self.has_entry { format!(", {entry}") } else { String::new() };
        format!(
            "{{destinationRule: {{host: a{number}{subsets}}}, virtualService: {{timeout: 1s{routes}{wrong}}}{entry}}}"
        )
    }
}

fn namespace(number: usize) -> String {
    format!("n{}", number % NAMESPACES)
}

fn host(number: usize) -> String {
    format!("a{number}.{}.svc.cluster.local", namespace(number))
}

/// Files, in order or the other way.
fn files(all: &[Written]) -> Vec<(String, String)> {
    let file = |(number, written): (usize, &Written)| {
        let name = format!("{}/a{number}", namespace(number));
        (format!("{number}.yaml"), application(&name, &written.spec(number)))
    };
    let base = |number| {
        let spec = format!("{{serviceEntry: {{hosts: [base{number}.example.com], ports: [80]}}}}");
        (format!("base{number}.yaml"), application(&format!("n{number}/base"), &spec))
    };
    all.iter().enumerate().map(file).chain((0..NAMESPACES).map(base)).chain(decoys(all.len())).collect()
}

/// Applications of a namespace whose ServiceEntries nobody else sees, each refused with one of the others.
fn decoys(count: usize) -> impl Iterator<Item = (String, String)> {
    (0..count).step_by(3).map(|number| {
        let routes = format!("routes: [{{to: [{{service: {}, subset: v1}}]}}]", host(number));
        let entry = "serviceEntry: {hosts: ['*.example.com', '*.com'], ports: [80]}";
        let spec = format!("{{virtualService: {{{routes}}}, {entry}, requestAuthentication: {{issuer: 'https://x.example.com', required: false}}}}");
        (format!("d{number}.yaml"), application(&format!("evil/d{number}"), &spec))
    })
}

fn catalog_of(all: &[Written], before: &InForce) -> Catalog {
    let files = files(all);
    let mut files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text)).collect();
    let one = catalog(&files, before);
    files.reverse();
    let other = catalog(&files, before);
    assert_eq!(findings(&one), findings(&other));
    assert_eq!(one.to_be_in_force(), other.to_be_in_force());
    one
}

/// Applications of which some are in a row, and others have branches, across namespaces.
fn applications(count: usize, wrong: f64) -> impl Strategy<Value = Vec<Written>> {
    let others = || prop::collection::vec(0..1_000_usize, 0..2);
    let is_there = || prop::bool::weighted(0.97);
    let one = (others(), others(), prop::bool::weighted(0.9), prop::bool::weighted(wrong));
    let one = (one, is_there(), is_there(), prop::option::weighted(0.4, 0..NAMESPACES));
    prop::collection::vec(one, 2..count).prop_map(|all| {
        let count = all.len();
        let seen_by: Vec<_> = all.iter().map(|(.., seen_by)| *seen_by).collect();
        let is_island = |number: usize| number % NAMESPACES == NAMESPACES - 1;
        let with = |number: usize, other: usize| is_island(number) == is_island(other) && number != other;
        let is_seen_by = |number: usize, by: usize| {
            seen_by[number]
                .is_none_or(|namespace| [namespace, number % NAMESPACES].contains(&(by % NAMESPACES)))
        };
        all.into_iter()
            .enumerate()
            .map(|(number, ((others, reached, has_next, is_wrong), has_subset, has_entry, seen_by))| {
                Written {
                    has_subset,
                    has_entry,
                    seen_by,
                    reaches: reached
                        .into_iter()
                        .map(|other| other % count)
                        .filter(|other| with(number, *other) && is_seen_by(*other, number))
                        .collect(),
                    // Two further on, where the next one is of the island.
                    needs: [number + 1, number + 2]
                        .into_iter()
                        .filter(|next| has_next && *next < count && with(number, *next))
                        .take(1)
                        .collect(),
                    calls: others
                        .into_iter()
                        .map(|other| other % count)
                        .filter(|other| with(number, *other))
                        .collect(),
                    is_wrong: is_wrong && !is_island(number),
                }
            })
            .collect()
    })
}

/// Those that are wrong, and those that need what is not there, and so on.
fn refused(all: &[Written]) -> BTreeSet<usize> {
    let mut refused: BTreeSet<_> = (0..all.len()).filter(|number| all[*number].is_wrong).collect();
    loop {
        let is_there = |other: &usize| all[*other].has_subset && !refused.contains(other);
        let is_named = |other: &usize| all[*other].has_entry && !refused.contains(other);
        let is_right = |one: &Written| one.needs.iter().all(is_there) && one.reaches.iter().all(is_named);
        let more: Vec<_> =
            (0..all.len()).filter(|number| !refused.contains(number) && !is_right(&all[*number])).collect();
        if more.is_empty() {
            return refused;
        }
        refused.extend(more);
    }
}

fn frozen(catalog: &Catalog) -> BTreeSet<usize> {
    numbers(catalog, "a")
}

/// The numbers of the frozen applications whose names begin so.
fn numbers(catalog: &Catalog, letter: &str) -> BTreeSet<usize> {
    let names = catalog.frozen().keys().filter_map(|(_, name)| name.strip_prefix(letter)?.parse().ok());
    names.collect()
}

/// The errors of what is in force, by object and rule.
fn errors(in_force: &InForce) -> BTreeSet<(String, &'static str)> {
    let all: Vec<_> = in_force.resources().collect();
    let found = rules::check_all(&all, in_force, &Surroundings::default()).into_iter();
    let errors = found.filter(|(_, finding)| finding.level == Level::Error);
    errors.map(|(at, finding)| (format!("{}/{}", all[at].namespace, all[at].name), finding.rule)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn of_what_is_new_those_are_refused_that_need_what_is_refused(all in applications(60, 0.03)) {
        let catalog = catalog_of(&all, &InForce::default());
        prop_assert_eq!(frozen(&catalog), refused(&all), "{:?}", findings(&catalog));
        let decoys = (0..all.len()).step_by(3);
        let decoys = decoys.filter(|of| frozen(&catalog).contains(of) || !all[*of].has_subset);
        prop_assert_eq!(numbers(&catalog, "d"), decoys.collect());
        prop_assert_eq!(errors(&catalog.to_be_in_force()), BTreeSet::new());
    }

    #[test]
    fn beside_what_is_in_force_nothing_else_breaks(
        (old, new) in (applications(40, 0.0), applications(40, 0.1)),
    ) {
        let old: Vec<_> = old.into_iter().map(|one| Written { has_subset: true, has_entry: true, ..one }).collect();
        let before = catalog_of(&old, &InForce::default()).to_be_in_force();
        let catalog = catalog_of(&new, &before);
        let after = catalog.to_be_in_force();
        let is_of_island = |name: &str| name.starts_with("n4/");
        // An owner goes on whoever needs it in another namespace. Then what is frozen breaks, and nothing else does.
        for (name, rule) in errors(&after) {
            let (namespace, object) = name.split_once('/').unwrap();
            let number = object[1..].split('-').next().unwrap().parse().unwrap();
            if namespace == "evil" {
                prop_assert!(numbers(&catalog, "d").contains(&number), "{name} {rule}: {:?}", findings(&catalog));
                continue;
            }
            prop_assert!(frozen(&catalog).contains(&number), "{name} {rule}: {:?}", findings(&catalog));
            let mut needed = old[number].needs.union(&old[number].reaches);
            prop_assert!(needed.any(|other| self::namespace(*other) != namespace), "{name}: {rule}");
        }
        let told = findings(&catalog);
        if refused(&new).iter().all(|number| number % NAMESPACES != NAMESPACES - 1) {
            let island = catalog.frozen().keys().find(|(namespace, _)| is_of_island(&format!("{namespace}/")));
            prop_assert!(island.is_none(), "{told:?}");
        }
        prop_assert!(!told.iter().any(|found| found.contains("after all was checked")), "{told:?}");
    }
}

#[test]
fn a_ring_is_refused_with_the_one_of_it_that_is_wrong() {
    let ring = |wrong: Option<usize>| {
        let one = |number: usize| Written {
            has_subset: true,
            needs: [if number < 30 { (number + 1) % 30 } else { number }].into(),
            calls: [29].into(),
            seen_by: None,
            has_entry: true,
            reaches: BTreeSet::new(),
            is_wrong: Some(number) == wrong,
        };
        (0..40).map(one).collect::<Vec<_>>()
    };
    let catalog = catalog_of(&ring(None), &InForce::default());
    assert!(catalog.is_valid(), "{:?}", findings(&catalog));
    let catalog = catalog_of(&ring(Some(17)), &InForce::default());
    assert_eq!(frozen(&catalog), (0..30).collect(), "{:?}", findings(&catalog));
    // Beside what is in force it is refused alone.
    let before = catalog_of(&ring(None), &InForce::default()).to_be_in_force();
    let catalog = catalog_of(&ring(Some(17)), &before);
    assert_eq!(frozen(&catalog), [17].into(), "{:?}", findings(&catalog));
}

#[test]
fn hosts_that_move_from_one_to_the_next_stay_from_the_wrong_one_on() {
    let gateway = |number: usize, host: usize, wrong: &str| {
        let spec =
            format!("{{gateway: {{hosts: [h{host}.example.com], tls: {{secret: s{number}}}{wrong}}}}}");
        application(&format!("{}/a{number}", namespace(number)), &spec)
    };
    let with = |next: usize, wrong: Option<usize>| {
        let file = |number: usize| {
            // Thirty change, and ten have the same Gateways and hosts of their own.
            let host = if number < 30 { number + next } else { 100 + number };
            let wrong = if Some(number) == wrong { ", wrong: 1" } else { "" };
            (format!("{number}.yaml"), gateway(number, host, wrong))
        };
        (0..40).map(file).collect::<Vec<_>>()
    };
    let before = with(0, None);
    let before: Vec<_> = before.iter().map(|(path, text)| (path.as_str(), text)).collect();
    let before = in_force(&before);
    let after = with(1, Some(25));
    let after: Vec<_> = after.iter().map(|(path, text)| (path.as_str(), text)).collect();
    let catalog = catalog(&after, &before);
    assert_eq!(frozen(&catalog), (0..=25).collect(), "{:?}", findings(&catalog));
    assert_eq!(errors(&catalog.to_be_in_force()), BTreeSet::new());
}
