//! The format of a snapshot is chosen by `Accept`, so that filters and servers of two releases go together.

use std::fs;

use policies::{
    Digest,
    wire::{Format, Snapshot, poll},
};

use crate::support::{Server, policy};

const SNAPSHOT: &str = "/v1/snapshot?namespace=demo&service=checkout";
const QUERY: &str = "namespace=demo&service=checkout";
/// The whole `Accept` header of the last released filter.
const RELEASED: &str = "application/vnd.hfi.snapshot.v1";

async fn server() -> (tempfile::TempDir, Server) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("checkout.yaml"), policy("checkout", "checkout", 503)).unwrap();
    let server = Server::of_folder(directory.path()).await;
    (directory, server)
}

/// The answer to one `Accept` header: its format, its tag and its bytes.
async fn ask(server: &Server, accept: Option<&str>) -> (Format, String, Vec<u8>) {
    let headers: Vec<_> = accept.into_iter().map(|accept| ("accept", accept)).collect();
    let response = server.get(SNAPSHOT, &headers).await;
    assert_eq!(response.status(), 200, "{accept:?}");
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let (content_type, etag) = (header("content-type"), header("etag"));
    assert_eq!(header("vary"), "accept");
    let bytes = response.bytes().await.unwrap().to_vec();
    let format = Format::of(&bytes).unwrap();
    assert_eq!(content_type, format.media_type());
    assert_eq!(etag, Digest::of(&bytes).etag(), "the tag is that of the bytes");
    (format, etag, bytes)
}

#[tokio::test]
async fn the_released_filter_gets_format_1() {
    let (_directory, server) = server().await;
    // Requests that name no format were answered like this before there were two.
    for accept in [Some(RELEASED), None, Some("*/*")] {
        let (format, _, bytes) = ask(&server, accept).await;
        assert_eq!(format, Format::V1);
        assert_eq!(&bytes[..4], b"hfi\x01");
        assert_eq!(Snapshot::decode(&bytes).unwrap().encode(Format::V1), bytes);
    }
}

#[tokio::test]
async fn this_filter_gets_the_newest_format_with_the_same_policies() {
    let (_directory, server) = server().await;
    let (format, _, newest) = ask(&server, Some(poll::ACCEPT)).await;
    assert_eq!(format, Format::V2);
    let (_, _, oldest) = ask(&server, Some(RELEASED)).await;
    assert_eq!(Snapshot::decode(&newest).unwrap().encode(Format::V1), oldest);
}

#[tokio::test]
async fn a_filter_that_changes_its_format_gets_the_snapshot_again() {
    let (_directory, server) = server().await;
    let (_, old, _) = ask(&server, Some(RELEASED)).await;
    let (_, new, _) = ask(&server, Some(poll::ACCEPT)).await;
    for (accept, etag, status) in
        [(RELEASED, &old, 304), (RELEASED, &new, 200), (poll::ACCEPT, &old, 200), (poll::ACCEPT, &new, 304)]
    {
        let headers = [("accept", accept), ("if-none-match", etag.as_str())];
        assert_eq!(server.snapshot(QUERY, &headers).await.status, status, "{accept} {etag}");
    }
}

#[tokio::test]
async fn a_change_wakes_the_polls_of_both_formats() {
    let (directory, server) = server().await;
    let (_, old, _) = ask(&server, Some(RELEASED)).await;
    let (_, new, _) = ask(&server, Some(poll::ACCEPT)).await;
    let held = |accept: &'static str, etag: String| {
        let server = &server;
        async move {
            let headers = [("accept", accept), ("if-none-match", etag.as_str()), ("prefer", "wait=60")];
            server.snapshot(QUERY, &headers).await
        }
    };
    let changed = async {
        while server.metric("hfi_polls_parked").await != Some(2.0) {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        fs::write(directory.path().join("checkout.yaml"), policy("checkout", "checkout", 504)).unwrap();
    };
    let (one, other, ()) = tokio::join!(held(RELEASED, old), held(poll::ACCEPT, new), changed);
    assert_eq!((one.status, other.status), (200, 200));
    assert_eq!(Format::of(&one.body).unwrap(), Format::V1);
    assert_eq!(Snapshot::decode(&other.body).unwrap().encode(Format::V1), one.body);
}

#[tokio::test]
async fn replicas_are_compared_by_format_1_and_a_filter_by_its_own() {
    let (_directory, server) = server().await;
    let (_, everything, _) = ask(&server, Some(poll::ACCEPT)).await;
    let headers =
        [("accept", poll::ACCEPT), ("if-none-match", everything.as_str()), ("x-hfi-node", "sidecar~a")];
    server.snapshot(QUERY, &headers).await;
    let filters = server.json("/v1/filters").await;
    assert_eq!(filters["filters"][0]["state"], "in_step", "{filters}");
    let status = server.json("/v1/policies/status").await;
    let snapshot = server.snapshot("namespace=*&service=*", &[("accept", RELEASED)]).await;
    assert_eq!(status["digest"].as_str().unwrap(), Digest::of(&snapshot.body).to_string());
}

#[tokio::test]
async fn a_client_that_reads_no_format_is_told_those_that_there_are() {
    let (_directory, server) = server().await;
    let response = server.get(SNAPSHOT, &[("accept", "application/vnd.hfi.snapshot.v9")]).await;
    assert_eq!(response.status(), 406);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem = response.text().await.unwrap();
    for format in Format::ALL {
        assert!(problem.contains(format.media_type()), "{problem}");
    }
}

/// The reading of `Accept` by the last released server: it compares each range with its one format.
fn released_server_accepts(accept: &str) -> bool {
    accept.split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default();
        ["*/*", "application/*", RELEASED].iter().any(|known| range.eq_ignore_ascii_case(known))
            && !parts.any(|parameter| {
                let weight = parameter.split_once('=').filter(|(name, _)| name.trim() == "q");
                weight
                    .and_then(|(_, weight)| weight.trim().parse().ok())
                    .is_some_and(|weight: f32| weight <= 0.0)
            })
    })
}

#[test]
fn this_filter_is_answered_by_the_released_server() {
    assert!(released_server_accepts(poll::ACCEPT));
    assert!(!released_server_accepts(Format::V2.media_type()), "it would refuse anything");
}
