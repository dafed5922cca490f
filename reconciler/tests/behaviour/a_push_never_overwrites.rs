//! A push to a repository on this machine moves the branch from where it was known to be, or not at all.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use harness::Repository;
use reconciler::source::{
    access::Access,
    ancestry::CommitId,
    writing::{BranchName, PushOutcome, Settled, Writer, is_checked_out},
};

use crate::support::{
    remote::{access, repository},
    writer::{PUSHED, bare_git, change, commit_of, hook, local, read, settings, text, writer},
};

/// A writer with a commit that is not pushed yet: where it begins, and itself.
async fn prepared() -> (Repository, Writer, CommitId, CommitId) {
    let repository = repository().await;
    let mut writer = local(&repository);
    let head = writer.head().unwrap();
    let commit = writer.commit(head, &change("a.yaml", "ours")).unwrap();
    (repository, writer, head, commit)
}

fn id(hex: &str) -> CommitId {
    CommitId::from_hex(hex).unwrap()
}

#[tokio::test]
async fn a_branch_that_somebody_else_moved_is_a_lost_race() {
    let (repository, mut writer, head, commit) = prepared().await;
    repository.write("b.yaml", "theirs").unwrap();
    repository.push("Theirs").await.unwrap();
    let theirs = id(&commit_of(&repository, "main").await);
    assert_eq!(writer.push(head, commit), PushOutcome::LostRace { head: Some(theirs) });
    assert_eq!(commit_of(&repository, "main").await, theirs.to_string());
    assert_eq!(writer.settle(head, commit), Settled::NotIn { head: Some(theirs) });
    assert_eq!(read(&mut writer), theirs);
    let again = writer.commit(theirs, &change("a.yaml", "ours")).unwrap();
    assert_eq!(writer.push(theirs, again), PUSHED);
    assert_eq!(writer.settle(theirs, again), Settled::In);
    assert_eq!(writer.settle(head, theirs), Settled::In, "an older commit is in, too");
}

#[tokio::test]
async fn what_was_forced_off_the_branch_does_not_come_back_with_a_push() {
    let (repository, mut writer, head, commit) = prepared().await;
    let before = bare_git(&repository, &["rev-parse", "main~1"]).await;
    bare_git(&repository, &["update-ref", "refs/heads/main", &before]).await;
    assert_eq!(writer.push(head, commit), PushOutcome::LostRace { head: Some(id(&before)) });
    assert_eq!(commit_of(&repository, "main").await, before);
}

#[tokio::test]
async fn a_branch_that_was_deleted_is_not_made_again() {
    let (repository, mut writer, head, commit) = prepared().await;
    bare_git(&repository, &["update-ref", "-d", "refs/heads/main"]).await;
    assert_eq!(writer.push(head, commit), PushOutcome::LostRace { head: None });
    assert_eq!(bare_git(&repository, &["for-each-ref"]).await, "");
    assert_eq!(writer.settle(head, commit), Settled::NotIn { head: None });
}

#[tokio::test]
async fn a_push_that_is_repeated_changes_nothing() {
    let (repository, mut writer, head, commit) = prepared().await;
    assert_eq!(writer.settle(head, commit), Settled::NotYet);
    assert_eq!(writer.push(head, commit), PUSHED);
    assert_eq!(writer.push(head, commit), PUSHED);
    let next = writer.commit(commit, &change("b.yaml", "b")).unwrap();
    assert_eq!(writer.push(head, next), PUSHED, "a part of the chain is there");
    assert_eq!(bare_git(&repository, &["rev-list", "--count", &format!("{head}..main")]).await, "2");
}

#[tokio::test]
async fn of_many_who_write_at_once_nobody_loses_a_change() {
    const EACH: usize = 4;
    let repository = repository().await;
    let settings = settings(&text(&repository.bare()), &access());
    let write = |name: &'static str| {
        let settings = settings.clone();
        thread::spawn(move || {
            let mut writer = writer(settings);
            for number in 0..EACH {
                loop {
                    let head = read(&mut writer);
                    let path = format!("{name}-{number}.yaml");
                    let commit = writer.commit(head, &change(&path, name)).unwrap();
                    match writer.push(head, commit) {
                        PushOutcome::Pushed { .. } => break,
                        PushOutcome::LostRace { .. } => {}
                        other => panic!("{other:?}"),
                    }
                }
            }
        })
    };
    let writers = ["a", "b", "c"].map(write);
    for number in 0..EACH {
        repository.write(&format!("git-{number}.yaml"), "git").unwrap();
        repository.git(&["add", "--all"]).await.unwrap();
        repository.git(&["commit", "--quiet", "-m", "Git"]).await.unwrap();
        while repository.git(&["push", "--quiet", "origin", "main"]).await.is_err() {
            repository.git(&["pull", "--quiet", "--rebase", "origin", "main"]).await.unwrap();
        }
    }
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let files = bare_git(&repository, &["ls-tree", "--name-only", "main"]).await;
    assert_eq!(files.lines().filter(|name| name.contains('-')).count(), 4 * EACH, "{files}");
    bare_git(&repository, &["fsck", "--strict", "--no-dangling"]).await;
}

#[tokio::test]
async fn a_branch_that_is_checked_out_is_not_moved_under_its_files() {
    let (repository, _, _, _) = prepared().await;
    let main = "main".parse().unwrap();
    let checked_out = |path: &std::path::Path| {
        is_checked_out(&text(path).parse().unwrap(), &main, &access()).map_err(|error| error.to_string())
    };
    assert_eq!(checked_out(&repository.bare()), Ok(false));
    assert_eq!(checked_out(&repository.work()), Ok(true));
    assert_eq!(checked_out(&repository.work().join(".git")), Ok(true));
    let error = checked_out(&repository.folder().join("none")).unwrap_err();
    assert!(error.starts_with("cannot read "), "{error}");

    let mut writer = writer(settings(&text(&repository.work()), &access()));
    let head = writer.head().unwrap();
    let commit = writer.commit(head, &change("a.yaml", "ours")).unwrap();
    let refused = writer.push(head, commit);
    assert!(
        matches!(&refused, PushOutcome::Refused { words } if words.contains("checked out")),
        "{refused:?}"
    );
    repository.git(&["checkout", "--quiet", "-b", "other"]).await.unwrap();
    assert_eq!(checked_out(&repository.work()), Ok(false));
    assert_eq!(writer.push(head, commit), PUSHED);
    assert_eq!(repository.git(&["status", "--porcelain"]).await.unwrap(), "");

    // A worktree that is linked to the bare repository.
    let linked = text(&repository.folder().join("linked"));
    bare_git(&repository, &["worktree", "add", "--quiet", &linked, "main"]).await;
    assert_eq!(checked_out(&repository.bare()), Ok(true));
    assert_eq!(checked_out(linked.as_ref()), Ok(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ref_that_is_locked_is_waited_for_and_then_left_alone() {
    let (repository, mut writer, head, commit) = prepared().await;
    let lock = repository.bare().join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    let PushOutcome::Unreachable { reason } = writer.push(head, commit) else { panic!("it is locked") };
    assert!(reason.contains("a ref cannot be") || reason.contains("lock"), "{reason}");
    assert!(lock.exists(), "it is somebody else's");
    let release = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        fs::remove_file(lock).unwrap();
    });
    assert_eq!(writer.push(head, commit), PUSHED);
    release.await.unwrap();
}

#[tokio::test]
async fn the_log_of_the_ref_is_kept_and_a_packed_ref_is_moved() {
    let (repository, mut writer, head, commit) = prepared().await;
    bare_git(&repository, &["config", "core.logAllRefUpdates", "true"]).await;
    bare_git(&repository, &["pack-refs", "--all"]).await;
    assert_eq!(writer.push(head, commit), PUSHED);
    assert_eq!(
        bare_git(&repository, &["reflog", "show", "--format=%gn %gs", "main"]).await,
        "hfi push by hfi"
    );
    bare_git(&repository, &["pack-refs", "--all"]).await;
    let next = writer.commit(commit, &change("b.yaml", "b")).unwrap();
    assert_eq!(writer.push(commit, next), PUSHED);
    assert_eq!(commit_of(&repository, "main").await, next.to_string());
}

#[tokio::test]
async fn among_many_refs_only_what_is_new_is_sent() {
    let (repository, mut writer, head, commit) = prepared().await;
    let root = bare_git(&repository, &["rev-parse", "main~1"]).await;
    let mut packed = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
    (0..1_100).for_each(|number| packed += &format!("{root} refs/heads/a{number:04}\n"));
    packed += &format!("{head} refs/heads/main\n");
    fs::write(repository.bare().join("packed-refs"), packed).unwrap();
    fs::remove_file(repository.bare().join("refs/heads/main")).unwrap();
    assert_eq!(writer.push(head, commit), PUSHED);
    let objects = bare_git(&repository, &["count-objects", "-v"]).await;
    assert!(objects.contains("in-pack: 3\n"), "a commit, a tree and a file: {objects}");
}

#[tokio::test]
async fn nothing_of_a_repository_on_this_machine_is_executed() {
    let (repository, mut writer, head, commit) = prepared().await;
    let ran = repository.folder().join("ran");
    for name in ["pre-receive", "update", "post-receive", "post-update", "reference-transaction"] {
        hook(&repository, name, &format!("touch {}\nexit 1", ran.display()));
    }
    assert_eq!(writer.push(head, commit), PUSHED);
    assert!(!ran.exists());
}

#[tokio::test]
async fn a_change_can_go_to_a_new_branch() {
    let (repository, mut writer, head, commit) = prepared().await;
    let name = BranchName::new("hfi/alice/a-1", &"main".parse().unwrap()).unwrap();
    assert_eq!(writer.settle_new_branch(&name, commit), Settled::NotYet);
    assert_eq!(writer.push_new_branch(&name, head, commit), PUSHED);
    assert_eq!(commit_of(&repository, "hfi/alice/a-1").await, commit.to_string());
    assert_eq!(commit_of(&repository, "main").await, head.to_string());
    assert_eq!(writer.push_new_branch(&name, head, commit), PUSHED, "it is the same");
    assert_eq!(writer.settle_new_branch(&name, commit), Settled::In);
    let other = writer.commit(head, &change("b.yaml", "b")).unwrap();
    assert_eq!(writer.settle_new_branch(&name, other), Settled::NotIn { head: Some(commit) });
    assert_eq!(writer.push_new_branch(&name, head, other), PushOutcome::LostRace { head: Some(commit) });
    let below = BranchName::new("hfi/alice/a-1/b", &"main".parse().unwrap()).unwrap();
    assert!(matches!(writer.push_new_branch(&below, head, other), PushOutcome::Unreachable { .. }));
}

#[tokio::test]
async fn a_push_that_is_killed_at_any_moment_leaves_a_whole_repository_and_tells_the_truth() {
    let repository = repository().await;
    let after = repository.folder().join("after");
    let program = killing(&repository, &after);
    let mut writer = writer(settings(&text(&repository.bare()), &Access { program, ..access() }));
    let mut head = writer.head().unwrap();
    let (mut ended, mut millis) = (0, 1.0);
    while ended < 3 {
        fs::write(&after, format!("{}", millis / 1000.0)).unwrap();
        let commit = writer.commit(head, &change("a.yaml", &format!("{millis}"))).unwrap();
        let outcome = writer.push(head, commit);
        let now = id(&commit_of(&repository, "main").await);
        match outcome {
            PushOutcome::Pushed { .. } => assert_eq!(now, commit),
            PushOutcome::Unreachable { .. } => assert_eq!(now, head),
            PushOutcome::Unknown { .. } => {
                let settled = writer.settle(head, commit);
                assert!(settled == Settled::In && now == commit || settled == Settled::NotYet && now == head);
            }
            other => panic!("{other:?}"),
        }
        bare_git(&repository, &["fsck", "--strict", "--no-dangling"]).await;
        // As after the death of any Git that writes a ref.
        let _ = fs::remove_file(repository.bare().join("refs/heads/main.lock"));
        ended += usize::from(now == commit);
        head = read(&mut writer);
        assert_eq!(head, now);
        millis *= 1.4;
    }
}

/// A program that does as `hfi` does, but is killed in the middle of a push, after the seconds in a file.
fn killing(repository: &Repository, after: &Path) -> PathBuf {
    let program = repository.folder().join("killing");
    let hfi = env!("CARGO_BIN_EXE_hfi");
    let script = format!(
        "#!/bin/bash\nread -r order\nlimit=600\n\
         case $order in *'\"job\":{{\"Push\"'*) limit=$(cat {after}) ;; esac\n\
         exec timeout -s KILL \"$limit\" {hfi} \"$1\" < <(printf '%s\\n' \"$order\"; cat)\n",
        after = after.display(),
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}
