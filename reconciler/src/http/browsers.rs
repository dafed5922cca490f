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
/// The header by which it tells what the answer is for.
const SEC_FETCH_DEST: &str = "sec-fetch-dest";
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
    let is_browser = is_browser(headers);
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

/// True if a browser reads for a page of another site, and does not leave that page to show the answer. Such a page
/// learns whether there is an answer: with the password of its user, if the browser sends it.
pub(super) fn is_part_of_another_page(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    let mut purposes = headers.get_all(SEC_FETCH_DEST).iter().peekable();
    let is_shown = purposes.peek().is_some() && purposes.all(|purpose| purpose == "document");
    !is_shown && sites.any(|site| site != "same-origin" && site != "none")
}

/// True if a browser sent the request, as far as it says so.
fn is_browser(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key(SEC_FETCH_SITE)
}

/// True if a person or a tool sent the request, and no proxy: `curl`, Prometheus, probes and browsers name themselves, and
/// Envoy names nobody in the requests of a Wasm filter.
pub(crate) fn is_reader(headers: &HeaderMap) -> bool {
    is_browser(headers) || headers.contains_key(header::USER_AGENT)
}

/// True if a browser says that a page of this server sent the request.
fn is_of_own_page(headers: &HeaderMap, own: &Own<'_>) -> bool {
    let is_own = |origin: &str| {
        own.host.as_deref().is_some_and(|host| is_of_host(origin, host))
            || own.public.is_some_and(|public| public.is_origin(origin))
    };
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    origins.all(|origin| origin.to_str().is_ok_and(is_own)) && sites.all(|site| site == "same-origin")
}

/// True if an origin is of this host. Browsers leave out the default port of the scheme, and a proxy may add it.
fn is_of_host(origin: &str, host: &str) -> bool {
    let (authority, default) = match origin.split_once("://") {
        Some(("http", authority)) => (authority, ":80"),
        Some(("https", authority)) => (authority, ":443"),
        _ => return false,
    };
    let bare = |authority: &str| authority.strip_suffix(default).unwrap_or(authority).to_ascii_lowercase();
    let own = bare(host);
    !own.is_empty() && bare(authority) == own
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

    use super::{FORM, Own, is_of_host, is_part_of_another_page, refusal};

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

    fn map(headers: &[(&str, &str)]) -> HeaderMap {
        let header = |(name, value): &(&str, &str)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
        };
        headers.iter().map(header).collect()
    }

    fn is_let_in(method: &Method, path: &str, host: &str, headers: &[(&str, &str)]) -> bool {
        let public = "https://public.example".parse().unwrap();
        let own = Own { host: Some(host.to_owned()), public: Some(&public) };
        refusal(method, path, &map(headers), &own).is_none()
    }

    #[test]
    fn an_origin_is_of_a_host_whose_port_a_proxy_may_have_added() {
        for (origin, host, is_own) in [
            ("https://hfi.example", "hfi.example", true),
            ("https://hfi.example", "hfi.example:443", true),
            ("http://hfi.example", "hfi.example:80", true),
            ("http://hfi.example:443", "hfi.example:443", true),
            ("https://[2001:db8::1]", "[2001:DB8::1]:443", true),
            ("https://hfi.example", "hfi.example:80", false),
            ("http://hfi.example", "hfi.example:443", false),
            ("https://hfi.example", "hfi.example:8443", false),
            ("https://hfi.example:8443", "hfi.example", false),
            ("ftp://hfi.example", "hfi.example", false),
            ("chrome-extension://hfi.example", "hfi.example", false),
            ("hfi.example", "hfi.example", false),
            ("https://", "", false),
            ("https://:443", "", false),
            ("x://", "", false),
        ] {
            assert_eq!(is_of_host(origin, host), is_own, "{origin} {host}");
        }
    }

    #[test]
    fn what_a_page_of_another_site_embeds_is_known_from_what_it_leads_to() {
        let is_part = |headers: &[(&str, &str)]| is_part_of_another_page(&map(headers));
        let dest = |purpose| ("sec-fetch-dest", purpose);
        for site in ["cross-site", "same-site"] {
            let site = ("sec-fetch-site", site);
            for purpose in ["script", "image", "object", "iframe", "empty", ""] {
                assert!(is_part(&[site, dest(purpose)]), "{purpose}");
            }
            assert!(is_part(&[site]) && is_part(&[site, dest("document"), dest("script")]));
            assert!(!is_part(&[site, dest("document")]), "a link leads here");
        }
        for site in ["same-origin", "none"] {
            assert!(!is_part(&[("sec-fetch-site", site), dest("script")]));
        }
        assert!(!is_part(&[]) && !is_part(&[dest("script")]), "no browser says so");
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
