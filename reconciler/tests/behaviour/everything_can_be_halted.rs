//! `--halt-file`: while it exists nothing is injected, Git or not.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use policies::{Digest, Snapshot};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{
    support::policy,
    support::process::{Answer, Process, text},
};

const CHECKOUT: &str = "namespace=demo&service=checkout";

/// A directory with one policy, and one in which the halt file is to be.
struct World {
    policies: TempDir,
    switch: TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { policies: tempfile::tempdir().unwrap(), switch: tempfile::tempdir().unwrap() };
        fs::write(world.policies.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
        world
    }

    async fn start(&self, halt_file: &Path) -> Process {
        let hfi =
            Process::start(&[("HFI_DIR", text(self.policies.path())), ("HFI_HALT_FILE", text(halt_file))])
                .await;
        hfi.until_ready(|_| true).await;
        hfi
    }

    fn halt_file(&self) -> PathBuf {
        self.switch.path().join("halt.txt")
    }
}

fn is_empty(answer: &Answer) -> bool {
    assert_eq!(answer.etag, Digest::of(&answer.body).etag());
    Snapshot::decode(&answer.body).unwrap().policies.is_empty()
}

#[tokio::test]
async fn every_snapshot_is_empty_while_the_file_exists() {
    let world = World::new();
    let hfi = world.start(&world.halt_file()).await;
    let before = hfi.snapshot(CHECKOUT).await;
    assert!(!is_empty(&before));
    for _ in 0..2 {
        let held = hfi.next(CHECKOUT, &before.etag);
        let (halted, ()) = tokio::join!(held, async { fs::write(world.halt_file(), "").unwrap() });
        assert!(is_empty(&halted));
        assert_eq!(halted.revision, before.revision, "the source has not changed");
        assert_eq!(hfi.json("/v1/policies").await, json!({"policies": []}));
        let unlisted = hfi.get("/v1/policies/a", &[]).await;
        let said = String::from_utf8(unlisted.body).unwrap();
        assert!(unlisted.status == 404 && said.contains("while everything is halted"), "{said}");
        let all = hfi.json("/v1/policies?all=true").await;
        assert_eq!(all["policies"][0]["metadata"]["name"], "a", "what comes back can be seen");
        assert_eq!(hfi.json("/v1/ready").await["halted"], true);
        assert_eq!(hfi.json("/v1/filters").await["held"], true);
        let status = hfi.json("/v1/policies/status").await;
        assert_eq!(status["halted"], true);
        assert_eq!(status["digest"].as_str(), Some(halted.etag.trim_matches('"')), "{status}");
        assert_eq!((&status["policies"][0]["name"], &status["summary"]["active"]), (&json!("a"), &json!(1)));
        assert_eq!(hfi.metric("hfi_halted").await, Some(1.0));
        let held = hfi.next(CHECKOUT, &halted.etag);
        let (after, ()) = tokio::join!(held, async { fs::remove_file(world.halt_file()).unwrap() });
        assert_eq!(after, before);
        assert_eq!(hfi.json("/v1/policies/status").await["halted"], false);
        assert_eq!(hfi.json("/v1/filters").await["held"], false);
        assert_eq!(hfi.metric("hfi_halted").await, Some(0.0));
    }
    assert!(hfi.said("halted: every snapshot is empty").is_some());
    assert!(hfi.said("no longer halted").is_some());
}

#[tokio::test]
async fn what_changes_meanwhile_is_in_force_afterwards() {
    let world = World::new();
    fs::write(world.halt_file(), "").unwrap();
    let hfi = world.start(&world.halt_file()).await;
    let halted = hfi.snapshot(CHECKOUT).await;
    assert!(is_empty(&halted));
    fs::write(world.policies.path().join("b.yaml"), policy("b", "checkout", 500)).unwrap();
    hfi.until_ready(|ready| ready["revision"] != halted.revision).await;
    assert_eq!(hfi.snapshot(CHECKOUT).await.etag, halted.etag);
    fs::remove_file(world.halt_file()).unwrap();
    let policies = |answer: &Answer| Snapshot::decode(&answer.body).unwrap().policies.len();
    let mut after = hfi.next(CHECKOUT, &halted.etag).await;
    // What was halted may have been older than the first read of the directory.
    while policies(&after) < 2 {
        after = hfi.next(CHECKOUT, &after.etag).await;
    }
    assert_eq!(policies(&after), 2);
}

#[tokio::test]
async fn a_source_that_was_never_read_and_hangs_does_not_matter() {
    let world = World::new();
    fs::write(world.halt_file(), "").unwrap();
    // Takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/policies.git", silent.local_addr().unwrap());
    let hfi = Process::start(&[("HFI_REPO", &url), ("HFI_HALT_FILE", text(&world.halt_file()))]).await;
    let ready = hfi.json("/v1/ready").await;
    assert_eq!((&ready["status"], &ready["halted"]), (&json!("ready"), &json!(true)), "{ready}");
    let snapshot = hfi.snapshot(CHECKOUT).await;
    assert!(is_empty(&snapshot));
    assert!(snapshot.revision.starts_with("halt@sha256:"), "{}", snapshot.revision);
    fs::remove_file(world.halt_file()).unwrap();
    let withdrawn = async {
        while hfi.get("/v1/ready", &[]).await.status != 503 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, withdrawn).await.expect("nothing was ever read");
}

#[tokio::test]
async fn a_config_map_can_hold_the_file() {
    let world = World::new();
    let mount = world.switch.path();
    let data = |name: &str| {
        fs::create_dir(mount.join(name)).unwrap();
        mount.join(name)
    };
    let swap = |name: &str| {
        symlink(name, mount.join("..data_tmp")).unwrap();
        fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
    };
    data("..1");
    swap("..1");
    let hfi = world.start(&mount.join("halt")).await;
    let before = hfi.snapshot(CHECKOUT).await;
    // The kubelet makes the link when the key is there, and removes it when the key has gone.
    fs::write(data("..2").join("halt"), "").unwrap();
    swap("..2");
    symlink("..data/halt", mount.join("halt")).unwrap();
    let halted = hfi.next(CHECKOUT, &before.etag).await;
    assert!(is_empty(&halted));
    data("..3");
    swap("..3");
    fs::remove_file(mount.join("halt")).unwrap();
    assert_eq!(hfi.next(CHECKOUT, &halted.etag).await, before);
}

#[tokio::test]
async fn the_directory_may_be_replaced_or_come_later() {
    let world = World::new();
    let folder = world.switch.path().join("later");
    let hfi = world.start(&folder.join("halt")).await;
    let before = hfi.snapshot(CHECKOUT).await;
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("halt"), "").unwrap();
    let halted = hfi.next(CHECKOUT, &before.etag).await;
    assert!(is_empty(&halted));
    fs::rename(&folder, world.switch.path().join("gone")).unwrap();
    fs::create_dir(&folder).unwrap();
    assert_eq!(hfi.next(CHECKOUT, &halted.etag).await, before);
    fs::write(folder.join("halt"), "").unwrap();
    assert!(is_empty(&hfi.next(CHECKOUT, &before.etag).await));
}

#[tokio::test]
async fn at_the_start_also_where_it_cannot_be_known_whether_the_file_exists() {
    let world = World::new();
    // The directory is a link to itself: nobody knows what is in it.
    let folder = world.switch.path().join("folder");
    symlink(&folder, &folder).unwrap();
    let hfi = world.start(&folder.join("halt")).await;
    // What was halted before it was loaded has nothing to return to yet.
    hfi.until_ready(|ready| ready["source_age_seconds"].is_number()).await;
    let halted = hfi.snapshot(CHECKOUT).await;
    assert!(is_empty(&halted));
    let held = hfi.next(CHECKOUT, &halted.etag);
    let (after, ()) = tokio::join!(held, async { fs::remove_file(&folder).unwrap() });
    assert!(!is_empty(&after));
}

#[tokio::test]
async fn a_link_that_leads_nowhere_is_there_all_the_same() {
    let world = World::new();
    let hfi = world.start(&world.halt_file()).await;
    let before = hfi.snapshot(CHECKOUT).await;
    let held = hfi.next(CHECKOUT, &before.etag);
    let (halted, ()) = tokio::join!(held, async { symlink("nowhere", world.halt_file()).unwrap() });
    assert!(is_empty(&halted));
    fs::remove_file(world.halt_file()).unwrap();
    assert_eq!(hfi.next(CHECKOUT, &halted.etag).await, before);
}
