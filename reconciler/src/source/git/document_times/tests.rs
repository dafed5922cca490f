//! Histories whose commits have any date.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use git2::{ObjectType, Oid, Repository};
use policies::{File, Policy, Timestamp, repository::Start};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{Deadline, DocumentTimes, Starts, TimesError, job::TimesJob, walk::Walk};
use crate::source::git::{budget::Cost, directory::Directory, tree::policy_directory};

/// A commit: its date, and the content of each of two documents, which are absent at 0.
type Made = (i64, [u8; 2]);

struct History {
    _folder: TempDir,
    clone: Repository,
    commits: Vec<Oid>,
}

fn document(name: usize, content: u8) -> String {
    format!(
        "metadata: {{name: p{name}}}\nspec: {{rules: [{{fault: {{percentage: {content}, duration_seconds: 60, delay_ms: 1}}}}]}}\n"
    )
}

/// The documents of a commit, by number.
fn documents(contents: [u8; 2]) -> Vec<(usize, String)> {
    let present = contents.into_iter().enumerate().filter(|(_, content)| *content > 0);
    present.map(|(name, content)| (name, document(name, content))).collect()
}

impl History {
    fn new(made: &[Made]) -> Self {
        Self::with_message(made, "")
    }

    fn with_message(made: &[Made], message: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clone = Repository::init_bare(folder.path()).unwrap();
        let mut commits = Vec::<Oid>::new();
        for (seconds, contents) in made {
            let mut tree = clone.treebuilder(None).unwrap();
            for (name, text) in documents(*contents) {
                tree.insert(format!("{name}.yaml"), clone.blob(text.as_bytes()).unwrap(), 0o100_644).unwrap();
            }
            let parent = commits.last().map_or(String::new(), |parent| format!("parent {parent}\n"));
            // The author's date is another one, and counts for nothing. libgit2 would cut the dates to 32 bits.
            let text = format!(
                "tree {}\n{parent}author a <a@example.org> 1 +0000\ncommitter a <a@example.org> {seconds} +0000\n\n{message}",
                tree.write().unwrap()
            );
            commits.push(clone.odb().unwrap().write(ObjectType::Commit, text.as_bytes()).unwrap());
        }
        Self { _folder: folder, clone, commits }
    }

    /// The walk for the documents of a commit.
    fn walk(
        &self,
        at: usize,
        contents: [u8; 2],
        known: Option<(Oid, &DocumentTimes)>,
        deadline: Deadline,
    ) -> Result<DocumentTimes, TimesError> {
        let wanted = policies(contents);
        let known = known.map(|(commit, times)| (commit, times.of_all(&wanted)));
        let known = known.as_ref().map(|(commit, starts)| (*commit, starts));
        let walk = Walk { clone: &self.clone, path: Path::new(""), known, deadline };
        let starts = walk.starts((self.commits[at], self.directory(at)), &wanted, |_| None)?;
        let job = TimesJob::new(self.commits[at], Path::new(""), known);
        let of_job = Starts::from(&job.work(&self.clone).unwrap());
        assert_eq!(of_job, starts, "another process finds the same");
        Ok(DocumentTimes::new(wanted, &starts))
    }

    fn directory(&self, at: usize) -> Option<Arc<Directory>> {
        let root = self.clone.find_commit(self.commits[at]).unwrap().tree().unwrap();
        policy_directory(&self.clone, &root, Path::new(""), None, &mut Cost::default()).unwrap()
    }

    /// The start of each document of a commit.
    fn starts(&self, at: usize, contents: [u8; 2], known: Option<(Oid, &DocumentTimes)>) -> DocumentTimes {
        self.walk(at, contents, known, Deadline(None)).unwrap()
    }
}

fn policies(contents: [u8; 2]) -> Vec<Arc<Policy>> {
    let files = documents(contents).into_iter().map(|(_, text)| File::read(text.as_bytes()));
    files
        .flat_map(|file| file.policies().iter().map(|parsed| Arc::clone(&parsed.policy)).collect::<Vec<_>>())
        .collect()
}

fn date(seconds: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000))
}

/// The start by its definition: the date of the commit that brought the content, or the earliest of those after it.
fn plain(made: &[Made], name: usize) -> Start {
    let content = |(_, contents): &Made| contents[name];
    let last = made.last().map(content);
    let since = made.iter().rposition(|made| Some(content(made)) != last).map_or(0, |other| other + 1);
    let at = made[since..].iter().map(|(seconds, _)| date(*seconds)).min().unwrap();
    Start { at, dated: date(made[since].0) }
}

fn histories() -> impl Strategy<Value = Vec<Made>> {
    let seconds = prop_oneof![
        8 => 1_700_000_000..1_700_000_010_i64,
        1 => Just(1_800_000_000),
        1 => prop_oneof![Just(i64::MAX), Just(0), Just(-1), Just(i64::MIN + 1)],
    ];
    prop::collection::vec((seconds, [0..3_u8, 0..3_u8]), 1..9)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_document_counts_from_the_earliest_date_since_it_is_there(made in histories()) {
        let history = History::new(&made);
        let mut earlier: Option<(Oid, DocumentTimes)> = None;
        let mut ends = [None; 2];
        for (at, (_, contents)) in made.iter().enumerate() {
            let known = earlier.as_ref().map(|(commit, times)| (*commit, times));
            let followed = history.starts(at, *contents, known);
            let fresh = history.starts(at, *contents, None);
            for policy in policies(*contents) {
                let name = usize::from(policy.name.as_str() == "p1");
                let start = followed.of(&policy);
                prop_assert_eq!(start, Some(plain(&made[..=at], name)), "{} at {}", policy.name, at);
                prop_assert_eq!(start, fresh.of(&policy), "a replica that starts without a state agrees");
                // As the branch grows, an end comes nearer, or begins again with another content.
                let is = (contents[name], start.unwrap().at);
                let is_later = ends[name].is_some_and(|(content, end)| content == is.0 && end < is.1);
                prop_assert!(!is_later, "{} is lengthened by commit {}", policy.name, at);
                ends[name] = Some(is);
            }
            for name in 0..2 {
                ends[name] = ends[name].filter(|_| contents[name] > 0);
            }
            earlier = Some((history.commits[at], followed));
        }
    }
}

#[test]
fn a_walk_ends_at_its_deadline() {
    let history = History::new(&[(1, [1, 0]), (2, [1, 0])]);
    let over = Deadline(Some(Instant::now() - Duration::from_secs(1)));
    assert!(matches!(history.walk(1, [1, 0], None, over), Err(TimesError::Late)));
    let far = Deadline(Some(Instant::now() + Duration::from_secs(600)));
    let policy = &policies([1, 0])[0];
    assert_eq!(history.walk(1, [1, 0], None, far).unwrap().of(policy), Some(date(1).into()));
}

#[test]
fn huge_commits_were_never_served_and_are_left_to_another_process() {
    let made = [(1, [1, 0]), (2, [0, 0]), (3, [1, 0])];
    let history = History::new(&made);
    let huge = History::with_message(&made, &"m".repeat(2 << 20));
    // A tip that can be read, on top of those that cannot.
    let tip = |history: &mut History| {
        let tree = history.clone.find_commit(history.commits[2]).unwrap().tree_id();
        let parent = history.commits[2];
        let text =
            format!("tree {tree}\nparent {parent}\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 4 +0000\n\n");
        history
            .commits
            .push(history.clone.odb().unwrap().write(ObjectType::Commit, text.as_bytes()).unwrap());
    };
    let policy = &policies([1, 0])[0];
    for (mut history, start) in [(history, 3), (huge, 4)] {
        tip(&mut history);
        assert_eq!(history.starts(3, [1, 0], None).of(policy), Some(date(start).into()));
        let far = Deadline(Some(Instant::now() + Duration::from_secs(600)));
        assert_eq!(history.walk(3, [1, 0], None, far).is_err(), start == 4);
    }
}
