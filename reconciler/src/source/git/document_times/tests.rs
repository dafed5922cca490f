//! Histories whose commits have any date.

use std::{path::Path, sync::Arc};

use git2::{ObjectType, Oid, Repository};
use policies::{File, Policy, Timestamp, repository::Start};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{DocumentTimes, find};
use crate::source::git::{budget::Cost, tree::policy_directory};

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
                "tree {}\n{parent}author a <a@example.org> 1 +0000\ncommitter a <a@example.org> {seconds} +0000\n\n",
                tree.write().unwrap()
            );
            commits.push(clone.odb().unwrap().write(ObjectType::Commit, text.as_bytes()).unwrap());
        }
        Self { _folder: folder, clone, commits }
    }

    /// The start of each document of a commit.
    fn starts(&self, at: usize, contents: [u8; 2], known: Option<(Oid, &DocumentTimes)>) -> DocumentTimes {
        let tip = self.commits[at];
        let root = self.clone.find_commit(tip).unwrap().tree().unwrap();
        let directory =
            policy_directory(&self.clone, &root, Path::new(""), None, &mut Cost::default()).unwrap();
        find(&self.clone, (tip, directory), Path::new(""), policies(contents), known, |_| None).unwrap()
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
