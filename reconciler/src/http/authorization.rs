//! The token that a request carries, and the rules for browsers.

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::problem::Problem;

/// The header by which a browser tells where a request comes from.
const SEC_FETCH_SITE: &str = "sec-fetch-site";
/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8 * 1_024;

/// The token of a request that changes something. `host` is the host that it was sent to.
pub(crate) fn token(headers: &HeaderMap, host: Option<&str>) -> Result<Vec<u8>, Problem> {
    let is_browser = headers.contains_key(header::ORIGIN) || headers.contains_key(SEC_FETCH_SITE);
    if is_browser && !is_same_origin(headers, host) {
        let detail = "requests of a browser must come from a page of this server";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    let missing = || unauthorized("send a token: `Authorization: Bearer TOKEN`");
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (Some(value), None) => {
            value.to_str().map_err(|_| unauthorized("the header Authorization is not of ASCII"))?
        }
        (None, _) => return Err(missing()),
        (Some(_), Some(_)) => return Err(unauthorized("the header Authorization is there twice; keep one")),
    };
    let (scheme, credentials) = value.trim().split_once(' ').ok_or_else(missing)?;
    let credentials = credentials.trim();
    if credentials.len() > MAX_TOKEN {
        return Err(unauthorized("the token is too long to be one"));
    }
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Ok(credentials.as_bytes().to_vec()),
        // A browser sends it to every site that has once got it, whatever page asks.
        "basic" if is_browser => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "a browser must send its token as `Authorization: Bearer`",
        )),
        "basic" => {
            password(credentials).ok_or_else(|| unauthorized("the header Authorization is not valid Basic"))
        }
        _ => Err(unauthorized("a token is sent as Bearer, or as the password of Basic")),
    }
}

/// The host that a request was sent to.
pub(crate) fn host(request: &Request) -> Option<String> {
    let authority = request.uri().authority().map(ToString::to_string);
    authority.or_else(|| Some(request.headers().get(header::HOST)?.to_str().ok()?.to_owned()))
}

/// 401, with the challenge that RFC 9110 asks for.
pub(crate) fn unauthorized(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail).header(header::WWW_AUTHENTICATE, "Bearer realm=\"hfi\"")
}

/// The password of Basic authentication (RFC 7617).
fn password(credentials: &str) -> Option<Vec<u8>> {
    let decoded = STANDARD.decode(credentials).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    decoded.get(colon + 1..).map(<[u8]>::to_vec)
}

/// True if a browser says that a page of this server sent the request.
fn is_same_origin(headers: &HeaderMap, host: Option<&str>) -> bool {
    let is_site = headers.get(SEC_FETCH_SITE).is_none_or(|site| site == "same-origin");
    let is_origin = headers.get(header::ORIGIN).is_none_or(|origin| {
        let authority =
            origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, rest)| rest);
        authority.is_some_and(|authority| host.is_some_and(|host| host.eq_ignore_ascii_case(authority)))
    });
    is_site && is_origin
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::token;

    fn of(headers: &[(&str, &str)]) -> Result<String, u16> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
            })
            .collect();
        let token = token(&headers, Some("hfi:8080"));
        token.map(|token| String::from_utf8(token).unwrap()).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn a_token_is_bearer_or_the_password_of_basic() {
        let authorization = |value| of(&[("authorization", value)]);
        assert_eq!(authorization("Bearer abc"), Ok("abc".to_owned()));
        assert_eq!(authorization("bearer  abc "), Ok("abc".to_owned()));
        assert_eq!(authorization("Basic bWU6YTpi"), Ok("a:b".to_owned()));
        for bad in ["", "abc", "Bearer", "Basic !", "Basic bWU=", "Digest a", "Bearer \u{e4}"] {
            assert_eq!(authorization(bad), Err(401), "{bad}");
        }
        assert_eq!(of(&[]), Err(401));
        assert_eq!(of(&[("authorization", "Bearer a"), ("authorization", "Bearer b")]), Err(401));
    }

    #[test]
    fn a_browser_writes_from_our_own_page_with_bearer_only() {
        let (bearer, basic) = (("authorization", "Bearer abc"), ("authorization", "Basic bWU6YWJj"));
        let (ours, theirs) = (("origin", "https://hfi:8080"), ("origin", "https://evil.example"));
        let (same, cross) = (("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site"));
        for (headers, expected) in [
            (&[bearer, ours][..], Ok("abc".to_owned())),
            (&[bearer, same], Ok("abc".to_owned())),
            (&[bearer, ours, same], Ok("abc".to_owned())),
            (&[bearer, theirs], Err(403)),
            (&[bearer, cross], Err(403)),
            (&[bearer, ours, cross], Err(403)),
            (&[bearer, ("origin", "null")], Err(403)),
            (&[bearer, ("sec-fetch-site", "none")], Err(403)),
            (&[bearer, ("origin", "http://hfi:8080.evil.example")], Err(403)),
            (&[basic, ours], Err(403)),
            (&[basic, same], Err(403)),
        ] {
            assert_eq!(of(headers), expected, "{headers:?}");
        }
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(value in "\\PC{0,40}") {
            let _ = of(&[("authorization", &value), ("origin", &value)]);
        }
    }
}
