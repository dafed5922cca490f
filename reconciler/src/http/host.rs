//! The `Host` of requests over HTTP/1 (RFC 9112, section 3.2).

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, Version, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::problem::Problem;

/// Refuses a request that does not name one host.
pub(super) async fn check(request: Request, next: Next) -> Response {
    match problem(&request) {
        Some(reason) => Problem::new(StatusCode::BAD_REQUEST, reason).into_response(),
        None => next.run(request).await,
    }
}

fn problem<B>(request: &axum::http::Request<B>) -> Option<&'static str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (request.version(), hosts.next(), hosts.next()) {
        // HTTP/2 has the authority.
        (Version::HTTP_2, ..) => None,
        (Version::HTTP_11, None, _) => Some("the header Host is missing"),
        (_, _, Some(_)) => Some("the header Host is there more than once"),
        (_, Some(host), None) if !is_host(host) => Some("the header Host is no name or address of a host"),
        _ => None,
    }
}

/// Tells whether this is a host and perhaps a port, or nothing, for a target that has no authority.
fn is_host(host: &HeaderValue) -> bool {
    let Ok(text) = host.to_str() else { return false };
    text.is_empty()
        || Authority::try_from(text).is_ok_and(|authority| is_port(&authority) && !text.contains('@'))
}

fn is_port(authority: &Authority) -> bool {
    let rest = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    rest.strip_prefix(':').is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use axum::http::{Request, Version};

    use super::problem;

    #[test]
    fn a_request_names_one_host() {
        use Version as V;
        for (version, hosts, is_taken) in [
            (V::HTTP_11, &["hfi"][..], true),
            (V::HTTP_11, &["hfi:8080"], true),
            (V::HTTP_11, &["hfi:"], true),
            (V::HTTP_11, &["10.0.0.1"], true),
            (V::HTTP_11, &["[2001:db8::1]:8080"], true),
            (V::HTTP_11, &["hfi-control-plane.boifi.svc.cluster.local"], true),
            (V::HTTP_11, &[""], true),
            (V::HTTP_11, &[], false),
            (V::HTTP_11, &["hfi", "hfi"], false),
            (V::HTTP_11, &["hfi", "other"], false),
            (V::HTTP_11, &["a b"], false),
            (V::HTTP_11, &["a/b"], false),
            (V::HTTP_11, &["me@hfi"], false),
            (V::HTTP_11, &["hfi:80:80"], false),
            (V::HTTP_11, &["hfi:x"], false),
            (V::HTTP_11, &["\u{e4}"], false),
            (V::HTTP_10, &[], true),
            (V::HTTP_10, &["hfi"], true),
            (V::HTTP_10, &["hfi", "hfi"], false),
            (V::HTTP_2, &[], true),
        ] {
            let request = hosts.iter().fold(Request::get("/"), |request, host| request.header("host", *host));
            let request = request.version(version).body(()).unwrap();
            assert_eq!(problem(&request).is_none(), is_taken, "{version:?} {hosts:?}");
        }
    }
}
