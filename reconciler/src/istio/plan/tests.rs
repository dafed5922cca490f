//! Plans for repositories of real documents.

mod a_file_speaks_of_its_own_namespaces;
mod a_rename_that_is_refused_takes_nothing_away;
mod what_others_have_made_is_not_taken_over;

use std::{collections::BTreeMap, sync::Arc};

use istio_config::{ApplicationId, File, RenderCache, Setting};
use policies::File as Policies;

use super::{Commit, InForce, Messages, Namespaces, Plan, Proposed, freeze, plan};
use crate::istio::{
    applications::Applications,
    artifact::Artifact,
    consent::Consent,
    foreign::Foreign,
    guarded::{Guarded, directory},
    had::had,
    objects::Objects,
    successors::{Doubtful, LastDocument, Successors},
};

/// A repository of files, and what is in force.
#[derive(Default)]
struct World {
    files: BTreeMap<&'static str, String>,
    in_force: Namespaces<Objects>,
    /// The commit that gave what is in force in `shop`.
    since: String,
    commits: usize,
    limit: Option<usize>,
    earlier: Namespaces<Objects>,
    cache: RenderCache,
    foreign: Foreign,
    /// The last documents of applications, if they are looked for.
    last: Option<BTreeMap<ApplicationId, LastDocument>>,
}

impl World {
    /// Commits, and publishes what the plan says.
    fn commit(&mut self, consent: Consent) -> Plan {
        self.commits += 1;
        let applications = self.applications();
        let commit = Commit { id: format!("{:040}", self.commits), at: "2026-01-01T00:00:00Z".to_owned() };
        let successors = |last| Doubtful::of(&self.in_force, &applications).successors(last, &applications);
        let successors = self.last.clone().map_or_else(Successors::default, successors);
        let consents = BTreeMap::from([("shop".to_owned(), consent)]);
        let proposed = Proposed {
            applications: &applications,
            commit: &commit,
            renderer: "1",
            setting: &Setting::default(),
            foreign: &self.foreign,
            stay: &Namespaces::new(),
            successors: &successors,
        };
        let mut plans = plan(&self.in_force, &self.earlier, &proposed, &consents, &mut self.cache);
        for (namespace, plan) in &plans {
            if let Some(next) = &plan.next {
                let objects = next.artifact.objects().unwrap();
                assert_eq!(next.objects, objects.keys().len());
                self.in_force.insert(namespace.clone(), objects);
                self.since.clone_from(&next.commit.id);
                self.limit = next.max_removals;
            }
        }
        plans.remove("shop").unwrap_or_default()
    }

    fn applications(&self) -> Applications {
        let files =
            self.files.iter().map(|(path, text)| (Arc::from(*path), Arc::new(File::read(text.as_bytes()))));
        let policies: Vec<_> =
            self.files.iter().map(|(path, text)| (*path, Policies::read(text.as_bytes()))).collect();
        let guarded = Guarded::of(policies.iter().map(|(path, file)| (directory(path), file)));
        Applications { files: files.collect(), guarded }
    }

    fn objects(&self) -> Vec<&str> {
        self.in_force["shop"].sorted().into_iter().map(|object| object.name.as_str()).collect()
    }
}

fn application(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n"
    )
}

const RULE: &str = "{destinationRule: {host: reviews}}";

fn world() -> World {
    let files = [("a.yaml", application("a", RULE)), ("b.yaml", application("b", RULE))];
    let mut world = World { files: files.into(), ..World::default() };
    world.commit(Consent::default());
    assert_eq!(world.objects(), ["a-destination-rule", "b-destination-rule"]);
    world
}

#[test]
fn what_is_the_same_is_not_planned_again() {
    let mut world = world();
    world.files.insert("c.yaml", "apiVersion: v1\nkind: ConfigMap\n".to_owned());
    let plan = world.commit(Consent::default());
    assert_eq!((plan.next, plan.frozen, plan.current), (None, BTreeMap::new(), 2));
    assert_eq!(world.since, format!("{:040}", 1));
}

#[test]
fn an_invalid_application_is_frozen_and_tells_where_it_is_wrong() {
    let mut world = world();
    world.files.insert("a.yaml", application("a", "{destinationRule: {host: reviews, wrong: 1}}"));
    world.files.insert("b.yaml", application("b", "{destinationRule: {host: ratings}}"));
    let plan = world.commit(Consent::default());
    assert_eq!((world.objects().len(), plan.current), (2, 1));
    assert!(plan.frozen["a"].starts_with("a.yaml:4:"), "{:?}", plan.frozen);
    assert_eq!(world.in_force["shop"].of("b")[0].spec["host"], "ratings");
}

#[test]
fn the_last_application_and_a_damaged_file_take_nothing_away() {
    let mut world = world();
    world.files.remove("a.yaml");
    world.files.insert("b.yaml", "{".to_owned());
    assert_eq!(world.commit(Consent { removals: 9, ..Consent::default() }).frozen.len(), 2);
    world.files.clear();
    assert_eq!(world.commit(Consent { removals: 9, ..Consent::default() }).frozen.len(), 2);
    world.files.insert("c.yaml", "apiVersion: v1\nkind: ConfigMap\n".to_owned());
    // Without consent, and with it.
    assert_eq!(world.commit(Consent::default()).frozen.len(), 2);
    assert_eq!(world.objects().len(), 2);
    assert_eq!(world.commit(Consent { removals: 2, ..Consent::default() }).frozen.len(), 0);
    assert!(world.objects().is_empty());
    assert!(freeze(&world.in_force, "no").contains_key("shop"));
}

#[test]
fn a_document_takes_its_application_away() {
    let mut world = world();
    for (file, name) in [("a.yaml", "a"), ("b.yaml", "b")] {
        world.files.insert(file, application(name, "{remove: true}"));
    }
    assert_eq!(world.commit(Consent::default()).frozen, BTreeMap::new());
    assert!(world.objects().is_empty());
}

#[test]
fn without_an_artifact_an_invalid_application_gets_what_it_last_had() {
    let mut world = World::default();
    world.files.insert("a.yaml", application("a", RULE));
    world.files.insert("b.yaml", application("b", "{destinationRule: {host: b}}"));
    let wanted = [("shop".to_owned(), "a".to_owned())].into();
    let found = had(&wanted, &world.applications(), &Setting::default());
    assert_eq!(found.keys().collect::<Vec<_>>(), wanted.iter().collect::<Vec<_>>());
    world.files.insert("a.yaml", application("a", "{destinationRule: {host: reviews, wrong: 1}}"));
    assert!(had(&wanted, &world.applications(), &Setting::default()).is_empty());
    world.earlier = [("shop".to_owned(), found.into_values().flat_map(|had| had.objects).collect())].into();
    let plan = world.commit(Consent::default());
    assert_eq!((plan.frozen.len(), plan.current), (1, 1));
    assert_eq!(world.objects(), ["a-destination-rule", "b-destination-rule"]);
}

#[test]
fn an_application_keeps_within_the_guardrails_above_it() {
    let mut world = world();
    let guardrail = |istio: &str| format!("kind: Guardrail\nspec: {{istio: {istio}}}\n");
    world.files.insert("team/c.yaml", application("c", "{envoyFilter: {localRateLimit: {requests: 1}}}"));
    let frozen = world.commit(Consent::default()).frozen;
    assert!(frozen["c"].contains("LIM01"), "an EnvoyFilter needs leave: {frozen:?}");
    world.files.insert("team/guardrail.yaml", guardrail("{kinds: [EnvoyFilter]}"));
    assert_eq!(world.commit(Consent::default()).frozen, BTreeMap::new());
    // The stricter of the limits in force and at the commit.
    world
        .files
        .insert("guardrail.yaml", guardrail("{maxRemovals: 0, kinds: [DestinationRule, EnvoyFilter]}"));
    world.files.insert("a.yaml", application("a", "{destinationRule: {host: ratings}}"));
    world.commit(Consent::default());
    world.files.remove("guardrail.yaml");
    world.files.remove("b.yaml");
    let limit = world.limit;
    assert_eq!(limit, Some(0));
    let consent = Consent { limit, ..Consent::default() };
    assert!(world.commit(consent).frozen["b"].contains("1 of 3 objects"));
}

#[test]
fn while_something_is_frozen_no_limit_becomes_laxer_and_no_consent_is_used_up() {
    let commit = Commit { id: "2".to_owned(), at: String::new() };
    let plan = |frozen: &[&str], max_removals| Plan {
        frozen: frozen.iter().map(|name| ((*name).to_owned(), "wrong".to_owned())).collect(),
        max_removals,
        ..Plan::default()
    };
    let strict = InForce {
        artifact: Artifact::of(&Objects::default()).unwrap(),
        objects: 0,
        commit: Commit { id: "1".to_owned(), at: String::new() },
        renderer: "1".to_owned(),
        max_removals: Some(2),
        judged: Commit { id: "1".to_owned(), at: String::new() },
    };
    let by_consent = |plan| Plan { by_consent: true, ..plan };
    let moved = |plan| Plan {
        next: Some(InForce { objects: 1, commit: commit.clone(), judged: commit.clone(), ..strict.clone() }),
        ..plan
    };
    for (mut plan, messages, expected) in [
        (plan(&["a"], None), Messages::Agree, None),
        (plan(&["a"], Some(9)), Messages::Agree, None),
        (plan(&["a"], Some(1)), Messages::Agree, Some((Some(1), "1"))),
        (by_consent(plan(&["a"], Some(2))), Messages::Agree, Some((Some(2), "2"))),
        (plan(&["a"], Some(2)), Messages::Lost, Some((Some(2), "2"))),
        (plan(&[], Some(2)), Messages::None, None),
        (plan(&[], Some(2)), Messages::Agree, Some((Some(2), "2"))),
        (plan(&[], Some(9)), Messages::None, Some((Some(9), "1"))),
        (moved(plan(&[], Some(2))), Messages::None, Some((Some(2), "2"))),
        (moved(plan(&[], Some(2))), Messages::Counted, Some((Some(2), "1"))),
    ] {
        plan.record(&strict, &commit, messages);
        let recorded = plan.next.as_ref().map(|next| (next.max_removals, next.judged.id.as_str()));
        assert_eq!(recorded, expected, "{:?}", plan.frozen);
    }
}

#[test]
fn a_plan_tells_that_objects_go_by_the_consent_of_messages() {
    let mut world = world();
    world.files.insert("c.yaml", application("c", "{destinationRule: {host: reviews, wrong: 1}}"));
    assert!(!world.commit(Consent { removals: 9, ..Consent::default() }).by_consent, "nothing goes");
    world.files.remove("a.yaml");
    assert!(!world.commit(Consent { removals: 9, ..Consent::default() }).by_consent, "one needs no consent");
    world.files.remove("b.yaml");
    let plan = world.commit(Consent { removals: 9, ..Consent::default() });
    assert!(plan.by_consent && plan.frozen.contains_key("c"), "{:?}", plan.frozen);
}

#[test]
fn where_an_annotation_agrees_no_line_of_a_message_is_used_up() {
    let mut world = world();
    world.files.clear();
    world.files.insert("c.yaml", application("c", "{destinationRule: {host: reviews, wrong: 1}}"));
    let plan = world.commit(Consent { removals: 9, is_of_commit: true, ..Consent::default() });
    assert!(world.objects().is_empty() && !plan.by_consent);
}
