//! A connection comes back from `hyper` after each request that is not a plain poll.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    runtime::Builder,
    sync::watch,
    time::{Instant, sleep, timeout},
};

use crate::{
    budget::Budget,
    client::Client,
    connection,
    connection_limit::ConnectionLimit,
    limits::{HEAD_TIME, IDLE_TIME, MAX_PLAIN_HEAD},
    server::Server,
    testing::{BODY, Fake, LARGE},
};

const SECOND: Duration = Duration::from_secs(1);
const POLL: &str = "GET /poll HTTP/1.1\r\nhost: hfi\r\n\r\n";
const HELD: &str = "GET /poll HTTP/1.1\r\nhost: hfi\r\nif-none-match: *\r\nprefer: wait=200\r\n\r\n";
const BRIEF: &str = "GET /poll HTTP/1.1\r\nhost: hfi\r\nif-none-match: *\r\nprefer: wait=1\r\n\r\n";
const OTHER: &str = "GET /other HTTP/1.1\r\nhost: hfi\r\n\r\n";
const ECHO: &str = "POST /echo HTTP/1.1\r\nhost: hfi\r\ncontent-length: 5\r\n\r\nhello";

struct Served {
    server: Arc<Server<Fake>>,
    _trigger: watch::Sender<bool>,
}

fn served() -> Served {
    let (app, trigger) = Fake::new();
    Served { server: Arc::new(Server::new(app)), _trigger: trigger }
}

impl Served {
    fn connect(&self, room: usize) -> DuplexStream {
        let (client, io) = duplex(room);
        let permit = ConnectionLimit::new().take(Client::default()).unwrap();
        tokio::spawn(connection::serve(io, Arc::clone(&self.server), permit));
        client
    }

    /// The polls that the plain loop holds; those in the router are not counted.
    fn held(&self) -> usize {
        self.server.app.held.load(Ordering::Relaxed)
    }

    /// The statuses and bodies of the answers to these pieces, until the server closes.
    async fn answers(&self, pieces: &[&[u8]]) -> Vec<String> {
        let mut client = self.connect(1 << 20);
        for piece in pieces {
            let _ = client.write_all(piece).await;
            tokio::task::yield_now().await;
        }
        read_all(&mut client).await
    }
}

async fn read_all(client: &mut DuplexStream) -> Vec<String> {
    let mut answers = Vec::new();
    let _ = client.read_to_end(&mut answers).await;
    let answers = String::from_utf8(answers).unwrap();
    answers.split("HTTP/1.").skip(1).map(brief).collect()
}

/// The status of an answer, and its body.
fn brief(answer: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    format!("{} {body}", &head[2..5])
}

/// Reads one answer, which is small.
async fn answer(client: &mut DuplexStream) -> String {
    let mut bytes = vec![0; 4_096];
    let length = client.read(&mut bytes).await.unwrap();
    brief(String::from_utf8_lossy(&bytes[..length]).strip_prefix("HTTP/1.").unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_poll_after_another_request_is_a_plain_one() {
    let served = served();
    let mut client = served.connect(4_096);
    let chunked =
        "POST /echo HTTP/1.1\r\nhost: hfi\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let old = "GET /other HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
    let head = "HEAD /other HTTP/1.1\r\nhost: hfi\r\n\r\n";
    for other in [OTHER, ECHO, chunked, old, head] {
        client.write_all(other.as_bytes()).await.unwrap();
        assert!(answer(&mut client).await.starts_with("200"), "{other}");
        client.write_all(HELD.as_bytes()).await.unwrap();
        sleep(SECOND).await;
        assert_eq!(served.held(), 1, "{other}");
        assert_eq!(answer(&mut client).await, "304 ");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_is_answered_as_a_short_one_is() {
    let served = served();
    let head = POLL.replace("host: hfi", &format!("host: hfi\r\nx: {}", "y".repeat(MAX_PLAIN_HEAD)));
    let last = POLL.replace("host: hfi", "host: hfi\r\nconnection: close");
    let answers = served.answers(&[head.as_bytes(), last.as_bytes()]).await;
    assert_eq!(answers, [format!("200 {BODY}"), format!("200 {BODY}")]);
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_memory_left_is_told_so_and_probes_are_answered() {
    let (app, trigger) = Fake::new();
    let server = Server { unshared: Budget::new(0), ..Server::new(app) };
    let served = Served { server: Arc::new(server), _trigger: trigger };
    // `/other` is a probe.
    for (request, status) in [(POLL, "200"), (ECHO, "503"), (OTHER, "200")] {
        let last = request.replace("host: hfi", "host: hfi\r\nconnection: close");
        let answers = served.answers(&[last.as_bytes()]).await;
        assert!(matches!(&answers[..], [one] if one.starts_with(status)), "{request}: {answers:?}");
    }
    // A head that does not end is not waited for.
    let begun = Instant::now();
    let endless = format!("GET /other HTTP/1.1\r\nx: {}", "y".repeat(2 * MAX_PLAIN_HEAD));
    let answers = served.answers(&[endless.as_bytes()]).await;
    assert!(matches!(&answers[..], [one] if one.starts_with("503")), "{answers:?}");
    assert!(begun.elapsed() < HEAD_TIME);
}

#[tokio::test(start_paused = true)]
async fn the_time_for_a_head_is_the_same_after_any_request() {
    let served = served();
    for (beginning, time) in [("", IDLE_TIME), ("GET /oth", HEAD_TIME)] {
        for first in [POLL, OTHER, ECHO] {
            let mut client = served.connect(4_096);
            client.write_all(first.as_bytes()).await.unwrap();
            answer(&mut client).await;
            let begun = Instant::now();
            client.write_all(beginning.as_bytes()).await.unwrap();
            assert_eq!(client.read(&mut [0; 9]).await.unwrap(), 0);
            assert_eq!(begun.elapsed(), time, "{beginning} after {first}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_is_asked_for_its_body_and_polls_again() {
    let served = served();
    let mut client = served.connect(4_096);
    let head = "POST /echo HTTP/1.1\r\nhost: hfi\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut client).await, "100 ");
    client.write_all(b"hello").await.unwrap();
    assert_eq!(answer(&mut client).await, "200 hello");
    client.write_all(BRIEF.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut client).await, "304 ");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_nobody_reads_is_no_request() {
    let served = served();
    for length in [POLL.len(), POLL.len() + 1_000] {
        let head = format!("GET /other HTTP/1.1\r\nhost: hfi\r\ncontent-length: {length}\r\n\r\n");
        for cut in [0, 1, 30] {
            let bytes = [head.as_bytes(), POLL.as_bytes()].concat();
            let (one, rest) = bytes.split_at(head.len() + cut);
            let mut client = served.connect(4_096);
            client.write_all(one).await.unwrap();
            sleep(SECOND).await;
            client.write_all(rest).await.unwrap();
            sleep(SECOND).await;
            client.shutdown().await.unwrap();
            assert_eq!(read_all(&mut client).await, ["200 another answer"], "{length} {cut}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_is_the_end() {
    let served = served();
    for last in [
        "GET /other HTTP/1.1\r\nhost: hfi\r\nconnection: close\r\n\r\n",
        "GET /closes HTTP/1.1\r\nhost: hfi\r\n\r\n",
        "GET /other HTTP/1.0\r\n\r\n",
        "GET /refused HTTP/1.1\r\nhost: hfi\r\n\r\n",
        "GET /other HTTP/1.1\r\nhost : hfi\r\n\r\n",
    ] {
        let bytes = [OTHER, last, POLL].concat();
        assert_eq!(served.answers(&[bytes.as_bytes()]).await.len(), 2, "{last}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_its_answer_whole_before_the_next() {
    let served = served();
    let mut client = served.connect(64);
    let large = "GET /large HTTP/1.1\r\nhost: hfi\r\n\r\n";
    let mut answers = Vec::new();
    client.write_all(large.as_bytes()).await.unwrap();
    // It takes the next request from the pipe only when there is room.
    let (mut reader, mut writer) = tokio::io::split(client);
    tokio::spawn(async move {
        writer.write_all(BRIEF.as_bytes()).await.unwrap();
        writer
            .write_all(POLL.replace("host: hfi", "host: hfi\r\nconnection: close").as_bytes())
            .await
            .unwrap();
        writer
    });
    let mut bytes = [0; 300];
    loop {
        sleep(SECOND / 10).await;
        match reader.read(&mut bytes).await.unwrap() {
            0 => break,
            length => answers.extend_from_slice(&bytes[..length]),
        }
    }
    let answers: Vec<_> = String::from_utf8(answers)
        .unwrap()
        .split("HTTP/1.")
        .skip(1)
        .map(|answer| brief(answer).len())
        .collect();
    // What was sent meanwhile is read by hyper, so the router answers it, without holding it.
    assert_eq!(answers, [4 + LARGE, 4 + BODY.len(), 4 + BODY.len()]);
}

#[tokio::test(start_paused = true)]
async fn a_bounded_answer_is_taken_in_time_or_its_connection_is_closed() {
    let served = served();
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: hfi\r\n\r\n");
    // A byte a second is no silence, but too slow.
    for (path, length) in [("/bounded", 1), ("/large", 300), ("/bounded", 300)] {
        let mut client = served.connect(64);
        client.write_all(request(path).as_bytes()).await.unwrap();
        let (begun, mut taken, mut bytes) = (Instant::now(), 0, [0; 300]);
        while taken < LARGE {
            sleep(if length == 1 { SECOND } else { SECOND / 20 }).await;
            match client.read(&mut bytes[..length]).await {
                Ok(0) | Err(_) => break,
                Ok(length) => taken += length,
            }
        }
        let took = begun.elapsed().as_secs();
        match (path, length) {
            ("/bounded", 1) => assert!(taken < 100 && took >= 10, "{taken} bytes in {took} s"),
            ("/bounded", _) => assert!(taken < LARGE, "{taken} bytes in {took} s"),
            _ => assert!(taken >= LARGE && took > 10, "{taken} bytes in {took} s"),
        }
    }
    // In time, and the connection goes on.
    let mut client = served.connect(1 << 20);
    client.write_all(request("/bounded").as_bytes()).await.unwrap();
    let mut taken = vec![0; LARGE];
    client.read_exact(&mut taken).await.unwrap();
    // The rest, as long as the head is.
    assert!(client.read(&mut taken).await.unwrap() < LARGE);
    sleep(20 * SECOND).await;
    client.write_all(OTHER.as_bytes()).await.unwrap();
    assert!(answer(&mut client).await.starts_with("200"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_no_more_is_let_go_after_its_answers() {
    let served = served();
    for requests in [&[OTHER, POLL][..], &[POLL, OTHER], &[ECHO], &[OTHER, ECHO, POLL]] {
        let mut client = served.connect(4_096);
        for request in requests {
            client.write_all(request.as_bytes()).await.unwrap();
            assert!(answer(&mut client).await.starts_with("200"), "{requests:?}");
        }
        client.shutdown().await.unwrap();
        assert!(timeout(SECOND, read_all(&mut client)).await.unwrap().is_empty(), "{requests:?}");
    }
    // At once: hyper may take it for gone, and the connection ends in any case.
    let mut client = served.connect(4_096);
    client.write_all([OTHER, HELD].concat().as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    assert!(timeout(2 * SECOND, read_all(&mut client)).await.unwrap().len() <= 2);
    assert_eq!(served.held(), 0);
}

/// Requests, and the answer that each gets alone.
const REQUESTS: [(&str, &str); 6] = [
    (POLL, BODY),
    (BRIEF, ""),
    ("GET /poll?bad HTTP/1.1\r\nhost: hfi\r\n\r\n", "a bad query"),
    (OTHER, "another answer"),
    (ECHO, "hello"),
    ("POST /echo HTTP/1.1\r\nhost: hfi\r\ntransfer-encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\n\r\n", "GET"),
];

#[test]
fn requests_in_any_order_and_in_any_pieces_are_answered_in_order() {
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    let requests = prop::collection::vec(select(REQUESTS.to_vec()), 1..8);
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..6);
    let outcome = TestRunner::new(config).run(&(requests, cuts), |(requests, cuts)| {
        let last = OTHER.replace("host: hfi", "host: hfi\r\nconnection: close");
        let bytes: String = requests.iter().map(|(request, _)| *request).chain([last.as_str()]).collect();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut begun = 0;
        for cut in cuts.into_iter().chain([bytes.len()]) {
            pieces.push(&bytes.as_bytes()[begun..cut]);
            begun = cut;
        }
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let answers = runtime.block_on(async { served().answers(&pieces).await });
        let bodies: Vec<_> = answers.iter().map(|answer| &answer[4..]).collect();
        let expected: Vec<_> = requests.iter().map(|(_, body)| *body).chain(["another answer"]).collect();
        // A poll that is pipelined behind another request is answered by the router, which does not hold.
        let is_same = bodies.len() == expected.len()
            && bodies.iter().zip(&expected).all(|(body, expected)| {
                body == expected || (expected.is_empty() && *body == BODY) || *expected == "a bad query"
            });
        prop_assert!(is_same, "{:?} for {:?}", bodies, bytes);
        Ok(())
    });
    outcome.unwrap();
}
