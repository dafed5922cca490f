//! All requests that are not plain polls, by `hyper` and the router. The one file that names `hyper_util`.

#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    future::poll_fn,
    io::{self, ErrorKind},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use axum::{
    body::Body,
    http::{self, HeaderValue, StatusCode, Version, header},
    response::Response,
};
use hyper::{
    body::Body as _,
    server::conn::{http1, http2},
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    sync::Notify,
    time::sleep,
};

use crate::{
    app::{App, Bounded, Request, Shared},
    boundary::{Boundary, RequestBody},
    client::Client,
    connection_limit::{Peer, Slot},
    control_frames::ControlFrames,
    http1_response::{self, Connection},
    idle_tracker::{IdleTracker, OpenRequest, TrackedBody},
    limits::{
        BODY_WINDOW, HEAD_TIME, IDLE_TIME, MAX_HEAD, MAX_PLAIN_HEAD, MAX_STREAMS, MAX_UNSHARED,
        PROBE_INTERVAL, REQUEST_BYTES, STALL_TIME, UNCOUNTED_BYTES, UNSENT_STREAM_BYTES,
    },
    request_head::Protocol,
    server::Server,
    stream::Stream,
};

/// Serves a connection from a request on. Over HTTP/1.1 it is returned after the answer, and otherwise served
/// to its end.
pub(crate) async fn serve<IO, A>(
    stream: Stream<IO>,
    protocol: Protocol,
    server: Arc<Server<A>>,
    peer: Peer,
) -> io::Result<Option<Stream<IO>>>
where
    A: App,
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    match protocol {
        Protocol::Http1 => one_request(stream, server, peer).await,
        Protocol::Http2 => all_requests(stream, server, peer).await.map(|()| None),
    }
}

/// Serves one request over HTTP/1.1, and those that the client has sent together with it.
async fn one_request<IO, A>(
    stream: Stream<IO>,
    server: Arc<Server<A>>,
    peer: Peer,
) -> io::Result<Option<Stream<IO>>>
where
    A: App,
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let memory = server.unshared.take(peer.client, REQUEST_BYTES);
    if memory.is_none() && stream.read_ahead.len() > MAX_PLAIN_HEAD {
        return refuse(stream, &server.app).await.map(|()| None);
    }
    let (slot, buffer) =
        if memory.is_some() { (peer.slot, 2 * MAX_HEAD) } else { (Slot::Extra, UNCOUNTED_BYTES) };
    let peer = Peer { slot, ..peer };
    let (tracker, boundary) = (Arc::new(IdleTracker::new()), Arc::<Boundary>::default());
    let service = service_fn({
        let (tracker, boundary, server) = (Arc::clone(&tracker), Arc::clone(&boundary), Arc::clone(&server));
        move |request| answer(Asked::new(request, &server, &tracker, &boundary, peer), Arc::clone(&server))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // It ends the wait for another request after one whose body nobody read.
        .header_read_timeout(HEAD_TIME)
        .max_header_size(MAX_HEAD)
        .max_buf_size(buffer)
        .keep_alive(slot == Slot::Regular)
        .serve_connection(TokioIo::new(stream.watched_by(Arc::clone(&boundary))), service);
    // `true`: there it may be taken back.
    let answered = poll_fn(|cx| match Pin::new(&mut connection).poll(cx) {
        Poll::Ready(ended) => Poll::Ready(ended.map(|()| false)),
        Poll::Pending if tracker.is_idle() && boundary.is_reached() => Poll::Ready(Ok(true)),
        Poll::Pending => Poll::Pending,
    });
    tokio::select! {
        answered = answered => if !answered.map_err(io::Error::other)? {
            return Ok(None);
        },
        () = server.app.shutdown() => {
            return shut_down(Pin::new(&mut connection), &tracker).await.map(|()| None);
        }
        () = tracker.overdue() => return Err(ErrorKind::TimedOut.into()),
    }
    let parts = connection.into_parts();
    Ok(Some(parts.io.into_inner().with_unread(&parts.read_buf)))
}

/// Refuses a request whose long head there is no memory for.
async fn refuse<IO, A>(mut stream: Stream<IO>, app: &A) -> io::Result<()>
where
    A: App,
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let busy = http1_response::write(app.busy(), Connection::Close).await;
    stream.write_all(&busy).await?;
    stream.shutdown().await
}

/// Serves a connection of HTTP/2 to its end. Over their limit it is closed.
async fn all_requests<IO, A>(stream: Stream<IO>, server: Arc<Server<A>>, peer: Peer) -> io::Result<()>
where
    A: App,
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Some(place) = server.http2.take(peer.client) else { return Ok(()) };
    let closed = Arc::<Notify>::default();
    server.http2.close_by(place.key(), Arc::clone(&closed));
    let tracker = Arc::new(IdleTracker::new());
    let service = service_fn({
        let (tracker, server) = (Arc::clone(&tracker), Arc::clone(&server));
        move |request| {
            let asked = Asked::new(request, &server, &tracker, &Arc::default(), peer);
            answer(asked, Arc::clone(&server))
        }
    });
    let mut connection = pin!(
        http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD as u32)
            .initial_stream_window_size(BODY_WINDOW)
            .initial_connection_window_size(BODY_WINDOW)
            // A peer that the kernel believes alive may be gone behind a proxy.
            .keep_alive_interval(PROBE_INTERVAL)
            .max_send_buf_size(UNSENT_STREAM_BYTES)
            .serve_connection(TokioIo::new(ControlFrames::new(stream)), service)
    );
    let served = async {
        tokio::select! {
            ended = connection.as_mut() => return ended.map_err(io::Error::other),
            () = server.app.shutdown() => {}
            () = tracker.idle_for(IDLE_TIME) => {}
        }
        shut_down(connection, &tracker).await
    };
    tokio::select! {
        ended = served => ended,
        // Another client needs the place.
        () = closed.notified() => Ok(()),
        // A client that opens no window blocks no write, nor does one that keeps it shut.
        () = tracker.stalled_for(STALL_TIME) => Err(ErrorKind::TimedOut.into()),
        () = tracker.overdue() => Err(ErrorKind::TimedOut.into()),
    }
}

/// Ends a connection once its open requests are answered.
async fn shut_down<C>(mut connection: Pin<&mut C>, tracker: &IdleTracker) -> io::Result<()>
where
    C: GracefulConnection,
    C::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    connection.as_mut().graceful_shutdown();
    let patience = async {
        sleep(STALL_TIME).await;
        tracker.idle_for(STALL_TIME).await;
    };
    tokio::select! {
        ended = connection => ended.map_err(io::Error::other),
        // The client does not close its side.
        () = patience => Err(ErrorKind::TimedOut.into()),
    }
}

/// A request, and whether it is answered.
struct Asked {
    request: http::Request<RequestBody>,
    open: OpenRequest,
    client: Client,
    /// The answer, if a limit or the application refuses the request.
    refusal: Option<Response>,
    is_probe: bool,
    boundary: Arc<Boundary>,
}

impl Asked {
    /// Counts the request as open from here on, which is before anybody looks whether one is.
    fn new<A: App>(
        mut request: Request,
        server: &Server<A>,
        tracker: &Arc<IdleTracker>,
        boundary: &Arc<Boundary>,
        Peer { client, address, slot }: Peer,
    ) -> Self {
        let app = &server.app;
        request.extensions_mut().insert(client);
        if let Some(address) = address {
            request.extensions_mut().insert(address);
        }
        let is_probe = app.is_probe(&request);
        let regular = server.requests.take(client, 1);
        let is_regular = regular.is_some() && slot == Slot::Regular;
        let permit = regular.or_else(|| server.extra.take(client, 1));
        let refusal = match &permit {
            Some(_) if is_regular || is_probe => app.refuse(&request),
            Some(_) => Some(app.busy()),
            // Nobody counts it: it must not wait until its client lets a body be sent.
            None => Some(app.busy().map(|_| Body::empty())),
        };
        let open = Arc::clone(tracker).begin(permit);
        let request = request.map(|body| Arc::clone(boundary).begin(body));
        Self { request, open, client, refusal, is_probe, boundary: Arc::clone(boundary) }
    }
}

async fn answer<A: App>(asked: Asked, server: Arc<Server<A>>) -> Result<Response<TrackedBody>, Infallible> {
    let Asked { request, open, client, refusal, is_probe, boundary } = asked;
    let app = &server.app;
    let is_http1 = request.version() < Version::HTTP_2;
    let mut response = match refusal {
        Some(response) => response,
        None => {
            let Ok(response) = TowerToHyperService::new(app.router().clone()).call(request).await;
            response
        }
    };
    let memory = match unshared(&response) {
        0 => None,
        size => {
            let memory = server.unshared.take(client, size);
            let memory = memory.or_else(|| is_probe.then(|| server.extra.take(client, 1)).flatten());
            if memory.is_none() {
                response = app.busy();
            }
            memory
        }
    };
    // The rest of a body is not read, and no other request is answered during the shutdown.
    let is_last = response.status() == StatusCode::PAYLOAD_TOO_LARGE || app.is_shutting_down();
    if is_last && is_http1 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if response.status() == StatusCode::NOT_MODIFIED {
        // It would be the length of the body that is not sent; `axum` says 0.
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    boundary.unflushed();
    let is_bounded = response.extensions().get::<Bounded>().is_some();
    Ok(response.map(|body| TrackedBody::new(body, open, memory, is_bounded)))
}

/// The bytes of an answer that were made for one request.
fn unshared(response: &Response) -> u32 {
    if response.extensions().get::<Shared>().is_some() {
        return 0;
    }
    let size = response.body().size_hint().exact().unwrap_or_default();
    // One that is larger than half of what there is for all is sent nevertheless.
    u32::try_from(size).unwrap_or(u32::MAX).min(MAX_UNSHARED / 2)
}
