//! What people have agreed to in each namespace, by commit messages and by annotations of artifacts.

use policies::Timestamp;

use super::{unplanned, ways::Ways};
use crate::{
    clock,
    istio::{
        consent::Consent,
        plan::{Commit, InForce, Messages, Namespaces},
    },
    source::{SourceError, git::Way},
};

/// The consent for a namespace, and how the newest commit follows what is in force there.
#[derive(Debug)]
pub(super) struct Agreement {
    pub(super) consent: Consent,
    pub(super) history: Result<History, SourceError>,
}

/// The most by which the clock of another replica is ahead of this one, in milliseconds.
const SKEW: u64 = 5 * 60 * 1_000;

/// How the newest commit follows what is in force.
#[derive(Clone, Debug)]
pub(super) struct History {
    /// A commit by which the namespace was judged, and that is newer: the branch was set back, or a mirror of it is behind.
    pub(super) newer: Option<Commit>,
    pub(super) messages: Messages,
    /// The removals that messages agree to.
    removals: usize,
}

impl Agreement {
    /// The reason why the namespace must not change, if there is one.
    pub(super) fn why_not(&self) -> Option<String> {
        match &self.history {
            Err(error) => Some(error.to_string()),
            Ok(_) if self.consent.is_of_commit => None,
            Ok(history) => history.newer.as_ref().map(unplanned::too_old),
        }
    }
}

/// The time in whole seconds, as commits have it.
pub(super) fn now() -> Timestamp {
    Timestamp::from_millis(clock::now().as_millis() / 1_000 * 1_000)
}

/// The agreements at a commit. `allowed` are the commits that annotations name. A history that cannot be read agrees to
/// nothing, and concerns no other namespace.
pub(super) fn agreements(
    head: &Commit,
    ways: &Ways,
    in_force: &Namespaces<&InForce>,
    allowed: &Namespaces<String>,
) -> Namespaces<Agreement> {
    let soon = now().plus_millis(SKEW).to_rfc3339();
    let history = |namespace: &str, known: &InForce| {
        // A time of the future says nothing, but the clock of the replica that has judged may be ahead of this one.
        let is_older = |than: &Commit| than.at <= soon && head.at < than.at;
        let (messages, removals) = match ways.from(&known.judged.id)? {
            Way::On(agreed) => {
                let removals = agreed.get(namespace).copied().unwrap_or_default();
                (if removals > 0 { Messages::Agree } else { Messages::None }, removals)
            }
            Way::Back => (Messages::Counted, 0),
            Way::Apart if is_older(&known.judged) => (Messages::Counted, 0),
            Way::Apart => (Messages::Lost, 0),
        };
        let mut newer = None;
        for judged in [&known.commit, &known.judged] {
            let is_newer = match ways.from(&judged.id)? {
                Way::Back => true,
                Way::Apart => is_older(judged),
                Way::On(_) => false,
            };
            newer = newer.or_else(|| is_newer.then(|| judged.clone()));
        }
        Ok(History { newer, messages, removals })
    };
    let agreement = |(namespace, known): (&String, &&InForce)| {
        let history = history(namespace, known);
        let consent = Consent {
            removals: history.as_ref().map_or(0, |history| history.removals),
            is_of_commit: allowed.get(namespace) == Some(&head.id),
            limit: known.max_removals,
        };
        (namespace.clone(), Agreement { consent, history })
    };
    in_force.iter().map(agreement).collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::PathBuf};

    use git2::{Oid, Repository as BareClone, Signature, Time};

    use policies::language::ClusterDomain;

    use super::{Agreement, History, Way, Ways, agreements, now};
    use crate::{
        istio::{
            artifact::Artifact,
            foreign::Foreign,
            objects::Objects,
            plan::{Commit, InForce, Messages, Namespaces, Plan},
        },
        planning::order::Order,
        source::{ancestry::CommitId, git::CommitLog},
    };

    /// A history of commits without files, and what is in force in the namespace `shop`.
    struct World {
        directory: tempfile::TempDir,
        in_force: InForce,
        /// The time of the commit that is judged.
        now: &'static str,
    }

    impl World {
        fn new(first: &str) -> Self {
            let directory = tempfile::tempdir().unwrap();
            BareClone::init_bare(directory.path()).unwrap();
            let in_force = InForce {
                artifact: Artifact::of(&Objects::default()).unwrap(),
                objects: 0,
                commit: Commit { id: String::new(), at: String::new() },
                renderer: "1".to_owned(),
                max_removals: None,
                judged: Commit { id: String::new(), at: String::new() },
            };
            let mut world = Self { directory, in_force, now: "2026-01-02T00:00:00Z" };
            let id = world.commit(first, None);
            (world.in_force.commit.id, world.in_force.judged.id) = (id.clone(), id);
            world
        }

        fn commit(&self, message: &str, parent: Option<&str>) -> String {
            let clone = BareClone::open_bare(self.directory.path()).unwrap();
            let author = Signature::new("A", "a@b", &Time::new(1, 0)).unwrap();
            let tree = clone.find_tree(clone.treebuilder(None).unwrap().write().unwrap()).unwrap();
            let parent = parent.map(|id| clone.find_commit(Oid::from_str(id).unwrap()).unwrap());
            let parents: Vec<_> = parent.iter().collect();
            clone.commit(None, &author, &author, message, &tree, &parents).unwrap().to_string()
        }

        fn order(&self, head: &str, in_force: &Namespaces<InForce>) -> Order {
            Order {
                commits: CommitLog::of(self.directory.path().to_owned(), PathBuf::new()),
                cluster_domain: ClusterDomain::default(),
                commit: CommitId::from_hex(head).unwrap(),
                withdrawn: None,
                allowed: BTreeMap::new(),
                known: in_force.iter().map(|(name, known)| (name.clone(), Ok(known.clone()))).collect(),
                foreign: Foreign::default(),
            }
        }

        fn agreements(&self, head: &str, in_force: &Namespaces<InForce>) -> Namespaces<Agreement> {
            let order = self.order(head, in_force);
            let in_force = in_force.iter().map(|(name, known)| (name.clone(), known)).collect();
            let head = Commit { id: head.to_owned(), at: self.now.to_owned() };
            agreements(&head, &Ways::of(&order).unwrap(), &in_force, &BTreeMap::new())
        }

        /// The history up to a commit.
        fn at(&self, head: &str) -> History {
            let in_force = [("shop".to_owned(), self.in_force.clone())].into();
            let agreement = self.agreements(head, &in_force).remove("shop").unwrap();
            let history = agreement.history.unwrap();
            assert_eq!(agreement.consent.removals, history.removals);
            history
        }

        /// Judges the namespace at a commit that changes no object of it, and returns the removals agreed to.
        fn judge(&mut self, head: &str, frozen: &[&str]) -> usize {
            self.judge_plan(head, frozen, Plan::default())
        }

        /// The same, where this is planned.
        fn judge_plan(&mut self, head: &str, frozen: &[&str], plan: Plan) -> usize {
            let history = self.at(head);
            let frozen = frozen.iter().map(|name| ((*name).to_owned(), "wrong".to_owned())).collect();
            let mut plan = Plan { frozen, ..plan };
            let commit = Commit { id: head.to_owned(), at: self.now.to_owned() };
            plan.record(&self.in_force, &commit, history.messages);
            if let Some(next) = plan.next {
                self.in_force = next;
            }
            history.removals
        }

        /// Takes a commit out of the clone.
        fn lose(&self, commit: &str) {
            std::fs::remove_file(self.object(commit)).unwrap();
        }

        fn object(&self, commit: &str) -> PathBuf {
            let (folder, file) = commit.split_at(2);
            self.directory.path().join("objects").join(folder).join(file)
        }
    }

    #[test]
    fn a_line_of_a_message_counts_once() {
        let mut world = World::new("Add shop");
        let march = world.commit("Take bank away\n\nHfi-Removals: 60", Some(&world.in_force.judged.id));
        assert_eq!(world.judge(&march, &[]), 60);
        let june = world.commit("Lose a directory", Some(&march));
        assert_eq!(world.judge(&june, &[]), 0);
        assert_ne!(world.in_force.commit.id, march, "the commit that gave the content stays");
    }

    #[test]
    fn lines_are_kept_for_the_namespaces_that_ask_for_them() {
        let world = World::new("Add shop");
        let first = world.in_force.commit.id.clone();
        let second = world.commit("Add bank", Some(&first));
        let head = world.commit("Hfi-Removals: shop 12\nHfi-Removals: bank 40", Some(&second));
        let bank = Commit { id: second.clone(), ..world.in_force.judged.clone() };
        let bank = InForce { judged: bank, ..world.in_force.clone() };
        let in_force = [("shop".to_owned(), world.in_force.clone()), ("bank".to_owned(), bank)].into();
        let ways = Ways::of(&world.order(&head, &in_force)).unwrap();
        for (from, namespace, removals) in [(&first, "shop", 12), (&second, "bank", 40)] {
            assert_eq!(*ways.from(from).unwrap(), Way::On([(namespace.to_owned(), removals)].into()));
        }
    }

    #[test]
    fn lines_of_several_commits_add_up_until_nothing_is_frozen() {
        let mut world = World::new("Add shop");
        let first =
            world.commit("Hfi-Removals: shop 12\nHfi-Removals: bank 40", Some(&world.in_force.judged.id));
        assert_eq!(world.judge(&first, &["reviews"]), 12);
        let second = world.commit("Hfi-Removals: 3", Some(&first));
        assert_eq!(world.judge(&second, &[]), 15);
        assert_eq!(world.judge(&second, &[]), 0);
    }

    #[test]
    fn a_line_by_which_objects_went_is_used_up_although_another_application_is_frozen() {
        let mut world = World::new("Add shop");
        let first = world.commit("Take cart away\n\nHfi-Removals: 40", Some(&world.in_force.judged.id));
        let lossy = || Plan { by_consent: true, ..Plan::default() };
        assert_eq!(world.judge_plan(&first, &["reviews"], lossy()), 40);
        let second = world.commit("Lose orders", Some(&first));
        assert_eq!(world.judge_plan(&second, &["reviews"], lossy()), 0);
    }

    #[test]
    fn a_line_counts_once_although_a_mirror_goes_back_behind_it() {
        for is_lost in [false, true] {
            let mut world = World::new("Add shop");
            let first = world.in_force.commit.id.clone();
            let second = world.commit("Hfi-Removals: 40", Some(&first));
            assert_eq!(world.judge(&second, &[]), 40);
            // Another replica leads. Its clone may have no newer commit.
            if is_lost {
                world.lose(&second);
            }
            world.now = "2026-01-01T00:00:00Z";
            let newer = world.at(&first).newer.map(|newer| newer.id);
            assert_eq!(newer.as_ref(), Some(&second), "{is_lost}");
            // Somebody agrees to what the older commit removes.
            let next = InForce { objects: 7, ..world.in_force.clone() };
            let plan = Plan { next: Some(next), ..Plan::default() };
            assert_eq!(world.judge_plan(&first, &[], plan), 0, "{is_lost}");
            assert_eq!((world.in_force.objects, &world.in_force.judged.id), (7, &second), "{is_lost}");
            // The mirror catches up.
            world.now = "2026-01-03T00:00:00Z";
            assert_eq!(world.commit("Hfi-Removals: 40", Some(&first)), second);
            let third = world.commit("Lose orders", Some(&second));
            assert_eq!(world.judge(&third, &[]), 0, "{is_lost}");
        }
    }

    #[test]
    fn a_history_that_cannot_be_read_agrees_to_nothing_and_concerns_no_other_namespace() {
        let world = World::new("Add shop");
        let first = world.in_force.commit.id.clone();
        let damaged = world.commit("Hfi-Removals: 40", Some(&first));
        let head = world.commit("Hfi-Removals: 2", Some(&first));
        world.lose(&damaged);
        std::fs::write(world.object(&damaged), "damaged").unwrap();
        let bank = InForce {
            judged: Commit { id: damaged, ..world.in_force.judged.clone() },
            ..world.in_force.clone()
        };
        let in_force = [("shop".to_owned(), world.in_force.clone()), ("bank".to_owned(), bank)].into();
        let agreements = world.agreements(&head, &in_force);
        assert_eq!(agreements["shop"].consent.removals, 2);
        assert_eq!(agreements["bank"].consent.removals, 0);
        let error = agreements["bank"].history.as_ref().unwrap_err().to_string();
        assert!(error.starts_with("cannot read the history: "), "{error}");
    }

    #[test]
    fn after_a_forced_push_that_loses_objects_the_next_line_agrees_to_that() {
        let mut world = World::new("Add shop");
        let forced = world.commit("Lose cart\n\nHfi-Removals: 60", None);
        assert_eq!(world.judge(&forced, &["cart"]), 0);
        let next = world.commit("Hfi-Removals: 12", Some(&forced));
        assert_eq!(world.judge(&next, &["cart"]), 12);
    }

    #[test]
    fn a_commit_in_force_that_the_clone_lacks_is_newer_than_an_older_head() {
        let mut world = World::new("Add shop");
        let head = world.in_force.commit.id.clone();
        world.in_force.commit = Commit { id: "1".repeat(40), at: "2026-01-03T00:00:00Z".to_owned() };
        assert!(world.at(&head).newer.is_some());
        world.in_force.commit.at = "2026-01-01T00:00:00Z".to_owned();
        assert!(world.at(&head).newer.is_none());
    }

    #[test]
    fn a_replica_that_has_what_was_forced_away_says_the_same_as_one_that_has_not() {
        for at in ["2026-01-03T00:00:00Z", "2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
            let mut world = World::new("Add shop");
            (world.in_force.commit.at, world.in_force.judged.at) = (at.to_owned(), at.to_owned());
            let forced = world.commit("Add shop anew", None);
            let says = |world: &World| {
                let History { newer, messages, .. } = world.at(&forced);
                (newer.is_some(), messages)
            };
            let has = says(&world);
            world.lose(&world.in_force.commit.id);
            let expected = if at.starts_with("2026") && at > world.now {
                (true, Messages::Counted)
            } else {
                (false, Messages::Lost)
            };
            assert_eq!((has, says(&world)), (expected, expected), "{at}");
        }
    }

    #[test]
    fn a_commit_in_force_is_newer_although_the_clock_of_who_judged_it_was_a_little_ahead() {
        for (minutes, is_newer) in [(4, true), (6, false)] {
            let mut world = World::new("Add shop");
            let head = world.in_force.commit.id.clone();
            let at = now().plus_millis(minutes * 60 * 1_000).to_rfc3339();
            world.in_force.commit = Commit { id: "1".repeat(40), at };
            assert_eq!(world.at(&head).newer.is_some(), is_newer, "{minutes}");
        }
    }

    #[test]
    fn after_a_forced_push_only_later_lines_count() {
        let mut world = World::new("Add shop");
        let forced = world.commit("Add shop anew\n\nHfi-Removals: 60", None);
        assert_eq!(world.judge(&forced, &[]), 0);
        let next = world.commit("Hfi-Removals: 12", Some(&forced));
        assert_eq!(world.judge(&next, &[]), 12);
    }

    #[test]
    fn a_head_that_goes_back_is_older_and_uses_nothing_up() {
        let mut world = World::new("Add shop");
        let first = world.in_force.commit.id.clone();
        let second = world.commit("Hfi-Removals: 12", Some(&first));
        world.judge(&second, &[]);
        assert!(world.at(&first).newer.is_some(), "it was judged by the second one");
        assert_eq!(world.judge(&first, &[]), 0);
        assert_eq!(world.judge(&second, &[]), 0, "the line is used up");
        world.in_force.commit.id = second;
        assert!(world.at(&first).newer.is_some());
        assert!(world.at(&world.commit("Anew", None)).newer.is_none());
    }
}
