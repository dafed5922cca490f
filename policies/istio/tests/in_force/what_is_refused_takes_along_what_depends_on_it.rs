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
        let routes = if routes.is_empty() { routes } else { format!(", routes: [{routes}]") };
        let subsets = if self.has_subset { ", subsets: [{name: v1, labels: {version: v1}}]" } else { "" };
        let wrong = if self.is_wrong { ", wrong: 1" } else { "" };
        format!(
            "{{destinationRule: {{host: a{number}{subsets}}}, virtualService: {{timeout: 1s{routes}{wrong}}}}}"
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
    all.iter().enumerate().map(file).collect()
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
    let one =
        (prop::collection::vec(0..1_000_usize, 0..2), prop::bool::weighted(0.9), prop::bool::weighted(wrong))
            .prop_flat_map(|(others, has_next, is_wrong)| {
                (Just(others), Just(has_next), Just(is_wrong), prop::bool::weighted(0.97))
            });
    prop::collection::vec(one, 2..count).prop_map(|all| {
        let count = all.len();
        let is_island = |number: usize| number % NAMESPACES == NAMESPACES - 1;
        let with = |number: usize, other: usize| is_island(number) == is_island(other) && number != other;
        all.into_iter()
            .enumerate()
            .map(|(number, (others, has_next, is_wrong, has_subset))| Written {
                has_subset,
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
            })
            .collect()
    })
}

/// Those that are wrong, and those that need what is not there, and so on.
fn refused(all: &[Written]) -> BTreeSet<usize> {
    let mut refused: BTreeSet<_> = (0..all.len()).filter(|number| all[*number].is_wrong).collect();
    loop {
        let is_there = |other: &usize| all[*other].has_subset && !refused.contains(other);
        let more: Vec<_> = (0..all.len())
            .filter(|number| !refused.contains(number) && !all[*number].needs.iter().all(is_there))
            .collect();
        if more.is_empty() {
            return refused;
        }
        refused.extend(more);
    }
}

fn frozen(catalog: &Catalog) -> BTreeSet<usize> {
    catalog.frozen().keys().map(|(_, name)| name[1..].parse().unwrap()).collect()
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
        prop_assert_eq!(errors(&catalog.to_be_in_force()), BTreeSet::new());
    }

    #[test]
    fn beside_what_is_in_force_nothing_else_breaks(
        (old, new) in (applications(40, 0.0), applications(40, 0.1)),
    ) {
        let old: Vec<_> = old.into_iter().map(|one| Written { has_subset: true, ..one }).collect();
        let before = catalog_of(&old, &InForce::default()).to_be_in_force();
        let catalog = catalog_of(&new, &before);
        let after = catalog.to_be_in_force();
        let is_of_island = |name: &str| name.starts_with("n4/");
        // An owner goes on whoever needs it in another namespace. Then what is frozen breaks, and nothing else does.
        for (name, rule) in errors(&after) {
            let (namespace, object) = name.split_once('/').unwrap();
            let number = object[1..].split('-').next().unwrap().parse().unwrap();
            prop_assert!(frozen(&catalog).contains(&number), "{name} {rule}: {:?}", findings(&catalog));
            let needed = &old[number].needs;
            prop_assert!(needed.iter().any(|other| self::namespace(*other) != namespace), "{name}: {rule}");
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
            is_wrong: Some(number) == wrong,
        };
        (0..40).map(one).collect::<Vec<_>>()
    };
    assert!(catalog_of(&ring(None), &InForce::default()).is_valid());
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

#[test]
fn a_chain_without_ties_takes_along_no_other_namespace() {
    let with = |labels: &dyn Fn(usize) -> String| {
        let one = |number: usize| {
            let spec = labels(number);
            // Alternately: whoever comes first in the order of files is refused later.
            (format!("{}/{number}.yaml", number % 2), application(&format!("evil/b{number:02}"), &spec))
        };
        let mut files: Vec<_> = (1..40).map(one).collect();
        files.push(("shop.yaml".to_owned(), application("shop/cart", "{destinationRule: {host: cart}}")));
        files
    };
    let pods = |label: usize| {
        format!(
            "{{workload: {{labels: {{app: p{label}}}}}, authorizationPolicy: {{allow: [{{from: [x]}}]}}}}"
        )
    };
    let before = with(&pods);
    let before: Vec<_> = before.iter().map(|(path, text)| (path.as_str(), text)).collect();
    let before = in_force(&before);
    let after = with(&|number| if number == 1 { "{wrong: 1}".to_owned() } else { pods(number - 1) });
    let after: Vec<_> = after.iter().map(|(path, text)| (path.as_str(), text)).collect();
    let catalog = catalog(&after, &before);
    let told = findings(&catalog);
    assert!(
        told.iter().any(|found| found.contains("all of evil stays as it is, since after all was")),
        "{told:?}"
    );
    assert!(catalog.frozen().keys().all(|(namespace, _)| namespace == "evil"), "{told:?}");
    assert_eq!(errors(&catalog.to_be_in_force()), BTreeSet::new());
}
