//! The whole API against its OpenAPI document, by schemathesis: requests as the document has them, and others; one by
//! one, and each with what an answer before it told.

use std::fs;

use harness::{Repository, paths};
use tokio::process::Command;

use crate::support::{
    halting::post,
    policy,
    process::text,
    replicas::{self, Replicas},
    writing::{CHECKOUT, Replica, TOKENS, git, path, repository},
};

/// The token of one who may do everything, resume included.
const TOKEN: &str = "wild-0123456789abcdef";

/// The exceptions, with their reasons.
const SETTINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/behaviour/interop/schemathesis.toml");

/// The routes whose answers tell of other replicas.
const OF_REPLICAS: [&str; 3] = ["/v1/filters", "/v1/halt", "/v1/policies/status"];
/// The routes by which replicas ask each other, with a token of their own.
const OF_PEERS: [&str; 2] = ["/v1/peer/halts", "/v1/peer/state"];

/// Runs schemathesis against a server, and returns what it says if it found nothing.
async fn checked(server: &str, token: &str, more: &[&str]) -> String {
    let report = tempfile::tempdir().unwrap();
    let mut schemathesis = Command::new(paths::schemathesis().unwrap());
    schemathesis
        .current_dir(report.path())
        .args(["--config-file", SETTINGS, "run", &format!("{server}/openapi.json")])
        .args(["--header", &format!("Authorization: Bearer {token}"), "--no-color", "--seed", "1"])
        .args(["--request-timeout", "20"])
        .args(more)
        .kill_on_drop(true);
    let output = schemathesis.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(number(&said, " generated,") > 0, "{said}");
    said
}

/// The number before these words.
fn number(said: &str, words: &str) -> usize {
    let before = said.split_once(words).map(|(before, _)| before).unwrap_or_default();
    before.split_whitespace().next_back().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// A replica, and its policies.
async fn world() -> (Repository, Replica) {
    let repository = repository(&[("a.yaml", CHECKOUT), ("b.yaml", &policy("b", "web", 500))]).await;
    let replica = Replica::of(&path(&repository)).await;
    (repository, replica)
}

#[tokio::test]
async fn requests_of_every_form_get_answers_that_are_described() {
    let (repository, replica) = world().await;
    // schemathesis reads an answer to its end, and a stream of events has none: each of its requests would only run into
    // the time-out. `events_tell_of_every_snapshot` reads it.
    let but_the_stream =
        ["--exclude-path", "/v1/events", "--phases", "coverage,fuzzing", "--max-examples", "6"];
    checked(&replica.server.url, TOKEN, &but_the_stream).await;
    git(&repository, &["fsck", "--strict", "--no-dangling"]);
}

#[tokio::test]
async fn what_an_answer_tells_is_good_for_the_next_request() {
    let (repository, replica) = world().await;
    let of_policies =
        ["--include-path-regex", "^/v1/policies", "--phases", "stateful", "--max-examples", "30"];
    let said = checked(&replica.server.url, TOKEN, &of_policies).await;
    // A phase whose first requests all fail follows no link, and passes.
    assert!(said.contains("Stateful (in ") && number(&said, " covered") >= 3, "{said}");
    git(&repository, &["fsck", "--strict", "--no-dangling"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn also_where_replicas_ask_each_other() {
    let (replicas, repository) = (Replicas::new(2), repository(&[("a.yaml", CHECKOUT)]).await);
    let (writers, repo) = (replicas.path("writers"), path(&repository));
    fs::write(&writers, TOKENS).unwrap();
    let variables = [
        ("HFI_REPO", &*repo),
        ("HFI_WRITE_TOKEN_FILE", text(&writers)),
        ("HFI_WRITE_RATE", "10000"),
        ("HFI_INTERVAL", "1s"),
    ];
    let one = replicas.start_with(0, "tokens", &variables).await;
    let other = replicas.start_with(1, "tokens", &variables).await;
    one.until_ready(|_| true).await;
    other.until_ready(|_| true).await;
    for (token, paths) in [(TOKEN, &OF_REPLICAS[..]), (replicas::TOKEN, &OF_PEERS)] {
        let only = paths.iter().flat_map(|path| ["--include-path", path]);
        let some = ["--phases", "coverage,fuzzing", "--max-examples", "20"];
        checked(&one.url, token, &only.chain(some).collect::<Vec<_>>()).await;
    }
    // After all that, they still do what they are for.
    let (status, state) = post(&one, TOKEN).await;
    assert_eq!((status, &state["complete"]), (200, &true.into()), "{state}");
    assert_eq!(state["replicas"].as_array().unwrap().len(), 2, "{state}");
}
