//! A duration counts from the first-parent commit that gave the document its present content, so
//! that every replica and every restart agree on the end.

use std::path::{Path, PathBuf};

use harness::Repository;
use policies::Timestamp;
use reconciler::{
    source::{Settings, Source, location, target::Target},
    sync::loader::Loader,
};

/// The time of the first commit, in seconds since the Unix epoch.
const BEGIN: u64 = 1_700_000_000;

fn timed(name: &str, seconds: u32, comment: &str) -> String {
    format!(
        "# {comment}\nmetadata: {{name: {name}}}\nspec: {{rules: [{{fault: {{percentage: 1, duration_seconds: {seconds}, delay_ms: 1}}}}]}}\n"
    )
}

/// A repository whose commits are a hundred seconds apart.
struct History {
    repository: Repository,
    commits: u64,
}

impl History {
    async fn new() -> Self {
        Self { repository: Repository::new().await.unwrap(), commits: 0 }
    }

    /// Commits what is in the clone; how many seconds after the beginning.
    async fn commit(&mut self) -> u64 {
        let after = self.commits * 100;
        self.commits += 1;
        self.git(&["add", "--all"], after).await;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "Go on"], after).await;
        self.git(&["push", "--quiet", "--force", "origin", "main"], after).await;
        after
    }

    async fn git(&self, arguments: &[&str], after: u64) {
        self.repository.git_at(BEGIN + after, arguments).await.unwrap();
    }
}

/// Something that reads the history.
struct Replica {
    source: Source,
    loader: Loader,
}

impl Replica {
    fn new(bare: PathBuf, path: &str) -> Self {
        let settings = Settings::Git {
            repository: location::Repository::Local(bare),
            target: Target::Branch("main".parse().unwrap()),
            path: Path::new(path).to_owned(),
            access: Box::new(crate::support::remote::access()),
        };
        Self { source: Source::open(settings, None).unwrap(), loader: Loader::default() }
    }

    /// The seconds from the beginning to the start of each timed policy, by name.
    fn starts(&mut self) -> Vec<(String, u64)> {
        let loaded = self.loader.load(&mut self.source).unwrap().expect("nothing is new");
        let start = |start: Timestamp| start.as_millis() / 1_000 - BEGIN;
        let placed = loaded.catalog.policies().iter();
        placed
            .filter_map(|placed| {
                Some((placed.entry.policy.name.to_string(), start(placed.entry.started_at?)))
            })
            .collect()
    }
}

fn is(name: &str, seconds: u64) -> Vec<(String, u64)> {
    vec![(name.to_owned(), seconds)]
}

#[tokio::test]
async fn what_does_not_change_the_content_does_not_restart_it() {
    let mut history = History::new().await;
    let mut follower = Replica::new(history.repository.bare(), "");
    history.repository.write("a.yaml", &timed("a", 60, "first")).unwrap();
    let first = history.commit().await;
    assert_eq!(follower.starts(), is("a", first));

    history.repository.write("a.yaml", &timed("a", 60, "another comment")).unwrap();
    history.commit().await;
    assert_eq!(follower.starts(), is("a", first));

    history.repository.remove("a.yaml").unwrap();
    history.repository.write("moved/b.yaml", &format!("---\n{}", timed("a", 60, "moved"))).unwrap();
    history.commit().await;
    history.repository.write("unrelated.yaml", "").unwrap();
    history.commit().await;
    assert_eq!(follower.starts(), is("a", first));
    assert_eq!(Replica::new(history.repository.bare(), "").starts(), is("a", first), "a restart agrees");
}

#[tokio::test]
async fn a_change_of_content_restarts_it_and_so_does_deleting_it_and_adding_it_again() {
    let mut history = History::new().await;
    let mut follower = Replica::new(history.repository.bare(), "");
    history.repository.write("a.yaml", &timed("a", 60, "")).unwrap();
    history.commit().await;
    follower.starts();
    history.repository.write("a.yaml", &timed("a", 61, "")).unwrap();
    let second = history.commit().await;
    assert_eq!(follower.starts(), is("a", second));

    history.repository.remove("a.yaml").unwrap();
    history.commit().await;
    assert_eq!(follower.starts(), []);
    history.repository.write("a.yaml", &timed("a", 61, "")).unwrap();
    let again = history.commit().await;
    assert_eq!(follower.starts(), is("a", again));
    assert_eq!(Replica::new(history.repository.bare(), "").starts(), is("a", again));
}

#[tokio::test]
async fn the_annotation_of_a_restart_begins_it_anew_and_no_other_does() {
    let annotated = |annotations: &str| {
        timed("a", 60, "").replace("{name: a}", &format!("{{name: a, annotations: {{{annotations}}}}}"))
    };
    let mut history = History::new().await;
    let mut follower = Replica::new(history.repository.bare(), "");
    history.repository.write("a.yaml", &timed("a", 60, "")).unwrap();
    let first = history.commit().await;
    assert_eq!(follower.starts(), is("a", first));
    history.repository.write("a.yaml", &annotated("why: game day")).unwrap();
    history.commit().await;
    assert_eq!(follower.starts(), is("a", first));
    history.repository.write("a.yaml", &annotated("hfi.dev/restarted-at: 2026-12-01T09:00:00Z")).unwrap();
    let restarted = history.commit().await;
    assert_eq!(follower.starts(), is("a", restarted));
    assert_eq!(Replica::new(history.repository.bare(), "").starts(), is("a", restarted), "a restart agrees");
}

#[tokio::test]
async fn a_broken_neighbour_does_not_restart_it() {
    let mut history = History::new().await;
    history.repository.write("a.yaml", &timed("a", 60, "")).unwrap();
    let first = history.commit().await;
    history.repository.write("a.yaml", &format!("{}---\nmetadata: {{}}\n", timed("a", 60, ""))).unwrap();
    history.commit().await;
    let mut follower = Replica::new(history.repository.bare(), "");
    assert_eq!(follower.starts(), [], "the file is invalid as a whole");
    history.repository.write("a.yaml", &timed("a", 60, "")).unwrap();
    history.commit().await;
    assert_eq!(follower.starts(), is("a", first));
}

#[tokio::test]
async fn a_merge_brings_it_when_it_is_merged() {
    let mut history = History::new().await;
    history.commit().await;
    history.git(&["checkout", "--quiet", "-b", "topic"], 10).await;
    history.repository.write("a.yaml", &timed("a", 60, "")).unwrap();
    history.git(&["add", "--all"], 20).await;
    history.git(&["commit", "--quiet", "--message", "On a topic"], 20).await;
    history.git(&["checkout", "--quiet", "main"], 30).await;
    history.git(&["merge", "--quiet", "--no-ff", "--message", "Merge", "topic"], 50).await;
    let mut replica = Replica::new(history.repository.bare(), "");
    history.commit().await;
    assert_eq!(replica.starts(), is("a", 50));
}

#[tokio::test]
async fn a_force_push_that_rewrites_history_is_read_again() {
    let mut history = History::new().await;
    history.commit().await;
    history.repository.write("a.yaml", &timed("a", 60, "")).unwrap();
    let first = history.commit().await;
    let mut follower = Replica::new(history.repository.bare(), "");
    assert_eq!(follower.starts(), is("a", first));
    history.git(&["reset", "--quiet", "--hard", "HEAD~1"], 0).await;
    history.repository.write("a.yaml", &timed("a", 60, "")).unwrap();
    let rewritten = history.commit().await;
    assert_eq!(follower.starts(), is("a", rewritten));
}

#[tokio::test]
async fn what_comes_into_the_policy_directory_from_elsewhere_starts_there() {
    let mut history = History::new().await;
    history.repository.write("drafts/a.yaml", &timed("a", 60, "")).unwrap();
    history.commit().await;
    history.repository.remove("drafts/a.yaml").unwrap();
    history.repository.write("live/a.yaml", &timed("a", 60, "")).unwrap();
    let moved = history.commit().await;
    assert_eq!(Replica::new(history.repository.bare(), "live").starts(), is("a", moved));
}

#[tokio::test]
async fn a_copy_that_comes_and_goes_does_not_restart_it() {
    let mut history = History::new().await;
    history.repository.write("a.yaml", &timed("a", 60, "")).unwrap();
    let first = history.commit().await;
    history.repository.write("copy.yaml", &timed("a", 60, "")).unwrap();
    history.commit().await;
    let mut follower = Replica::new(history.repository.bare(), "");
    assert_eq!(follower.starts(), [], "its name is used twice");
    history.repository.remove("copy.yaml").unwrap();
    history.commit().await;
    assert_eq!(follower.starts(), is("a", first));
    history.repository.write("moved.yaml", &timed("a", 60, "")).unwrap();
    history.commit().await;
    history.repository.remove("a.yaml").unwrap();
    history.commit().await;
    assert_eq!(follower.starts(), is("a", first), "a move in two steps");
}

#[tokio::test]
async fn submodules_and_links_in_the_history_are_no_documents() {
    let history = History::new().await;
    let target = history.repository.git(&["rev-parse", "HEAD"]).await.unwrap();
    let entry = format!("160000,{},module.yaml", target.trim());
    history.git(&["update-index", "--add", "--cacheinfo", &entry], 0).await;
    history.git(&["commit", "--quiet", "--message", "A submodule"], 0).await;
    std::os::unix::fs::symlink("nowhere", history.repository.work().join("link.yaml")).unwrap();
    history.git(&["add", "link.yaml"], 0).await;
    history.git(&["commit", "--quiet", "--message", "A link"], 0).await;
    history.git(&["rm", "--quiet", "link.yaml"], 50).await;
    history.repository.write("a.yaml", &timed("a", 60, "")).unwrap();
    history.git(&["add", "a.yaml"], 100).await;
    history.git(&["commit", "--quiet", "--message", "A policy"], 100).await;
    history.git(&["push", "--quiet", "origin", "main"], 100).await;
    assert_eq!(Replica::new(history.repository.bare(), "").starts(), is("a", 100));
}
