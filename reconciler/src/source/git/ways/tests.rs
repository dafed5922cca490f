use std::{cell::Cell, collections::BTreeSet, path::PathBuf};

use git2::{Oid, Repository as BareClone, Signature, Time};

use super::{Way, Ways};
use crate::source::{
    ancestry::CommitId,
    git::{CommitLog, limits::MAX_COMMIT},
};

/// What messages say: each that does not begin with "Quiet".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said(BTreeSet<String>);

impl Said {
    fn of(message: &str) -> Self {
        Self([message.to_owned()].into_iter().filter(|message| !message.starts_with("Quiet")).collect())
    }
}

struct World {
    directory: tempfile::TempDir,
    clone: BareClone,
    /// The commits that were read.
    read: Cell<usize>,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clone = BareClone::init_bare(directory.path()).unwrap();
        Self { directory, clone, read: Cell::new(0) }
    }

    fn commit(&self, at: i64, message: &str, parents: &[CommitId]) -> CommitId {
        let author = Signature::new("A", "a@b", &Time::new(at, 0)).unwrap();
        let tree = self.clone.find_tree(self.clone.treebuilder(None).unwrap().write().unwrap()).unwrap();
        let parents =
            parents.iter().map(|id| self.clone.find_commit(Oid::from_bytes(&id.0).unwrap()).unwrap());
        let parents: Vec<_> = parents.collect();
        let id =
            self.clone.commit(None, &author, &author, message, &tree, &parents.iter().collect::<Vec<_>>());
        CommitId(id.unwrap().as_bytes().try_into().unwrap())
    }

    /// Commits that say nothing, each the parent of the next one.
    fn line(&self, commits: i64) -> Vec<CommitId> {
        let mut line = Vec::new();
        for at in 0..commits {
            let parents: Vec<_> = line.last().copied().into_iter().collect();
            line.push(self.commit(at, &format!("Quiet {at}"), &parents));
        }
        line
    }

    fn log(&self) -> CommitLog {
        CommitLog::of(self.directory.path().to_owned(), PathBuf::new())
    }

    fn ways(&self, from: &[CommitId], to: CommitId) -> Ways<Said> {
        let said = |message: &str| {
            self.read.set(self.read.get() + 1);
            Said::of(message)
        };
        let add = |_, said: &Said, sum: &mut Said| sum.0.extend(said.0.iter().cloned());
        self.log().ways(&from.iter().copied().collect(), to, said, add).unwrap()
    }

    fn way(&self, from: CommitId, to: CommitId) -> Way<Said> {
        self.ways(&[from], to).remove(&from).unwrap().unwrap()
    }
}

fn on(messages: &[&str]) -> Way<Said> {
    Way::On(Said(messages.iter().map(|message| (*message).to_owned()).collect()))
}

#[test]
fn a_way_has_the_messages_of_all_commits_in_between() {
    let world = World::new();
    let first = world.commit(1, "first", &[]);
    let (left, right) = (world.commit(2, "left", &[first]), world.commit(3, "right", &[first]));
    let merged = world.commit(4, "merged", &[left, right]);
    assert_eq!(world.way(first, merged), on(&["left", "right", "merged"]));
    assert_eq!(world.way(right, merged), on(&["left", "merged"]));
    assert_eq!(world.way(merged, merged), on(&[]));
    assert_eq!(world.way(left, right), Way::Apart, "the branch was forced");
    assert_eq!(world.way(merged, first), Way::Back);
    assert_eq!(world.way(CommitId([1; 20]), merged), Way::Apart, "the clone does not have it");
    let long = world.commit(5, &"Hfi-Removals: 9\n".repeat(MAX_COMMIT / 16 + 1), &[merged]);
    let last = world.commit(6, "last", &[long]);
    assert_eq!(world.way(merged, last), on(&["last"]), "a commit that is too long says nothing");
}

#[test]
fn the_ways_from_all_commits_are_those_from_each() {
    let world = World::new();
    // Those who make commits set their times.
    for times in [[1, 2, 3, 4, 5, 6, 7, 8], [1; 8], [8, 7, 6, 5, 4, 3, 2, 1], [5, 1, 8, 2, 7, 3, 6, 4]] {
        let is_right = times.is_sorted();
        let commit = |number: usize, parents: &[CommitId]| {
            world.commit(times[number], &format!("{number} of {times:?}"), parents)
        };
        let root = commit(0, &[]);
        let (a, b) = (commit(1, &[root]), commit(2, &[root]));
        let (c, other) = (commit(3, &[a, b]), commit(4, &[]));
        let (d, e) = (commit(5, &[c]), commit(6, &[c, other]));
        let head = commit(7, &[d]);
        let all = [root, a, b, c, other, d, e, head];
        for to in all {
            let together = world.ways(&all, to);
            for from in all {
                let (one, alone) = (together[&from].as_ref().unwrap(), world.way(from, to));
                let is_same = std::mem::discriminant(one) == std::mem::discriminant(&alone);
                assert!(
                    *one == alone || is_same && !is_right,
                    "{times:?} {from:?} {to:?}: {one:?} {alone:?}"
                );
            }
        }
        assert!(matches!(world.way(root, head), Way::On(_)) && world.way(e, head) == Way::Apart, "{times:?}");
        assert!(world.way(head, root) == Way::Back && world.way(other, head) == Way::Apart, "{times:?}");
    }
}

#[test]
fn however_many_ways_lead_over_a_commit_it_is_read_once() {
    let world = World::new();
    let line = world.line(400);
    let (head, quiet) = (line[399], &line[100..300]);
    let ways = world.ways(quiet, head);
    assert!(ways.values().all(|way| *way.as_ref().unwrap() == on(&[])));
    assert_eq!(world.read.get(), 300, "those before the oldest one are not read");
}

#[test]
fn what_lies_too_far_back_is_apart() {
    let world = World::new();
    let line = world.line(1_100);
    let (head, old) = (line[1_099], line[500]);
    assert_eq!(world.way(line[50], head), Way::Apart);
    assert_eq!(world.ways(&[line[50], old], head)[&old].as_ref().unwrap(), &on(&[]));
}

#[test]
fn a_commit_with_an_old_time_does_not_hide_the_way() {
    let world = World::new();
    let line = world.line(1_100);
    let old = world.commit(0, "Quiet and old", &[line[1_099]]);
    assert_eq!(world.way(line[1_050], old), on(&[]));
    let head = world.commit(2_000, "Quiet", &[old]);
    assert_eq!(world.way(line[1_050], head), on(&[]));
}

#[test]
fn a_commit_that_cannot_be_read_concerns_the_ways_over_it() {
    let world = World::new();
    let line = world.line(5);
    let text = Oid::from_bytes(&line[2].0).unwrap().to_string();
    let (folder, file) = text.split_at(2);
    std::fs::remove_file(world.directory.path().join("objects").join(folder).join(file)).unwrap();
    let ways = world.ways(&[line[0], line[3]], line[4]);
    let error = ways[&line[0]].as_ref().unwrap_err().to_string();
    assert!(error.starts_with("cannot read the history: an object is missing"), "{error}");
    assert_eq!(*ways[&line[3]].as_ref().unwrap(), on(&[]));
}

#[test]
fn a_commit_of_many_bytes_is_not_read_and_what_lies_behind_is_not_known() {
    let world = World::new();
    let first = world.commit(1, "first", &[]);
    let huge = world.commit(2, &"m".repeat(5 << 20), &[first]);
    let (then, last) = (world.commit(3, "then", &[huge]), world.commit(4, "last", &[huge]));
    assert_eq!(world.way(first, last), Way::Apart);
    assert_eq!(world.way(then, last), Way::Apart);
    let head = world.commit(5, "head", &[then]);
    assert_eq!(world.way(then, head), on(&["head"]), "it concerns no way that does not lead over it");
    let ways = world.ways(&[huge, then], head);
    assert!(
        ways[&huge].as_ref().unwrap_err().to_string().contains("has more than"),
        "nobody can begin there"
    );
    assert_eq!(*ways[&then].as_ref().unwrap(), on(&["head"]));
}
