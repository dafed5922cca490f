//! `GET /v1/snapshot`: what a filter runs, held until it changes.

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use policies::{Scope, snapshot::MEDIA_TYPE};
use tokio::time::{Instant, timeout_at};

use super::{Served, behind, conditional::is_current, filters, problem::Problem, wait};
use crate::published::Body;

/// The header that says which commit an answer was made of.
pub(super) const REVISION: HeaderName = HeaderName::from_static("x-hfi-revision");
/// The longest query: some sixty names. What is asked for is kept.
const MAX_QUERY: usize = 4_096;
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

pub(super) async fn get(
    State(mut served): State<Served>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !is_acceptable(&headers) {
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, format!("snapshots come as {MEDIA_TYPE}")));
    }
    let scope = scope(query.as_deref().unwrap_or_default())?;
    let wait = wait::preferred(&headers);
    filters::note(&served.services.filters, &headers, &scope, wait);
    let begun = Instant::now();
    let mut response = match behind::catch_up(&mut served, &headers, wait.map(wait::Wait::duration)).await {
        Ok(()) => answer(&mut served, scope, &headers, wait.map(|wait| begun + wait.duration())).await?,
        Err(stay) => *stay,
    };
    if let Some(applied) = wait.and_then(wait::Wait::applied) {
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    Ok(response)
}

/// The snapshot; if the client has it already, it is held until then or until that is over.
async fn answer(
    served: &mut Served,
    scope: Scope,
    headers: &HeaderMap,
    until: Option<Instant>,
) -> Result<Response, Problem> {
    let mut bodies = served.publisher.subscribe(scope).map_err(Problem::not_ready)?;
    let body = bodies.borrow_and_update().clone();
    let etag = |body: &Body| body.digest.etag();
    if is_current(headers, &etag(&body))
        && let Some(until) = until
    {
        let changed = async {
            tokio::select! {
                _ = bodies.changed() => {}
                () = served.shutdown.requested() => {}
            }
        };
        // Whatever ended the wait, the answer says what is so now.
        let _ = timeout_at(until, changed).await;
    }
    let body = bodies.borrow_and_update().clone();
    Ok(if is_current(headers, &etag(&body)) { not_modified(&body) } else { full(&body) })
}

fn full(body: &Body) -> Response {
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
    (content_type, validators(body), body.bytes.clone()).into_response()
}

fn not_modified(body: &Body) -> Response {
    (StatusCode::NOT_MODIFIED, validators(body)).into_response()
}

fn validators(body: &Body) -> [(HeaderName, String); 3] {
    [
        (header::ETAG, body.digest.etag()),
        (REVISION, body.revision.to_string()),
        // A cache between would answer polls in our place with what may be over.
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ]
}

/// Whether the client takes the one format that there is. No `Accept` takes everything.
fn is_acceptable(headers: &HeaderMap) -> bool {
    let mut values =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    let acceptable = |range: &str| {
        let range = range.split(';').next().unwrap_or_default().trim();
        ["*/*", "application/*", MEDIA_TYPE].iter().any(|known| range.eq_ignore_ascii_case(known))
    };
    values.peek().is_none() || values.flat_map(|value| value.split(',')).any(acceptable)
}

/// `namespace` and `service`, either of them several times or not at all.
fn scope(query: &str) -> Result<Scope, Problem> {
    let bad_request = |detail: String| Problem::new(StatusCode::BAD_REQUEST, detail);
    if query.len() > MAX_QUERY {
        return Err(bad_request(format!("the query is longer than {MAX_QUERY} bytes")));
    }
    let (mut namespaces, mut services) = (Vec::new(), Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        // Percent-encoding is not undone: no character that a name may have needs it, but for `*`.
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = if value.eq_ignore_ascii_case("%2a") { "*" } else { value };
        match key {
            "namespace" => namespaces.push(value),
            "service" => services.push(value),
            _ => {
                return Err(bad_request(format!(
                    "`{key}` is not a parameter; known here: namespace, service"
                )));
            }
        }
    }
    Scope::new(namespaces, services).map_err(|error| bad_request(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::scope;

    #[test]
    fn a_query_names_a_scope() {
        for (query, shown) in [
            ("", ""),
            ("namespace=demo&service=checkout", "namespace=demo&service=checkout"),
            ("service=b&service=a&namespace=demo", "namespace=demo&service=a&service=b"),
            ("namespace=demo&service=%2A", "namespace=demo&service=*"),
            ("namespace=shop&namespace=demo&service=*", "namespace=demo&namespace=shop&service=*"),
        ] {
            assert_eq!(scope(query).unwrap().to_string(), shown, "{query}");
        }
        let long = format!("service={}", ["a"; 500].join("&service="));
        for bad in ["namespace=", "service=a%20b", "name=a", &long] {
            assert!(scope(bad).is_err(), "{bad}");
        }
    }
}
