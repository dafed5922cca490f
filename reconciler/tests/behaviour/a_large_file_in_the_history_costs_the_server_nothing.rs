//! Packs are joined by another process: the one that serves answers meanwhile, and does not grow with the history.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::time::timeout;

use crate::support::{
    PATIENCE,
    plumbing::{Plumbing, bare},
    policy,
    process::{Process, peak_memory, text},
};

const CHECKOUT: &str = "namespace=demo&service=checkout";
/// The size of the large file, in bytes.
const LARGE: usize = 160 << 20;
/// Less than the large file, and more than the server needs, in KiB.
const MUCH_MEMORY: u64 = 100 * 1024;
/// More packs than are kept.
const PACKS: u16 = 60;

/// A repository of many packs, with a large file in its history.
fn world(folder: &TempDir) -> Plumbing {
    let repository = bare(folder.path());
    let large = repository.blob(vec![0; LARGE]);
    let tree = repository.files(["large".to_owned()].into_iter(), &large);
    repository.commit(&tree, "Large");
    for status in 0..PACKS {
        repository.git(&["repack", "-q", "-d"], "");
        let blob = repository.blob(policy("a", "checkout", 400 + status));
        let tree = repository.files(["a.yaml".to_owned()].into_iter(), &blob);
        repository.commit(&tree, "Change a");
    }
    repository.git(&["repack", "-q", "-d"], "");
    repository
}

async fn start(repository: &Plumbing, state: &Path) -> Process {
    Process::start(&[("HFI_REPO", text(&repository.0)), ("HFI_STATE_DIR", text(state))]).await
}

fn packs(clone: &Path) -> usize {
    let files = fs::read_dir(clone.join("objects/pack")).into_iter().flatten().flatten();
    files.filter(|file| file.path().extension().is_some_and(|ending| ending == "pack")).count()
}

fn is_sound(clone: &Path) -> bool {
    let fsck = Command::new("git").arg("-C").arg(clone).args(["fsck", "--full"]).output().unwrap();
    fsck.status.success()
}

#[tokio::test]
async fn while_packs_are_joined_polls_are_answered_and_memory_stays() {
    let folder = tempfile::tempdir().unwrap();
    let repository = world(&folder);
    let (state, clone) = (folder.path().join("state"), folder.path().join("state/clone.git"));
    let hfi = start(&repository, &state).await;
    hfi.until_ready(|_| true).await;
    let joined = async {
        let mut longest = Duration::ZERO;
        while packs(&clone) != 2 {
            let asked = Instant::now();
            assert_eq!(hfi.snapshot(CHECKOUT).await.status, 200);
            longest = longest.max(asked.elapsed());
        }
        longest
    };
    let longest = timeout(2 * PATIENCE, joined).await.expect("the packs are not joined");
    assert!(longest < Duration::from_secs(5), "a poll took {longest:?}");
    assert!(peak_memory(&hfi) < MUCH_MEMORY, "{} KiB", peak_memory(&hfi));
    assert!(is_sound(&clone), "something is missing");
    // The next change is packed as ever, by a server that has opened the new packs.
    let blob = repository.blob(policy("a", "checkout", 599));
    let tree = repository.files(["a.yaml".to_owned()].into_iter(), &blob);
    let commit = repository.commit(&tree, "Change a");
    hfi.until_ready(|ready| ready["revision"] == format!("main@sha1:{commit}")).await;
}

#[tokio::test]
async fn killed_at_any_moment_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let repository = world(&folder);
    for delay in [0, 5, 20, 50, 100] {
        let state = folder.path().join(format!("state{delay}"));
        let hfi = start(&repository, &state).await;
        hfi.until_ready(|_| true).await;
        let revision = hfi.snapshot(CHECKOUT).await.revision;
        tokio::time::sleep(Duration::from_millis(delay)).await;
        drop(hfi);
        let away = folder.path().join("away.git");
        fs::rename(&repository.0, &away).unwrap();
        let hfi = start(&repository, &state).await;
        hfi.until_ready(|ready| ready["restored"] == true).await;
        assert_eq!(hfi.snapshot(CHECKOUT).await.revision, revision);
        drop(hfi);
        fs::rename(&away, &repository.0).unwrap();
        assert!(is_sound(&state.join("clone.git")));
    }
}
