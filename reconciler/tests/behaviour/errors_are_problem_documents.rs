//! Errors are problem documents of RFC 9457.

use std::path::PathBuf;

use crate::support::{NEVER, Server};
use reconciler::source::Settings;
use serde_json::Value;

async fn problem(server: &Server, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let response = server.get(path, headers).await;
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
    let status = response.status().as_u16();
    let document: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(document["status"], status, "{path}");
    (status, document["detail"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    for (path, status, reason) in [
        ("/v1/nothing", 404, "/v1/nothing"),
        ("/v1/policies/none", 404, "no valid policy `none`"),
        ("/v1/policies/none?all=yes", 400, "`all` must be `true` or `false`"),
        ("/v1/policies?limit=1", 400, "`limit` is not a parameter; known here: all"),
        ("/v1/snapshot?namespace=a%20b", 400, "`namespace` must be"),
        ("/v1/snapshot?name=a", 400, "known here: namespace, service"),
    ] {
        let (actual, detail) = problem(&server, path, &[]).await;
        assert!(actual == status && detail.contains(reason), "{path}: {actual} {detail}");
    }
    let (status, detail) = problem(&server, "/v1/snapshot", &[("accept", "text/html")]).await;
    assert_eq!(
        (status, detail.as_str()),
        (406, "snapshots come as one of: application/vnd.hfi.snapshot.v1, application/vnd.hfi.snapshot.v2")
    );
    let post = server.client.post(format!("{}/v1/snapshot", server.url)).send().await.unwrap();
    assert_eq!(
        (post.status().as_u16(), post.headers()["content-type"].to_str().unwrap()),
        (405, "application/problem+json")
    );
}

#[tokio::test]
async fn before_the_first_load_nothing_is_served_and_the_reason_said() {
    let server = Server::start(Settings::Dir(PathBuf::from("/nowhere/at/all")), NEVER).await;
    assert_eq!(server.get("/v1/health", &[]).await.status(), 200);
    for path in ["/v1/ready", "/ready", "/v1/snapshot", "/v1/policies", "/v1/policies/a"] {
        let (status, detail) = problem(&server, path, &[]).await;
        assert_eq!(status, 503, "{path}");
        assert!(
            detail.contains("/nowhere/at/all") || detail.contains("nothing has been loaded yet"),
            "{path}: {detail}"
        );
    }
}
