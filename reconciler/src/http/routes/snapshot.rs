//! `GET /v1/snapshot`: what a filter runs, held until it changes.

use axum::{
    Extension,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use long_poll::Shared;
use policies::{Scope, wire::Format};
use tokio::time::{Instant, timeout_at};

use super::filters;
use crate::http::{
    catch_up::Behind,
    conditional::Known,
    operation::{self, Content, ETAG, Operation, Parameter, binary},
    prefer::{self, Wait},
    problem::Problem,
    state::Served,
};
use crate::serving::published::Body;

/// The header that says which commit an answer was made of.
pub(crate) const REVISION: HeaderName = HeaderName::from_static("x-hfi-revision");
/// The path of the snapshot.
pub(crate) const PATH: &str = "/v1/snapshot";
/// All headers that decide on the answer.
pub(crate) const READ: [&str; 5] =
    ["accept", "if-none-match", prefer::PREFER, filters::NODE, "x-hfi-revision"];
/// The media type of the one format that is served.
pub(crate) const MEDIA_TYPE: &str = Format::V1.media_type();
/// The longest query: some sixty names. What is asked for is kept.
pub(crate) const MAX_QUERY: usize = 4_096;
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

pub(crate) async fn get(
    State(served): State<Served>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let poll = Poll::read(&served, query.as_deref().unwrap_or_default(), &headers)?;
    let (wait, mut shutdown) = (poll.wait, served.shutdown.clone());
    let until = |instant| async move {
        let _ = timeout_at(instant, shutdown.requested()).await;
    };
    Ok(respond(poll.answer(&served, until).await?, wait))
}

/// What a client asks for; small, since it is kept for as long as the client waits.
#[derive(Debug)]
pub(crate) struct Poll {
    scope: Scope,
    known: Known,
    /// How long the client is glad to wait, as far as that is granted.
    pub(crate) wait: Option<Wait>,
    behind: Option<Box<Behind>>,
}

/// What it gets, whatever the connection is that it came over.
#[derive(Debug)]
pub(crate) enum Answer {
    Full(Body),
    NotModified(Body),
    /// It keeps what it has: this replica is behind.
    Stay(Box<Behind>),
}

impl Poll {
    /// What a request asks for.
    pub(crate) fn read(served: &Served, query: &str, headers: &HeaderMap) -> Result<Self, Problem> {
        if !is_acceptable(headers) {
            return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, format!("snapshots come as {MEDIA_TYPE}")));
        }
        let scope = scope(query)?;
        let wait = prefer::preferred(headers);
        filters::note(&served.services.filters, headers, &scope, wait);
        Ok(Self { scope, known: Known::of(headers), wait, behind: Behind::of(served, headers) })
    }

    /// The snapshot; if the client has it already, it is held until that changes, until its wait is over,
    /// or until the server shuts down. `until` gives a future that ends at an instant, or at the shutdown.
    pub(crate) async fn answer<E: Future<Output = ()>>(
        self,
        served: &Served,
        until: impl FnOnce(Instant) -> E,
    ) -> Result<Answer, Problem> {
        let Self { scope, known, wait, behind } = self;
        let expiry = wait.map(|wait| Instant::now() + wait.duration());
        if let Some(behind) = behind {
            // In a place of its own: it is rare, and would make every other poll larger.
            let caught_up = Box::pin(behind.catch_up(served, wait.map(Wait::duration))).await;
            if !caught_up {
                return Ok(Answer::Stay(behind));
            }
        }
        let mut bodies = served.publisher.subscribe(scope).map_err(Problem::not_ready)?;
        let is_current = known.has(&bodies.borrow_and_update().digest);
        if let Some(expiry) = expiry.filter(|_| is_current) {
            // Whatever ends the wait, the answer says what is so then.
            tokio::select! {
                biased;
                _ = bodies.changed() => {}
                () = until(expiry) => {}
            }
        }
        let body = bodies.borrow_and_update().clone();
        Ok(if known.has(&body.digest) { Answer::NotModified(body) } else { Answer::Full(body) })
    }
}

/// The answer as `axum` takes it. `wait` is what was granted.
pub(crate) fn respond(answer: Answer, wait: Option<Wait>) -> Response {
    let mut response = match answer {
        Answer::Full(body) => full(&body),
        Answer::NotModified(body) => not_modified(&body),
        Answer::Stay(behind) => behind.stay(),
    };
    if let Some(applied) = wait.and_then(Wait::applied) {
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    response
}

fn full(body: &Body) -> Response {
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
    (content_type, validators(body), Extension(Shared), body.bytes.clone()).into_response()
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
        let mut parts = range.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default();
        ["*/*", "application/*", MEDIA_TYPE].iter().any(|known| range.eq_ignore_ascii_case(known))
            && !parts.any(is_zero)
    };
    values.peek().is_none() || values.flat_map(|value| value.split(',')).any(acceptable)
}

/// Whether a parameter is the weight by which a range is refused.
fn is_zero(parameter: &str) -> bool {
    let weight = parameter.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    weight.and_then(|(_, weight)| weight.trim().parse().ok()).is_some_and(|weight: f32| weight <= 0.0)
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

pub(crate) fn described() -> Operation {
    let names = serde_json::json!({"type": "array", "items": {"type": "string"}});
    let scope =
        |name| Parameter { schema: names.clone(), ..Parameter::query(name, "May repeat; `*` is any") };
    let node = serde_json::json!({"type": "string", "maxLength": 253, "pattern": "^[A-Za-z0-9._~-]+$"});
    Operation::new("The policies of a scope, as filters run them")
        .parameter(scope("namespace"))
        .parameter(scope("service"))
        .parameter(Parameter::if_none_match())
        .parameter(Parameter::header(
            "Prefer",
            "`wait=N`: hold the request up to N seconds, at most 300, until the snapshot is another",
        ))
        .parameter(Parameter::header(
            "x-hfi-revision",
            "The revision that the client runs: a server that does not know it fetches before it answers",
        ))
        .parameter(Parameter {
            schema: node,
            ..Parameter::header("x-hfi-node", "The id of the Envoy node of the filter")
        })
        .answers(
            200,
            "The snapshot",
            Some(Content(MEDIA_TYPE, binary)),
            &[
                ETAG,
                operation::REVISION,
                ("Preference-Applied", "The longest that the request could have been held"),
            ],
        )
        .answers(
            304,
            "The client has it already, also after the wait, or something newer",
            None,
            &[ETAG, operation::REVISION],
        )
        .problems(&[400, 406, 503])
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, header::ACCEPT};

    use super::{is_acceptable, scope};

    #[test]
    fn a_range_is_accepted_unless_its_weight_is_zero() {
        let accepts = |values: &[&str]| {
            is_acceptable(&values.iter().map(|value| (ACCEPT, value.parse().unwrap())).collect::<HeaderMap>())
        };
        for good in [
            &[][..],
            &["*/*"],
            &["text/html, application/*;q=0.1"],
            &["a/b", "*/*;v=0"],
            &["*/*;q=0, */*;q=1"],
        ] {
            assert!(accepts(good), "{good:?}");
        }
        for bad in [&["text/html"][..], &["*/*;q=0"], &["application/vnd.hfi.snapshot.v1; Q=0.000"], &[""]] {
            assert!(!accepts(bad), "{bad:?}");
        }
    }

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
