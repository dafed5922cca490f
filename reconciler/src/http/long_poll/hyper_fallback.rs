//! All that is not a plain poll, by `hyper` and the router. The one file that names `hyper_util`.

use std::{
    convert::Infallible,
    io::{self, ErrorKind},
    pin::{Pin, pin},
    sync::Arc,
};

use axum::{
    http::{HeaderValue, Method, Request, StatusCode, Version, header},
    response::{IntoResponse as _, Response},
};
use hyper::{
    body::{Body as _, Incoming},
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

use super::{
    connection_limit::Place,
    idle_tracker::{Activity, Counted},
    limits::{
        IDLE_TIME, MAX_BODY, MAX_HEAD, MAX_STREAMS, MAX_UNSHARED, PROBE_INTERVAL, RETRY_AFTER, STALL_TIME,
    },
    request_head::Protocol,
    stream::Stream,
};
use crate::http::{Routes, problem::Problem, state::Shared};

/// How much of a request's body may lie here unread: of all that is asked, only notifications have one.
const BODY_WINDOW: u32 = 64 * 1024;
/// What is answered also where there is no place for more: whether this replica lives is not for
/// filters to decide.
const PROBES: [&str; 5] = ["/v1/health", "/health", "/v1/ready", "/ready", "/metrics"];

/// Serves the rest of a connection.
pub(crate) async fn serve<IO>(
    stream: Stream<IO>,
    protocol: Protocol,
    routes: Arc<Routes>,
    place: Place,
) -> io::Result<()>
where
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let activity = Arc::new(Activity::new());
    let service = service_fn({
        let (activity, routes) = (Arc::clone(&activity), Arc::clone(&routes));
        move |request| answer(request, Arc::clone(&routes), Arc::clone(&activity), place)
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
                .keep_alive(place == Place::Regular)
                .serve_connection(io, service);
            until_it_ends(connection, &routes, &activity).await
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
                ended = until_it_ends(connection, &routes, &activity) => ended,
                // No write is blocked by who opens no window, nor by who keeps it shut.
                () = activity.stalled_for(STALL_TIME) => Err(ErrorKind::TimedOut.into()),
            }
        }
    }
}

/// Until the client has gone, nothing was asked for long, or all is answered after the wish to end.
async fn until_it_ends<C>(connection: C, routes: &Routes, activity: &Activity) -> io::Result<()>
where
    C: GracefulConnection,
    C::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connection: Pin<&mut C> = pin!(connection);
    let mut shutdown = routes.served.shutdown.clone();
    tokio::select! {
        ended = connection.as_mut() => return ended.map_err(io::Error::other),
        () = shutdown.requested() => {}
        () = activity.idle_for(IDLE_TIME) => {}
    }
    connection.as_mut().graceful_shutdown();
    let patience = async {
        sleep(STALL_TIME).await;
        activity.idle_for(STALL_TIME).await;
    };
    tokio::select! {
        ended = connection => ended.map_err(io::Error::other),
        // It does not answer that we want to end.
        () = patience => Err(ErrorKind::TimedOut.into()),
    }
}

async fn answer(
    request: Request<Incoming>,
    routes: Arc<Routes>,
    activity: Arc<Activity>,
    place: Place,
) -> Result<Response<Counted>, Infallible> {
    let permit = Arc::clone(&routes.requests).try_acquire_owned().ok();
    let is_probe = is_probe(&request);
    let is_served = permit.is_some() && place == Place::Regular || is_probe;
    let open = activity.begin(permit);
    let is_http1 = request.version() < Version::HTTP_2;
    let mut response = if !is_served {
        busy()
    } else if fits(&request) {
        let Ok(response) = TowerToHyperService::new(routes.router.clone()).call(request).await;
        response
    } else {
        Problem::too_large().into_response()
    };
    let memory = match memory(&response, &routes) {
        Ok(memory) => memory,
        Err(_) if is_probe => None,
        Err(_) => {
            response = busy();
            None
        }
    };
    // The rest of a body is not read, and nothing more is answered at the end.
    let is_last = response.status() == StatusCode::PAYLOAD_TOO_LARGE || routes.served.shutdown.is_requested();
    if is_last && is_http1 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if response.status() == StatusCode::NOT_MODIFIED {
        // It would be that of the body which is not sent; `axum` says 0.
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    Ok(response.map(|body| Counted::new(body, open, memory)))
}

/// Whether as much body as it announces is taken. A notification that is too long is counted as one.
fn fits(request: &Request<Incoming>) -> bool {
    request.body().size_hint().lower() <= MAX_BODY as u64 || request.uri().path().starts_with("/v1/hooks/")
}

/// A share in the memory for bodies that were made for one request, if this is such.
fn memory(response: &Response, routes: &Routes) -> Result<Option<OwnedSemaphorePermit>, TryAcquireError> {
    if response.extensions().get::<Shared>().is_some() {
        return Ok(None);
    }
    let Some(size) = response.body().size_hint().exact() else { return Ok(None) };
    // What is larger than all of it is sent alone.
    let size = u32::try_from(size).unwrap_or(u32::MAX).min(MAX_UNSHARED);
    Arc::clone(&routes.unshared).try_acquire_many_owned(size).map(Some)
}

fn is_probe(request: &Request<Incoming>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && PROBES.contains(&request.uri().path())
}

fn busy() -> Response {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "this replica serves as many as it can");
    ([(header::RETRY_AFTER, RETRY_AFTER)], problem).into_response()
}
