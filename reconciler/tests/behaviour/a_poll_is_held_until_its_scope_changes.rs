//! Conditional and held requests for snapshots.

use std::{fs, time::Duration};

use crate::support::{PATIENCE, Server, policy};
use policies::Digest;
use tokio::time::{Instant, timeout};

const CHECKOUT: &str = "namespace=demo&service=checkout";
const CART: &str = "namespace=demo&service=cart";

async fn server() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("checkout.yaml"), policy("checkout", "checkout", 503)).unwrap();
    let server = Server::of_folder(folder.path()).await;
    (folder, server)
}

#[tokio::test]
async fn the_etag_is_the_digest_of_exactly_the_bytes() {
    let (_folder, server) = server().await;
    let snapshot = server.snapshot(CHECKOUT, &[]).await;
    assert_eq!((snapshot.status, &snapshot.etag), (200, &Digest::of(&snapshot.body).etag()));
    assert!(snapshot.revision.starts_with("dir@sha256:"), "{}", snapshot.revision);
    let response = server.get(&format!("/v1/snapshot?{CHECKOUT}"), &[]).await;
    assert_eq!(response.headers()["content-type"], "application/vnd.hfi.snapshot.v1");
}

#[tokio::test]
async fn who_has_the_bytes_already_gets_none() {
    let (_folder, server) = server().await;
    let etag = server.snapshot(CHECKOUT, &[]).await.etag;
    for held in [etag.as_str(), "*", &format!("\"x\", W/{etag}")] {
        let answer = server.snapshot(CHECKOUT, &[("if-none-match", held)]).await;
        assert_eq!(
            (answer.status, answer.etag.as_str(), answer.body.len()),
            (304, etag.as_str(), 0),
            "{held}"
        );
    }
    assert_eq!(
        server.snapshot(CHECKOUT, &[("if-none-match", "\"x\""), ("prefer", "wait=60")]).await.status,
        200
    );
}

#[tokio::test]
async fn a_held_poll_is_answered_when_its_bytes_change() {
    let (folder, server) = server().await;
    let before = server.snapshot(CHECKOUT, &[]).await;
    let poll = server.next(CHECKOUT, &before.etag);
    let change = async {
        fs::write(folder.path().join("checkout.yaml"), policy("checkout", "checkout", 500)).unwrap()
    };
    let (after, ()) = tokio::join!(poll, change);
    assert_eq!(after.status, 200);
    assert_ne!(after.etag, before.etag);
    assert_ne!(after.revision, before.revision);
}

#[tokio::test]
async fn a_change_elsewhere_wakes_nobody_but_moves_the_revision_on() {
    let (folder, server) = server().await;
    let (checkout, cart) = (server.snapshot(CHECKOUT, &[]).await, server.snapshot(CART, &[]).await);
    let begun = Instant::now();
    let headers = [("if-none-match", checkout.etag.as_str()), ("prefer", "wait=1")];
    let held = server.snapshot(CHECKOUT, &headers);
    let change = async {
        fs::write(folder.path().join("cart.yaml"), policy("cart", "cart", 500)).unwrap();
        server.next(CART, &cart.etag).await
    };
    let (held, changed) = tokio::join!(held, change);
    assert_eq!((held.status, held.etag), (304, checkout.etag.clone()));
    assert!(begun.elapsed() >= Duration::from_secs(1), "it was woken");
    assert_eq!(held.revision, changed.revision);
    assert_ne!(held.revision, checkout.revision);
}

#[tokio::test]
async fn the_time_a_client_prefers_is_granted_and_said() {
    let (_folder, server) = server().await;
    let etag = server.snapshot(CHECKOUT, &[]).await.etag;
    let begun = Instant::now();
    let response = server
        .get(&format!("/v1/snapshot?{CHECKOUT}"), &[("if-none-match", etag.as_str()), ("prefer", "wait=1")])
        .await;
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(response.status(), 304);
    assert_eq!(response.headers()["preference-applied"], "wait=1");
}

#[tokio::test]
async fn shutdown_answers_held_polls_at_once() {
    let (_folder, server) = server().await;
    let etag = server.snapshot(CHECKOUT, &[]).await.etag;
    let headers = [("if-none-match", etag.as_str()), ("prefer", "wait=60")];
    let poll = server.snapshot(CHECKOUT, &headers);
    let stop = async {
        // The poll is on its way first: it is held once its connection is accepted.
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.trigger.request();
    };
    let (answer, ()) = timeout(PATIENCE, async { tokio::join!(poll, stop) }).await.unwrap();
    assert_eq!(answer.status, 304);
    timeout(PATIENCE, server.serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn scopes_see_what_can_apply_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let all = "metadata: {name: all}\nspec: {rules: [{fault: {percentage: 1, delay_ms: 1}}]}\n";
    fs::write(
        folder.path().join("a.yaml"),
        [policy("one", "checkout", 503), policy("two", "cart", 503), all.into()].join("---\n"),
    )
    .unwrap();
    let server = Server::of_folder(folder.path()).await;
    for (query, policies) in [
        ("", 1),
        ("namespace=demo", 1),
        ("service=checkout", 1),
        (CHECKOUT, 2),
        ("namespace=demo&service=checkout&service=cart", 3),
        ("namespace=demo&service=*", 3),
        ("namespace=shop&service=*", 1),
        ("namespace=*&service=*", 3),
    ] {
        let snapshot = policies::Snapshot::decode(&server.snapshot(query, &[]).await.body).unwrap();
        assert_eq!(snapshot.policies.len(), policies, "{query}");
    }
}

#[tokio::test]
async fn http_2_by_prior_knowledge_is_the_same() {
    let (_folder, server) = server().await;
    let client = harness::http_client().unwrap().http2_prior_knowledge().build().unwrap();
    let response = client.get(format!("{}/v1/snapshot?{CHECKOUT}", server.url)).send().await.unwrap();
    assert_eq!((response.version(), response.status().as_u16()), (reqwest::Version::HTTP_2, 200));
    let etag = response.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(etag, server.snapshot(CHECKOUT, &[]).await.etag);
}
