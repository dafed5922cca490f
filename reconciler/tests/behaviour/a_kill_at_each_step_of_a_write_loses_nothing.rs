//! `kill -9` at each step of a write, once: at each request to the Git server, before that has it and before its answer is
//! read, and inside of the push at each hook of Git. Afterwards the commit is in the branch or not, the next process
//! tells the truth, and the same request again does it once.

use std::{fs, path::PathBuf};

use harness::{GitHttp, Repository};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::support::{
    PATIENCE, client,
    git_steps::GitSteps,
    held_pushes::until,
    policy,
    process::{Process, text},
    writer::{hook, over_http},
    writing::{Answer, apply, content, git, process, send},
};

const SUBJECT: &str = "Slow down web";

/// A process that may die, its repository, and the way between them.
struct World {
    repository: Repository,
    _server: GitHttp,
    way: GitSteps,
    /// What outlives the process: its state, and the tokens.
    files: TempDir,
    hfi: Option<Process>,
}

impl World {
    async fn new() -> Self {
        let (repository, server) = over_http().await;
        let way = GitSteps::to(&format!("http://{}", server.address())).await;
        let files = tempfile::tempdir().unwrap();
        let mut world = Self { repository, _server: server, way, files, hfi: None };
        world.start().await;
        world
    }

    /// Starts a process that reads the repository only when it must.
    async fn start(&mut self) {
        let (url, state) = (format!("{}/policies.git", self.way.url), self.files.path().join("state"));
        let more = [("HFI_INTERVAL", "1h"), ("HFI_STATE_DIR", text(&state))];
        let hfi = process(&url, self.files.path(), &more).await;
        hfi.until_ready(|ready| ready["restored"] != true).await;
        self.hfi = Some(hfi);
    }

    /// The answer to the write, if there is one.
    async fn write(&self) -> reqwest::Result<Answer> {
        self.sent(20).await
    }

    /// The answer to the write, within so many seconds.
    async fn write_within(&self, seconds: u32) -> Answer {
        self.sent(seconds).await.unwrap()
    }

    async fn sent(&self, seconds: u32) -> reqwest::Result<Answer> {
        let query = format!("?message={}", SUBJECT.replace(' ', "%20"));
        let mut change = apply(&query, &policy("new", "web", 500));
        change.headers.push(("prefer", format!("wait={seconds}")));
        send(&client(), &self.hfi.as_ref().unwrap().url, change).await
    }

    /// Sends the write, and kills the process once this is so. False if the write was answered before.
    async fn killed_when(&mut self, is_so: impl Fn() -> bool) -> bool {
        let answer = tokio::select! {
            answer = self.write() => Some(answer),
            so = timeout(PATIENCE, until(is_so)) => { so.expect("it does not come so far"); None }
        };
        self.hfi = None;
        self.way.open();
        if let Some(answer) = &answer {
            answer.as_ref().unwrap().is(201, &["new created"]);
            assert_eq!(self.commits(), 1);
        }
        answer.is_none()
    }

    /// The server has done what it does without its client.
    async fn settled(&self) {
        timeout(PATIENCE, until(|| self.way.is_idle())).await.expect("the server hangs");
    }

    /// The commits of the write.
    fn commits(&self) -> usize {
        git(&self.repository, &["log", "--format=%s", "main"]).lines().filter(|line| *line == SUBJECT).count()
    }

    /// Another process, to which the same request is sent again: that tells the truth.
    async fn is_told_again(&mut self) {
        let before = self.commits();
        self.start().await;
        let answer = self.write().await.unwrap();
        match before {
            0 => answer.is(201, &["new created"]),
            _ => answer.is(200, &["new unchanged"]),
        }
        assert_eq!(answer.body["served"], true, "{answer:?}");
    }

    /// The write is in the branch once, and is served; repository and clone are whole.
    async fn has_it_once(&self) {
        assert_eq!(self.commits(), 1);
        assert!(content(&self.repository, "new.yaml").contains("httpStatus: 500"));
        git(&self.repository, &["fsck", "--strict", "--no-dangling"]);
        let served = self.hfi.as_ref().unwrap().get("/v1/policies/new", &[]).await;
        assert_eq!(served.status, 200);
        let clone = self.files.path().join("state/clone.git");
        let fsck = ["-C", text(&clone), "fsck", "--no-dangling"];
        self.repository.git(&fsck).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn between_it_and_the_repository() {
    let mut world = World::new().await;
    world.way.open();
    world.write().await.unwrap().is(201, &["new created"]);
    let steps = world.way.passed();
    let pushes = steps.iter().filter(|step| step.contains("POST /policies.git/git-receive-pack"));
    assert_eq!(pushes.count(), 2, "before the push, and before its answer: {steps:#?}");
    // The last is a kill directly after the answer.
    for step in 0..=steps.len() {
        world = World::new().await;
        let way = world.way.clone();
        way.stop_at(step);
        let is_killed = world.killed_when(|| way.has_stopped()).await;
        assert_eq!(is_killed, step < steps.len(), "{:?}", steps.get(step));
        world.settled().await;
        world.is_told_again().await;
        world.has_it_once().await;
    }
}

/// The hooks that a push runs, in this order; of one that runs several times, the state that it is told.
const HOOKS: [(&str, &str); 6] = [
    ("pre-receive", ""),
    ("update", ""),
    ("reference-transaction", "prepared"),
    ("reference-transaction", "committed"),
    ("post-receive", ""),
    ("post-update", ""),
];

/// Holds the first push at a hook while the first of these files is there. The second tells that it is held.
fn held(world: &World, (name, state): (&str, &str)) -> [PathBuf; 2] {
    let [hold, begun] = ["hold", "begun"].map(|name| world.repository.folder().join(name));
    fs::write(&hold, "").unwrap();
    let (held, told) = (hold.display(), begun.display());
    let script = format!(
        "[ -z '{state}' ] || [ \"$1\" = '{state}' ] || exit 0\nmkdir {told} 2>/dev/null || exit 0\n\
         while [ -e {held} ]; do sleep 0.02; done"
    );
    hook(&world.repository, name, &script);
    [hold, begun]
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_of_its_push_which_then_goes_on() {
    for step in HOOKS {
        let mut world = World::new().await;
        let [hold, begun] = held(&world, step);
        assert!(world.killed_when(|| begun.exists()).await, "{step:?}");
        fs::remove_file(hold).unwrap();
        world.settled().await;
        assert_eq!(world.commits(), 1, "{step:?}: the repository finishes what it has");
        world.is_told_again().await;
        world.has_it_once().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_of_its_push_which_goes_on_after_the_next_one() {
    for step in HOOKS {
        let mut world = World::new().await;
        let [hold, begun] = held(&world, step);
        assert!(world.killed_when(|| begun.exists()).await, "{step:?}");
        world.start().await;
        let commits = world.commits();
        let again = world.write_within(3).await;
        match (step, commits) {
            // The branch is locked for everybody else.
            (("reference-transaction", "prepared"), 0) => {
                assert!(matches!(again.status, 503 | 504), "{again:?}")
            }
            (_, 0) => again.is(201, &["new created"]),
            _ => again.is(200, &["new unchanged"]),
        }
        fs::remove_file(hold).unwrap();
        world.settled().await;
        world.hfi = None;
        world.is_told_again().await;
        world.has_it_once().await;
    }
}
