//! What people have agreed to in each namespace, by commit messages and by annotations of artifacts.

use std::collections::BTreeMap;

use crate::{
    istio::{
        consent::{Consent, agrees, removals},
        plan::{InForce, Namespaces},
    },
    source::{
        ancestry::CommitId,
        git::{CommitLog, Way},
    },
};

/// The consent for a namespace, and how the newest commit follows what is in force there.
#[derive(Clone, Debug)]
pub(super) struct Agreement {
    pub(super) consent: Consent,
    /// The newest commit is older than what is in force: the branch was set back, or a mirror of it is behind.
    pub(super) is_older: bool,
    /// It must be recorded that the namespace was judged: consent of messages counts once.
    pub(super) is_used: bool,
}

/// The agreements at the commit `head`. `allowed` are the commits that annotations name. Blocks.
pub(super) fn agreements(
    head: CommitId,
    in_force: &Namespaces<&InForce>,
    allowed: &Namespaces<String>,
    commits: &CommitLog,
) -> Namespaces<Agreement> {
    // Most namespaces are of few commits.
    let mut ways = BTreeMap::new();
    let mut way = |commit: &str| {
        let read = || {
            let from = CommitId::from_hex(commit)?;
            commits.way(from, head, agrees).ok()
        };
        // A history that cannot be read agrees to nothing.
        ways.entry(commit.to_owned()).or_insert_with(|| read().unwrap_or(Way::Apart)).clone()
    };
    let agreement = |(namespace, known): (&String, &&InForce)| {
        let judged = way(&known.judged);
        let messages = match &judged {
            Way::On(messages) => messages.as_slice(),
            Way::Back | Way::Apart => &[],
        };
        let numbers = messages.iter().map(|message| removals(message, namespace));
        let consent = Consent {
            removals: numbers.fold(0, usize::saturating_add),
            is_of_commit: allowed.get(namespace).is_some_and(|commit| *commit == head.to_string()),
            limit: known.max_removals,
        };
        let is_older = way(&known.commit.id) == Way::Back;
        // After a push that was forced, messages count from there on.
        let is_used = consent.removals > 0 || judged == Way::Apart;
        (namespace.clone(), Agreement { consent, is_older, is_used })
    };
    in_force.iter().map(agreement).collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::PathBuf};

    use git2::{Oid, Repository as BareClone, Signature, Time};

    use super::{Agreement, agreements};
    use crate::{
        istio::{
            artifact::Artifact,
            objects::Objects,
            plan::{Commit, InForce, Plan},
        },
        source::{ancestry::CommitId, git::CommitLog},
    };

    /// A history of commits without files, and what is in force in the namespace `shop`.
    struct World {
        directory: tempfile::TempDir,
        in_force: InForce,
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
                judged: String::new(),
            };
            let mut world = Self { directory, in_force };
            let id = world.commit(first, None);
            (world.in_force.commit.id, world.in_force.judged) = (id.clone(), id);
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

        /// The agreement at a commit.
        fn at(&self, head: &str) -> Agreement {
            let commits = CommitLog::of(self.directory.path().to_owned(), PathBuf::new());
            let in_force = BTreeMap::from([("shop".to_owned(), &self.in_force)]);
            let head = CommitId::from_hex(head).unwrap();
            agreements(head, &in_force, &BTreeMap::new(), &commits).remove("shop").unwrap()
        }

        /// Judges the namespace at a commit that changes no object of it, and returns the removals agreed to.
        fn judge(&mut self, head: &str, frozen: &[&str]) -> usize {
            let agreement = self.at(head);
            let frozen = frozen.iter().map(|name| ((*name).to_owned(), "wrong".to_owned())).collect();
            let mut plan = Plan { frozen, ..Plan::default() };
            let commit = Commit { id: head.to_owned(), at: String::new() };
            plan.record(&self.in_force, &commit, agreement.is_used);
            if let Some(next) = plan.next {
                self.in_force = next;
            }
            agreement.consent.removals
        }
    }

    #[test]
    fn a_line_of_a_message_counts_once() {
        let mut world = World::new("Add shop");
        let march = world.commit("Take bank away\n\nHfi-Removals: 60", Some(&world.in_force.judged));
        assert_eq!(world.judge(&march, &[]), 60);
        let june = world.commit("Lose a directory", Some(&march));
        assert_eq!(world.judge(&june, &[]), 0);
        assert_ne!(world.in_force.commit.id, march, "the commit that gave the content stays");
    }

    #[test]
    fn lines_of_several_commits_add_up_until_nothing_is_frozen() {
        let mut world = World::new("Add shop");
        let first =
            world.commit("Hfi-Removals: shop 12\nHfi-Removals: bank 40", Some(&world.in_force.judged));
        assert_eq!(world.judge(&first, &["reviews"]), 12);
        let second = world.commit("Hfi-Removals: 3", Some(&first));
        assert_eq!(world.judge(&second, &[]), 15);
        assert_eq!(world.judge(&second, &[]), 0);
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
        assert!(!world.at(&first).is_older, "the content is of this commit");
        assert_eq!(world.judge(&first, &[]), 0);
        assert_eq!(world.judge(&second, &[]), 0, "the line is used up");
        world.in_force.commit.id = second;
        assert!(world.at(&first).is_older);
        assert!(!world.at(&world.commit("Anew", None)).is_older);
    }
}
