//! What became of a branch and of the writes to it, by the log of its ref.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use harness::Repository;

use crate::support::writing::{Answer, git};

/// The message in the log of the ref of those who force.
pub(crate) const FORCED: &str = "forced by hand";

/// A write, as its client knows it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The subject of its commit, which no other write has.
    pub(crate) label: String,
    pub(crate) policy: String,
    pub(crate) end: End,
}

/// What a client was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Written(String),
    Unchanged,
    NotWritten,
    Unknown,
}

/// A move of the branch.
struct Move {
    old: String,
    new: String,
    is_forced: bool,
}

impl From<&Answer> for End {
    fn from(answer: &Answer) -> Self {
        match (answer.status, answer.body["commit"].as_str()) {
            (200 | 201, Some(commit)) => Self::Written(commit.to_owned()),
            (200, None) => Self::Unchanged,
            (504, _) => Self::Unknown,
            (400..=499 | 503, _) => Self::NotWritten,
            _ => panic!("{answer:?}"),
        }
    }
}

/// Has the repository keep all that becomes of its branch.
pub(crate) fn watch(repository: &Repository) {
    git(repository, &["config", "core.logAllRefUpdates", "always"]);
    git(repository, &["config", "gc.auto", "0"]);
    git(repository, &["config", "receive.autogc", "false"]);
    git(repository, &["update-ref", "-m", "begin", "--create-reflog", "refs/heads/main", "main"]);
    let log = repository.bare().join("logs/refs/heads/main");
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
}

fn moves(repository: &Repository) -> Vec<Move> {
    let log = fs::read_to_string(repository.bare().join("logs/refs/heads/main")).unwrap();
    let moves = log.lines().map(|line| {
        let (ids, message) = line.split_once('\t').unwrap_or((line, ""));
        let (old, rest) = ids.split_once(' ').unwrap();
        let new = rest.split(' ').next().unwrap();
        Move { old: old.to_owned(), new: new.to_owned(), is_forced: message == FORCED }
    });
    moves.filter(|step| step.old != step.new && step.old.contains(|digit| digit != '0')).collect()
}

fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(str::to_owned).collect()
}

/// Checks that each write that was acknowledged is in the history, or was undone by somebody else; that none is there
/// twice, nor one that was refused; and that nobody but those who force has undone anything. Returns the number of
/// writes that are in the history.
#[track_caller]
pub(crate) fn nobody_lost_anything(repository: &Repository, told: &[Told]) -> usize {
    git(repository, &["fsck", "--strict", "--no-dangling"]);
    let moves = moves(repository);
    let (mut undone, mut tips) = (BTreeSet::new(), BTreeSet::from(["main".to_owned()]));
    for step in &moves {
        let lost = git(repository, &["rev-list", &step.old, &format!("^{}", step.new)]);
        assert!(step.is_forced || lost.is_empty(), "a push has undone {lost}");
        undone.extend(lines(&lost));
        if step.is_forced {
            tips.insert(step.old.clone());
        }
    }
    let last = moves.last().map(|step| step.new.clone());
    assert!(
        last.is_none_or(|last| git(repository, &["rev-parse", "main"]).trim() == last),
        "the log is whole"
    );
    let mut by_subject: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for tip in &tips {
        let log = git(repository, &["log", "--format=%H %s", tip]);
        let mut seen = BTreeSet::new();
        for (commit, subject) in log.lines().filter_map(|line| line.split_once(' ')) {
            by_subject.entry(subject.to_owned()).or_default().insert(commit.to_owned());
            assert!(!subject.starts_with("w-") || seen.insert(subject), "{subject} was done twice");
        }
    }
    let present = lines(&git(repository, &["rev-list", "main"]));
    let none = BTreeSet::new();
    for write in told {
        let commits = by_subject.get(&write.label).unwrap_or(&none);
        match &write.end {
            End::Written(commit) => {
                assert!(present.contains(commit) || undone.contains(commit), "{write:?} is lost");
                assert!(commits.contains(commit), "{write:?} is another commit: {commits:?}");
            }
            End::Unchanged | End::NotWritten => {
                assert!(commits.is_empty(), "{write:?} was done: {commits:?}")
            }
            End::Unknown => {}
        }
        for commit in commits {
            let files = git(repository, &["diff-tree", "--no-commit-id", "--name-only", "-r", commit]);
            assert_eq!(files.trim(), format!("{}.yaml", write.policy), "{write:?} touches others");
        }
    }
    told.iter()
        .filter(|write| by_subject.get(&write.label).is_some_and(|commits| !commits.is_disjoint(&present)))
        .count()
}
