//! Replicas share nothing but Git, and the same commit gives the same bytes on each.

use std::{path::Path, time::SystemTime};

use harness::{GitHttp, Repository};
use policies::{Scope, Timestamp, wire::Format};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use reconciler::{
    source::Source,
    sync::loader::{Loaded, Loader},
};
use serde_json::Value;

use crate::{
    support::process::text,
    support::remote::{access, following},
    support::{NEVER, Server, policy},
};

const SCOPES: [(&[&str], &[&str]); 4] =
    [(&[], &[]), (&["demo"], &["s0"]), (&["demo"], &["s1", "s2"]), (&["*"], &["*"])];
const COMMITS: usize = 200;
/// After so many commits those replicas are asked, too, that take their time.
const NOW_AND_THEN: usize = 20;

/// A change of the branch. Small numbers, so that things meet.
#[derive(Clone, Debug)]
enum Step {
    Write {
        file: u8,
        service: u8,
        status: u16,
    },
    Timed {
        file: u8,
        seconds: u32,
    },
    Move {
        file: u8,
        to: u8,
    },
    Break {
        file: u8,
    },
    Remove {
        file: u8,
    },
    /// A side branch from so many commits ago, merged.
    Merge {
        back: u8,
        file: u8,
        status: u16,
    },
    /// The last commit once more, at another time.
    Amend,
    /// Back by so many commits, and something else instead.
    Force {
        back: u8,
        file: u8,
        status: u16,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (file, service, status, back) = (0..6_u8, 0..3_u8, 400..420_u16, 1..4_u8);
    let changed = (file.clone(), status.clone());
    prop_oneof![
        4 => (file.clone(), service, status)
            .prop_map(|(file, service, status)| Step::Write { file, service, status }),
        3 => (file.clone(), 1_000..1_003_u32).prop_map(|(file, seconds)| Step::Timed { file, seconds }),
        1 => (file.clone(), file.clone()).prop_map(|(file, to)| Step::Move { file, to }),
        1 => file.clone().prop_map(|file| Step::Break { file }),
        1 => file.prop_map(|file| Step::Remove { file }),
        2 => (back.clone(), changed.clone())
            .prop_map(|(back, (file, status))| Step::Merge { back, file, status }),
        2 => Just(Step::Amend),
        2 => (back, changed).prop_map(|(back, (file, status))| Step::Force { back, file, status }),
    ]
}

/// A branch with a clock of its own, so that durations count from different times.
struct Branch {
    repository: Repository,
    seconds: u64,
}

/// The path of a file: directories come and go with their files.
fn path(file: u8) -> String {
    let folder = ["", "a/", "a/b/", "c/"][usize::from(file % 4)];
    format!("{folder}{file}.yaml")
}

impl Branch {
    async fn git(&mut self, arguments: &[&str]) {
        self.seconds += 1;
        self.repository.git_at(self.seconds, arguments).await.unwrap();
    }

    async fn commit(&mut self) {
        self.git(&["add", "--all"]).await;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "Go on"]).await;
    }

    fn write(&self, file: u8, text: &str) {
        self.repository.write(&path(file), text).unwrap();
    }

    /// The commit so many before the tip, or the first.
    async fn back(&self, by: u8) -> String {
        let history = self.repository.git(&["rev-list", "--first-parent", "HEAD"]).await.unwrap();
        history.lines().take(usize::from(by) + 1).last().unwrap().to_owned()
    }

    async fn take(&mut self, step: &Step) {
        let named =
            |file: u8, service: u8, status| policy(&format!("p{file}"), &format!("s{service}"), status);
        match *step {
            Step::Write { file, service, status } => self.write(file, &named(file, service, status)),
            Step::Timed { file, seconds } => self.write(
                file,
                &format!(
                    "metadata: {{name: p{file}}}\nspec: {{rules: [{{fault: {{percentage: 1, duration_seconds: {seconds}, delay_ms: 1}}}}]}}\n"
                ),
            ),
            Step::Move { file, to } => {
                let to = self.repository.work().join(path(to));
                std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                let _ = std::fs::rename(self.repository.work().join(path(file)), to);
            }
            Step::Break { file } => self.write(file, "metadata: {name: p0}\nspec: {rulez: []}\n"),
            Step::Remove { file } => {
                let _ = self.repository.remove(&path(file));
            }
            Step::Merge { back, file, status } => {
                let from = self.back(back).await;
                self.git(&["checkout", "--quiet", "--detach", &from]).await;
                self.write(file, &named(file, file % 3, status));
                self.commit().await;
                let side = self.repository.git(&["rev-parse", "HEAD"]).await.unwrap();
                self.git(&["checkout", "--quiet", "main"]).await;
                let merge = ["merge", "--quiet", "--no-ff", "--strategy-option", "theirs", "--message", "Merge"];
                let merged = self.repository.git_at(self.seconds, &[&merge[..], &[side.trim()]].concat()).await;
                if merged.is_err() {
                    // One side removed what the other changed.
                    self.git(&["merge", "--abort"]).await;
                }
            }
            Step::Amend => self.git(&["commit", "--quiet", "--amend", "--no-edit", "--allow-empty"]).await,
            Step::Force { back, file, status } => {
                let to = self.back(back).await;
                self.git(&["reset", "--quiet", "--hard", &to]).await;
                self.write(file, &named(file, file % 3, status));
            }
        }
        if !matches!(step, Step::Amend) {
            self.commit().await;
        }
        self.git(&["push", "--quiet", "--force", "origin", "main"]).await;
    }

    async fn tip(&self) -> String {
        format!("main@sha1:{}", self.repository.git(&["rev-parse", "HEAD"]).await.unwrap().trim())
    }
}

/// A server that follows the branch there, and notices nothing by itself but what is on this machine.
async fn replica(location: &str) -> Server {
    let settings = following(location, &access());
    let server = Server::start(settings, NEVER).await;
    server.until_ready().await;
    server
}

fn scopes() -> Vec<Scope> {
    let scope = |(namespaces, services): (&[&'static str], &[&'static str])| {
        Scope::new(namespaces.iter().copied(), services.iter().copied()).unwrap()
    };
    SCOPES.into_iter().map(scope).collect()
}

/// The revision, and the bytes of each scope, as they are for who has seen nothing before.
async fn from_scratch(bare: &Path) -> (String, Vec<Vec<u8>>) {
    let settings = following(text(bare), &access());
    let load = move || {
        let mut source = Source::open(settings, None).unwrap();
        let Loaded { checkout, catalog, .. } = Loader::default().load(&mut source).unwrap().unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let now = Timestamp::from_millis(now.as_millis().try_into().unwrap());
        let bytes = scopes().iter().map(|scope| catalog.snapshot(scope, now).encode(Format::V1)).collect();
        (checkout.revision.to_string(), bytes)
    };
    tokio::task::spawn_blocking(load).await.unwrap()
}

/// The status of a replica, without the parts that tell how it came about.
async fn status(server: &Server) -> Value {
    let mut status = server.json("/v1/policies/status").await;
    status.as_object_mut().unwrap().remove("source");
    status
}

#[tokio::test]
async fn byte_for_byte_through_a_random_history() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let mut branch = Branch { repository: Repository::new().await.unwrap(), seconds: now - 2_000 };
    let http = GitHttp::start(branch.repository.folder()).await.unwrap();
    let url = http.url("policies.git");
    // One is told by its watch, the other only by what its client runs.
    let watching = replica(text(&branch.repository.bare())).await;
    let asking = replica(&url).await;
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let mut steps = Vec::new();
    for at in 1..=COMMITS {
        let step = step().new_tree(&mut runner).unwrap().current();
        branch.take(&step).await;
        steps.push(step);
        let tip = branch.tip().await;
        let client = [("x-hfi-revision", tip.as_str())];
        let (revision, bytes) = from_scratch(&branch.repository.bare()).await;
        assert_eq!(revision, tip);
        // Replicas fetch once a second at most for their clients; so one sees each commit and the other
        // takes several at once. One that starts in the middle agrees too.
        let fresh = if at % NOW_AND_THEN == 0 { Some(replica(&url).await) } else { None };
        let others: Vec<_> = fresh.iter().flat_map(|fresh| [fresh, &asking]).collect();
        for (scope, bytes) in scopes().iter().zip(bytes) {
            let query = scope.to_string();
            let one = watching.snapshot(&query, &client).await;
            assert_eq!((one.status, &one.revision), (200, &tip), "{steps:?}");
            assert_eq!(one.body, bytes, "{query} {steps:?}");
            for other in &others {
                assert_eq!(one, other.snapshot(&query, &client).await, "{steps:?}");
            }
        }
        for other in others {
            assert_eq!(status(&watching).await, status(other).await, "{steps:?}");
        }
    }
}
