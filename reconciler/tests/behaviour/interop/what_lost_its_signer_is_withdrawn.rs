//! `--verify`: who loses their key loses what they had served, with or without Git.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

use harness::Repository;
use policies::{Digest, Snapshot};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::{
    support::process::{Answer, Process, text},
    support::remote::repository,
    support::signing::{Signer, head, push},
    support::{PATIENCE, policy},
    the_last_good_outlives_the_process::Bridge,
};

const CHECKOUT: &str = "namespace=demo&service=checkout";
/// Longer than any test: what happens sooner was noticed.
const NEVER: &str = "1day";

/// A repository whose tip Alice has signed, and the directory of the keys that may sign.
struct World {
    repository: Repository,
    folder: TempDir,
    alice: Signer,
}

impl World {
    async fn new() -> Self {
        let alice = Signer::ssh("-t ed25519");
        let world = Self { repository: repository().await, folder: tempfile::tempdir().unwrap(), alice };
        fs::create_dir(world.keys()).unwrap();
        world.alice.allow_in(&world.keys(), "alice.pub");
        world.alice.push(&world.repository).await;
        world
    }

    fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    fn alice(&self) -> PathBuf {
        self.keys().join("alice.pub")
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    async fn start(&self, interval: &str) -> Process {
        self.start_with(&[("HFI_INTERVAL", interval)]).await
    }

    async fn start_with(&self, more: &[(&str, &str)]) -> Process {
        let (bare, keys) = (self.repository.bare(), self.keys());
        let usual = [("HFI_REPO", text(&bare)), ("HFI_VERIFY", text(&keys))];
        Process::start(&[&usual, more].concat()).await
    }

    fn take_away(&self) {
        fs::rename(self.repository.bare(), self.folder.path().join("away.git")).unwrap();
    }

    fn bring_back(&self) {
        fs::rename(self.folder.path().join("away.git"), self.repository.bare()).unwrap();
    }
}

fn is_empty(answer: &Answer) -> bool {
    assert_eq!((answer.status, &answer.etag), (200, &Digest::of(&answer.body).etag()));
    Snapshot::decode(&answer.body).unwrap().policies.is_empty()
}

/// Waits until readiness says so, and answers the reason.
async fn until_withdrawn(hfi: &Process) -> String {
    let ready = hfi.until_ready(|ready| ready["withdrawn"].is_string()).await;
    ready["withdrawn"].as_str().unwrap().to_owned()
}

async fn until_refused(hfi: &Process, reason: &str) {
    let refused = async {
        while !hfi.get("/v1/ready", &[]).await.body_text().contains(reason) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, refused).await.unwrap_or_else(|_| panic!("never told: {}", hfi.log()));
}

impl Answer {
    fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

#[tokio::test]
async fn at_once_and_back_when_the_key_is() {
    let world = World::new().await;
    let hfi = world.start(NEVER).await;
    hfi.until_ready(|_| true).await;
    let before = hfi.snapshot(CHECKOUT).await;
    assert!(!is_empty(&before));
    assert_eq!(hfi.metric("hfi_withdrawn").await, Some(0.0));
    for _ in 0..2 {
        let held = hfi.next(CHECKOUT, &before.etag);
        let (withdrawn, ()) = tokio::join!(held, async { fs::remove_file(world.alice()).unwrap() });
        assert!(is_empty(&withdrawn));
        assert_eq!(withdrawn.revision, before.revision, "the source has not changed");
        let reason = until_withdrawn(&hfi).await;
        let tip = head(&world.repository).await;
        assert!(reason.starts_with(&format!("commit {tip} is not verified: there is no key")), "{reason}");
        let status = hfi.json("/v1/policies/status").await;
        assert_eq!((&status["withdrawn"], &status["halted"]), (&json!(reason), &json!(false)));
        assert_eq!(status["policies"], json!([]));
        assert_eq!(status["digest"].as_str(), Some(withdrawn.etag.trim_matches('"')));
        assert_eq!(hfi.json("/v1/policies").await, json!({"policies": []}));
        assert_eq!(hfi.metric("hfi_withdrawn").await, Some(1.0));
        let held = hfi.next(CHECKOUT, &withdrawn.etag);
        let allow = async { world.alice.allow_in(&world.keys(), "alice.pub") };
        assert_eq!(tokio::join!(held, allow).0, before);
        hfi.until_ready(|ready| ready["withdrawn"].is_null()).await;
    }
    assert!(hfi.said("withdrawn: nothing is injected").is_some());
    assert!(hfi.said("no longer withdrawn").is_some());
}

#[tokio::test]
async fn somebody_elses_key_and_commit_bring_service_back() {
    let world = World::new().await;
    let hfi = world.start(NEVER).await;
    hfi.until_ready(|_| true).await;
    let before = hfi.snapshot(CHECKOUT).await;
    let bob = Signer::openpgp("ed25519 sign");
    bob.allow_in(&world.keys(), "bob.asc");
    fs::remove_file(world.alice()).unwrap();
    let withdrawn = hfi.next(CHECKOUT, &before.etag).await;
    assert!(is_empty(&withdrawn));
    world.repository.write("a.yaml", &policy("a", "checkout", 500)).unwrap();
    bob.push(&world.repository).await;
    let after = hfi.next(CHECKOUT, &withdrawn.etag).await;
    assert!(!is_empty(&after));
    assert_eq!(after.revision, format!("main@sha1:{}", head(&world.repository).await));
}

#[tokio::test]
async fn a_tip_that_may_not_be_served_leaves_the_one_before_in_force() {
    let world = World::new().await;
    let hfi = world.start("1s").await;
    hfi.until_ready(|_| true).await;
    let before = hfi.snapshot(CHECKOUT).await;
    world.repository.write("a.yaml", &policy("a", "checkout", 500)).unwrap();
    world.repository.push("Not signed").await.unwrap();
    until_refused(&hfi, "is not signed").await;
    assert_eq!(hfi.snapshot(CHECKOUT).await, before);
    let failing = &hfi.json("/v1/policies/status").await["source"]["failing"]["reason"];
    let tip = head(&world.repository).await;
    assert!(failing.as_str().unwrap().starts_with(&format!("commit {tip} is not signed")), "{failing}");
    Signer::ssh("-t ed25519").push(&world.repository).await;
    until_refused(&hfi, "which is not among the keys").await;
    assert_eq!(hfi.snapshot(CHECKOUT).await, before);
    // What is in force is still what Alice signed.
    fs::remove_file(world.alice()).unwrap();
    let withdrawn = hfi.next(CHECKOUT, &before.etag).await;
    assert!(is_empty(&withdrawn));
    world.alice.allow_in(&world.keys(), "alice.pub");
    assert_eq!(hfi.next(CHECKOUT, &withdrawn.etag).await, before);
    world.alice.push(&world.repository).await;
    assert!(!is_empty(&hfi.next(CHECKOUT, &before.etag).await));
}

#[tokio::test]
async fn without_git_too() {
    let world = World::new().await;
    let hfi = world.start(NEVER).await;
    hfi.until_ready(|_| true).await;
    let before = hfi.snapshot(CHECKOUT).await;
    world.take_away();
    fs::remove_file(world.alice()).unwrap();
    let withdrawn = hfi.next(CHECKOUT, &before.etag).await;
    assert!(is_empty(&withdrawn));
    // Also for a filter that runs what is not known here: to stop is no way back.
    let ahead = format!("main@sha1:{}", "0123456789".repeat(4));
    let headers = [("x-hfi-revision", ahead.as_str()), ("if-none-match", "\"x\""), ("prefer", "wait=60")];
    assert!(is_empty(&hfi.get(&format!("/v1/snapshot?{CHECKOUT}"), &headers).await));
    world.alice.allow_in(&world.keys(), "alice.pub");
    assert_eq!(hfi.next(CHECKOUT, &withdrawn.etag).await, before);
}

#[tokio::test]
async fn while_a_fetch_hangs_too() {
    let world = World::new().await;
    let git = Bridge::start(world.repository.folder()).await;
    let url = format!("http://{}/policies.git", git.address);
    let hfi =
        world.start_with(&[("HFI_REPO", &url), ("HFI_INTERVAL", "1s"), ("HFI_FETCH_TIMEOUT", "1h")]).await;
    hfi.until_ready(|_| true).await;
    let before = hfi.snapshot(CHECKOUT).await;
    git.hang.store(true, Ordering::Relaxed);
    hfi.until_ready(|ready| ready["source_age_seconds"].as_f64().unwrap() > 3.0).await;
    fs::remove_file(world.alice()).unwrap();
    assert!(is_empty(&hfi.next(CHECKOUT, &before.etag).await));
}

#[tokio::test]
async fn what_an_earlier_process_left_too() {
    let world = World::new().await;
    let state = world.state();
    let start = async || world.start_with(&[("HFI_STATE_DIR", text(&state)), ("HFI_INTERVAL", NEVER)]).await;
    let first = start().await;
    first.until_ready(|ready| ready["restored"] == false).await;
    let before = first.snapshot(CHECKOUT).await;
    drop(first);
    world.take_away();
    fs::remove_file(world.alice()).unwrap();
    let hfi = start().await;
    let ready = hfi.until_ready(|_| true).await;
    assert!(ready["withdrawn"].is_string(), "it was served: {ready}");
    let withdrawn = hfi.snapshot(CHECKOUT).await;
    assert!(is_empty(&withdrawn));
    assert_eq!(withdrawn.revision, before.revision);
    assert_eq!(hfi.json("/v1/ready").await["restored"], true);
    world.alice.allow_in(&world.keys(), "alice.pub");
    assert_eq!(hfi.next(CHECKOUT, &withdrawn.etag).await, before);
    drop(hfi);
    // And what is damaged or not is not said by its signature.
    let hfi = start().await;
    hfi.until_ready(|ready| ready["withdrawn"].is_null()).await;
    assert_eq!(hfi.snapshot(CHECKOUT).await, before);
    world.bring_back();
}

#[tokio::test]
async fn halted_or_not() {
    let world = World::new().await;
    let halt = world.folder.path().join("halt");
    let hfi = world.start_with(&[("HFI_HALT_FILE", text(&halt)), ("HFI_INTERVAL", NEVER)]).await;
    hfi.until_ready(|_| true).await;
    let before = hfi.snapshot(CHECKOUT).await;
    fs::remove_file(world.alice()).unwrap();
    let withdrawn = hfi.next(CHECKOUT, &before.etag).await;
    fs::write(&halt, "").unwrap();
    hfi.until_ready(|ready| ready["halted"] == true && ready["withdrawn"].is_string()).await;
    fs::remove_file(&halt).unwrap();
    hfi.until_ready(|ready| ready["halted"] == false && ready["withdrawn"].is_string()).await;
    assert_eq!(hfi.snapshot(CHECKOUT).await, withdrawn);
    fs::write(&halt, "").unwrap();
    world.alice.allow_in(&world.keys(), "alice.pub");
    hfi.until_ready(|ready| ready["halted"] == true && ready["withdrawn"].is_null()).await;
    assert_eq!(hfi.snapshot(CHECKOUT).await, withdrawn);
    fs::remove_file(&halt).unwrap();
    assert_eq!(hfi.next(CHECKOUT, &withdrawn.etag).await, before);
}

#[tokio::test]
async fn a_start_that_finds_nothing_signed_is_not_ready() {
    let world = World::new().await;
    world.repository.git(&["commit", "--quiet", "--allow-empty", "-m", "Not signed"]).await.unwrap();
    push(&world.repository).await;
    let hfi = world.start("1s").await;
    until_refused(&hfi, "is not signed").await;
    assert_eq!(hfi.snapshot(CHECKOUT).await.status, 503);
    world.alice.push(&world.repository).await;
    hfi.until_ready(|_| true).await;
    assert!(!is_empty(&hfi.snapshot(CHECKOUT).await));
}

#[tokio::test]
async fn a_replica_without_the_key_serves_nothing_while_the_other_does() {
    let world = World::new().await;
    let with = world.start("1s").await;
    let other = tempfile::tempdir().unwrap();
    Signer::ssh("-t ed25519").allow_in(other.path(), "bob.pub");
    let without = world.start_with(&[("HFI_VERIFY", text(other.path())), ("HFI_INTERVAL", "1s")]).await;
    with.until_ready(|_| true).await;
    until_refused(&without, "which is not among the keys").await;
    assert!(!is_empty(&with.snapshot(CHECKOUT).await));
    assert_eq!(without.snapshot(CHECKOUT).await.status, 503);
    world.alice.allow_in(other.path(), "alice.pub");
    without.until_ready(|_| true).await;
    assert_eq!(without.snapshot(CHECKOUT).await, with.snapshot(CHECKOUT).await);
}

#[tokio::test]
async fn the_directory_can_be_a_mounted_secret() {
    let world = World::new().await;
    let mount = world.folder.path().join("mount");
    let put = |name: &str, key: Option<&Signer>| {
        fs::create_dir_all(mount.join(name)).unwrap();
        if let Some(key) = key {
            key.allow_in(&mount.join(name), "alice.pub");
        }
        symlink(name, mount.join("..data_tmp")).unwrap();
        fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
    };
    put("..1", Some(&world.alice));
    symlink("..data/alice.pub", mount.join("alice.pub")).unwrap();
    let hfi = world.start_with(&[("HFI_VERIFY", text(&mount)), ("HFI_INTERVAL", NEVER)]).await;
    hfi.until_ready(|_| true).await;
    let before = hfi.snapshot(CHECKOUT).await;
    put("..2", None);
    let withdrawn = hfi.next(CHECKOUT, &before.etag).await;
    assert!(is_empty(&withdrawn));
    fs::remove_file(mount.join("alice.pub")).unwrap();
    put("..3", Some(&world.alice));
    symlink("..data/alice.pub", mount.join("alice.pub")).unwrap();
    assert_eq!(hfi.next(CHECKOUT, &withdrawn.etag).await, before);
}

#[tokio::test]
async fn a_file_that_is_no_key_is_told_and_harms_no_other() {
    let world = World::new().await;
    let hfi = world.start(NEVER).await;
    hfi.until_ready(|_| true).await;
    let fault = |name: &str| hfi.log().lines().filter(|line| line.contains(name)).count();
    fs::write(world.keys().join("notes.txt"), "hello").unwrap();
    let told = async {
        while fault("notes.txt:1: is not an SSH public key") == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, told).await.expect("never told");
    assert!(!is_empty(&hfi.snapshot(CHECKOUT).await));
    // It is told once, however often it is looked.
    world.alice.push(&world.repository).await;
    let tip = head(&world.repository).await;
    hfi.until_ready(|ready| ready["revision"] == format!("main@sha1:{tip}")).await;
    assert_eq!(fault("notes.txt:1: is not an SSH public key"), 1, "{}", hfi.log());
}

#[tokio::test]
async fn a_plain_directory_is_refused() {
    let world = World::new().await;
    let folder: &Path = world.folder.path();
    let environment = [("HFI_DIR", text(folder)), ("HFI_VERIFY", text(folder))];
    let (code, message) = Process::refused(&environment);
    assert_eq!(code, Some(2), "{message}");
    assert!(message.contains("--verify (HFI_VERIFY) needs a repository"), "{message}");
}

#[tokio::test]
async fn a_directory_that_is_replaced_is_watched_on() {
    let world = World::new().await;
    let hfi = world.start(NEVER).await;
    hfi.until_ready(|_| true).await;
    let key = fs::read(world.alice()).unwrap();
    for _ in 0..3 {
        // The new directory can have the inode of the old one.
        fs::remove_dir_all(world.keys()).unwrap();
        fs::create_dir(world.keys()).unwrap();
        fs::write(world.alice(), &key).unwrap();
        hfi.until_ready(|ready| ready["withdrawn"].is_null()).await;
        fs::remove_file(world.alice()).unwrap();
        until_withdrawn(&hfi).await;
    }
}

#[tokio::test]
async fn a_damaged_clone_is_repaired_before_anybody_is_asked_who_signed() {
    let world = World::new().await;
    let state = world.state();
    let environment = [("HFI_STATE_DIR", text(&state)), ("HFI_INTERVAL", "1s")];
    world.start_with(&environment).await.until_ready(|_| true).await;
    world.alice.push(&world.repository).await;
    let tip = head(&world.repository).await;
    // The branch is at the new tip, which has not come.
    fs::write(state.join("clone.git/refs/heads/main"), format!("{tip}\n")).unwrap();
    let hfi = world.start_with(&environment).await;
    hfi.until_ready(|ready| ready["revision"] == format!("main@sha1:{tip}")).await;
}
