//! The token that a request carries.

use axum::http::{HeaderMap, StatusCode, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::problem::Problem;

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8 * 1_024;

/// The token of a request. What browsers may send was judged before.
pub(crate) fn token(headers: &HeaderMap) -> Result<Vec<u8>, Problem> {
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
        "basic" => {
            password(credentials).ok_or_else(|| unauthorized("the header Authorization is not valid Basic"))
        }
        _ => Err(unauthorized("a token is sent as Bearer, or as the password of Basic")),
    }
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
        let token = token(&headers);
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

    proptest! {
        #[test]
        fn no_value_makes_it_panic(value in "\\PC{0,40}") {
            let _ = of(&[("authorization", &value)]);
        }
    }
}
