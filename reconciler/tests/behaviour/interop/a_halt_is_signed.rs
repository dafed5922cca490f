//! With `--verify` a halt is signed as any change is, and stands on a verified commit only; it holds without.

use crate::support::{
    halting::{RESUMES, halt, in_git, resume, served, until},
    signed_team::team,
    writing::git,
};

#[tokio::test(flavor = "multi_thread")]
async fn its_commits_are_signed_and_stand_on_signed_ones() {
    let team = team().await;
    let replica = team.replica(None).await;
    halt(&replica).await;
    // Only what is verified is read.
    in_git(&replica).await;
    assert_eq!(team.stands_on_signed_ones(), 1);
    assert_eq!(resume(&replica, RESUMES).await.status, 200);
    assert_eq!(team.stands_on_signed_ones(), 2);
    assert!(git(&team.repository, &["cat-file", "commit", "main"]).contains("\ngpgsig "));
    assert_eq!(served(&replica).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_commit_that_nobody_signed_it_holds_and_says_why_it_is_not_in_git() {
    let team = team().await;
    let replica = team.replica(None).await;
    let unsigned = team.push_unsigned().await;
    halt(&replica).await;
    let state = until(&replica, |state| state["durable"] == "memory").await;
    let trouble = state["trouble"].as_str().unwrap();
    assert!(trouble.contains(&unsigned) && trouble.contains("not verified"), "{state}");
    assert_eq!(served(&replica).await, 0);
    assert_eq!(git(&team.repository, &["rev-parse", "main"]).trim(), unsigned, "nothing stands on it");
    team.vouch().await;
    in_git(&replica).await;
    assert_eq!(team.stands_on_signed_ones(), 1);
}
