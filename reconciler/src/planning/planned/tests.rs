//! Plans for commits of a real repository.

mod annotations;

use std::{cell::RefCell, collections::BTreeMap, path::PathBuf, sync::Arc};

use git2::{Oid, Repository as BareClone, Signature, Time};
use istio_config::File;

use policies::language::ClusterDomain;

use super::{Known, Memory, Order, Setting, planned};
use crate::{
    clock,
    istio::{
        applications::Applications,
        foreign::Foreign,
        guarded::Guarded,
        plan::{InForce, Namespaces, Plan},
    },
    source::{ancestry::CommitId, git::CommitLog},
};

/// The newest commit, as it was read.
struct Head {
    commit: CommitId,
    applications: Applications,
}

struct World {
    directory: tempfile::TempDir,
    tip: Option<Oid>,
    /// The time of the next commit.
    at: i64,
    memory: RefCell<Memory>,
    withdrawn: Option<String>,
    foreign: Foreign,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        BareClone::init_bare(directory.path()).unwrap();
        let memory = RefCell::default();
        Self { directory, tip: None, at: 1, memory, withdrawn: None, foreign: Foreign::default() }
    }

    /// Commits these files of applications of `shop`, or of `bank` by their names, each with its destination.
    fn commit(&mut self, files: &[(&str, &str)]) -> Head {
        let clone = BareClone::open_bare(self.directory.path()).unwrap();
        let author = Signature::new("A", "a@b", &Time::new(self.at, 0)).unwrap();
        let mut tree = clone.treebuilder(None).unwrap();
        let mut read = Vec::new();
        for (name, rule) in files {
            let namespace = if name.starts_with("bank") { "bank" } else { "shop" };
            let text = format!(
                "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{destinationRule: {rule}}}\n"
            );
            let path = format!("{name}.yaml");
            tree.insert(&path, clone.blob(text.as_bytes()).unwrap(), 0o100_644).unwrap();
            read.push((Arc::from(path), Arc::new(File::read(text.as_bytes()))));
        }
        let tree = clone.find_tree(tree.write().unwrap()).unwrap();
        let parent = self.tip.map(|id| clone.find_commit(id).unwrap());
        let parents: Vec<_> = parent.iter().collect();
        let id = clone.commit(None, &author, &author, "Change shop", &tree, &parents).unwrap();
        self.tip = Some(id);
        Head {
            commit: CommitId::from_hex(&id.to_string()).unwrap(),
            applications: Applications { files: read, guarded: Guarded::default() },
        }
    }

    /// Takes an object out of the clone.
    fn lose(&self, id: &str) {
        let (folder, file) = id.split_at(2);
        std::fs::remove_file(self.directory.path().join("objects").join(folder).join(file)).unwrap();
    }

    /// The plan for `shop`, where `allowed` says that somebody agrees to the newest commit.
    fn plan(&self, head: &Head, known: Option<Result<InForce, String>>, allowed: bool) -> Plan {
        self.plan_where(head, known, allowed.then(|| head.commit.to_string()))
    }

    /// The same, where somebody agrees to a commit.
    fn plan_where(
        &self,
        head: &Head,
        known: Option<Result<InForce, String>>,
        allowed: Option<String>,
    ) -> Plan {
        let known: Known = known.into_iter().map(|known| ("shop".to_owned(), known)).collect();
        let allowed: BTreeMap<_, _> = allowed.map(|commit| ("shop".to_owned(), commit)).into_iter().collect();
        self.plans(head, known, allowed).remove("shop").unwrap()
    }

    /// The plan for a namespace without an artifact.
    fn plan_of(&self, namespace: &str, head: &Head) -> Plan {
        self.plans(head, Known::new(), BTreeMap::new()).remove(namespace).unwrap()
    }

    fn plans(&self, head: &Head, known: Known, allowed: BTreeMap<String, String>) -> Namespaces<Plan> {
        let order = Order {
            commits: CommitLog::of(self.directory.path().to_owned(), PathBuf::new()),
            cluster_domain: ClusterDomain::default(),
            commit: head.commit,
            withdrawn: self.withdrawn.clone(),
            allowed,
            known,
            foreign: self.foreign.clone(),
        };
        planned(&order, &head.applications, &Setting::default(), &mut self.memory.borrow_mut()).unwrap()
    }
}

const RULE: &str = "{host: reviews}";
const INVALID: &str = "{host: reviews, wrong: 1}";

fn gone() -> Option<Result<InForce, String>> {
    Some(Err("the ConfigMap hfi-istio-shop is gone".to_owned()))
}

#[test]
fn a_branch_that_went_back_takes_no_artifact_back_until_somebody_agrees() {
    let mut world = World::new();
    let old = world.commit(&[("a", RULE)]);
    let head = world.commit(&[("a", "{host: ratings}")]);
    let in_force = world.plan(&head, None, false).next.unwrap();
    let plan = world.plan(&old, Some(Ok(in_force.clone())), false);
    assert_eq!(plan.next, None);
    assert!(
        plan.frozen["all applications"]
            .ends_with("is newer: the branch went back, or a mirror of the repository is behind"),
        "{:?}",
        plan.frozen
    );
    assert!(world.plan(&old, Some(Ok(in_force)), true).next.is_some());
}

#[test]
fn a_commit_of_the_future_that_was_forced_away_freezes_nothing_for_ever() {
    for is_lost in [false, true] {
        let mut world = World::new();
        world.commit(&[("a", RULE)]);
        let (first, year_2099) = (world.tip, 4_070_908_800);
        world.at = year_2099;
        let future = world.commit(&[("a", "{host: ratings}")]);
        let in_force = world.plan(&future, None, false).next.unwrap();
        (world.tip, world.at) = (first, 1);
        if is_lost {
            world.lose(&future.commit.to_string());
        }
        // It was made before, and needs consent.
        let forced = world.commit(&[("a", "{host: other}")]);
        assert_eq!(world.plan(&forced, Some(Ok(in_force.clone())), false).next, None);
        let agreed = world.plan(&forced, Some(Ok(in_force)), true).next.unwrap();
        assert_eq!(agreed.judged.id, future.commit.to_string(), "its messages have counted");
        world.at = i64::try_from(clock::now().as_millis() / 1_000).unwrap();
        let last = world.commit(&[("a", RULE)]);
        let plan = world.plan(&last, Some(Ok(agreed)), false);
        assert_eq!(plan.frozen, BTreeMap::new(), "{is_lost}");
        assert_eq!(plan.next.unwrap().judged.id, last.commit.to_string());
    }
}

#[test]
fn a_limit_for_removals_is_in_force_without_a_change_of_objects() {
    let mut world = World::new();
    let head = world.commit(&[("a", RULE)]);
    let in_force = world.plan(&head, None, false).next.unwrap();
    let mut head = world.commit(&[("a", RULE), ("other", RULE)]);
    let applications = &mut head.applications;
    applications.files.pop();
    let guardrail = policies::File::read(b"kind: Guardrail\nspec: {istio: {maxRemovals: 0}}\n");
    applications.guarded = Guarded::of([("", &guardrail)].into_iter());
    let next = world.plan(&head, Some(Ok(in_force.clone())), false).next.unwrap();
    assert_eq!((next.max_removals, &next.commit), (Some(0), &in_force.commit));
    assert_eq!(next.artifact, in_force.artifact);
    assert_eq!(world.plan(&head, Some(Ok(next)), false).next, None, "it is recorded once");
}

#[test]
fn what_an_application_had_last_is_looked_for_once() {
    let mut world = World::new();
    world.commit(&[("a", RULE)]);
    let first = world.tip.unwrap();
    let head = world.commit(&[("a", INVALID)]);
    assert_eq!(world.plan(&head, None, false).next.unwrap().objects, 1);
    // That commit can no longer be read.
    let tree = {
        let clone = BareClone::open_bare(world.directory.path()).unwrap();
        clone.find_commit(first).unwrap().tree_id().to_string()
    };
    world.lose(&tree);
    let head = world.commit(&[("a", "{host: reviews, wrong: 2}")]);
    assert_eq!(world.plan(&head, None, false).next.unwrap().objects, 1);
    // For another application it has to be read again.
    let head = world.commit(&[("a", INVALID), ("b", INVALID)]);
    let plan = world.plan(&head, None, false);
    let reason = plan.failure.unwrap();
    assert!(reason.starts_with("what its invalid applications had last is not known: "), "{reason}");
    assert!(plan.next.is_none() && plan.frozen["b"].starts_with("b.yaml:"), "{:?}", plan.frozen);
    // Nobody can say how many objects would stay.
    let plan = world.plan(&head, gone(), true);
    assert!(plan.next.is_none() && plan.failure.is_some() && plan.ends_annotation.is_none(), "{plan:?}");
}

#[test]
fn a_commit_that_cannot_be_read_concerns_the_namespaces_that_were_valid_only_before_it() {
    let mut world = World::new();
    world.commit(&[("a", INVALID), ("bank", RULE)]);
    world.commit(&[("a", "{host: reviews, wrong: 2}"), ("bank", INVALID)]);
    let tree = {
        let clone = BareClone::open_bare(world.directory.path()).unwrap();
        clone.find_commit(world.tip.unwrap()).unwrap().tree_id().to_string()
    };
    world.commit(&[("a", RULE), ("bank", INVALID)]);
    let head = world.commit(&[("a", INVALID), ("bank", INVALID)]);
    world.lose(&tree);
    for _ in 0..2 {
        let plan = world.plan(&head, None, false);
        assert_eq!((plan.next.map(|next| next.objects), plan.failure), (Some(1), None));
        let plan = world.plan_of("bank", &head);
        assert!(
            plan.next.is_none()
                && plan.failure.is_some_and(|reason| reason.contains("cannot read the history"))
        );
    }
    // It is valid again.
    let head = world.commit(&[("a", INVALID), ("bank", RULE)]);
    let plan = world.plan_of("bank", &head);
    assert_eq!((plan.next.map(|next| next.objects), plan.failure), (Some(1), None));
    let head = world.commit(&[("a", INVALID), ("bank", INVALID)]);
    let plan = world.plan_of("bank", &head);
    assert_eq!((plan.next.map(|next| next.objects), plan.failure), (Some(1), None));
}

#[test]
fn an_application_that_was_valid_before_too_much_history_counts_as_one_that_never_was() {
    let mut world = World::new();
    world.commit(&[("a", RULE)]);
    for number in 0..3 {
        world
            .commit(&[("a", &format!("{{host: reviews, wrong: '{}'}}", number.to_string().repeat(500_000)))]);
    }
    let head = world.commit(&[("a", INVALID), ("b", RULE)]);
    let plan = world.plan(&head, None, false);
    assert_eq!(plan.next.unwrap().objects, 1);
    assert_eq!(plan.frozen.keys().collect::<Vec<_>>(), ["a"]);
    assert!(plan.frozen["a"].starts_with("a.yaml:") && plan.failure.is_none(), "{:?}", plan.frozen);
}

#[test]
fn what_was_refused_for_what_another_namespace_has_is_not_had_by_a_later_mistake() {
    let mut world = World::new();
    let host =
        |name| format!("{{host: reviews}}, gateway: {{hosts: [x.example.com], tls: {{secret: {name}}}}}");
    let head = world.commit(&[("a", &host("a"))]);
    let shop = world.plan(&head, None, false).next.unwrap();
    let known = || Known::from([("shop".to_owned(), Ok(shop.clone()))]);
    let taking = world.commit(&[("a", &host("a")), ("bank", &host("b"))]);
    let plans = world.plans(&taking, known(), BTreeMap::new());
    assert!(plans["bank"].frozen["bank"].contains("[X145]"), "{:?}", plans["bank"].frozen);
    let wrong = host("b").replace("reviews", "reviews, wrong: 1");
    let head = world.commit(&[("a", &host("a")), ("bank", &wrong), ("bank2", RULE)]);
    // Another process plans.
    world.memory = RefCell::default();
    let plans = world.plans(&head, known(), BTreeMap::new());
    assert!(plans["shop"].frozen.is_empty() && plans["shop"].next.is_none(), "{:?}", plans["shop"]);
    let bank = &plans["bank"];
    assert!(bank.next.is_none() && bank.is_frozen(), "{bank:?}");
    let begin = "bank is invalid, and its last valid document is refused beside what is in force: ";
    let reason = bank.frozen.values().find(|why| why.starts_with(begin));
    assert!(reason.is_some_and(|why| why.contains("[X145]") && why.contains("shop/a")), "{:?}", bank.frozen);
    // It is corrected, and the namespace goes on.
    let head = world.commit(&[("a", &host("a")), ("bank", RULE), ("bank2", RULE)]);
    let plans = world.plans(&head, known(), BTreeMap::new());
    assert!(plans["bank"].frozen.is_empty() && plans["bank"].next.is_some(), "{:?}", plans["bank"]);
}

#[test]
fn what_an_application_had_stays_beside_documents_that_are_not_in_force() {
    let mut world = World::new();
    let host = "{host: reviews}, gateway: {hosts: [x.example.com], tls: {secret: a}}";
    world.commit(&[("a", host)]);
    let wrong = host.replace("reviews", "reviews, wrong: 1");
    let head = world.commit(&[("a", &wrong), ("b", "{host: other}"), ("bank", host)]);
    let plans = world.plans(&head, Known::new(), BTreeMap::new());
    assert_eq!(plans["shop"].frozen.keys().collect::<Vec<_>>(), ["a"], "{:?}", plans["shop"].frozen);
    assert_eq!(plans["shop"].next.as_ref().map(|next| next.objects), Some(3));
    assert!(plans["bank"].frozen["bank"].contains("[X145]"), "{:?}", plans["bank"].frozen);
}

#[test]
fn a_history_that_was_forced_away_gives_nothing_back() {
    let mut world = World::new();
    world.commit(&[("a", RULE)]);
    let head = world.commit(&[("a", INVALID)]);
    assert_eq!(world.plan(&head, None, false).next.unwrap().objects, 1);
    world.tip = None;
    world.commit(&[("b", RULE)]);
    let head = world.commit(&[("a", INVALID)]);
    assert_eq!(world.plan(&head, None, false).next, None);
}

#[test]
fn a_rename_that_is_refused_takes_nothing_away_however_long_ago_it_was() {
    let mut world = World::new();
    let first = world.commit(&[("a", RULE), ("b", RULE)]);
    let mut in_force = world.plan(&first, None, false).next.unwrap();
    for host in 0..210 {
        // The file has gone, and another one has come.
        let head = world.commit(&[("c", INVALID), ("b", &format!("{{host: h{host}}}"))]);
        if ![0, 1, 150, 209].contains(&host) {
            continue;
        }
        if host == 150 {
            // Another process knows nothing of the plans before.
            world.memory = RefCell::default();
        }
        let plan = world.plan(&head, Some(Ok(in_force)), false);
        assert!(plan.frozen["a"].contains("the new application `c` of c.yaml:1"), "{:?}", plan.frozen);
        in_force = plan.next.unwrap();
        assert_eq!(in_force.objects, 2, "{:?}", plan.frozen);
    }
    world.memory = RefCell::default();
    let head = world.commit(&[("c", INVALID), ("b", RULE)]);
    let plan = world.plan(&head, Some(Ok(in_force.clone())), false);
    assert!(plan.frozen.contains_key("a"), "the last document is over 200 commits old: {:?}", plan.frozen);
    let head = world.commit(&[("b", RULE)]);
    let plan = world.plan(&head, Some(Ok(in_force)), false);
    assert_eq!((plan.next.unwrap().objects, plan.frozen), (1, BTreeMap::new()));
}

#[test]
fn a_rename_that_is_refused_takes_nothing_away_where_the_history_cannot_be_read() {
    let mut world = World::new();
    let first = world.commit(&[("a", RULE), ("b", RULE)]);
    let in_force = world.plan(&first, None, false).next.unwrap();
    world.commit(&[("b", RULE)]);
    let tree = {
        let clone = BareClone::open_bare(world.directory.path()).unwrap();
        clone.find_commit(world.tip.unwrap()).unwrap().tree_id().to_string()
    };
    let head = world.commit(&[("c", INVALID), ("b", "{host: ratings}")]);
    world.lose(&tree);
    let plan = world.plan(&head, Some(Ok(in_force)), false);
    assert!(plan.frozen.contains_key("a"), "{:?}", plan.frozen);
    assert_eq!(plan.next.unwrap().objects, 2);
    let reason = plan.failure.unwrap();
    assert!(reason.starts_with("the last document of a is not known: "), "{reason}");
}

#[test]
fn what_was_refused_before_another_one_went_keeps_nothing_of_it_however_long_ago_that_was() {
    let mut world = World::new();
    let first = world.commit(&[("a", RULE), ("b", RULE), ("c", INVALID)]);
    let in_force = world.plan(&first, None, false).next.unwrap();
    let mut head = first;
    for changed in ["x", "y", "z"] {
        head = world.commit(&[("b", &format!("{{host: {changed}}}")), ("c", INVALID)]);
    }
    let plan = world.plan(&head, Some(Ok(in_force)), false);
    assert_eq!(plan.frozen.keys().collect::<Vec<_>>(), ["c"], "{:?}", plan.frozen);
    assert_eq!(plan.next.unwrap().objects, 1);
}
