//! `--state-dir`: a start without Git serves the last good commit.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
    time::SystemTime,
};

use harness::{GitHttp, Repository};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::{
    support::process::{Process, text},
    support::{PATIENCE, policy},
};

const CHECKOUT: &str = "namespace=demo&service=checkout";
const SCOPES: [&str; 4] = ["", CHECKOUT, "namespace=demo&service=*", "namespace=*&service=*"];

/// A repository with one policy, which can go away, and a state directory.
pub(crate) struct World {
    pub(crate) repository: Repository,
    pub(crate) state: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let world =
            Self { repository: Repository::new().await.unwrap(), state: tempfile::tempdir().unwrap() };
        world.push(&policy("a", "checkout", 503)).await;
        world
    }

    pub(crate) async fn push(&self, policy: &str) {
        self.repository.write("a.yaml", policy).unwrap();
        self.repository.push("Change a").await.unwrap();
    }

    pub(crate) async fn start(&self) -> Process {
        self.start_with(&[]).await
    }

    pub(crate) async fn start_with(&self, more: &[(&str, &str)]) -> Process {
        let bare = self.repository.bare();
        let usual =
            [("HFI_REPO", text(&bare)), ("HFI_STATE_DIR", text(self.state.path())), ("HFI_INTERVAL", "1s")];
        Process::start(&[&usual, more].concat()).await
    }

    /// Runs until the newest commit has been served, and is then killed.
    pub(crate) async fn run_once(&self) {
        let hfi = self.start().await;
        let tip = self.repository.git(&["rev-parse", "HEAD"]).await.unwrap();
        hfi.until_ready(|ready| ready["revision"] == format!("main@sha1:{}", tip.trim())).await;
    }

    pub(crate) fn away(&self) -> PathBuf {
        self.repository.folder().join("away.git")
    }

    pub(crate) fn take_away(&self) {
        fs::rename(self.repository.bare(), self.away()).unwrap();
    }

    pub(crate) fn bring_back(&self) {
        fs::rename(self.away(), self.repository.bare()).unwrap();
    }

    pub(crate) fn packs(&self) -> Vec<String> {
        let files = fs::read_dir(self.clone().join("objects/pack")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".pack")).collect()
    }

    pub(crate) fn clone(&self) -> PathBuf {
        self.state.path().join("clone.git")
    }
}

/// A Git server that can be made to take connections and never say a word.
pub(crate) struct Bridge {
    pub(crate) address: SocketAddr,
    pub(crate) hang: Arc<AtomicBool>,
    bridging: JoinHandle<()>,
}

impl Bridge {
    pub(crate) async fn start(folder: &Path) -> Self {
        let http = GitHttp::start(folder).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let hang = Arc::<AtomicBool>::default();
        let hangs = Arc::clone(&hang);
        let bridging = tokio::spawn(async move {
            let behind = http.url("").trim_start_matches("http://").trim_end_matches('/').to_owned();
            let mut held = Vec::new();
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                if hangs.load(Ordering::Relaxed) {
                    held.push(client);
                    continue;
                }
                let mut server = TcpStream::connect(&behind).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
            }
        });
        Self { address, hang, bridging }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.bridging.abort();
    }
}

/// Starts without Git, and there is nothing to serve although there is a state directory.
pub(crate) async fn serves_nothing(hfi: &Process) {
    let told = async {
        loop {
            let ready = hfi.get("/v1/ready", &[]).await;
            if String::from_utf8_lossy(&ready.body).contains("cannot fetch") {
                return ready.status;
            }
        }
    };
    assert_eq!(tokio::time::timeout(crate::support::PATIENCE, told).await.unwrap(), 503);
    assert!(hfi.said("of no use").is_some() || hfi.said("is damaged").is_some(), "{}", hfi.log());
}

#[tokio::test]
async fn a_start_without_git_serves_the_same_bytes_and_says_so() {
    let world = World::new().await;
    let first = world.start().await;
    first.until_ready(|ready| ready["restored"] == false).await;
    let mut before = Vec::new();
    for scope in SCOPES {
        before.push(first.snapshot(scope).await);
    }
    drop(first);
    world.take_away();

    let hfi = world.start().await;
    let ready = hfi.until_ready(|ready| !ready["source_error"].is_null()).await;
    assert!(ready["restored"] == true && ready["source_age_seconds"].is_null(), "{ready}");
    assert!(ready["source_error"]["message"].as_str().unwrap().contains("cannot fetch"), "{ready}");
    assert!(hfi.said("serving the last good revision of the state directory").is_some());
    for (scope, before) in SCOPES.iter().zip(before) {
        assert_eq!(hfi.snapshot(scope).await, before, "{scope}");
    }

    let etag = hfi.snapshot(CHECKOUT).await.etag;
    world.bring_back();
    world.push(&policy("a", "checkout", 500)).await;
    hfi.next(CHECKOUT, &etag).await;
    let ready = hfi.until_ready(|ready| ready["source_error"].is_null()).await;
    assert!(ready["restored"] == false && ready["source_age_seconds"].is_number(), "{ready}");
}

#[tokio::test]
async fn who_has_seen_more_than_was_kept_is_not_taken_back() {
    let world = World::new().await;
    world.run_once().await;
    let kept = world.repository.git(&["rev-parse", "HEAD"]).await.unwrap();
    let before = world.repository.git(&["rev-parse", "HEAD~1"]).await.unwrap();
    world.push(&policy("a", "checkout", 500)).await;
    let newer = world.repository.git(&["rev-parse", "HEAD"]).await.unwrap();
    world.take_away();
    let hfi = world.start().await;
    hfi.until_ready(|ready| ready["restored"] == true).await;
    let ask = async |commit: &str| {
        let revision = format!("main@sha1:{}", commit.trim());
        let headers =
            [("x-hfi-revision", revision.as_str()), ("if-none-match", "\"x\""), ("prefer", "wait=1")];
        hfi.get(&format!("/v1/snapshot?{CHECKOUT}"), &headers).await
    };
    let answer = ask(&newer).await;
    assert_eq!((answer.status, answer.etag.as_str()), (304, "\"x\""));
    assert_eq!(answer.revision, format!("main@sha1:{}", newer.trim()));
    for known in [kept, before] {
        assert_eq!(ask(&known).await.status, 200);
    }
}

#[tokio::test]
async fn what_is_served_of_it_still_ends_on_time_while_git_hangs() {
    let world = World::new().await;
    let git = Bridge::start(world.repository.folder()).await;
    let url = format!("http://{}/policies.git", git.address);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let timed =
        "metadata: {name: a}\nspec: {rules: [{fault: {percentage: 1, duration_seconds: 8, delay_ms: 1}}]}\n";
    world.repository.write("a.yaml", timed).unwrap();
    world.repository.git(&["add", "--all"]).await.unwrap();
    let commit = ["commit", "--quiet", "--message", "Begin a"];
    world.repository.git_at(now.as_secs(), &commit).await.unwrap();
    // Comes later, and leaves the start alone.
    world.repository.write("b.yaml", &policy("b", "checkout", 503)).unwrap();
    world.repository.push("Add b").await.unwrap();
    world.start_with(&[("HFI_REPO", &url)]).await.until_ready(|_| true).await;
    git.hang.store(true, Ordering::Relaxed);
    let hfi = world.start_with(&[("HFI_REPO", &url)]).await;
    hfi.until_ready(|ready| ready["restored"] == true).await;
    assert_eq!(hfi.json("/v1/policies").await["policies"].as_array().unwrap().len(), 2);
    let before = hfi.snapshot(CHECKOUT).await;
    hfi.next(CHECKOUT, &before.etag).await;
    let end = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert!((8..12).contains(&(end - now.as_secs())), "{end}");
    assert_eq!(hfi.json("/v1/policies").await["policies"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_restart_fetches_only_what_is_new() {
    let world = World::new().await;
    world.run_once().await;
    let before = world.packs();
    world.push(&policy("a", "checkout", 500)).await;
    // A process that was killed while it wrote leaves these.
    fs::write(world.clone().join("refs/heads/main.lock"), "").unwrap();
    fs::write(world.clone().join("objects/pack/pack_git2_0123456789abcdef"), "half").unwrap();
    world.run_once().await;
    let after = world.packs();
    assert_eq!(after.len(), before.len() + 1, "{after:?}");
    assert!(before.iter().all(|pack| after.contains(pack)), "{after:?}");
    let new = after.iter().find(|pack| !before.contains(pack)).unwrap();
    let index = world.clone().join("objects/pack").join(new.replace(".pack", ".idx"));
    let objects = world.repository.git(&["verify-pack", "-v", text(&index)]).await.unwrap();
    let is_object = |line: &&str| [" commit ", " tree ", " blob "].iter().any(|kind| line.contains(kind));
    assert_eq!(objects.lines().filter(is_object).count(), 3, "{objects}");
    assert!(!world.clone().join("objects/pack/pack_git2_0123456789abcdef").exists());
}

#[tokio::test]
async fn what_is_damaged_is_said_and_ignored() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 5] = [
        ("the file is cut short", |state| {
            fs::write(state.join("last-good.json"), "{\"version\":1,").unwrap()
        }),
        ("it is of another version", |state| {
            let file = state.join("last-good.json");
            let text = fs::read_to_string(&file).unwrap();
            fs::write(file, text.replace("\"version\":1", "\"version\":2")).unwrap();
        }),
        ("it names no commit", |state| {
            let file = state.join("last-good.json");
            let text = fs::read_to_string(&file).unwrap();
            fs::write(file, text.replace("\"commit\":\"", "\"commit\":\"x")).unwrap();
        }),
        ("the clone is gone", |state| fs::remove_dir_all(state.join("clone.git")).unwrap()),
        ("objects are damaged", |state| {
            let directories = fs::read_dir(state.join("clone.git/objects")).unwrap();
            let files = directories.flat_map(|directory| fs::read_dir(directory.unwrap().path()).unwrap());
            for path in files.map(|file| file.unwrap().path()) {
                fs::remove_file(&path).unwrap();
                fs::write(path, "damaged").unwrap();
            }
        }),
    ];
    let world = World::new().await;
    for (name, damage) in damages {
        world.run_once().await;
        damage(world.state.path());
        world.take_away();
        let hfi = world.start().await;
        serves_nothing(&hfi).await;
        world.bring_back();
        hfi.until_ready(|ready| ready["restored"] == false).await;
        println!("{name}: {}", hfi.log());
    }
}

#[tokio::test]
async fn what_could_not_be_saved_is_saved_by_a_later_look() {
    let world = World::new().await;
    let stored = world.state.path().join("last-good.json");
    let hfi = world.start().await;
    let until = async |what: &str, is_so: &dyn Fn() -> bool| {
        tokio::time::timeout(PATIENCE, async {
            while !is_so() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("not {what}: {}", hfi.log()));
    };
    until("saved", &|| stored.is_file()).await;
    // In its place, so that it cannot be written.
    fs::remove_file(&stored).unwrap();
    fs::create_dir(&stored).unwrap();
    world.push(&policy("a", "checkout", 500)).await;
    until("told", &|| hfi.said("cannot store the last good commit").is_some()).await;
    fs::remove_dir(&stored).unwrap();
    // Nothing is pushed: only the interval goes by.
    until("saved", &|| stored.is_file()).await;
}

#[tokio::test]
async fn another_target_path_or_repository_than_the_one_stored_is_not_served() {
    let world = World::new().await;
    let other = world.repository.folder().join("other.git");
    for different in
        [("HFI_BRANCH", "other"), ("HFI_TAG", "main"), ("HFI_PATH", "teams"), ("HFI_REPO", text(&other))]
    {
        world.run_once().await;
        world.take_away();
        serves_nothing(&world.start_with(&[different]).await).await;
        world.bring_back();
    }
}

#[tokio::test]
async fn a_second_instance_is_refused_while_the_first_runs() {
    let world = World::new().await;
    let first = world.start().await;
    let bare = world.repository.bare();
    let (code, message) =
        Process::refused(&[("HFI_REPO", text(&bare)), ("HFI_STATE_DIR", text(world.state.path()))]);
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("another process uses the state directory"), "{message}");
    drop(first);
    world.start().await.until_ready(|_| true).await;
}
