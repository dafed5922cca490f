//! Somebody forces the branch between the list of refs that a fetch reads and the pack that it asks for.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};

use crate::support::{
    policy,
    way::way,
    writer::{bare_git, over_http, text},
    writing::{Replica, git},
};

#[tokio::test(flavor = "multi_thread")]
async fn and_the_change_is_written() {
    let (repository, server) = over_http().await;
    let bare = text(&repository.bare());
    let (base, tree) =
        (git(&repository, &["rev-parse", "main"]), git(&repository, &["rev-parse", "main^{tree}"]));
    let commit = async |message: &str| {
        let person = ["-c", "user.name=Alice", "-c", "user.email=alice@example.org"];
        let new = [&person[..], &["commit-tree", tree.trim(), "-p", base.trim(), "-m", message]].concat();
        bare_git(&repository, &new).await
    };
    let (left, right) = (commit("Left").await, commit("Right").await);
    let times = Arc::new(AtomicU32::new(0));
    let left_times = Arc::clone(&times);
    let (to, left_of, right_of) = (bare.clone(), left.clone(), right.clone());
    let server = format!("http://{}", server.address());
    let forced = way(&server, move |sent, answer| {
        let is_list = sent.head.contains("service=git-upload-pack");
        let is_now = is_list && left_times.fetch_update(SeqCst, SeqCst, |times| times.checked_sub(1)).is_ok();
        let next = if answer.windows(40).any(|id| id == left_of.as_bytes()) { &right_of } else { &left_of };
        let force = ["-C", &to, "update-ref", "refs/heads/main", next].map(str::to_owned);
        async move {
            if is_now {
                let done = tokio::process::Command::new("git").args(force).status().await.unwrap();
                assert!(done.success());
            }
            answer
        }
    });
    let replica = Replica::of(&format!("{}/policies.git", forced.await)).await;
    git(&repository, &["update-ref", "refs/heads/main", &left]);
    times.store(2, SeqCst);
    replica.apply("", &policy("b", "web", 500)).await.is(201, &["b created"]);
    assert_eq!(times.load(SeqCst), 0);
    assert_eq!(git(&repository, &["rev-parse", "main~1"]).trim(), left, "it was forced twice");
}
