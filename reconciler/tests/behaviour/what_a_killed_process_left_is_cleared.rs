//! The clones in temporary directories: those of a process that was killed are removed, and a damaged one is begun again.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::support::{
    client, policy,
    process::text,
    writing::{apply, path, process, repository, send},
};

/// The temporary directories of `hfi` in a directory.
fn directories(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("hfi-git-")).collect()
}

#[tokio::test]
async fn the_next_process_removes_what_a_killed_one_left() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let (url, directory) = (path(&repository), tempfile::tempdir().unwrap());
    let temporary = [("TMPDIR", text(directory.path()))];
    let killed = process(&url, directory.path(), &temporary).await;
    killed.until_ready(|_| true).await;
    let change = apply("", &policy("b", "web", 500));
    send(&client(), &killed.url, change).await.unwrap().is(201, &["b created"]);
    let of_killed = directories(directory.path());
    let alive = process(&url, directory.path(), &temporary).await;
    alive.until_ready(|_| true).await;
    let all = directories(directory.path());
    drop(killed);
    let left = directories(directory.path());
    assert_eq!(left.len(), all.len(), "nothing removes them when it is killed");
    for directory in &left {
        let in_use = fs::File::options().write(true).open(directory.join("in-use")).unwrap();
        in_use.set_modified(SystemTime::now() - Duration::from_secs(120)).unwrap();
    }
    let next = process(&url, directory.path(), &temporary).await;
    next.until_ready(|_| true).await;
    let (dead, of_alive): (Vec<_>, Vec<_>) = left.into_iter().partition(|path| of_killed.contains(path));
    assert!(!dead.is_empty() && dead.iter().all(|path| !path.exists()), "{dead:?}");
    assert!(!of_alive.is_empty() && of_alive.iter().all(|path| path.exists()), "{of_alive:?}");
    let change = apply("", &policy("c", "web", 500));
    send(&client(), &alive.url, change).await.unwrap().is(201, &["c created"]);
}

#[tokio::test]
async fn a_damaged_clone_for_writes_is_begun_again() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let (url, directory) = (path(&repository), tempfile::tempdir().unwrap());
    let hfi = process(&url, directory.path(), &[("TMPDIR", text(directory.path()))]).await;
    hfi.until_ready(|_| true).await;
    let write =
        async |name: &str| send(&client(), &hfi.url, apply("", &policy(name, "web", 500))).await.unwrap();
    write("b").await.is(201, &["b created"]);
    for clone in directories(directory.path()).iter().filter(|path| path.join("objects").is_dir()) {
        fs::remove_dir_all(clone.join("objects")).unwrap();
        fs::create_dir_all(clone.join("objects/pack")).unwrap();
    }
    let mut answer = write("c").await;
    // The first one finds the damage, also while the branch stands still.
    if answer.status == 503 {
        answer = write("c").await;
    }
    answer.is(201, &["c created"]);
}
