//! A GET that names the revision of a change is answered with that change in it, or with 503: also where a mirror is
//! followed that does not have it yet.

use std::{path::Path, process::Command};

use futures_util::future::join_all;
use reqwest::Method;

use crate::support::{
    NEVER, policy, remote,
    writing::{ALICE, Change, Replica, path, repository, waiting},
};

/// The paths whose answers depend on what is served.
const PATHS: [&str; 9] = [
    "/v1/policies",
    "/v1/policies/a?all=true",
    "/v1/policies/status",
    "/v1/filters",
    "/v1/halt",
    "/v1/ready",
    "/ready",
    "/v1/events",
    "/v1/config/stream",
];

/// Runs git in a directory.
fn git(directory: &Path, arguments: &[&str]) {
    assert!(Command::new("git").arg("-C").arg(directory).args(arguments).status().unwrap().success());
}

/// The status of each answer to a client that names this revision.
async fn statuses(replica: &Replica, revision: &str) -> Vec<(&'static str, u16)> {
    let headers = [("x-hfi-revision", revision)];
    let asked = PATHS.map(async |path| (path, replica.server.get(path, &headers).await.status().as_u16()));
    join_all(asked).await
}

#[tokio::test]
async fn a_mirror_that_lags_behind_gives_no_older_answer_nor_during_a_halt() {
    let pushed_to = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let folder = tempfile::tempdir().unwrap();
    let mirror = folder.path().join("mirror.git");
    git(folder.path(), &["clone", "--quiet", "--mirror", &path(&pushed_to), "mirror.git"]);
    let followed = remote::following(mirror.to_str().unwrap(), &remote::access());
    let pushing = path(&pushed_to).parse().unwrap();
    let replica =
        Replica::start(followed, NEVER, |options| options.settings.writer.repository = pushing).await;
    let written = replica.send(waiting(1, &policy("a", "checkout", 500))).await;
    written.is(200, &["a configured"]);
    assert_eq!(written.body["served"], false, "{written:?}");
    let revision = written.body["revision"].as_str().unwrap();
    assert_eq!(statuses(&replica, revision).await, PATHS.map(|path| (path, 503)));
    let halt = Change {
        method: Method::POST,
        path: "/v1/halt".to_owned(),
        token: ALICE,
        headers: vec![("content-type", "application/json".to_owned())],
        body: r#"{"reason": "too many errors"}"#.to_owned(),
    };
    assert_eq!(replica.send(halt).await.status, 200);
    assert_eq!(statuses(&replica, revision).await, PATHS.map(|path| (path, 503)));
    git(&mirror, &["fetch", "--quiet"]);
    assert_eq!(statuses(&replica, revision).await, PATHS.map(|path| (path, 200)));
}
