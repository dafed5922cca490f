use std::{collections::BTreeSet, path::Path};

use git2::{Oid, Repository as BareClone, Signature, Time};
use policies::language::PolicyName;
use tempfile::TempDir;

use super::{DocumentHistory, user};
use crate::source::{ancestry::CommitId, git::limits::MAX_COMMIT};

/// A branch of commits, each by somebody and with some delay for the policies `a`, `b`, …, each in a file of its own.
struct Branch {
    folder: TempDir,
    clone: BareClone,
    commits: Vec<Oid>,
}

impl Branch {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clone = BareClone::init_bare(folder.path()).unwrap();
        Self { folder, clone, commits: Vec::new() }
    }

    fn commit(&mut self, author: &str, message: &str, delays: &[u32]) -> CommitId {
        let mut tree = self.clone.treebuilder(None).unwrap();
        for (name, delay) in ('a'..).zip(delays) {
            let text = format!(
                "metadata: {{name: {name}}}\nspec: {{rules: [{{fault: {{percentage: 1, delay_ms: {delay}}}}}]}}\n"
            );
            let blob = self.clone.blob(text.as_bytes()).unwrap();
            tree.insert(format!("{name}.yaml"), blob, 0o100_644).unwrap();
        }
        let tree = self.clone.find_tree(tree.write().unwrap()).unwrap();
        let author = Signature::new(author, "a@b", &Time::new(1, 0)).unwrap();
        let parents: Vec<_> =
            self.commits.last().map(|id| self.clone.find_commit(*id).unwrap()).into_iter().collect();
        let parents: Vec<_> = parents.iter().collect();
        let id = self.clone.commit(None, &author, &author, message, &tree, &parents).unwrap();
        self.commits.push(id);
        CommitId(id.as_bytes().try_into().unwrap())
    }

    fn history(&self) -> DocumentHistory {
        DocumentHistory::new(self.folder.path(), Path::new(""))
    }
}

fn name(name: &str) -> PolicyName {
    name.to_owned().try_into().unwrap()
}

fn by_uma(subject: &str) -> String {
    format!("{subject}\n\nHfi-User: uma\nHfi-Request: 1\n")
}

/// A message that makes its commit longer than one that is served, and that ends like one for uma.
fn long() -> String {
    by_uma(&format!("Long\n\n{}", "m".repeat(MAX_COMMIT)))
}

#[test]
fn a_commit_over_the_limit_is_told_as_any_other_and_for_no_user() {
    let mut branch = Branch::new();
    branch.commit("Uma", &by_uma("First"), &[1, 1]);
    let long = branch.commit("Vera", &long(), &[2, 1]);
    let tip = branch.commit("Uma", &by_uma("Last"), &[2, 2]);
    let changed = branch.history().of(tip, &name("a"), 100, 100).unwrap();
    let told: Vec<_> = changed.commits.iter().map(|commit| (&*commit.author, &*commit.subject)).collect();
    assert_eq!((&*told, changed.is_partial), (&[("Vera", "Long"), ("Uma", "First")][..], false));
    let last = branch.history().last_changes(tip, None, &BTreeSet::from([name("a"), name("b")])).unwrap();
    assert_eq!((last[&name("a")].id, &last[&name("a")].user), (long, &None));
    assert_eq!((last[&name("b")].id, last[&name("b")].user.as_deref()), (tip, Some("uma")));
    let stood = branch.history().at(tip, long, &name("a")).unwrap().expect("it is not one that is looked at");
    assert!(stood[0].document.as_ref().unwrap().to_json().contains('2'));
}

#[test]
fn a_commit_that_is_far_over_the_limit_is_the_end() {
    let mut branch = Branch::new();
    let first = branch.commit("Uma", "First", &[1]);
    branch.commit("Vera", &"m".repeat(5 * MAX_COMMIT), &[2]);
    branch.commit("Uma", "Then", &[3]);
    let tip = branch.commit("Uma", "Last", &[4]);
    let changed = branch.history().of(tip, &name("a"), 100, 100).unwrap();
    let subjects: Vec<_> = changed.commits.iter().map(|commit| commit.subject.as_str()).collect();
    assert_eq!((&*subjects, changed.is_partial), (&["Last"][..], true));
    assert!(branch.history().at(tip, first, &name("a")).unwrap().is_none());
}

#[test]
fn commits_over_the_limit_count_as_any_other() {
    let mut branch = Branch::new();
    let first = branch.commit("Uma", "First", &[1]);
    branch.commit("Vera", &long(), &[2]);
    let tip = branch.commit("Uma", "Last", &[3]);
    let changed = branch.history().of(tip, &name("a"), 2, 100).unwrap();
    let subjects: Vec<_> = changed.commits.iter().map(|commit| commit.subject.as_str()).collect();
    assert_eq!((&*subjects, changed.is_partial), (&["Last", "Long"][..], true));
    assert!(branch.history().at(tip, first, &name("a")).unwrap().is_some());
}

#[test]
fn commits_that_are_too_long_together_are_the_end() {
    let mut branch = Branch::new();
    let first = branch.commit("Uma", "First", &[0]);
    let second = branch.commit("Vera", &long(), &[1]);
    let third = branch.commit("Vera", &long(), &[2]);
    let fourth = branch.commit("Vera", &long(), &[3]);
    let fifth = branch.commit("Vera", &long(), &[4]);
    let tip = branch.commit("Uma", "Last", &[5]);
    let changed = branch.history().of(tip, &name("a"), 100, 100).unwrap();
    let ids: Vec<_> = changed.commits.iter().map(|commit| commit.id).collect();
    // What the oldest of those that are read changed is not known without its parent.
    assert_eq!((&*ids, changed.is_partial), (&[tip, fifth, fourth][..], true));
    let is_read = |commit| branch.history().at(tip, commit, &name("a")).unwrap().is_some();
    assert_eq!([third, second, first].map(is_read), [true, false, false]);
    // A policy that none of them changed is not known to have no newer change.
    assert!(branch.history().last_changes(tip, None, &BTreeSet::from([name("z")])).unwrap().is_empty());
}

#[test]
fn the_user_of_a_commit_is_in_its_last_paragraph() {
    let user = |message| user(message);
    assert_eq!(user("Apply a\n\nHfi-User: alice\nHfi-Request: 1\n").as_deref(), Some("alice"));
    assert_eq!(user("Hfi-User: bob\n\nHfi-User: alice\nHfi-Request: 1\n").as_deref(), Some("alice"));
    for by_hand in
        ["", "By hand", "Hfi-User: bob", "By hand\n\nHfi-User: bob\n\nThis is the last paragraph.\n"]
    {
        assert_eq!(user(by_hand), None, "{by_hand}");
    }
}
