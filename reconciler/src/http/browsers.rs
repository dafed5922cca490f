//! Requests of browsers, which are let in by their method and headers alone.
//!
//! A browser sends what other pages make it send, with the password that it remembers for Basic. So a request of a
//! browser that may change something must come from a page of this server, and carry its token in a way that no other
//! page can use.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{problem::Problem, public_url::PublicUrl, refusals, state::Served};

/// The header by which a browser tells where a request comes from.
const SEC_FETCH_SITE: &str = "sec-fetch-site";
/// The path of the form that has its token in the body.
pub(crate) const FORM: &str = "/halt";

/// Answers 403 to requests that a browser should not have sent.
pub(super) async fn check(State(served): State<Served>, request: Request, next: Next) -> Response {
    let authority = request.uri().authority().map(ToString::to_string);
    let host = || Some(request.headers().get(header::HOST)?.to_str().ok()?.to_owned());
    let own = Own { host: authority.or_else(host), public: served.services.public_url.as_ref() };
    match refusal(request.method(), request.uri().path(), request.headers(), &own) {
        Some(reason) => {
            let problem = Problem::new(StatusCode::FORBIDDEN, reason);
            refusals::tell(&served, &request, &problem);
            problem.into_response()
        }
        None => next.run(request).await,
    }
}

/// The names under which browsers reach this server.
struct Own<'a> {
    /// The host that the request was sent to.
    host: Option<String>,
    public: Option<&'a PublicUrl>,
}

/// The reason to refuse a request; none if it is let in.
fn refusal(method: &Method, path: &str, headers: &HeaderMap, own: &Own<'_>) -> Option<&'static str> {
    let is_browser = headers.contains_key(header::ORIGIN) || headers.contains_key(SEC_FETCH_SITE);
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    if is_read || !is_browser {
        return None;
    }
    if !is_of_own_page(headers, own) {
        return Some(
            "a browser may change something only from a page of this server: its `Origin` must have the `Host` of \
             the request, or be --public-url",
        );
    }
    let is_form = *method == Method::POST && path == FORM;
    (!is_form && !is_bearer(headers)).then_some("a browser must send its token as `Authorization: Bearer`")
}

/// True if a browser says that a page of this server sent the request.
fn is_of_own_page(headers: &HeaderMap, own: &Own<'_>) -> bool {
    let is_own = |origin: &str| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        let of_host =
            authority.zip(own.host.as_deref()).is_some_and(|(of, host)| of.eq_ignore_ascii_case(host));
        of_host || own.public.is_some_and(|public| public.is_origin(origin))
    };
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    origins.all(|origin| origin.to_str().is_ok_and(is_own)) && sites.all(|site| site == "same-origin")
}

fn is_bearer(headers: &HeaderMap) -> bool {
    let scheme = |value: &str| value.trim().split(' ').next().map(str::to_ascii_lowercase);
    let mut values = headers.get_all(header::AUTHORIZATION).iter().peekable();
    let is_there = values.peek().is_some();
    is_there && values.all(|value| value.to_str().ok().and_then(scheme).as_deref() == Some("bearer"))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
    use proptest::{prelude::*, sample::select};

    use super::{FORM, Own, refusal};

    const HOSTS: [&str; 3] = ["hfi:8080", "hfi.example", "HFI:8080"];
    const ORIGINS: [&str; 8] = [
        "http://hfi:8080",
        "https://hfi.example",
        "https://public.example",
        "http://public.example",
        "https://evil.example",
        "http://hfi:8080.evil.example",
        "null",
        "",
    ];
    const SITES: [&str; 4] = ["same-origin", "same-site", "cross-site", "none"];
    const TOKENS: [&str; 4] = ["Bearer abc", "bearer abc", "Basic bWU6YWJj", "Bearerabc"];
    const METHODS: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::OPTIONS,
    ];
    const PATHS: [&str; 4] = [FORM, "/v1/halt", "/v1/policies/a", "/halt/"];

    fn is_let_in(method: &Method, path: &str, host: &str, headers: &[(&str, &str)]) -> bool {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
            })
            .collect();
        let public = "https://public.example".parse().unwrap();
        let own = Own { host: Some(host.to_owned()), public: Some(&public) };
        refusal(method, path, &headers, &own).is_none()
    }

    #[test]
    fn a_browser_writes_from_our_own_page_with_bearer_only() {
        let (bearer, basic) = (("authorization", "Bearer abc"), ("authorization", "Basic bWU6YWJj"));
        let (ours, theirs) = (("origin", "https://hfi:8080"), ("origin", "https://evil.example"));
        let (same, cross) = (("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site"));
        for (headers, expected) in [
            (&[bearer, ours][..], true),
            (&[bearer, same], true),
            (&[bearer, ours, same], true),
            (&[bearer, ("origin", "https://public.example")], true),
            (&[bearer, theirs], false),
            (&[bearer, cross], false),
            (&[bearer, ours, cross], false),
            (&[bearer, ours, theirs], false),
            (&[bearer, basic, ours], false),
            (&[bearer, ("origin", "null")], false),
            (&[bearer, ("origin", "http://public.example")], false),
            (&[bearer, ("sec-fetch-site", "none")], false),
            (&[bearer, ("origin", "http://hfi:8080.evil.example")], false),
            (&[basic, ours], false),
            (&[basic, same], false),
            (&[ours], false),
            // Nothing of a browser: the token decides.
            (&[basic], true),
            (&[], true),
        ] {
            assert_eq!(is_let_in(&Method::POST, "/v1/halt", "hfi:8080", headers), expected, "{headers:?}");
        }
        assert!(is_let_in(&Method::POST, FORM, "hfi:8080", &[ours, basic]), "its token is in the body");
        assert!(!is_let_in(&Method::POST, FORM, "hfi:8080", &[theirs]));
        assert!(!is_let_in(&Method::DELETE, FORM, "hfi:8080", &[ours]));
        assert!(is_let_in(&Method::GET, "/v1/halt", "hfi:8080", &[basic, theirs, cross]));
    }

    proptest! {
        /// What is said of any request, in other words than the code says it.
        #[test]
        fn any_request_is_judged_by_where_it_comes_from_and_how_it_proves_itself(
            method in select(&METHODS[..]),
            path in select(&PATHS[..]),
            host in select(&HOSTS[..]),
            origins in prop::collection::vec(select(&ORIGINS[..]), 0..3),
            sites in prop::collection::vec(select(&SITES[..]), 0..3),
            tokens in prop::collection::vec(select(&TOKENS[..]), 0..3),
        ) {
            let of = |name: &'static str, values: &[&'static str]| values.iter().map(move |value| (name, *value)).collect::<Vec<_>>();
            let headers = [of("origin", &origins), of("sec-fetch-site", &sites), of("authorization", &tokens)].concat();
            let changes = !["GET", "HEAD"].contains(&method.as_str());
            let ours = ["https://public.example".to_owned(), format!("http://{host}"), format!("https://{host}")];
            let from_elsewhere = origins.iter().any(|origin| !ours.iter().any(|own| own.eq_ignore_ascii_case(origin)))
                || sites.iter().any(|site| *site != "same-origin");
            let is_browser = !origins.is_empty() || !sites.is_empty();
            let proves = !tokens.is_empty() && tokens.iter().all(|token| token.to_lowercase().starts_with("bearer "));
            let is_form = method == Method::POST && path == FORM;
            let is_refused = changes && is_browser && (from_elsewhere || !(proves || is_form));
            prop_assert_eq!(is_let_in(&method, path, host, &headers), !is_refused);
        }

        #[test]
        fn no_value_makes_it_panic(value in "\\PC{0,40}") {
            is_let_in(&Method::POST, "/v1/halt", &value, &[("authorization", &value), ("origin", &value)]);
        }
    }
}
