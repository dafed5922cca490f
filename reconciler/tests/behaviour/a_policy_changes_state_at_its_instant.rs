//! Windows open and close without any push, and every client that waits is told.

use std::{
    fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use policies::{Snapshot, Timestamp};

use crate::support::{Server, policy};

const CHECKOUT: &str = "namespace=demo&service=checkout";

fn after(wait: Duration) -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + wait;
    Timestamp::from_millis(now.as_millis() as u64)
}

#[tokio::test]
async fn it_comes_into_force_and_goes_out_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let empty = server.snapshot(CHECKOUT, &[]).await;
    let (start, end) = (after(Duration::from_millis(1_500)), after(Duration::from_millis(3_000)));
    let window = format!("spec: {{startsAt: {}, expiresAt: {}, ", start.to_rfc3339(), end.to_rfc3339());
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503).replace("spec: {", &window))
        .unwrap();

    let open = server.next(CHECKOUT, &empty.etag).await;
    assert!(after(Duration::ZERO) >= start);
    assert_eq!(Snapshot::decode(&open.body).unwrap().policies.len(), 1);
    let closed = server.next(CHECKOUT, &open.etag).await;
    assert!(after(Duration::ZERO) >= end);
    assert_eq!((closed.etag, closed.revision), (empty.etag, open.revision));
}

#[tokio::test]
async fn the_first_generation_is_shown_only_what_it_cannot_misread() {
    let folder = tempfile::tempdir().unwrap();
    let plain = policy("plain", "checkout", 503);
    fs::write(folder.path().join("plain.yaml"), &plain).unwrap();
    for (name, from, to) in [
        ("window", "spec: {", "spec: {expiresAt: 2999-01-01T00:00:00Z, "),
        ("shadow", "spec: {", "spec: {mode: shadow, "),
        ("priority", "spec: {", "spec: {priority: 1, "),
        ("outbound", "spec: {", "spec: {direction: outbound, "),
        ("glob", "service: checkout", "service: 'check*'"),
        ("fraction", "percentage: 100", "percentage: 12.5"),
        ("sticky", "percentage: 100", "percentage: 100, stickyBy: x-user"),
        ("grpc", "httpStatus: 503", "grpcStatus: UNAVAILABLE"),
        ("headers", "httpStatus: 503", "httpStatus: 503, headers: {retry-after: '1'}"),
        ("query", "{fault", "{match: {query: [{name: a, exact: b}]}, fault"),
        ("negated", "{fault", "{match: {path: {not: {exact: /}}}, fault"),
    ] {
        let yaml = policy(name, "checkout", 503).replace(from, to);
        assert_ne!(yaml, policy(name, "checkout", 503), "{name}");
        fs::write(folder.path().join(format!("{name}.yaml")), yaml).unwrap();
    }
    let server = Server::of_folder(folder.path()).await;
    assert_eq!(server.names().await, ["plain"]);
    assert_eq!(server.get("/v1/policies/shadow", &[]).await.status(), 404);
    assert_eq!(server.get("/v1/policies/shadow?all=true", &[]).await.status(), 200);
    let all: serde_json::Value =
        serde_json::from_slice(&server.get("/v1/policies?all=true", &[]).await.bytes().await.unwrap())
            .unwrap();
    assert_eq!(all["policies"].as_array().unwrap().len(), 12);
    let snapshot = server.snapshot(CHECKOUT, &[]).await;
    assert_eq!(Snapshot::decode(&snapshot.body).unwrap().policies.len(), 12, "the filter knows them all");
}
