//! The log has each change and each refusal with who, what and from where, also if the client did not wait for it.

use std::fs;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::support::{
    PATIENCE,
    held_pushes::World,
    policy,
    writing::{ALICE, git, waiting},
};

impl World {
    /// Sends the head of a change.
    async fn connect(&self, headers: &str) -> TcpStream {
        let mut client = TcpStream::connect(self.hfi.url.strip_prefix("http://").unwrap()).await.unwrap();
        let head = format!(
            "POST /v1/policies HTTP/1.1\r\nhost: hfi\r\nauthorization: Bearer {ALICE}\r\n\
             content-type: application/yaml\r\n{headers}\r\n"
        );
        client.write_all(head.as_bytes()).await.unwrap();
        client
    }
}

#[track_caller]
fn is_of_alice(line: &Value) {
    let fields = ["user", "from", "method", "path"].map(|field| line[field].as_str().unwrap_or_default());
    assert_eq!(fields, ["alice", "127.0.0.1", "POST", "/v1/policies"], "{line}");
    assert_eq!(line["request"].as_str().unwrap().len(), 16, "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_client_left_is_told_with_all_that_became_of_it() {
    let world = World::new().await;
    world.leave_when("left", || world.begun.exists()).await;
    fs::remove_file(&world.hold).unwrap();
    let line = world.told("a write", "what", "left created").await;
    is_of_alice(&line);
    let head = git(&world.repository, &["rev-parse", "main"]);
    assert_eq!(line["commit"], head.trim());
    assert_eq!(world.hfi.metric(r#"hfi_writes_total{result="committed"}"#).await, Some(1.0));
    let again = waiting(20, &policy("left", "web", 500));
    let client = crate::support::client();
    let again = crate::support::writing::send(&client, &world.hfi.url, again).await.unwrap();
    again.is(201, &["left created"]);
    assert_eq!(again.commit(), head.trim(), "who did not hear it is told by the same request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_given_up_before_its_push_is_told_and_not_done() {
    let world = World::new().await;
    world.leave_when("pushed", || world.begun.exists()).await;
    // It waits for the push of the first one. Its body is asked for once it is being done.
    let body = policy("queued", "web", 500);
    let mut client =
        world.connect(&format!("content-length: {}\r\nexpect: 100-continue\r\n", body.len())).await;
    let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    timeout(PATIENCE, client.read_exact(&mut go_on)).await.unwrap().unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&go_on));
    client.write_all(body.as_bytes()).await.unwrap();
    drop(client);
    let line = world.told("a write was refused", "reason", "its client left; nothing was written").await;
    is_of_alice(&line);
    fs::remove_file(&world.hold).unwrap();
    world.told("a write", "what", "pushed created").await;
    assert!(!git(&world.repository, &["log", "--format=%s", "main"]).contains("queued"));
    assert_eq!(world.hfi.metric(r#"hfi_writes_total{result="left"}"#).await, Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_ten_megabytes_is_refused_unread_and_told() {
    let world = World::new().await;
    let mut client = world.connect("content-length: 10000000\r\n").await;
    let mut answer = vec![0; 4_096];
    let length = timeout(PATIENCE, client.read(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("connection: close"), "{answer}");
    is_of_alice(&world.told("a write was refused", "reason", "at most 1048576 bytes").await);
}
