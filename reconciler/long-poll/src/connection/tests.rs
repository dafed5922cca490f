//! The lifetime of a connection, by a clock of its own: over a pipe, so that nothing else takes time.

mod ends;

use std::{
    future::poll_fn,
    io,
    net::Ipv4Addr,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use hyper::{Request, body::Body as _, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::serve;
use crate::{
    budget::Budget,
    client::{Client, Prefixes},
    connection_limit::ConnectionLimit,
    limits::{HEAD_TIME, IDLE_TIME, LINGER_TIME, MAX_PLAIN_HEAD, STALL_TIME},
    places::Places,
    server::Server,
    testing::Fake,
};

const SECOND: Duration = Duration::from_secs(1);
const GET: &[u8] = b"GET /poll HTTP/1.1\r\nhost: hfi\r\n\r\n";
const POLL: &[u8] = b"GET /poll HTTP/1.1\r\nhost: hfi\r\nif-none-match: *\r\nprefer: wait=200\r\n\r\n";

struct Served {
    server: Arc<Server<Fake>>,
    trigger: watch::Sender<bool>,
}

fn served() -> Served {
    let (app, trigger) = Fake::new();
    Served { server: Arc::new(Server::new(app)), trigger }
}

impl Served {
    /// A connection through which so many bytes fit at once.
    fn connect(&self, room: usize) -> (DuplexStream, JoinHandle<io::Result<()>>) {
        self.connect_as(Client::default(), room)
    }

    fn connect_as(&self, client: Client, room: usize) -> (DuplexStream, JoinHandle<io::Result<()>>) {
        let (pipe, server) = duplex(room);
        let permit = ConnectionLimit::new().take(client).unwrap();
        (pipe, tokio::spawn(serve(server, Arc::clone(&self.server), permit)))
    }

    fn held(&self) -> usize {
        self.server.app.held.load(Ordering::Relaxed)
    }
}

/// The head of the next answer; bodies are empty or thrown away.
async fn answer(client: &mut DuplexStream) -> String {
    let mut bytes = vec![0; 4_096];
    let length = client.read(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_let_go() {
    let served = served();
    for beginning in [&b""[..], b"GET /po", &GET[..GET.len() - 1], b"PRI * HTTP/2.0\r\n"] {
        let (mut client, serving) = served.connect(4_096);
        let begun = Instant::now();
        client.write_all(beginning).await.unwrap();
        assert_eq!(client.read(&mut [0; 9]).await.unwrap(), 0, "{beginning:?}");
        assert_eq!(begun.elapsed(), HEAD_TIME, "{beginning:?}");
        drop(client);
        serving.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_drips_is_cut_off() {
    let served = served();
    let (mut client, _serving) = served.connect(4_096);
    let begun = Instant::now();
    for byte in GET {
        sleep(SECOND).await;
        if client.write_all(&[*byte]).await.is_err() {
            break;
        }
    }
    assert!(begun.elapsed() <= 2 * HEAD_TIME + LINGER_TIME, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_was_begun_too_early_is_cut_off_as_well() {
    let served = served();
    let (mut client, _serving) = served.connect(4_096);
    client.write_all(&[GET, &GET[..9]].concat()).await.unwrap();
    assert!(answer(&mut client).await.starts_with("HTTP/1.1 200 OK\r\n"));
    let begun = Instant::now();
    assert_eq!(client.read(&mut [0; 9]).await.unwrap(), 0);
    assert_eq!(begun.elapsed(), HEAD_TIME);
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_rest_for_a_while_between_requests() {
    let served = served();
    let (mut client, serving) = served.connect(4_096);
    for _ in 0..3 {
        client.write_all(GET).await.unwrap();
        assert!(answer(&mut client).await.starts_with("HTTP/1.1 200 OK\r\n"));
        sleep(IDLE_TIME - SECOND).await;
    }
    let begun = Instant::now();
    assert_eq!(client.read(&mut [0; 9]).await.unwrap(), 0);
    assert_eq!(begun.elapsed(), SECOND);
    drop(client);
    serving.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_is_held_is_not_idle() {
    let served = served();
    let (mut client, _serving) = served.connect(4_096);
    for _ in 0..2 {
        let begun = Instant::now();
        client.write_all(POLL).await.unwrap();
        let answer = answer(&mut client).await;
        assert!(
            answer.starts_with("HTTP/1.1 304 Not Modified\r\n") && answer.contains("waited: 200"),
            "{answer}"
        );
        assert_eq!(begun.elapsed(), 200 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_is_let_go_and_who_takes_little_is_not() {
    let served = served();
    let (mut client, serving) = served.connect(64);
    client.write_all(GET).await.unwrap();
    let begun = Instant::now();
    let mut bytes = [0; 16];
    for _ in 0..5 {
        sleep(STALL_TIME - SECOND).await;
        assert!(!serving.is_finished(), "it reads");
        client.read_exact(&mut bytes).await.unwrap();
    }
    assert!(begun.elapsed() > 4 * STALL_TIME);
    let begun = Instant::now();
    assert!(serving.await.unwrap().is_err(), "it has not got the whole answer");
    assert_eq!(begun.elapsed(), STALL_TIME);
}

#[tokio::test(start_paused = true)]
async fn who_lets_nothing_be_sent_is_let_go_and_who_reads_slowly_is_not() {
    let served = served();
    for window in [0, 1, 5_000] {
        let (client, serving) = served.connect(65_536);
        let builder = http2::Builder::new(TokioExecutor::new()).initial_stream_window_size(window).clone();
        let (mut sender, connection) = builder.handshake(TokioIo::new(client)).await.unwrap();
        let _connection = tokio::spawn(connection);
        let request = Request::get("http://hfi/large").body(String::new()).unwrap();
        let mut answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        let mut begun = Instant::now();
        if window > 1 {
            sleep(STALL_TIME - SECOND).await;
            assert!(!serving.is_finished());
            let mut body = Pin::new(answer.body_mut());
            assert!(poll_fn(|cx| body.as_mut().poll_frame(cx)).await.unwrap().is_ok());
            begun = Instant::now();
        }
        assert!(serving.await.unwrap().is_err(), "it has not got the whole answer");
        assert_eq!(begun.elapsed(), STALL_TIME, "{window}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_limit_are_few_even_if_they_are_probes() {
    let (app, trigger) = Fake::new();
    let server = Server { requests: Budget::new(0), extra: Budget::new(4), ..Server::new(app) };
    let served = Served { server: Arc::new(server), trigger };
    let (client, _serving) = served.connect(65_536);
    // Nothing of a body may be sent, so that each of them stays open.
    let builder = http2::Builder::new(TokioExecutor::new()).initial_stream_window_size(0).clone();
    let (mut sender, connection) = builder.handshake(TokioIo::new(client)).await.unwrap();
    let _connection = tokio::spawn(connection);
    let (mut answers, mut open) = (Vec::new(), Vec::new());
    // The first is refused, and the others are probes.
    for path in ["/large", "/other", "/other", "/other", "/large"] {
        let request = Request::get(format!("http://hfi{path}")).body(String::new()).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        answers.push((answer.status().as_u16(), answer.body().is_end_stream()));
        open.push(answer);
    }
    // Without a body they are not open.
    assert_eq!(answers, [(503, false), (200, false), (200, false), (503, true), (503, true)]);
    drop(open);
    let answered = async {
        let request = || Request::get("http://hfi/other").body(String::new()).unwrap();
        while sender.send_request(request()).await.unwrap().status().as_u16() != 200 {
            sleep(SECOND / 100).await;
        }
    };
    timeout(SECOND, answered).await.expect("what they had is not given back");
}

#[tokio::test(start_paused = true)]
async fn connections_of_http_2_are_fewer_and_shared_by_clients() {
    let (app, trigger) = Fake::new();
    let server = Server { http2: Places::new(2), ..Server::new(app) };
    let served = Served { server: Arc::new(server), trigger };
    let [one, other] = [1, 2].map(|end| Prefixes::default().client(Ipv4Addr::new(10, 0, 0, end).into()));
    let connect = async |client| {
        let (pipe, serving) = served.connect_as(client, 65_536);
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .handshake::<_, String>(TokioIo::new(pipe))
            .await
            .unwrap();
        (sender, tokio::spawn(connection), serving)
    };
    let (mut oldest, mut newer) = (connect(one).await, connect(one).await);
    for (sender, ..) in [&mut oldest, &mut newer] {
        let request = Request::get("http://hfi/other").body(String::new()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status().as_u16(), 200);
    }
    let begun = Instant::now();
    let (_, _, refused) = connect(one).await;
    refused.await.unwrap().unwrap();
    let (mut sender, ..) = connect(other).await;
    let request = Request::get("http://hfi/other").body(String::new()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status().as_u16(), 200);
    oldest.2.await.unwrap().unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert!(!newer.2.is_finished());
    drop((sender, newer.0));
    newer.2.abort();
}

#[tokio::test(start_paused = true)]
async fn who_sends_much_while_it_is_held_is_held_no_longer() {
    let served = served();
    let (mut client, serving) = served.connect(65_536);
    client.write_all(POLL).await.unwrap();
    sleep(SECOND).await;
    client.write_all(&[b'x'; MAX_PLAIN_HEAD - 1]).await.unwrap();
    sleep(SECOND).await;
    assert_eq!(served.held(), 1);
    let begun = Instant::now();
    client.write_all(b"x").await.unwrap();
    assert_eq!(client.read(&mut [0; 9]).await.unwrap(), 0);
    assert_eq!((begun.elapsed(), served.held()), (Duration::ZERO, 0));
    drop(client);
    serving.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_place_is_taken_until_the_connection_ends() {
    let served = served();
    let limit = ConnectionLimit::new();
    let (mut client, server) = duplex(4_096);
    let serving =
        tokio::spawn(serve(server, Arc::clone(&served.server), limit.take(Client::default()).unwrap()));
    client.write_all(POLL).await.unwrap();
    timeout(SECOND, limit.all_free()).await.expect_err("the place is taken");
    drop(client);
    let _ = serving.await.unwrap();
    timeout(SECOND, limit.all_free()).await.unwrap();
}

/// Every proxy of a mesh waits in one of these.
#[tokio::test]
async fn a_connection_takes_little() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let connection = serve(client, served().server, ConnectionLimit::new().take(Client::default()).unwrap());
    let size = std::mem::size_of_val(&connection);
    assert!(size <= 1_024, "{size} bytes");
}

#[tokio::test]
async fn requests_that_are_sent_together_take_turns_with_those_of_others() {
    let served = served();
    let (mut greedy, _serving) = served.connect(64 * 1_024);
    let (mut modest, _also) = served.connect(4_096);
    greedy.write_all(&GET.repeat(100)).await.unwrap();
    modest.write_all(GET).await.unwrap();
    assert!(answer(&mut modest).await.starts_with("HTTP/1.1 200 OK\r\n"));
    let mut bytes = Vec::with_capacity(64 * 1_024);
    let heads =
        |bytes: &[u8]| bytes.windows(GET.len()).filter(|part| part.starts_with(b"HTTP/1.1 200 ")).count();
    greedy.read_buf(&mut bytes).await.unwrap();
    assert!(heads(&bytes) <= 3, "{} answers came first", heads(&bytes));
    while heads(&bytes) < 100 {
        assert!(greedy.read_buf(&mut bytes).await.unwrap() > 0, "{} answers", heads(&bytes));
    }
}
