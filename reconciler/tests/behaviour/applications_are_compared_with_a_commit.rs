//! `hfi diff`: the resources of the work tree and those of a commit.

use std::{path::Path, process::Command};

use tempfile::TempDir;

use super::applications_are_checked_with_policies::{REVIEWS, directory, write};
use crate::support::{command, hfi};

fn git(directory: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.current_dir(directory).args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
    let output = git.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

fn commit(directory: &Path, message: &str) {
    git(directory, &["add", "--all"]);
    git(directory, &["commit", "--quiet", "--message", message]);
}

/// A repository with one commit on the branch `main`.
fn repository() -> TempDir {
    let repository = directory(&[("istio/shop/reviews.yaml", REVIEWS), ("notes.txt", "x")]);
    git(repository.path(), &["init", "--quiet", "--initial-branch", "main"]);
    commit(repository.path(), "Begin");
    repository
}

const OTHER: &str = "apiVersion: hfi.dev/v1
kind: AppConfiguration
metadata: {name: ratings, namespace: shop}
spec: {peerAuthentication: {}}
";

/// What is not read of a file whose ending is in upper case: what is too long, and what is elsewhere.
const UNREAD: [fn(&Path); 2] = [
    |file| std::fs::write(file, "# too long\n".repeat(100_000)).unwrap(),
    |file| std::os::unix::fs::symlink("../notes.txt", file).unwrap(),
];

#[test]
fn in_a_work_tree_what_is_not_read_may_hold_an_application() {
    let repository = repository();
    for make in UNREAD {
        let file = repository.path().join("istio/ratings.YAML");
        make(&file);
        let (code, text) = hfi(repository.path(), &["validate", "istio"]);
        assert!(code == 1 && text.contains("may hold an AppConfiguration"), "{text}");
        std::fs::remove_file(file).unwrap();
    }
}

#[test]
fn the_same_is_no_difference_whatever_the_layout() {
    let repository = repository();
    assert_eq!(hfi(repository.path(), &["diff", "istio"]), (0, String::new()));
    let moved = format!(
        "# Another comment.\n{}",
        REVIEWS.replace("{name: reviews, namespace: shop}", "\n  namespace: shop\n  name: reviews")
    );
    std::fs::remove_file(repository.path().join("istio/shop/reviews.yaml")).unwrap();
    write(repository.path(), &[("istio/elsewhere.yaml", &moved)]);
    assert_eq!(hfi(repository.path(), &["diff", "istio"]), (0, String::new()));
    assert_eq!(hfi(&repository.path().join("istio"), &["diff", "."]), (0, String::new()));
}

#[test]
fn each_resource_that_differs_is_told_in_the_unified_format() {
    let repository = repository();
    write(
        repository.path(),
        &[("istio/shop/reviews.yaml", &REVIEWS.replace("20s", "45s")), ("istio/ratings.yaml", OTHER)],
    );
    let (code, text) = hfi(repository.path(), &["diff", "istio"]);
    assert_eq!(code, 1, "{text}");
    let name = "shop/destination-rule-reviews-destination-rule.yaml";
    assert!(
        text.contains(&format!("): {name}\n+++ istio: {name}\n@@ ")) && text.contains("--- HEAD ("),
        "{text}"
    );
    assert!(text.contains("\n-      interval: 20s\n+      interval: 45s\n"), "{text}");
    let new = "--- /dev/null\n+++ istio: shop/peer-authentication-ratings-peer-authentication.yaml\n";
    assert!(text.contains(new), "{text}");
    // What is taken away.
    commit(repository.path(), "Add ratings");
    write(
        repository.path(),
        &[("istio/ratings.yaml", &OTHER.replace("{peerAuthentication: {}}", "{remove: true}"))],
    );
    let (code, text) = hfi(repository.path(), &["diff", "istio"]);
    assert!(code == 1 && text.contains("+++ /dev/null\n") && !text.contains("reviews"), "{text}");
}

#[tokio::test]
async fn a_branch_a_commit_and_the_upstream_are_compared_with() {
    let repository = repository();
    let path = repository.path();
    git(path, &["branch", "release"]);
    write(path, &[("istio/ratings.yaml", OTHER)]);
    commit(path, "Add ratings");
    let istio = path.join("istio");
    let istio = istio.to_str().unwrap();
    let compared = async |more: &[&str]| command::hfi(&[&["diff", istio], more].concat(), &[]).await;
    assert_eq!(compared(&[]).await.code, 0, "HEAD has it");
    for revision in ["release", "HEAD~1"] {
        let ended = compared(&["--branch", revision]).await;
        assert!(ended.code == 1 && ended.stdout.contains("peer-authentication-ratings"), "{ended:?}");
    }
    let ended = compared(&["--branch", "relase"]).await;
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("the repository has no branch, tag or commit `relase`"), "{ended:?}");
    // A branch with an upstream is compared with that: what a push would change.
    let remote = tempfile::tempdir().unwrap();
    git(remote.path(), &["init", "--quiet", "--bare", "--initial-branch", "main"]);
    git(path, &["remote", "add", "origin", remote.path().to_str().unwrap()]);
    git(path, &["push", "--quiet", "--set-upstream", "origin", "release:main"]);
    git(path, &["branch", "--quiet", "--set-upstream-to", "origin/main", "main"]);
    let ended = compared(&[]).await;
    assert!(ended.code == 1 && ended.stdout.contains("peer-authentication-ratings"), "{ended:?}");
    // A branch that only the remote has.
    git(path, &["push", "--quiet", "origin", "release:other"]);
    assert_eq!(compared(&["--branch", "other"]).await.code, 1);
}

#[tokio::test]
async fn what_cannot_be_compared_ends_with_2() {
    let repository = repository();
    let path = repository.path();
    let istio = path.join("istio");
    let compared = async || command::hfi(&["diff", istio.to_str().unwrap()], &[]).await;
    write(path, &[("istio/ratings.yaml", &OTHER.replace("peerAuthentication", "peerAuthenticaton"))]);
    let ended = compared().await;
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
    assert!(ended.stderr.contains("did you mean `peerAuthentication`?"), "{}", ended.stderr);
    // What is wrong in the commit alone keeps nobody from correcting it.
    commit(path, "Add a mistake");
    write(path, &[("istio/ratings.yaml", OTHER)]);
    let ended = compared().await;
    assert!(ended.code == 1 && ended.stdout.contains("--- /dev/null\n"), "{ended:?}");
    assert!(ended.stderr.contains("its application counts as absent there"), "{}", ended.stderr);
    // A file whose name is wrong may have held anything.
    std::fs::rename(path.join("istio/ratings.yaml"), path.join("istio/ratings.YAML")).unwrap();
    commit(path, "Rename in vain");
    std::fs::rename(path.join("istio/ratings.YAML"), path.join("istio/ratings.yaml")).unwrap();
    let ended = compared().await;
    assert!(ended.code == 1 && ended.stderr.contains("speaks of an AppConfiguration"), "{ended:?}");
    for make in UNREAD {
        std::fs::remove_file(path.join("istio/ratings.yaml")).unwrap();
        make(&path.join("istio/ratings.YAML"));
        commit(path, "Rename in vain what is not read");
        std::fs::remove_file(path.join("istio/ratings.YAML")).unwrap();
        write(path, &[("istio/ratings.yaml", OTHER)]);
        let ended = compared().await;
        assert!(ended.code == 1 && ended.stderr.contains("may hold an AppConfiguration"), "{ended:?}");
    }
    let plain = tempfile::tempdir().unwrap();
    let ended = command::hfi(&["diff", plain.path().to_str().unwrap()], &[]).await;
    assert!(ended.code == 2 && ended.stderr.contains("is in no Git work tree"), "{ended:?}");
}
