//! One address takes all there is, and clients at other addresses get in. The addresses are those of this
//! machine: all of 127.0.0.0/8.

use std::{fs, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};

use crate::support::{
    PATIENCE, Server, policy,
    process::{Process, text},
};

const SNAPSHOT: &str = "/v1/snapshot?namespace=demo&service=checkout";

/// A connection from this address of this machine.
async fn connect(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    timeout(PATIENCE, socket.connect(to)).await.expect("no connection").unwrap()
}

async fn ask(from: &str, to: SocketAddr, request: &str) -> TcpStream {
    let mut client = connect(from, to).await;
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: hfi\r\n{headers}\r\n")
}

/// The beginning of what comes; empty if the server closes.
async fn beginning(client: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4_096];
    let length = timeout(PATIENCE, client.read(&mut bytes)).await.expect("nothing comes").unwrap_or(0);
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

/// The first bytes that come for each of so many requests. Their connections stay open.
fn answers(from: &'static str, to: SocketAddr, request: &str, number: usize) -> JoinSet<(String, TcpStream)> {
    let mut answers = JoinSet::new();
    for _ in 0..number {
        let request = request.to_owned();
        answers.spawn(async move {
            let mut client = ask(from, to, &request).await;
            let mut bytes = vec![0; 4_096];
            let length = client.read(&mut bytes).await.unwrap_or(0);
            (String::from_utf8_lossy(&bytes[..length]).into_owned(), client)
        });
    }
    answers
}

async fn next(answers: &mut JoinSet<(String, TcpStream)>) -> String {
    timeout(PATIENCE, answers.join_next()).await.expect("nothing comes").unwrap().unwrap().0
}

#[tokio::test]
async fn every_proxy_gets_a_connection() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    // Half of 200 files are for connections.
    let hfi = Process::start_limited("200:200", &[("HFI_DIR", text(folder.path()))]).await;
    hfi.until_ready(|_| true).await;
    let address: SocketAddr = hfi.url.strip_prefix("http://").unwrap().parse().unwrap();
    let etag = hfi.get(SNAPSHOT, &[]).await.etag;
    let poll = get(SNAPSHOT, &format!("if-none-match: {etag}\r\nprefer: wait=300\r\n"));
    let mut greedy = answers("127.0.0.2", address, &poll, 150);
    for _ in 0..50 {
        let refused = next(&mut greedy).await;
        assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    }
    let mut others = Vec::new();
    for end in 3..43 {
        let mut other = ask(&format!("127.0.0.{end}"), address, &get(SNAPSHOT, "")).await;
        let answer = beginning(&mut other).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "127.0.0.{end}: {answer}");
        others.push(other);
    }
    // As many were closed, but for those that were free; and the client that had them gets no more.
    let mut closed = 0;
    while closed < 30 {
        let answer = next(&mut greedy).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 503"), "{answer}");
        closed += usize::from(answer.is_empty());
    }
    let answer = beginning(&mut ask("127.0.0.2", address, &poll).await).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    for (at, other) in others.iter_mut().enumerate() {
        other.write_all(get(SNAPSHOT, "").as_bytes()).await.unwrap();
        assert!(beginning(other).await.starts_with("HTTP/1.1 200"), "{at} was closed");
    }
}

#[tokio::test]
async fn everybody_gets_a_stream_of_events() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let address: SocketAddr = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let mut greedy = Vec::new();
    for _ in 0..256 {
        let mut stream = ask("127.0.0.2", address, &get("/v1/events", "")).await;
        assert!(beginning(&mut stream).await.starts_with("HTTP/1.1 200"));
        greedy.push(stream);
    }
    let events = get("/v1/events", "");
    let answer = beginning(&mut ask("127.0.0.2", address, &events).await).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    let mut other = ask("127.0.0.3", address, &events).await;
    assert!(beginning(&mut other).await.starts_with("HTTP/1.1 200"));
    assert_eq!(server.metric("hfi_event_streams").await, Some(256.0));
    // The oldest ends in order: with the last chunk.
    let mut rest = String::new();
    while !rest.ends_with("0\r\n\r\n") {
        let more = beginning(&mut greedy[0]).await;
        assert!(!more.is_empty(), "it was cut off: {rest}");
        rest += &more;
    }
}

#[tokio::test]
async fn every_forge_can_notify() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "s\n").unwrap();
    let policies = folder.path().join("policies");
    fs::create_dir(&policies).unwrap();
    let hfi = Process::start(&[("HFI_DIR", text(&policies)), ("HFI_HOOK_SECRET_FILE", text(&secret))]).await;
    hfi.until_ready(|_| true).await;
    let address: SocketAddr = hfi.url.strip_prefix("http://").unwrap().parse().unwrap();
    let head =
        "POST /v1/hooks/gitlab HTTP/1.1\r\nhost: hfi\r\nx-gitlab-token: s\r\ncontent-length: 2\r\n\r\n";
    let mut greedy = answers("127.0.0.2", address, head, 17);
    let refused = next(&mut greedy).await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    let answer = beginning(&mut ask("127.0.0.3", address, &format!("{head}{{}}")).await).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let closed = next(&mut greedy).await;
    assert!(closed.starts_with("HTTP/1.1 503"), "{closed}");
}

#[tokio::test]
async fn false_names_of_nodes_are_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let address: SocketAddr = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let node = "sidecar~127.0.0.7~a.demo~demo.svc.cluster.local";
    let etag = server.snapshot("namespace=demo&service=checkout", &[]).await.etag;
    let polls = [
        ("127.0.0.3", "\"sha256:0\"".to_owned(), "lagging"),
        // It is its own address.
        ("127.0.0.7", etag.clone(), "in_step"),
        ("127.0.0.3", "\"sha256:0\"".to_owned(), "in_step"),
    ];
    for (from, etag, state) in polls {
        let poll = get(SNAPSHOT, &format!("x-hfi-node: {node}\r\nif-none-match: {etag}\r\n"));
        assert!(beginning(&mut ask(from, address, &poll).await).await.starts_with("HTTP/1.1 "));
        let known = &server.json("/v1/filters").await["filters"];
        assert_eq!(known.as_array().unwrap().len(), 1);
        assert_eq!((&known[0]["node"], &known[0]["state"]), (&node.into(), &state.into()), "{from}");
    }
}
