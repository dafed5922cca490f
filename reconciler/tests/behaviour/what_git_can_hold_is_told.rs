//! Anything that a repository can be and hold besides plain policy files is told, and never followed blindly.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, os::unix::fs::symlink, time::Duration};

use harness::Repository;
use reconciler::source::Content;

use tokio::time::timeout;

use crate::{
    support::process::{Process, text},
    support::remote::{access, look, repository},
    support::{NEVER, PATIENCE, Server, policy},
};

async fn push(repository: &Repository) {
    repository.push("Add odd things").await.unwrap();
}

/// The warnings about a repository, and its files: the path, and why it cannot be read.
async fn told(repository: &Repository) -> (Vec<String>, Vec<(String, Option<String>)>) {
    let checkout = look(&repository.bare().display().to_string(), &access()).await.unwrap();
    let files = checkout.files.into_iter().map(|file| match file.content {
        Content::Unreadable(reason) => (file.path.to_string(), Some(reason)),
        _ => (file.path.to_string(), None),
    });
    (checkout.warnings.iter().map(ToString::to_string).collect(), files.collect())
}

/// The served policies of a repository: the names of those in force.
async fn served(repository: &Repository) -> Vec<String> {
    let settings = crate::support::remote::following(&repository.bare().display().to_string(), &access());
    let server = Server::start(settings, NEVER).await;
    server.until_ready().await;
    server.names().await
}

#[tokio::test]
async fn a_submodule_is_told_and_passed_over() {
    let repository = repository().await;
    let commit = repository.git(&["rev-parse", "HEAD"]).await.unwrap();
    let entry = format!("160000,{},teams/shop", commit.trim());
    repository.git(&["update-index", "--add", "--cacheinfo", &entry]).await.unwrap();
    repository.git(&["commit", "--quiet", "-m", "Add a submodule"]).await.unwrap();
    repository.git(&["push", "--quiet", "origin", "main"]).await.unwrap();
    let (warnings, files) = told(&repository).await;
    assert!(warnings[0].starts_with("teams/shop is a submodule"), "{warnings:?}");
    assert_eq!((warnings.len(), files.len()), (1, 1));
}

#[tokio::test]
async fn a_link_out_of_the_repository_is_not_followed() {
    let repository = repository().await;
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("b.yaml"), policy("b", "checkout", 503)).unwrap();
    fs::create_dir(repository.work().join("linked")).unwrap();
    symlink(outside.path().join("b.yaml"), repository.work().join("linked/b.yaml")).unwrap();
    symlink(outside.path(), repository.work().join("team")).unwrap();
    push(&repository).await;
    let (warnings, files) = told(&repository).await;
    assert!(warnings[0].starts_with("team is a symbolic link"), "{warnings:?}");
    let (path, reason) = &files[1];
    assert_eq!(path, "linked/b.yaml");
    assert!(reason.as_ref().unwrap().starts_with("is a symbolic link"), "{reason:?}");
    assert_eq!(served(&repository).await, ["a"]);
}

#[tokio::test]
async fn names_that_are_not_utf_8_are_told() {
    let repository = repository().await;
    let name = |bytes: &[u8]| repository.work().join(OsStr::from_bytes(bytes));
    fs::create_dir(repository.work().join("team")).unwrap();
    fs::write(name(b"team/\xff.yaml"), policy("b", "checkout", 503)).unwrap();
    fs::create_dir(name(b"\xfe")).unwrap();
    fs::write(name(b"\xfe/c.yaml"), policy("c", "checkout", 503)).unwrap();
    push(&repository).await;
    let (warnings, files) = told(&repository).await;
    assert!(warnings[0].ends_with("is ignored: its name is not UTF-8"), "{warnings:?}");
    let reason = files[1].1.as_ref().unwrap();
    assert!(reason.contains("not UTF-8"), "{reason}");
    assert_eq!(served(&repository).await, ["a"]);
}

#[tokio::test]
async fn no_name_controls_the_terminal_that_shows_the_log() {
    let repository = repository().await;
    // What JSON leaves as it is: the beginning of a sequence, and a change of the direction of writing.
    let odd = "\u{9b}2J\u{202e}";
    for (file, text) in [("invalid.yaml", "no policy"), ("miscased.YAML", "")] {
        repository.write(&format!("{odd}{file}"), text).unwrap();
    }
    push(&repository).await;
    let bare = repository.bare();
    repository.git(&["push", "--quiet", "origin", &format!("main:refs/heads/{odd}")]).await.unwrap();
    for (branch, message) in [("main", "serving"), ("gone", "nothing to serve yet")] {
        let hfi = Process::start(&[("HFI_REPO", text(&bare)), ("HFI_BRANCH", branch)]).await;
        let told = async {
            while hfi.said(message).is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, told).await.unwrap_or_else(|_| panic!("never told: {}", hfi.log()));
        let log = hfi.log();
        // In a name that was escaped before, JSON escapes the backslash.
        assert!(log.replace(r"\\", r"\").contains(r"\u009b2J\u202e"), "{log}");
        assert!(!log.contains(['\u{9b}', '\u{202e}']), "{log}");
    }
}

#[tokio::test]
async fn names_that_differ_only_by_case_are_two_files() {
    let repository = repository().await;
    repository.write("A.yaml", &policy("b", "checkout", 503)).unwrap();
    repository.write("Team/c.yaml", &policy("c", "checkout", 503)).unwrap();
    repository.write("team/c.yaml", &policy("d", "checkout", 503)).unwrap();
    push(&repository).await;
    let mut names = served(&repository).await;
    names.sort();
    assert_eq!(names, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_huge_file_is_refused_and_the_others_served() {
    let repository = repository().await;
    let huge = policy("b", "checkout", 503) + &"# \n".repeat(8 << 20);
    repository.write("team/huge.yaml", &huge).unwrap();
    repository.write("team/huge.bin", &huge).unwrap();
    push(&repository).await;
    let (_, files) = told(&repository).await;
    assert_eq!(files.len(), 2);
    assert_eq!(served(&repository).await, ["a"]);
}

#[tokio::test]
async fn a_repository_without_a_commit_is_told_and_waited_for() {
    let repository = repository().await;
    let bare = repository.bare().display().to_string();
    repository.git(&["-C", &bare, "update-ref", "-d", "refs/heads/main"]).await.unwrap();
    let error = look(&bare, &access()).await.unwrap_err();
    assert!(error.ends_with("has no branch `main`, nor any branch: it is empty"), "{error}");
    let server = Server::start(crate::support::remote::following(&bare, &access()), NEVER).await;
    repository.git(&["push", "--quiet", "origin", "main"]).await.unwrap();
    server.until_ready().await;
}

#[tokio::test]
async fn a_branch_that_was_renamed_is_looked_for_among_those_that_are_there() {
    let repository = repository().await;
    let bare = repository.bare().display().to_string();
    repository.git(&["-C", &bare, "branch", "--move", "main", "trunk"]).await.unwrap();
    let error = look(&bare, &access()).await.unwrap_err();
    assert!(error.ends_with("has no branch `main`; its branches are `trunk`"), "{error}");
    for number in 0..6 {
        repository.git(&["-C", &bare, "branch", &format!("b{number}"), "trunk"]).await.unwrap();
    }
    let error = look(&bare, &access()).await.unwrap_err();
    assert!(error.ends_with("`b0`, `b1`, `b2`, `b3`, `b4` and 2 more"), "{error}");
}

#[tokio::test]
async fn a_file_url_may_have_escapes() {
    let repository = repository().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fault policies.git");
    fs::rename(repository.bare(), &path).unwrap();
    let url = format!("file://{}", path.display()).replace(' ', "%20");
    assert_eq!(look(&url, &access()).await.unwrap().files.len(), 1);
}
