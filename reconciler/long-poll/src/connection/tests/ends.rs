//! The end of a client, and the end of the server.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf, duplex},
    time::{Instant, sleep, timeout},
};

use super::{GET, POLL, SECOND, answer, served};
use crate::{
    client::Client, connection::serve, connection_limit::ConnectionLimit, limits::ENDING_TIME,
    stream::Transport,
};

#[tokio::test(start_paused = true)]
async fn who_has_gone_is_held_no_longer() {
    let served = served();
    let (mut client, serving) = served.connect(4_096);
    client.write_all(POLL).await.unwrap();
    sleep(SECOND).await;
    assert_eq!(served.held(), 1);
    // What it sends meanwhile is for later.
    client.write_all(&GET[..9]).await.unwrap();
    sleep(SECOND).await;
    assert_eq!(served.held(), 1);
    let begun = Instant::now();
    drop(client);
    let _ = serving.await.unwrap();
    assert_eq!((begun.elapsed(), served.held()), (Duration::ZERO, 0));
}

/// A pipe that counts how often its end is read, and how often it is shut down.
struct Counted<const IS_TLS: bool> {
    pipe: DuplexStream,
    counts: Arc<[AtomicUsize; 2]>,
}

impl<const IS_TLS: bool> Transport for Counted<IS_TLS> {
    const ENDS_WITH_A_MESSAGE: bool = IS_TLS;
}

impl<const IS_TLS: bool> AsyncRead for Counted<IS_TLS> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.pipe).poll_read(cx, to))?;
        self.counts[0].fetch_add(usize::from(to.filled().is_empty()), Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<const IS_TLS: bool> AsyncWrite for Counted<IS_TLS> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.pipe).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.counts[1].fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}

/// The counts once a client has sent a request and closed its side.
async fn counts<const IS_TLS: bool>(request: &[u8]) -> [usize; 2] {
    let (served, (mut client, pipe)) = (served(), duplex(4_096));
    let counts = Arc::<[AtomicUsize; 2]>::default();
    let server = Counted::<IS_TLS> { pipe, counts: Arc::clone(&counts) };
    let permit = ConnectionLimit::new().take(Client::default()).unwrap();
    let serving = tokio::spawn(serve(server, Arc::clone(&served.server), permit));
    client.write_all(request).await.unwrap();
    sleep(SECOND).await;
    client.shutdown().await.unwrap();
    serving.await.unwrap().unwrap();
    counts.each_ref().map(|count| count.load(Ordering::Relaxed))
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_client_is_read_once_and_answered_where_that_means_something() {
    for request in [&b""[..], &GET[..9], GET, POLL] {
        assert_eq!(counts::<false>(request).await, [1, 0], "{request:?}");
        assert_eq!(counts::<true>(request).await, [1, 1], "{request:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_wish_to_end_answers_the_held_and_closes_the_idle() {
    let served = served();
    let (mut held, holding) = served.connect(4_096);
    let (mut idle, idling) = served.connect(4_096);
    let (mut begun, beginning) = served.connect(4_096);
    held.write_all(POLL).await.unwrap();
    begun.write_all(&GET[..9]).await.unwrap();
    sleep(SECOND).await;
    let end = Instant::now();
    served.trigger.send_replace(true);
    let answered = answer(&mut held).await;
    assert!(answered.starts_with("HTTP/1.1 304") && answered.contains("connection: close"), "{answered}");
    assert_eq!(idle.read(&mut [0; 9]).await.unwrap(), 0);
    // It is on its way and gets its answer.
    begun.write_all(&GET[9..]).await.unwrap();
    let answered = answer(&mut begun).await;
    assert!(answered.starts_with("HTTP/1.1 200") && answered.contains("connection: close"), "{answered}");
    assert_eq!(end.elapsed(), Duration::ZERO);
    drop((held, idle, begun));
    for serving in [holding, idling, beginning] {
        timeout(SECOND, serving).await.unwrap().unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_end_does_not_put_off_the_end() {
    let served = served();
    let (mut client, _serving) = served.connect(4_096);
    client.write_all(&GET[..9]).await.unwrap();
    sleep(SECOND).await;
    let end = Instant::now();
    served.trigger.send_replace(true);
    sleep(SECOND).await;
    client.write_all(&GET[9..12]).await.unwrap();
    assert_eq!(client.read(&mut [0; 9]).await.unwrap(), 0);
    assert_eq!(end.elapsed(), ENDING_TIME);
}
