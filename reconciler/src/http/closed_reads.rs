//! Reads that are closed, with `--view-token-file`: all but what proxies, probes and forges need.

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode, header::AUTHORIZATION},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use policies::wire::poll;

use super::{
    browsers::is_part_of_another_page, peer::Peer, policy_query::wants_all, problem::Problem, refusals,
    routes::istio, state::Served,
};

/// The paths that stay open.
const OPEN: [&str; 7] =
    [poll::PATH, "/filter.wasm", "/v1/health", "/health", "/v1/ready", "/ready", "/metrics"];
/// The beginnings of those that stay open too: modules and archives by digest, and what has secrets of its own.
const OPEN_BELOW: [&str; 4] = ["/filter/", istio::PATHS, "/v1/hooks/", "/v1/peer/"];

/// The reason to refuse what a page of another site reads.
const OF_ANOTHER_PAGE: &str =
    "a page of another site reads nothing here (--view-token-file); open this address in the browser itself";

/// Answers 401 to reads without a token, where reads are closed. Other requests have tokens of their own.
pub(super) async fn check(
    State(served): State<Served>,
    Peer(client): Peer,
    request: Request,
    next: Next,
) -> Response {
    let services = &served.services;
    let (path, query) = (request.uri().path(), request.uri().query());
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if let Some(viewing) = services.viewing.as_ref().filter(|_| is_read && is_closed(path, query)) {
        let (writing, headers) = (services.writing.as_ref(), request.headers());
        if is_part_of_another_page(headers) {
            // Without a challenge: no page of others makes a browser ask for the password.
            let problem = Problem::new(StatusCode::FORBIDDEN, OF_ANOTHER_PAGE);
            refusals::tell(&served, &request, &problem);
            return problem.into_response();
        }
        let allowed =
            viewing.authorize(writing, &services.halting, &services.failures, headers, client).await;
        if let Err(problem) = allowed {
            // A browser sends none before it is asked for one.
            if request.headers().contains_key(AUTHORIZATION) {
                refusals::tell(&served, &request, &problem);
            }
            return problem.into_response();
        }
    }
    next.run(request).await
}

/// True if a read of this path needs a token where reads are closed, at least with some query.
pub(super) fn may_be_closed(path: &str) -> bool {
    is_closed(path, Some("all=true"))
}

fn is_closed(path: &str, query: Option<&str>) -> bool {
    // Filters of the first generation have no token.
    let is_listing = path == "/v1/policies" && wants_all(query).is_ok_and(|all| !all);
    !is_listing && !OPEN.contains(&path) && !OPEN_BELOW.iter().any(|beginning| path.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::is_closed;

    #[test]
    fn what_proxies_and_probes_need_stays_open_and_nothing_else() {
        let is_closed = |target: &str| {
            let (path, query) =
                target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
            is_closed(path, query)
        };
        for open in [
            "/v1/snapshot?namespace=demo",
            "/filter.wasm",
            "/filter/00.wasm",
            "/v1/health",
            "/ready",
            "/metrics",
            "/v1/istio/shop/00.tar.gz",
            "/v1/peer/state",
            "/v1/hooks/github",
            "/v1/policies",
            "/v1/policies?all=false",
        ] {
            assert!(!is_closed(open), "{open}");
        }
        for closed in [
            "/",
            "/halt",
            "/page.css",
            "/v1/policies?all=true",
            "/v1/policies?all=true&all=false",
            "/v1/policies?x",
            "/v1/policies/",
            "/v1/policies/a",
            "/v1/policies/status",
            "/v1/filters",
            "/v1/events",
            "/v1/config/stream",
            "/v1/halt",
            "/openapi.json",
            "/metrics/",
            "/v1/snapshot/",
            "//metrics",
        ] {
            assert!(is_closed(closed), "{closed}");
        }
    }
}
