//! A change that was made without its client knowing is told once by the same request, and never made a second time.

use std::fs;

use harness::Repository;
use tokio::time::timeout;

use crate::support::{
    PATIENCE, client,
    held_pushes::{World, until},
    policy,
    process::text,
    writing::{Answer, Change, git, path, process, repository, send, waiting},
};

fn head(repository: &Repository) -> String {
    git(repository, &["rev-parse", "main"]).trim().to_owned()
}

impl World {
    /// The commit of a change that got in after its client had left.
    async fn got_in_unheard(&self) -> String {
        self.leave_when("left", || self.begun.exists()).await;
        fs::remove_file(&self.hold).unwrap();
        self.told("a write", "what", "left created").await;
        head(&self.repository)
    }

    async fn send(&self, change: Change<'_>) -> Answer {
        send(&client(), &self.hfi.url, change).await.unwrap()
    }

    /// The commit of somebody else who changes the policy by hand.
    async fn change_by_hand(&self, status: u16) -> String {
        self.repository.git(&["pull", "--quiet", "origin", "main"]).await.unwrap();
        self.repository.write("left.yaml", &policy("left", "web", status)).unwrap();
        self.repository.push("By hand").await.unwrap();
        head(&self.repository)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_changed_since_is_not_changed_back() {
    let world = World::new().await;
    let unheard = world.got_in_unheard().await;
    let by_hand = world.change_by_hand(418).await;
    let again = || waiting(20, &policy("left", "web", 500));
    let refused = world.send(again()).await;
    refused.is_refused(409, &format!("was done before, as commit {unheard}"));
    refused.is_refused(409, &format!("was changed since by commit {by_hand}"));
    assert_eq!(head(&world.repository), by_hand);
    world.send(again()).await.is(200, &["left configured"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_is_told_once() {
    let world = World::new().await;
    let unheard = world.got_in_unheard().await;
    let again = || waiting(20, &policy("left", "web", 500));
    let told = world.send(again()).await;
    told.is(201, &["left created"]);
    assert_eq!(told.commit(), unheard);
    world.send(again()).await.is(200, &["left unchanged"]);
    let by_hand = world.change_by_hand(418).await;
    let refused = world.send(again()).await;
    refused.is_refused(409, &format!("was changed meanwhile by commit {by_hand}"));
    let anew = world.send(again()).await;
    anew.is(200, &["left configured"]);
    assert_ne!(anew.commit(), unheard);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_forced_off_the_branch_is_made_again() {
    let world = World::new().await;
    let unheard = world.got_in_unheard().await;
    git(&world.repository, &["update-ref", "refs/heads/main", "main~1"]);
    let again = world.send(waiting(20, &policy("left", "web", 500))).await;
    again.is(201, &["left created"]);
    assert_ne!(again.commit(), unheard);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_since_is_not_told_as_just_begun() {
    let world = World::new().await;
    let timed = policy("left", "web", 500).replace("percentage: 100", "percentage: 100, duration_seconds: 1");
    world.leave_with(&timed, || world.begun.exists()).await;
    fs::remove_file(&world.hold).unwrap();
    world.told("a write", "what", "left created").await;
    let has_ended = async {
        while world.hfi.json("/v1/policies/status").await["policies"][1]["state"] != "expired" {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, has_ended).await.unwrap();
    let again = world.send(waiting(20, &timed)).await;
    again.is(200, &["left unchanged"]);
    assert!(again.body["warnings"].to_string().contains("ended at "), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_branch_that_is_gone_is_made_again() {
    let world = World::with(&[("HFI_WRITE_BRANCH", "hfi/{user}/{name}-{id}")]).await;
    world.leave_when("left", || world.begun.exists()).await;
    fs::remove_file(&world.hold).unwrap();
    world.told("a write", "what", "left created").await;
    let branches =
        || git(&world.repository, &["for-each-ref", "--format=%(refname:short)", "refs/heads/hfi"]);
    let closed = branches();
    git(&world.repository, &["branch", "--quiet", "-D", closed.trim()]);
    let again = world.send(waiting(20, &policy("left", "web", 500))).await;
    again.is(202, &["left created"]);
    assert_eq!(again.body["branch"], branches().trim(), "{again:?}");
    assert_ne!(branches(), closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_before_the_change_is_served_has_not_heard_it() {
    let a = policy("a", "checkout", 503);
    let (followed, pushed_to) = (repository(&[("a.yaml", &a)]).await, repository(&[("a.yaml", &a)]).await);
    let tokens = tempfile::tempdir().unwrap();
    // What is pushed does not arrive where it is followed: it is never served.
    let push_url = path(&pushed_to);
    let hfi = process(&path(&followed), tokens.path(), &[("HFI_PUSH_URL", text(push_url.as_ref()))]).await;
    hfi.until_ready(|_| true).await;
    let left = || waiting(60, &policy("left", "web", 500));
    let client = client();
    let begun = head(&pushed_to);
    let commit = tokio::select! {
        answer = send(&client, &hfi.url, left()) => panic!("{answer:?}"),
        commit = async {
            until(|| head(&pushed_to) != begun).await;
            let commit = head(&pushed_to);
            // Once this one is answered, so was the one before it.
            let other = waiting(2, &policy("other", "web", 500));
            send(&client, &hfi.url, other).await.unwrap().is(201, &["other created"]);
            commit
        } => commit,
    };
    let is_told = || hfi.all_said("a write").iter().any(|line| line["what"] == "left created");
    timeout(PATIENCE, until(is_told)).await.unwrap();
    let again = send(&client, &hfi.url, waiting(2, &policy("left", "web", 500))).await.unwrap();
    again.is(201, &["left created"]);
    assert_eq!(again.commit(), commit);
}
