//! With `--verify` no write makes a commit valid by standing on it that nobody who may sign has signed.

use harness::GitHttp;

use crate::support::{policy, signed_team::team, writer::hook, writing::git};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_on_top_of_what_a_pusher_without_a_key_pushed() {
    let team = team().await;
    let (replica, proposing) = (team.replica(None).await, team.replica(Some("hfi/{id}")).await);
    replica.apply("", &policy("b", "web", 500)).await.is(201, &["b created"]);
    let unsigned = team.push_unsigned().await;
    for refusing in [&replica, &proposing] {
        refusing.apply("", &policy("c", "web", 500)).await.is_refused(409, &unsigned);
        refusing.delete("b").await.is_refused(409, &unsigned);
    }
    assert_eq!(git(&team.repository, &["rev-parse", "main"]).trim(), unsigned);
    assert_eq!(git(&team.repository, &["for-each-ref", "refs/heads/hfi"]), "");
    team.vouch().await;
    replica.apply("", &policy("c", "web", 500)).await.is(201, &["c created"]);
    assert_eq!(team.stands_on_signed_ones(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_in_a_race_with_one() {
    let team = team().await;
    git(&team.repository, &["config", "http.receivepack", "true"]);
    let server = GitHttp::start(team.repository.folder()).await.unwrap();
    let replica = team.replica_of(&server.url("policies.git"), None).await;
    let (unsigned, raced) = (team.unsigned().await, team.repository.folder().join("raced"));
    // It gets in while the first push of the replica is under way.
    let script = format!(
        "[ -e {raced} ] && exit 0\ntouch {raced}\nenv -u GIT_QUARANTINE_PATH git update-ref refs/heads/main {unsigned}",
        raced = raced.display()
    );
    hook(&team.repository, "pre-receive", &script);
    let refused = replica.apply("", &policy("b", "web", 500)).await;
    assert!(raced.exists(), "{refused:?}");
    refused.is_refused(409, &unsigned);
    assert_eq!(git(&team.repository, &["rev-parse", "main"]).trim(), unsigned, "nothing stands on it");
}
