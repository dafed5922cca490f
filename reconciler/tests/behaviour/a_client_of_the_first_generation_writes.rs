//! The command line of the first generation: its requests as they were recorded on the wire, byte for byte. Its Go client
//! makes Basic of `http://me:TOKEN@host`, sends JSON with integers, and knows no selector.

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::support::{
    PATIENCE, policy,
    writing::{Replica, content, git, path, repository},
};

/// `policy apply`, `list`, `get` and `delete`, and the question before them, with a token whose policies get a namespace.
const HEALTH: &str = "GET /v1/health HTTP/1.1\r\nHost: hfi.example:8080\r\nUser-Agent: Go-http-client/1.1\r\nAuthorization: Basic bWU6Zmlyc3QtMDEyMzQ1Njc4OWFiY2RlZg==\r\nAccept-Encoding: gzip\r\n\r\n";
const APPLY: &str = "POST /v1/policies HTTP/1.1\r\nHost: hfi.example:8080\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: 141\r\nAuthorization: Basic bWU6Zmlyc3QtMDEyMzQ1Njc4OWFiY2RlZg==\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n{\"metadata\":{\"name\":\"slow\"},\"spec\":{\"rules\":[{\"match\":{\"path\":{\"prefix\":\"/api\"}},\"fault\":{\"percentage\":50,\"delay\":{\"fixed_delay_ms\":200}}}]}}";
const LIST: &str = "GET /v1/policies HTTP/1.1\r\nHost: hfi.example:8080\r\nUser-Agent: Go-http-client/1.1\r\nAuthorization: Basic bWU6Zmlyc3QtMDEyMzQ1Njc4OWFiY2RlZg==\r\nAccept-Encoding: gzip\r\n\r\n";
const GET: &str = "GET /v1/policies/slow HTTP/1.1\r\nHost: hfi.example:8080\r\nUser-Agent: Go-http-client/1.1\r\nAuthorization: Basic bWU6Zmlyc3QtMDEyMzQ1Njc4OWFiY2RlZg==\r\nAccept-Encoding: gzip\r\n\r\n";
const DELETE: &str = "DELETE /v1/policies/slow HTTP/1.1\r\nHost: hfi.example:8080\r\nUser-Agent: Go-http-client/1.1\r\nAuthorization: Basic bWU6Zmlyc3QtMDEyMzQ1Njc4OWFiY2RlZg==\r\nAccept-Encoding: gzip\r\n\r\n";
/// The header of its tokens: of one whose policies get a namespace, and of one whose policies do not.
const FIRST: &str = "Authorization: Basic bWU6Zmlyc3QtMDEyMzQ1Njc4OWFiY2RlZg==\r\n";
const ALICE: &str = "Authorization: Basic bWU6YWxpY2UtMDEyMzQ1Njc4OWFiY2RlZg==\r\n";

/// Sends bytes, and reads the answer as its client does: its status, and its body.
async fn answered(replica: &Replica, request: &str) -> (u16, Value) {
    let address = replica.server.url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let head = loop {
        let read = timeout(PATIENCE, connection.read_buf(&mut answer)).await.expect("no answer").unwrap();
        let text = String::from_utf8_lossy(&answer).into_owned();
        match text.split_once("\r\n\r\n") {
            Some((head, body)) if body.len() >= length(head) => break head.to_lowercase(),
            _ => assert!(read > 0, "{text}"),
        }
    };
    let body =
        serde_json::from_slice(&answer[head.len() + 4..]).unwrap_or_else(|error| panic!("{error}: {head}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body)
}

/// The length of a body, which its head must name.
fn length(head: &str) -> usize {
    let head = head.to_lowercase();
    assert!(head.starts_with("http/1.1 ") && !head.contains("content-encoding"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.unwrap_or_else(|| panic!("{head}")).parse().unwrap()
}

async fn world() -> (harness::Repository, Replica) {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let replica = Replica::of(&path(&repository)).await;
    (repository, replica)
}

#[tokio::test]
async fn it_applies_reads_and_deletes_with_a_token_in_its_url() {
    let (repository, replica) = world().await;
    assert_eq!(answered(&replica, HEALTH).await.0, 200);
    // It takes any 2xx.
    assert_eq!(answered(&replica, APPLY).await.0, 201);
    assert!(content(&repository, "slow.yaml").contains("namespace: demo"));
    let (status, listed) = answered(&replica, LIST).await;
    let slow = listed["policies"].as_array().unwrap().iter().find(|one| one["metadata"]["name"] == "slow");
    let (got, slow) = (answered(&replica, GET).await, slow.unwrap());
    assert_eq!((status, got.0, &got.1), (200, 200, slow), "{listed}");
    let fault = &slow["spec"]["rules"][0]["fault"];
    assert!(fault["percentage"].is_u64() && fault["delay"]["fixed_delay_ms"].is_u64(), "{slow}");
    assert_eq!(slow["spec"]["selector"]["namespace"], "demo", "{slow}");
    let commit = git(&repository, &["rev-parse", "main"]);
    let create = APPLY.replace("/v1/policies ", "/v1/policies/create ");
    for again in [APPLY, &create] {
        assert_eq!(answered(&replica, again).await.0, 200);
    }
    assert_eq!(git(&repository, &["rev-parse", "main"]), commit, "there was nothing to change");
    // It takes 200 only, and knows 404 from other errors.
    let (status, deleted) = answered(&replica, DELETE).await;
    assert_eq!((status, &deleted["policies"][0]["result"]), (200, &"deleted".into()));
    assert_eq!(answered(&replica, DELETE).await.0, 404);
    assert_eq!(answered(&replica, GET).await.0, 404);
}

#[tokio::test]
async fn without_a_token_it_reads_and_changes_nothing() {
    let (repository, replica) = world().await;
    let commit = git(&repository, &["rev-parse", "main"]);
    for (request, status) in [(APPLY, 401), (DELETE, 401), (HEALTH, 200), (LIST, 200), (GET, 404)] {
        let (answer, body) = answered(&replica, &request.replace(FIRST, "")).await;
        assert_eq!(answer, status, "{request}: {body}");
    }
    assert_eq!(git(&repository, &["rev-parse", "main"]), commit);
}

#[tokio::test]
async fn what_selects_everything_is_refused_with_words_that_say_what_to_add() {
    let (repository, replica) = world().await;
    let commit = git(&repository, &["rev-parse", "main"]);
    let (status, problem) = answered(&replica, &APPLY.replace(FIRST, ALICE)).await;
    assert_eq!(status, 422);
    assert!(problem.to_string().contains("name a `namespace`"), "{problem}");
    assert_eq!(git(&repository, &["rev-parse", "main"]), commit);
}
