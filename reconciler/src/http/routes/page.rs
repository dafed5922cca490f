//! `/` and its files, and `/halt`: the page for people.

mod submitted;

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    handler::Handler as _,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LOCATION, REFERRER_POLICY},
    },
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use bytes::Bytes;
use policies::Digest;
use tokio::time::Instant;

use self::submitted::Submitted;
use super::{halt, overview};
use crate::{
    clients::Client,
    halts::exchange,
    http::{
        body,
        browsers::FORM,
        conditional::is_current,
        limits::{BODY_TIME, MAX_BODY},
        peer::{Address, Peer},
        problem::Problem,
        refusals,
        state::Served,
    },
    page::{self, Stop},
};

const HTML: &str = "text/html; charset=utf-8";
/// The files of the page, with their media types.
const FILES: [(&str, &str, &str); 3] = [
    ("/page.css", page::STYLE, "text/css; charset=utf-8"),
    ("/page.js", page::SCRIPT, "text/javascript; charset=utf-8"),
    ("/page.svg", page::ICON, "image/svg+xml"),
];
/// The headers of each answer, beside those that all have. Nothing is loaded from elsewhere, nothing runs that is in the
/// markup, and no other page frames this one. Other origins learn nothing from a `Referer`; our own one is told, since a
/// browser that may tell nobody sends the form with `Origin: null`.
const SECURITY: [(HeaderName, &str); 2] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (REFERRER_POLICY, "same-origin"),
];

/// The routes of the page; while it is off, they say so.
pub(crate) fn routes(is_on: bool) -> Router<Served> {
    let paths = ["/", FORM].into_iter().chain(FILES.map(|(path, ..)| path));
    if !is_on {
        return paths.fold(Router::new(), |router, path| router.route(path, any(off)));
    }
    let limit = DefaultBodyLimit::max(MAX_BODY);
    let router = Router::new().route("/", get(show)).route(FORM, get(form).post(submit.layer(limit)));
    let router = FILES.into_iter().fold(router, |router, (path, content, media_type)| {
        router.route(path, get(async move |headers: HeaderMap| file(content, media_type, &headers)))
    });
    router.layer(map_response(secure))
}

async fn off() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "the page is off: the server runs with --no-ui (HFI_NO_UI)")
}

async fn show(State(served): State<Served>) -> Result<Response, Problem> {
    let made = overview::newest(&served).await?;
    Ok(html(made.page()))
}

async fn form() -> Response {
    html(page::stop(Stop::default()).into())
}

/// Stops everything, as `POST /v1/halt` does, and leads back to the page.
async fn submit(
    State(served): State<Served>,
    Peer(client): Peer,
    Address(address): Address,
    request: Request,
) -> Response {
    let end = Instant::now() + exchange::TIME;
    let (parts, body) = request.into_parts();
    let submitted = read(&served, client, Request::from_parts(parts.clone(), body)).await;
    let reason = submitted.as_ref().map(|submitted| submitted.reason.clone()).unwrap_or_default();
    let stopped = async {
        let Submitted { token, reason } = submitted?;
        let rights = halt::rights(&served, token.as_bytes(), client).await;
        let head = || Request::from_parts(parts, Body::empty());
        let rights = rights.inspect_err(|problem| refusals::tell(&served, &head(), problem))?;
        halt::stop(&served, &rights, &halt::valid_reason(&reason)?, address, end).await
    };
    match stopped.await {
        Ok(()) => (StatusCode::SEE_OTHER, [(LOCATION, "/")]).into_response(),
        Err(problem) => {
            let page = page::stop(Stop { refused: Some(problem.detail()), reason: &reason });
            problem.answer(html(page.into()))
        }
    }
}

async fn read(served: &Served, client: Client, request: Request) -> Result<Submitted, Problem> {
    served.services.halting.is_on(served.services.writing.as_ref())?;
    body::is_of(request.headers(), "application/x-www-form-urlencoded")?;
    Submitted::read(&body::read(&served.services.bodies, client, request, BODY_TIME).await?)
}

/// A page. It is asked for anew each time: it tells of now.
fn html(page: Bytes) -> Response {
    ([(CONTENT_TYPE, HTML), (CACHE_CONTROL, "no-store")], page).into_response()
}

/// A file, which changes with the version of this server.
fn file(content: &'static str, media_type: &'static str, headers: &HeaderMap) -> Response {
    let etag = Digest::of(content.as_bytes()).etag();
    let is_current = is_current(headers, &etag);
    let validators = [(ETAG, etag), (CACHE_CONTROL, "no-cache".to_owned())];
    if is_current {
        (StatusCode::NOT_MODIFIED, validators).into_response()
    } else {
        (validators, [(CONTENT_TYPE, media_type)], content).into_response()
    }
}

async fn secure(mut response: Response) -> Response {
    let headers = SECURITY.map(|(name, value)| (name, HeaderValue::from_static(value)));
    response.headers_mut().extend(headers);
    response
}
