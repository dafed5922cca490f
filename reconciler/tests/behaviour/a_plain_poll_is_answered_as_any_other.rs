//! Plain polls are read and answered apart from all other requests. Nobody can tell: the same bytes get
//! the same answer from the router behind `axum`'s own server.

use std::{fs, net::SocketAddr, time::Duration};

use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    time::timeout,
};

use crate::support::{PATIENCE, Server, policy};

const SNAPSHOT: &str = "/v1/snapshot?namespace=demo&service=checkout";

const LAST: &str = "GET /health HTTP/1.1\r\nhost: hfi\r\nconnection: close\r\n\r\n";

/// The same behind both.
struct Pair {
    server: Server,
    address: SocketAddr,
    plain: SocketAddr,
    etag: String,
    _folder: tempfile::TempDir,
}

impl Pair {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("checkout.yaml"), policy("checkout", "checkout", 503)).unwrap();
        let server = Server::of_folder(folder.path()).await;
        let address = server.url.strip_prefix("http://").unwrap().parse().unwrap();
        let etag = server.get(SNAPSHOT, &[]).await.headers()["etag"].to_str().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let plain = listener.local_addr().unwrap();
        let router = server.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { server, address, plain, etag, _folder: folder }
    }

    async fn both(&self, bytes: &str) -> (Vec<String>, Vec<String>) {
        let pieces = [bytes];
        tokio::join!(exchange(self.address, &pieces), exchange(self.plain, &pieces))
    }
}

/// The server's answers to these bytes, sent one piece after the other, and to a last request, after
/// which it closes.
async fn exchange(address: SocketAddr, pieces: &[&str]) -> Vec<String> {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.set_nodelay(true).unwrap();
    for piece in pieces.iter().chain(&[LAST]) {
        // What is refused may be refused before all of it is sent.
        let _ = client.write_all(piece.as_bytes()).await;
        tokio::task::yield_now().await;
    }
    let mut answers = Vec::new();
    let _ = timeout(PATIENCE, client.read_to_end(&mut answers)).await.expect("no end");
    String::from_utf8_lossy(&answers).split("HTTP/1.").skip(1).map(comparable).collect()
}

/// An answer without what may differ: the time, the order of the headers, and the length that `axum`
/// gives a 304.
fn comparable(answer: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole head");
    let mut lines = head.lines();
    let status = lines.next().unwrap();
    let is_free = |line: &&str| {
        line.starts_with("date: ") || (status.contains("304") && line.starts_with("content-length: "))
    };
    let mut headers: Vec<_> = lines.filter(|line| !is_free(line)).collect();
    headers.sort_unstable();
    format!("{status}\n{}\n\n{body}", headers.join("\n"))
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_a_row() {
    let pair = Pair::start().await;
    let etag = &pair.etag;
    let get = |headers: &str| format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\n{headers}\r\n");
    let requests = [
        get(""),
        get(&format!("if-none-match: {etag}\r\n")),
        "GET /v1/snapshot?name=a HTTP/1.1\r\nhost: hfi\r\n\r\n".to_owned(),
        get("accept: text/html\r\n"),
        get("prefer: wait=9\r\n"),
        // From here on it is not plain, and then it is again.
        "GET /health HTTP/1.1\r\nhost: hfi\r\n\r\n".to_owned(),
        get("connection: close\r\n"),
        get(""),
    ];
    let (ours, theirs) = pair.both(&requests.concat()).await;
    assert_eq!(ours, theirs);
    let statuses: Vec<_> = ours.iter().map(|answer| &answer[2..5]).collect();
    assert_eq!(statuses, ["200", "304", "400", "406", "200", "200", "200"], "nothing after the close");
    let (ours, theirs) = pair.both(&[get(""), get("Connection: CLOSE\r\n"), get("")].concat()).await;
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 2, "nothing after the close");
}

#[tokio::test]
async fn a_request_may_arrive_in_pieces() {
    let pair = Pair::start().await;
    let request = format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\nif-none-match: {}\r\n\r\n", pair.etag);
    let twice = request.repeat(2);
    let bytes: Vec<_> = twice.char_indices().map(|(at, _)| &twice[at..=at]).collect();
    let ours = exchange(pair.address, &bytes).await;
    assert_eq!(ours, exchange(pair.plain, &[&twice]).await);
    assert_eq!(ours.len(), 3);
    for cut in (1..twice.len()).step_by(7) {
        let (one, other) = twice.split_at(cut);
        assert_eq!(exchange(pair.address, &[one, other]).await, ours, "{cut}");
    }
}

#[tokio::test]
async fn what_is_not_plain_is_answered_all_the_same() {
    let pair = Pair::start().await;
    for (request, status) in [
        (format!("HEAD {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\n\r\n"), "200"),
        (format!("GET {SNAPSHOT} HTTP/1.0\r\n\r\n"), "200"),
        (format!("GET {SNAPSHOT} HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"), "200"),
        (format!("GET {SNAPSHOT} HTTP/1.1\r\n\r\n"), "400"),
        (format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\nhost: hfi\r\n\r\n"), "400"),
        (format!("GET {SNAPSHOT} HTTP/1.0\r\nhost: hfi\r\nhost: other\r\n\r\n"), "400"),
        (format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: a b\r\n\r\n"), "400"),
        (format!("GET {SNAPSHOT} HTTP/1.1\r\nhost:\r\n\r\n"), "200"),
        (format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: [::1]:8080\r\n\r\n"), "200"),
        ("GET /health HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("GET /nothing HTTP/1.1\r\n\r\n".to_owned(), "400"),
        (format!("GET http://hfi{SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\n\r\n"), "200"),
        (format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\ncontent-length: 2\r\n\r\nab"), "200"),
        (format!("POST {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\ncontent-length: 0\r\n\r\n"), "405"),
        (format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\nx: a\r\n b\r\n\r\n"), "400"),
        (format!("GET {SNAPSHOT} HTTP/1.1\r\nhost : hfi\r\n\r\n"), "400"),
        (
            format!(
                "GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"
            ),
            "400",
        ),
        (format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\ncontent-length: +1\r\n\r\na"), "400"),
        (format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\ntransfer-encoding: chunked, x\r\n\r\n"), "400"),
        (format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\nx: a\0\r\n\r\n"), "400"),
        (format!("GET {SNAPSHOT} HTTP/3.0\r\nhost: hfi\r\n\r\n"), "400"),
        ("GET  /v1/snapshot HTTP/1.1\r\nhost: hfi\r\n\r\n".to_owned(), "400"),
        ("\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n".to_owned(), "400"),
    ] {
        let (ours, theirs) = pair.both(&request).await;
        assert_eq!(ours, theirs, "{request:?}");
        assert!(ours.first().is_some_and(|answer| answer[2..].starts_with(status)), "{request:?}: {ours:?}");
    }
}

#[tokio::test]
async fn a_body_cannot_pass_for_a_request() {
    let pair = Pair::start().await;
    let inner = format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\n\r\n");
    for body in [
        format!("content-length: {}\r\n\r\n{inner}", inner.len()),
        format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len()),
    ] {
        let request = format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: hfi\r\n{body}");
        let (ours, theirs) = pair.both(&request).await;
        assert_eq!(ours, theirs, "{request:?}");
        assert_eq!(ours.len(), 2, "{ours:?}");
    }
}

/// One request, nearly well-formed.
fn request(etag: String) -> impl Strategy<Value = String> {
    let method = select(vec!["GET", "GET", "GET", "GET", "HEAD", "POST", "get"]);
    let target = select(vec![
        SNAPSHOT,
        SNAPSHOT,
        "/v1/snapshot",
        "/v1/snapshot?",
        "/v1/snapshot?namespace=demo&service=%2A",
        "/v1/snapshot?service=a&service=b&namespace=*",
        "/v1/snapshot?service=%61",
        "/v1/snapshot?service=<",
        "/v1/snapshot?namespace=",
        "/v1/snapshot?x=y",
        "/v1/snapshot/",
        "/v1/%73napshot",
        "/v1/snapshot#a",
        "//v1/snapshot",
        "/health",
        "*",
        "http://hfi/v1/snapshot",
    ]);
    let version = select(vec!["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2"]);
    let tag = format!("if-none-match: {etag}");
    let header = prop_oneof![
        select(vec![
            "host: hfi".to_owned(),
            "Host: other".to_owned(),
            "host: hfi:80".to_owned(),
            tag.clone(),
            tag.replace(": ", ": \"a\", W/"),
            tag.replace(": ", ":"),
            tag.to_uppercase(),
            "if-none-match: *".to_owned(),
            "if-none-match: \"a\"".to_owned(),
        ]),
        select(vec![
            "accept: */*",
            "accept: text/html",
            "accept: application/vnd.hfi.snapshot.v1;q=1, x/y",
            "accept: application/vnd.hfi.snapshot.v2, application/vnd.hfi.snapshot.v1;q=0.5",
            "prefer: wait=0",
            "prefer: respond-async",
            "x-hfi-node: sidecar~a.b",
            "x-hfi-revision: main@sha1:0",
            "user-agent: a b",
            "x: \u{e4}",
            "x:",
        ])
        .prop_map(str::to_owned),
        select(vec![
            "connection: keep-alive",
            "Connection: CLOSE",
            "connection: close",
            "connection: Close",
            "connection: x",
            "content-length: 0",
            "transfer-encoding: chunked",
            "expect: 100-continue",
            "te: trailers",
            "x : y",
            " x: y",
            "x: \u{1}",
            "x",
            "",
        ])
        .prop_map(str::to_owned),
    ];
    let end = select(vec!["\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n"]);
    (method, target, version, any::<bool>(), prop::collection::vec(header, 0..5), end).prop_map(
        |(method, target, version, has_host, headers, end)| {
            let host = if has_host { format!("host: hfi{end}") } else { String::new() };
            let headers: String = headers.iter().map(|header| format!("{header}{end}")).collect();
            format!("{method} {target} {version}{end}{host}{headers}{end}")
        },
    )
}

#[test]
fn the_same_bytes_get_the_same_answer() {
    let runtime = Runtime::new().unwrap();
    let pair = runtime.block_on(Pair::start());
    let config = ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() };
    let requests = prop::collection::vec(request(pair.etag.clone()), 1..4);
    let outcome = TestRunner::new(config).run(&(requests, 0..40usize), |(requests, cut)| {
        let mut bytes = requests.concat();
        // Now and then the end is missing.
        bytes.truncate(bytes.floor_char_boundary(bytes.len() - if cut < 10 { cut } else { 0 }));
        let (ours, theirs) = runtime.block_on(pair.both(&bytes));
        prop_assert_eq!(ours, theirs, "{:?}", bytes);
        Ok(())
    });
    outcome.unwrap();
    drop(pair.server);
    runtime.shutdown_timeout(Duration::from_secs(1));
}
