//! All that is not a plain poll, by `hyper` and the router. The one file that names `hyper_util`.

use std::{
    convert::Infallible,
    io::{self, ErrorKind},
    pin::{Pin, pin},
    sync::Arc,
};

use axum::{
    http::{HeaderValue, StatusCode, Version, header},
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
    io::{AsyncRead, AsyncWrite},
    sync::{OwnedSemaphorePermit, TryAcquireError},
    time::sleep,
};

use crate::{
    app::{App, Request, Shared},
    connection_limit::Slot,
    idle_tracker::{IdleTracker, TrackedBody},
    limits::{BODY_WINDOW, IDLE_TIME, MAX_HEAD, MAX_STREAMS, MAX_UNSHARED, PROBE_INTERVAL, STALL_TIME},
    request_head::Protocol,
    server::Server,
    stream::Stream,
};

/// Serves the rest of a connection.
pub(crate) async fn serve<IO, A>(
    stream: Stream<IO>,
    protocol: Protocol,
    server: Arc<Server<A>>,
    slot: Slot,
) -> io::Result<()>
where
    A: App,
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let tracker = Arc::new(IdleTracker::new());
    let service = service_fn({
        let (tracker, server) = (Arc::clone(&tracker), Arc::clone(&server));
        move |request| answer(request, Arc::clone(&server), Arc::clone(&tracker), slot)
    });
    let io = TokioIo::new(stream);
    match protocol {
        Protocol::Http1 => {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                // It counts from the end of the answer before.
                .header_read_timeout(IDLE_TIME)
                .max_header_size(MAX_HEAD)
                .max_buf_size(2 * MAX_HEAD)
                .keep_alive(slot == Slot::Regular)
                .serve_connection(io, service);
            until_it_ends(connection, &server.app, &tracker).await
        }
        Protocol::Http2 => {
            let connection = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(MAX_STREAMS)
                .max_header_list_size(MAX_HEAD as u32)
                .initial_stream_window_size(BODY_WINDOW)
                .initial_connection_window_size(BODY_WINDOW)
                // Also a peer that the kernel believes to be there may be gone behind a proxy.
                .keep_alive_interval(PROBE_INTERVAL)
                .serve_connection(io, service);
            tokio::select! {
                ended = until_it_ends(connection, &server.app, &tracker) => ended,
                // No write is blocked by who opens no window, nor by who keeps it shut.
                () = tracker.stalled_for(STALL_TIME) => Err(ErrorKind::TimedOut.into()),
            }
        }
    }
}

/// Until the client has gone, nothing was asked for long, or all is answered after the wish to end.
async fn until_it_ends<C, A: App>(connection: C, app: &A, tracker: &IdleTracker) -> io::Result<()>
where
    C: GracefulConnection,
    C::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connection: Pin<&mut C> = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended.map_err(io::Error::other),
        () = app.shutdown() => {}
        () = tracker.idle_for(IDLE_TIME) => {}
    }
    connection.as_mut().graceful_shutdown();
    let patience = async {
        sleep(STALL_TIME).await;
        tracker.idle_for(STALL_TIME).await;
    };
    tokio::select! {
        ended = connection => ended.map_err(io::Error::other),
        // It does not answer that we want to end.
        () = patience => Err(ErrorKind::TimedOut.into()),
    }
}

async fn answer<A: App>(
    request: Request,
    server: Arc<Server<A>>,
    tracker: Arc<IdleTracker>,
    slot: Slot,
) -> Result<Response<TrackedBody>, Infallible> {
    let app = &server.app;
    let permit = Arc::clone(&server.requests).try_acquire_owned().ok();
    let is_probe = app.is_probe(&request);
    let is_served = permit.is_some() && slot == Slot::Regular || is_probe;
    let open = tracker.begin(permit);
    let is_http1 = request.version() < Version::HTTP_2;
    let refusal = if is_served { app.refuse(&request) } else { Some(app.busy()) };
    let mut response = match refusal {
        Some(response) => response,
        None => {
            let Ok(response) = TowerToHyperService::new(app.router().clone()).call(request).await;
            response
        }
    };
    let memory = match memory(&response, &server) {
        Ok(memory) => memory,
        Err(_) if is_probe => None,
        Err(_) => {
            response = app.busy();
            None
        }
    };
    // The rest of a body is not read, and nothing more is answered at the end.
    let is_last = response.status() == StatusCode::PAYLOAD_TOO_LARGE || app.is_shutting_down();
    if is_last && is_http1 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if response.status() == StatusCode::NOT_MODIFIED {
        // It would be that of the body which is not sent; `axum` says 0.
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    Ok(response.map(|body| TrackedBody::new(body, open, memory)))
}

/// A share in the memory for bodies that were made for one request, if this is such.
fn memory<A>(
    response: &Response,
    server: &Server<A>,
) -> Result<Option<OwnedSemaphorePermit>, TryAcquireError> {
    if response.extensions().get::<Shared>().is_some() {
        return Ok(None);
    }
    let Some(size) = response.body().size_hint().exact() else { return Ok(None) };
    // What is larger than all of it is sent alone.
    let size = u32::try_from(size).unwrap_or(u32::MAX).min(MAX_UNSHARED);
    Arc::clone(&server.unshared).try_acquire_many_owned(size).map(Some)
}
