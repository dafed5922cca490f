//! *Stop everything* on the page in Chromium: with the keyboard alone, without a script, and with a token only.

use std::{fs, time::Duration};

use harness::{Browser, Window};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::support::{
    browser::{Reader, serve, shows, tab_to},
    halting::is_empty,
    process::{Process, text},
    replicas::{Replicas, until},
    writer::{hook, over_http},
    writing::{ALICE, CHECKOUT, TOKENS, content, git, path, repository},
};

/// Fills in the form and sends it, with the keyboard alone.
async fn stop(browser: &mut Browser, token: &str, reason: &str) {
    tab_to(browser, "stop").await;
    browser.press("Enter").await.unwrap();
    // A dialog, or without a script another page.
    shows(browser, "label", "Token").await;
    tab_to(browser, "token").await;
    browser.type_in(token).await.unwrap();
    tab_to(browser, "reason").await;
    browser.type_in(reason).await.unwrap();
    browser.press("Enter").await.unwrap();
}

async fn empty_within(hfi: &Process, time: Duration) {
    let empty = async {
        while !is_empty(hfi).await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(time, empty).await.expect("policies are served still");
}

#[tokio::test]
async fn with_the_keyboard_alone_all_replicas_stop_and_the_halt_outlives_them() {
    let (replicas, repository) = (Replicas::new(2), repository(&[("a.yaml", CHECKOUT)]).await);
    let (writers, repo) = (replicas.path("writers"), path(&repository));
    fs::write(&writers, TOKENS).unwrap();
    let variables = [("HFI_REPO", repo.as_str()), ("HFI_WRITE_TOKEN_FILE", text(&writers))];
    let [mut one, mut other] = [
        replicas.start_with(0, "tokens", &variables).await,
        replicas.start_with(1, "tokens", &variables).await,
    ];
    for replica in [&one, &other] {
        replica.until_ready(|_| true).await;
        assert!(!is_empty(replica).await);
    }
    let mut browser = Browser::start().unwrap();
    assert_eq!(browser.open(&one.url, Window::default()).await.unwrap(), 200);
    stop(&mut browser, ALICE, "checkout is down").await;
    tokio::join!(empty_within(&one, Duration::from_secs(1)), empty_within(&other, Duration::from_secs(1)));
    shows(&mut browser, "#banners", "HALTED by alice").await;
    shows(&mut browser, "#banners", "checkout is down").await;
    assert_eq!(browser.problems().await.unwrap(), Vec::<String>::new());
    // The token is neither in the address nor on the page.
    let page = browser.evaluate("location.href + document.documentElement.outerHTML").await.unwrap();
    assert!(!page.as_str().unwrap().contains(ALICE));

    until(&one, "/v1/halt", |state| state["durable"] == "git").await;
    assert!(content(&repository, "hfi-halt.yaml").contains("checkout is down"));
    assert_eq!(git(&repository, &["log", "-1", "--format=%an", "main"]).trim(), "alice");
    for (at, replica) in [&mut one, &mut other].into_iter().enumerate() {
        replica.child.kill().unwrap();
        replica.child.wait().unwrap();
        *replica = replicas.start_with(at, "tokens", &variables).await;
        replica.until_ready(|_| true).await;
        assert!(is_empty(replica).await);
    }
}

#[tokio::test]
async fn a_wrong_token_stops_nothing_and_is_said() {
    let mut reader = Reader::new().await;
    for script in [true, false] {
        reader.open(Window { script, ..Window::default() }).await;
        stop(&mut reader.browser, "mallory-0123456789abcdef", "for fun").await;
        reader.shows("#refused", "Nothing was stopped").await;
        assert!(!is_empty(&reader.hfi).await);
        let reason = reader.browser.evaluate("document.getElementById('reason').value").await.unwrap();
        assert_eq!(reason, json!("for fun"), "script: {script}");
        let token = reader.browser.evaluate("document.getElementById('token').value").await.unwrap();
        assert_eq!(token, json!(""));
    }
}

#[tokio::test]
async fn without_a_script_a_form_does_it() {
    let mut reader = Reader::new().await;
    reader.open(Window { script: false, ..Window::default() }).await;
    stop(&mut reader.browser, ALICE, "checkout is down").await;
    reader.shows("#banners", "HALTED by alice").await;
    assert!(is_empty(&reader.hfi).await);
    // To load it anew sends nothing again.
    assert_eq!(reader.browser.reload().await.unwrap(), 200);
    reader.shows("#banners", "HALTED by alice").await;
    reader.is_clean().await;
}

#[tokio::test]
async fn where_git_takes_no_push_everything_stops_all_the_same() {
    let (repository, git) = over_http().await;
    hook(&repository, "pre-receive", "echo 'This repository is read-only.' >&2; exit 1");
    let (url, files) = (git.url("policies.git"), tempfile::tempdir().unwrap());
    let (mut hfi, mut browser) = (serve(&url, files.path(), &[]).await, Browser::start().unwrap());
    assert_eq!(browser.open(&hfi.url, Window::default()).await.unwrap(), 200);
    stop(&mut browser, ALICE, "checkout is down").await;
    shows(&mut browser, "#banners", "HALTED by alice").await;
    assert!(is_empty(&hfi).await);
    until(&hfi, "/v1/halt", |state| state["durable"] == "disk").await;
    hfi.child.kill().unwrap();
    hfi.child.wait().unwrap();
    hfi = serve(&url, files.path(), &[]).await;
    assert!(is_empty(&hfi).await);
}

#[tokio::test]
async fn a_halt_that_no_commit_keeps_yet_outlives_a_kill_and_is_marked_until_then() {
    let (repository, git) = over_http().await;
    // No push comes to its end.
    hook(&repository, "pre-receive", "sleep 60; exit 1");
    let (url, files) = (git.url("policies.git"), tempfile::tempdir().unwrap());
    let (mut hfi, mut browser) = (serve(&url, files.path(), &[]).await, Browser::start().unwrap());
    assert_eq!(browser.open(&hfi.url, Window::default()).await.unwrap(), 200);
    stop(&mut browser, ALICE, "checkout is down").await;
    shows(&mut browser, "#banners", "HALTED by alice").await;
    shows(&mut browser, "#banners small", "not in Git yet").await;
    hfi.child.kill().unwrap();
    hfi.child.wait().unwrap();
    hook(&repository, "pre-receive", "exit 0");
    hfi = serve(&url, files.path(), &[]).await;
    assert!(is_empty(&hfi).await);
    until(&hfi, "/v1/halt", |state| state["durable"] == "git").await;
    assert_eq!(browser.open(&hfi.url, Window::default()).await.unwrap(), 200);
    shows(&mut browser, "#banners", "HALTED by alice").await;
    assert!(!browser.text("#banners").await.unwrap().contains("not in Git"));
}

#[tokio::test]
async fn to_cancel_stops_nothing() {
    let mut reader = Reader::new().await;
    reader.open(Window::default()).await;
    tab_to(&mut reader.browser, "stop").await;
    reader.browser.press("Enter").await.unwrap();
    reader.shows("#halt", "Token").await;
    reader.browser.press("Escape").await.unwrap();
    assert_eq!(reader.browser.evaluate("document.getElementById('halt').open").await.unwrap(), json!(false));
    assert_eq!(reader.browser.focus().await.unwrap()["id"], "stop");
    assert!(!is_empty(&reader.hfi).await);
    reader.is_clean().await;
}
