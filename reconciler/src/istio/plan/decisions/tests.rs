//! What is in force in all namespaces together, commit by commit.

mod a_chain_is_paid_for_by_its_namespaces;

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use istio_config::{File, Finding, Kind, Level, Resource, Setting, rules, surroundings::Surroundings};
use proptest::prelude::*;

use crate::istio::plan::{Commit, Namespaces, Plan, Proposed, RenderCache, plan};
use crate::istio::{
    applications::Applications, artifact::LONGEST, consent::Consent, foreign::Foreign, guarded::Guarded,
    objects::Objects, successors::Successors,
};

thread_local! {
    /// The turns that the last decisions on this thread took.
    pub(super) static TURNS: Cell<usize> = const { Cell::new(0) };
}

#[derive(Default)]
struct World {
    in_force: Namespaces<Objects>,
    guarded: Guarded,
    cache: RenderCache,
}

impl World {
    /// Commits documents of `NAMESPACE/NAME` with their spec, and publishes what the plan says.
    fn commit(&mut self, documents: &[(&str, &str)], agreed: usize) -> Namespaces<Plan> {
        self.commit_where(documents, agreed, &Namespaces::new())
    }

    /// The same, where some namespaces must not change.
    fn commit_where(
        &mut self,
        documents: &[(&str, &str)],
        agreed: usize,
        stay: &Namespaces<String>,
    ) -> Namespaces<Plan> {
        let file = |(path, spec): &(&str, &str)| {
            let (namespace, name) = path.split_once('/').unwrap();
            let secret = format!("{namespace}-{name}");
            let text = format!(
                "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {}\n",
                spec.replace("NAME", &secret).replace("LONG", long())
            );
            (Arc::from(*path), Arc::new(File::read(text.as_bytes())))
        };
        // The repository has other files too.
        let other = (Arc::from("other.yaml"), Arc::new(File::read(b"apiVersion: v1\nkind: ConfigMap\n")));
        let files = documents.iter().map(file).chain([other]).collect();
        let applications = Applications { files, guarded: self.guarded.clone() };
        let commit = Commit { id: "1".to_owned(), at: String::new() };
        let setting = Setting::default();
        let proposed = Proposed {
            applications: &applications,
            commit: &commit,
            renderer: "1",
            setting: &setting,
            foreign: &Foreign::default(),
            stay,
            successors: &Successors::default(),
        };
        let consent = Consent { removals: agreed, ..Consent::default() };
        let consents = ["shop", "bank", "test"].map(|namespace| (namespace.to_owned(), consent)).into();
        let plans = plan(&self.in_force, &Namespaces::new(), &proposed, &consents, &mut self.cache);
        for (namespace, plan) in &plans {
            if let Some(next) = &plan.next {
                self.in_force.insert(namespace.clone(), next.artifact.objects().unwrap());
            }
        }
        plans
    }

    fn of(&self, namespace: &str, name: &str) -> &[Resource] {
        self.in_force.get(namespace).map(|objects| objects.of(name)).unwrap_or_default()
    }

    /// The errors of what is in force: the namespace and the application, the object and the rule.
    fn errors(&self) -> BTreeSet<((String, String), String, &'static str)> {
        let all: Vec<_> = self.in_force.values().flat_map(Objects::sorted).collect();
        let of = |namespace: &String, objects: &Objects| {
            let own = objects.applications();
            own.map(|(name, own)| ((namespace.clone(), name.clone()), own.to_vec())).collect::<Vec<_>>()
        };
        let in_force = self.in_force.iter().flat_map(|(namespace, objects)| of(namespace, objects)).collect();
        let found = rules::check_all(&all, &in_force, &Surroundings::default()).into_iter();
        let errors = found.filter(|(_, Finding { level, .. })| *level == Level::Error);
        let errors = errors.map(|(at, finding)| {
            let (namespace, name) = all[at].application().unwrap();
            ((namespace.to_owned(), name.to_owned()), all[at].name.clone(), finding.rule)
        });
        errors.collect()
    }
}

const HOST: &str = "{gateway: {hosts: [x.example.com], tls: {secret: NAME}}}";

#[test]
fn what_stays_for_want_of_consent_keeps_its_host() {
    let mut world = World::default();
    world.commit(&[("shop/a", HOST)], 0);
    let plans = world.commit(&[("bank/b", HOST)], 0);
    assert_eq!(world.of("shop", "a").len(), 1);
    assert!(plans["shop"].frozen["a"].starts_with("1 of 1 objects"), "{:?}", plans["shop"].frozen);
    assert!(world.of("bank", "b").is_empty());
    assert!(plans["bank"].frozen["b"].contains("[X145]"), "{:?}", plans["bank"].frozen);
    // With consent both go on.
    let plans = world.commit(&[("bank/b", HOST)], 1);
    assert!(plans.values().all(|plan| plan.frozen.is_empty()));
    assert_eq!((world.of("shop", "a").len(), world.of("bank", "b").len()), (0, 1));
}

#[test]
fn what_stays_for_want_of_consent_is_there_for_others() {
    let mut world = World::default();
    let subset = "{destinationRule: {host: a, subsets: [{name: v1, labels: {version: v1}}]}}";
    let route = |timeout| {
        format!(
            "{{virtualService: {{timeout: {timeout}, routes: [{{to: [{{service: a.shop, subset: v1}}]}}]}}}}"
        )
    };
    let (before, after) = (route("1s"), route("2s"));
    world.commit(&[("shop/a", subset), ("bank/b", &before)], 0);
    let plans = world.commit(&[("bank/b", &after)], 0);
    assert_eq!(plans["bank"].frozen, BTreeMap::new());
    assert_eq!(world.of("bank", "b")[0].spec["http"][0]["timeout"], "2s");
    assert_eq!(plans["shop"].frozen.len(), 1);
}

const LONG: &str = "{telemetry: {traces: {percent: 5, tags: {text: LONG}}}}";

/// A text that can hardly be compressed.
fn long() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let (mut seed, mut text) = (1_u64, "a".to_owned());
        while text.len() < 2 * LONGEST {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(&format!("{:x}", seed >> 20));
        }
        text
    });
    &TEXT
}

#[test]
fn a_namespace_that_stays_as_a_whole_keeps_its_host() {
    let history = || [("shop".to_owned(), "its history cannot be read".to_owned())].into();
    for (stay, next, why) in [
        (Namespaces::new(), LONG, "the objects of the namespace take "),
        (history(), "{sidecar: {calls: [b]}}", "its history cannot be read"),
    ] {
        let mut world = World::default();
        world.commit(&[("shop/a", HOST)], 0);
        let plans = world.commit_where(&[("shop/a", next), ("bank/b", HOST)], 9, &stay);
        let frozen = &plans["shop"].frozen;
        assert!(frozen.len() == 1 && frozen["all applications"].starts_with(why), "{frozen:?}");
        assert_eq!(world.of("shop", "a")[0].kind, Kind::Gateway);
        assert!(world.of("bank", "b").is_empty());
        assert!(plans["bank"].frozen["b"].contains("[X145]"), "{:?}", plans["bank"].frozen);
    }
}

#[test]
fn what_is_refused_in_a_namespace_that_stays_as_a_whole_keeps_its_host() {
    let subset = "{destinationRule: {host: a, subsets: [{name: v1, labels: {version: v1}}]}}";
    let route = "{virtualService: {routes: [{to: [{service: a.shop, subset: v1}]}]}}";
    let mut world = World::default();
    world.commit(&[("shop/a", subset), ("shop/b", HOST)], 0);
    let stay = [("shop".to_owned(), "its history cannot be read".to_owned())].into();
    let plans = world.commit_where(&[("shop/b", route), ("bank/a", HOST)], 0, &stay);
    assert_eq!((world.of("shop", "a").len(), world.of("shop", "b")[0].kind), (1, Kind::Gateway));
    assert!(world.of("bank", "a").is_empty());
    assert!(plans["bank"].frozen["a"].contains("[X145]"), "{:?}", plans["bank"].frozen);
    // It keeps its own reason.
    assert!(plans["shop"].frozen["b"].contains("[X101d]"), "{:?}", plans["shop"].frozen);
}

#[test]
fn a_namespace_that_must_not_change_and_does_not_is_not_frozen() {
    let mut world = World::default();
    world.commit(&[("shop/a", HOST)], 0);
    let stay = [("shop".to_owned(), "its history cannot be read".to_owned())].into();
    let plans = world.commit_where(&[("shop/a", HOST), ("bank/b", "{sidecar: {calls: [b]}}")], 0, &stay);
    assert!(plans.values().all(|plan| plan.frozen.is_empty()), "{plans:?}");
    assert_eq!(world.of("bank", "b").len(), 1);
}

const NAMES: [&str; 5] = ["shop/a", "shop/b", "bank/a", "bank/b", "test/a"];

const SPECS: [&str; 9] = [
    HOST,
    "{gateway: {hosts: [y.example.com], tls: {secret: NAME}}}",
    "{gateway: {hosts: [x.example.com, y.example.com], tls: {secret: NAME}}}",
    "{destinationRule: {host: a.shop.svc.cluster.local, subsets: [{name: v1, labels: {version: v1}}]}}",
    "{virtualService: {routes: [{to: [{service: a.shop, subset: v1}]}]}}",
    "{telemetry: {applyTo: namespace, logs: all}, sidecar: {resourceName: one, calls: [a]}}",
    "{sidecar: {resourceName: one, calls: [a]}}",
    "{virtualService: {timeouts: 1s}}",
    LONG,
];

/// The rules of what only one may have.
const CLAIMS: [&str; 4] = ["X145", "X109", "H15", "X160"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_in_force_together_is_as_right_as_before(
        commits in prop::collection::vec(
            (
                prop::collection::vec(prop::option::weighted(0.7, 0..SPECS.len()), NAMES.len()),
                0..2_usize,
                prop::collection::vec(prop::bool::weighted(0.2), 3),
            ),
            1..6
        ),
    ) {
        let mut world = World::default();
        for (specs, agreed, unread) in commits {
            let stay = ["shop", "bank", "test"].into_iter().zip(unread).filter(|(_, is_unread)| *is_unread);
            let stay = stay.map(|(name, _)| (name.to_owned(), "its history cannot be read".to_owned())).collect();
            let documents: Vec<_> = NAMES.into_iter().zip(&specs)
                .filter_map(|(name, spec)| Some((name, SPECS[(*spec)?])))
                .collect();
            let before = world.errors();
            let plans = world.commit_where(&documents, agreed, &stay);
            for error in world.errors().difference(&before) {
                let ((namespace, name), _, rule) = error;
                // An owner goes on, whoever needs it in another namespace: then what is frozen breaks.
                let frozen = &plans[namespace].frozen;
                let is_frozen = frozen.contains_key(name) || plans[namespace].is_frozen();
                prop_assert!(is_frozen && !CLAIMS.contains(rule), "{error:?}: {documents:?}");
            }
        }
    }
}
