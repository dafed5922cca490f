//! Clients that send too much, read too little or are too many.

use std::{fs, net::SocketAddr, time::Duration};

use hyper::{Request, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::{
    support::process::{Process, text},
    support::{PATIENCE, Server, policy},
};

const SNAPSHOT: &str = "/v1/snapshot?namespace=demo&service=checkout";

async fn server() -> (tempfile::TempDir, Server, SocketAddr) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("checkout.yaml"), policy("checkout", "checkout", 503)).unwrap();
    let server = Server::of_folder(folder.path()).await;
    let address = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    (folder, server, address)
}

/// The server's answer before it closes.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut client = TcpStream::connect(address).await.unwrap();
    let _ = client.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, client.read_to_end(&mut answer)).await.expect("it does not end");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_hundred_megabytes_are_refused_unread() {
    const LENGTH: usize = 100_000_000;
    let (_folder, server, address) = server().await;
    for path in ["/v1/policies", SNAPSHOT, "/health", "/nothing"] {
        let client = TcpStream::connect(address).await.unwrap();
        let (mut answers, mut body) = client.into_split();
        let head = format!("POST {path} HTTP/1.1\r\nhost: hfi\r\ncontent-length: {LENGTH}\r\n\r\n");
        body.write_all(head.as_bytes()).await.unwrap();
        let sending = tokio::spawn(async move {
            let (mut sent, piece) = (0, vec![b'x'; 64 * 1024]);
            while sent < LENGTH && body.write_all(&piece).await.is_ok() {
                sent += piece.len();
            }
            sent
        });
        let mut answer = vec![0; 1_024];
        let length = timeout(PATIENCE, answers.read(&mut answer)).await.expect("it is read").unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("connection: close"), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
        let sent = timeout(PATIENCE, sending).await.expect("it is read").unwrap();
        assert!(sent < LENGTH / 4, "{sent} bytes went into the buffers between");
        assert_eq!(server.get("/health", &[]).await.status(), 200);
    }
}

#[tokio::test]
async fn a_body_that_is_not_announced_ends_the_connection() {
    let (_folder, _server, address) = server().await;
    let piece = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let request = format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\ntransfer-encoding: chunked\r\n\r\n");
    let answer = exchange(address, &[request, piece.repeat(100)].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_flood_of_headers_is_refused() {
    let (_folder, server, address) = server().await;
    let beginning = format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\n");
    let many = "x: y\r\n".repeat(200);
    let long = format!("x: {}\r\n", "y".repeat(100_000));
    let endless = format!("x: {}", "y".repeat(1_000_000));
    for flood in [many, long, endless] {
        let answer = exchange(address, &format!("{beginning}{flood}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    // As much as is taken.
    let fits = format!("{beginning}x: {}\r\nconnection: close\r\n\r\n", "y".repeat(15_000));
    assert!(exchange(address, &fits).await.starts_with("HTTP/1.1 200"));
    assert_eq!(server.get("/health", &[]).await.status(), 200);
}

/// A reconciler with policies of 3.6 MB.
async fn much() -> (tempfile::TempDir, Process, SocketAddr) {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(60_000);
    for at in 0..60 {
        let policy = policy(&format!("p{at}"), "checkout", 503);
        let policy = policy.replace("httpStatus: 503", &format!("httpStatus: 503, body: {long}"));
        fs::write(folder.path().join(format!("{at}.yaml")), policy).unwrap();
    }
    let hfi = Process::start(&[("HFI_DIR", text(folder.path()))]).await;
    hfi.until_ready(|_| true).await;
    let address = hfi.url.strip_prefix("http://").unwrap().parse().unwrap();
    (folder, hfi, address)
}

#[tokio::test]
async fn who_reads_nothing_keeps_nobody_waiting() {
    let (_folder, hfi, address) = much().await;
    let before = memory(hfi.child.id());
    let mut readers = Vec::new();
    for _ in 0..100 {
        let mut reader = TcpStream::connect(address).await.unwrap();
        reader.write_all(format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\n\r\n").as_bytes()).await.unwrap();
        let mut first = [0; 15];
        reader.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200 OK");
        readers.push(reader);
    }
    let begun = Instant::now();
    assert_eq!(hfi.get("/v1/snapshot?namespace=demo&service=cart", &[]).await.status, 200);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    // They share the bytes: each has a hundredth of what one copy would take.
    let grown = memory(hfi.child.id()).saturating_sub(before);
    assert!(grown < 20_000_000, "100 readers of 3.6 MB take {grown} bytes");
}

#[tokio::test]
async fn who_lets_nothing_be_sent_takes_no_more_than_there_is_for_it() {
    let (_folder, hfi, address) = much().await;
    let (list, before) = (format!("{}/v1/policies?all=true", hfi.url), memory(hfi.child.id()));
    let (mut statuses, mut unread) = (Vec::new(), Vec::new());
    // So little may be sent of each answer that all the rest lies ready.
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let builder = http2::Builder::new(TokioExecutor::new()).initial_stream_window_size(1).clone();
    let (mut sender, connection) = builder.handshake::<_, String>(stream).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..36 {
        let request = Request::get(&list).body(String::new()).unwrap();
        let answer = timeout(PATIENCE, sender.send_request(request)).await.expect("it has no head").unwrap();
        statuses.push(answer.status().as_u16());
        assert_eq!(answer.status() == 503, answer.headers().contains_key("retry-after"));
        unread.push(answer);
    }
    let grown = memory(hfi.child.id()).saturating_sub(before);
    assert!(grown < 110_000_000, "36 answers of 3.6 MB that nobody reads take {grown} bytes");
    assert!(statuses.starts_with(&[200; 10]) && statuses.ends_with(&[503; 5]), "{statuses:?}");
    for path in [SNAPSHOT, "/health", "/v1/ready", "/metrics"] {
        assert_eq!(hfi.get(path, &[]).await.status, 200, "{path}");
    }
    drop(unread);
    let deadline = Instant::now() + PATIENCE;
    while hfi.get("/v1/policies?all=true", &[]).await.status != 200 {
        assert!(Instant::now() < deadline, "what they had is not given back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Requests whose answers differ from one moment to the next, so that nothing of them is shared.
#[tokio::test]
async fn who_reads_no_answer_takes_no_more_than_there_is_for_it_and_gives_it_back() {
    const CLIENTS: usize = 500;
    const MOST: usize = 110_000_000;
    let folder = tempfile::tempdir().unwrap();
    let policies = (0..2_000).map(|at| policy(&format!("p{at}"), &format!("s{at}"), 503)).collect::<Vec<_>>();
    fs::write(folder.path().join("all.yaml"), policies.join("---\n")).unwrap();
    let hfi = Process::start(&[("HFI_DIR", text(folder.path()))]).await;
    hfi.until_ready(|_| true).await;
    let address: SocketAddr = hfi.url.strip_prefix("http://").unwrap().parse().unwrap();
    assert!(hfi.get("/v1/policies/status", &[]).await.body.len() > 300_000);
    let before = memory(hfi.child.id());
    let grown = || memory(hfi.child.id()).saturating_sub(before);
    let requests = "GET /v1/policies/status HTTP/1.1\r\nhost: hfi\r\n\r\n".repeat(50);
    let mut unread = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(requests.as_bytes()).await.unwrap();
        unread.push(client);
        assert!(grown() < MOST, "{} clients take {} bytes", unread.len(), grown());
    }
    for _ in 0..30 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(grown() < MOST, "{CLIENTS} clients take {} bytes", grown());
        assert_eq!(hfi.get("/health", &[]).await.status, 200);
    }
    drop(unread);
    let deadline = Instant::now() + PATIENCE;
    while grown() > MOST / 2 {
        assert!(Instant::now() < deadline, "they have left, and {} bytes are kept", grown());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The resident memory of a process, in bytes.
fn memory(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1_024
}

#[tokio::test]
async fn who_comes_too_late_is_told_so_and_probes_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    // Half of 200 files are for connections.
    let hfi = Process::start_limited("150:200", &[("HFI_DIR", text(folder.path()))]).await;
    hfi.until_ready(|_| true).await;
    let address: SocketAddr = hfi.url.strip_prefix("http://").unwrap().parse().unwrap();
    let etag = hfi.get(SNAPSHOT, &[]).await.etag;
    let poll =
        format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\nif-none-match: {etag}\r\nprefer: wait=300\r\n\r\n");
    let mut held = Vec::new();
    // The connections from before may have gone or not: one that is turned away meanwhile is made up for.
    while held.len() < 100 || hfi.metric("hfi_polls_parked").await != Some(100.0) {
        assert!(held.len() < 200, "not all of them are held");
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(poll.as_bytes()).await.unwrap();
        held.push(client);
    }
    for (path, status) in [
        (SNAPSHOT, "503"),
        ("/v1/events", "503"),
        ("/v1/policies", "503"),
        ("/health", "200"),
        ("/v1/ready", "200"),
        ("/metrics", "200"),
    ] {
        let answer = exchange(address, &format!("GET {path} HTTP/1.1\r\nhost: hfi\r\n\r\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
        assert!(answer.contains("connection: close"), "{path}: {answer}");
        assert_eq!(status == "503", answer.contains("retry-after: 5"), "{path}: {answer}");
    }
    assert!(hfi.said("connections are turned away").is_some(), "{}", hfi.log());
    held.remove(0);
    let deadline = Instant::now() + PATIENCE;
    while hfi.get(SNAPSHOT, &[]).await.status != 200 {
        assert!(Instant::now() < deadline, "no place becomes free");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
