//! `--peers`: a halt at one replica holds at all of them at once, whatever Git does.

use std::{fs, time::Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Duration;

use crate::support::{
    client,
    command::hfi,
    halting::{RESUMES, STOPS, is_empty, post, request},
    process::{Process, text},
    replicas::{Replicas, until as until_at},
    writing::{CHECKOUT, TOKENS, git, path, repository, send},
};

/// The longest that an answer may take.
const ANSWER: Duration = Duration::from_secs(2);

/// Two replicas without Git, of which somebody may stop everything.
fn without_git() -> Replicas {
    let replicas = Replicas::new(2);
    fs::write(replicas.path("policies/a.yaml"), CHECKOUT).unwrap();
    fs::write(replicas.path("stop"), format!("stop {STOPS}\n")).unwrap();
    replicas
}

async fn start(replicas: &Replicas, at: usize) -> Process {
    let (policies, stop) = (replicas.path("policies"), replicas.path("stop"));
    let variables = [("HFI_DIR", text(&policies)), ("HFI_HALT_TOKEN_FILE", text(&stop))];
    let hfi = replicas.start_with(at, "tokens", &variables).await;
    hfi.until_ready(|_| true).await;
    hfi
}

/// The state of the halt at a replica, once it is as wanted.
async fn until(hfi: &Process, is_wanted: impl Fn(&Value) -> bool) -> Value {
    until_at(hfi, "/v1/halt", is_wanted).await
}

fn halted(state: &Value) -> Vec<bool> {
    let replicas = state["replicas"].as_array().unwrap();
    replicas.iter().map(|replica| replica["halted"].as_bool().unwrap()).collect()
}

#[tokio::test]
async fn all_hold_when_it_is_answered_and_one_that_starts_holds_before_its_first_snapshot() {
    let replicas = without_git();
    let [one, mut other] = [start(&replicas, 0).await, start(&replicas, 1).await];
    assert!(!is_empty(&one).await && !is_empty(&other).await);
    let begun = Instant::now();
    let (status, state) = post(&one, STOPS).await;
    assert!(begun.elapsed() < ANSWER, "{:?}", begun.elapsed());
    assert_eq!(
        (status, &state["complete"], halted(&state)),
        (200, &json!(true), vec![true, true]),
        "{state}"
    );
    assert!(is_empty(&other).await, "without Git");
    assert_eq!(other.json("/v1/halt").await["id"], state["id"]);

    other.child.kill().unwrap();
    other.child.wait().unwrap();
    let missing = until(&one, |state| state["complete"] == false).await;
    assert_eq!(halted(&missing), [true, false]);
    assert!(missing["replicas"][1]["error"].is_string(), "{missing}");
    // It remembers nothing, and its policies are in a directory, so it could serve them at once.
    let other = start(&replicas, 1).await;
    assert!(is_empty(&other).await);
    let state = until(&one, |state| state["complete"] == true).await;
    assert_eq!(halted(&state), [true, true]);
}

#[tokio::test]
async fn the_filters_of_all_are_counted() {
    let replicas = without_git();
    let [one, other] = [start(&replicas, 0).await, start(&replicas, 1).await];
    let snapshot = "/v1/snapshot?namespace=demo&service=checkout";
    one.get(snapshot, &[("x-hfi-node", "checkout-1")]).await;
    other.get(snapshot, &[("x-hfi-node", "checkout-2")]).await;
    post(&one, STOPS).await;
    let filters = |stopped: u64, waiting: u64| json!({"stopped": stopped, "waiting": waiting});
    until(&one, |state| state["filters"] == filters(0, 2)).await;
    let stopped = other.get(snapshot, &[("x-hfi-node", "checkout-2")]).await.etag;
    other.get(snapshot, &[("x-hfi-node", "checkout-2"), ("if-none-match", &stopped)]).await;
    until(&one, |state| state["filters"] == filters(1, 1)).await;
}

#[tokio::test]
async fn one_that_is_cut_off_delays_nothing_and_is_named_until_it_holds() {
    let replicas = without_git();
    let [one, other] = [start(&replicas, 0).await, start(&replicas, 1).await];
    other.stop();
    let begun = Instant::now();
    let (status, state) = post(&one, STOPS).await;
    assert!(begun.elapsed() < ANSWER, "{:?}", begun.elapsed());
    assert_eq!(
        (status, &state["complete"], halted(&state)),
        (200, &json!(false), vec![true, false]),
        "{state}"
    );
    assert!(state["replicas"][1]["error"].as_str().unwrap().contains("does not answer"), "{state}");
    assert!(is_empty(&one).await);
    let token = replicas.path("token");
    fs::write(&token, STOPS).unwrap();
    let asked = ["halt", "--wait=1s", "--server", &one.url, "--token-file", text(&token)];
    let ended = hfi(&asked, &[]).await;
    assert!(ended.code == 1 && ended.stderr.contains("may still inject: it does not answer"), "{ended:?}");

    other.signal("CONT");
    until(&one, |state| state["complete"] == true).await;
    assert!(is_empty(&other).await);
}

#[tokio::test]
async fn one_that_asks_and_is_at_no_known_address_is_named_until_it_holds() {
    let replicas = without_git();
    let (policies, stop) = (replicas.path("policies"), replicas.path("stop"));
    // As DNS has it while the other one starts.
    let variables = [
        ("HFI_DIR", text(&policies)),
        ("HFI_HALT_TOKEN_FILE", text(&stop)),
        ("HFI_PEERS", replicas.addresses[0].as_str()),
    ];
    let one = replicas.start_with(0, "tokens", &variables).await;
    one.until_ready(|_| true).await;
    let other = start(&replicas, 1).await;
    let (_, state) = post(&one, STOPS).await;
    assert!(!is_empty(&other).await, "nobody has told it");
    assert_eq!((&state["complete"], halted(&state)), (&json!(false), vec![true, false]), "{state}");
    assert_eq!(state["replicas"][1]["name"], "unlisted");
    until(&one, |state| state["complete"] == true).await;
    assert!(is_empty(&other).await, "it has asked");
}

#[tokio::test]
async fn the_end_at_one_is_the_end_at_all_also_for_one_that_was_away() {
    let (replicas, repository) = (Replicas::new(2), repository(&[("a.yaml", CHECKOUT)]).await);
    let (writers, repo, state) = (replicas.path("writers"), path(&repository), replicas.path("state"));
    fs::write(&writers, TOKENS).unwrap();
    let variables =
        [("HFI_REPO", repo.as_str()), ("HFI_WRITE_TOKEN_FILE", text(&writers)), ("HFI_INTERVAL", "1s")];
    let remembering = [&variables[..], &[("HFI_STATE_DIR", text(&state))]].concat();
    let one = replicas.start_with(0, "tokens", &variables).await;
    let mut other = replicas.start_with(1, "tokens", &remembering).await;
    one.until_ready(|_| true).await;
    other.until_ready(|_| true).await;
    post(&one, RESUMES).await;
    for replica in [&one, &other] {
        until(replica, |state| state["durable"] == "git" && state["complete"] == true).await;
    }
    let resume = async |hfi: &Process| {
        send(&client(), &hfi.url, request(Method::DELETE, RESUMES, "")).await.unwrap().status
    };
    assert_eq!(resume(&one).await, 200);
    until(&other, |state| state["halted"] == false).await;
    assert!(!is_empty(&one).await && !is_empty(&other).await);

    // The other one goes with the halt on its disk.
    let (_, halted) = post(&other, RESUMES).await;
    for replica in [&one, &other] {
        until(replica, |state| state["durable"] == "git" && state["complete"] == true).await;
    }
    other.child.kill().unwrap();
    other.child.wait().unwrap();
    assert_eq!(resume(&one).await, 200);
    assert!(!is_empty(&one).await);
    let stored = fs::read_to_string(state.join("halts.json")).unwrap();
    assert!(stored.contains(halted["id"].as_str().unwrap()), "{stored}");
    let other = replicas.start_with(1, "tokens", &remembering).await;
    until(&other, |state| state["halted"] == false).await;
    assert_eq!(one.json("/v1/halt").await["halted"], false, "nobody brings it back");
}

#[tokio::test]
async fn one_that_is_behind_in_git_holds_until_it_has_fetched_the_removal() {
    let (replicas, repository) = (Replicas::new(2), repository(&[("a.yaml", CHECKOUT)]).await);
    let (writers, mirror, repo) = (replicas.path("writers"), replicas.path("mirror"), path(&repository));
    fs::write(&writers, TOKENS).unwrap();
    git(&repository, &["clone", "-q", "--bare", &repo, text(&mirror)]);
    let interval = ("HFI_INTERVAL", "1s");
    let writing = [("HFI_REPO", repo.as_str()), ("HFI_WRITE_TOKEN_FILE", text(&writers)), interval];
    let one = replicas.start_with(0, "tokens", &writing).await;
    let behind = replicas.start_with(1, "tokens", &[("HFI_REPO", text(&mirror)), interval]).await;
    one.until_ready(|_| true).await;
    behind.until_ready(|_| true).await;
    post(&one, RESUMES).await;
    until(&one, |state| state["durable"] == "git" && state["complete"] == true).await;
    let resumed = send(&client(), &one.url, request(Method::DELETE, RESUMES, "")).await.unwrap();
    assert_eq!(resumed.status, 200);

    let told =
        |state: &Value| state["trouble"].as_str().is_some_and(|told| told.contains("until it reads commit"));
    until(&behind, |state| state["halted"] == false || told(state)).await;
    assert!(!is_empty(&one).await && is_empty(&behind).await, "people may have removed what it serves");
    git(&repository, &["push", "-q", text(&mirror), "main:main"]);
    until(&behind, |state| state["halted"] == false).await;
    assert!(!is_empty(&behind).await);
}
