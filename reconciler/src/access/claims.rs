//! What a token of a ServiceAccount says of itself. Nobody has verified it: it only saves questions to the API server.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::AUDIENCE;

/// The claims of a JSON Web Token (RFC 7519), as far as they count.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Claims {
    sub: String,
    #[serde(default)]
    aud: Audience,
    /// Seconds since 1970.
    exp: u64,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Default for Audience {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

/// The reason why a token cannot be one of a ServiceAccount for hfi.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("the token is not valid")]
    Other,
    #[error("the token is not for the audience `hfi`")]
    Audience,
    #[error("the token has expired")]
    Expired,
    #[error("the API server does not take the token as valid; its ServiceAccount may be gone")]
    Refused,
    #[error("the token is of a ServiceAccount, and this server knows none: it runs without --kubernetes")]
    NotInCluster,
}

impl Claims {
    /// Reads the claims of a token that may be one of a ServiceAccount. `now` is the time since 1970.
    pub fn of(token: &str, now: Duration) -> Result<Self, Unfit> {
        let mut parts = token.split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Unfit::Other);
        };
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Unfit::Other)?;
        let claims: Self = serde_json::from_slice(&payload).map_err(|_| Unfit::Other)?;
        if !claims.sub.starts_with("system:serviceaccount:") {
            return Err(Unfit::Other);
        }
        let is_for_us = match &claims.aud {
            Audience::One(audience) => audience == AUDIENCE,
            Audience::Many(audiences) => audiences.iter().any(|audience| audience == AUDIENCE),
        };
        if !is_for_us {
            return Err(Unfit::Audience);
        }
        if claims.left(now).is_zero() {
            return Err(Unfit::Expired);
        }
        Ok(claims)
    }

    /// The user whose token it says it is.
    pub fn user(&self) -> &str {
        &self.sub
    }

    /// The time that the token has left.
    pub fn left(&self, now: Duration) -> Duration {
        Duration::from_secs(self.exp).saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::{Claims, Unfit};

    const NOW: Duration = Duration::from_secs(1_000);

    fn of(payload: &str) -> Result<Duration, Unfit> {
        let token = format!("header.{}.signature", URL_SAFE_NO_PAD.encode(payload));
        Claims::of(&token, NOW).map(|claims| claims.left(NOW))
    }

    #[test]
    fn a_token_of_a_service_account_says_for_whom_and_how_long_it_is() {
        for (payload, expected) in [
            (r#"{"sub":"system:serviceaccount:a:b","aud":["x","hfi"],"exp":1060}"#, Ok(60)),
            (r#"{"sub":"system:serviceaccount:a:b","aud":"hfi","exp":1060,"iss":"https://x"}"#, Ok(60)),
            (r#"{"sub":"system:serviceaccount:a:b","aud":["hfi"],"exp":1000}"#, Err(Unfit::Expired)),
            (r#"{"sub":"system:serviceaccount:a:b","aud":["vault"],"exp":1060}"#, Err(Unfit::Audience)),
            (r#"{"sub":"system:serviceaccount:a:b","exp":1060}"#, Err(Unfit::Audience)),
            (r#"{"sub":"alice","aud":["hfi"],"exp":1060}"#, Err(Unfit::Other)),
            (r#"{"sub":"system:serviceaccount:a:b","aud":["hfi"]}"#, Err(Unfit::Other)),
            ("{}", Err(Unfit::Other)),
            ("", Err(Unfit::Other)),
        ] {
            assert_eq!(of(payload), expected.map(Duration::from_secs), "{payload}");
        }
        for token in ["", "a", "..", "a.b.c", "a.b.c.d"] {
            assert_eq!(Claims::of(token, NOW), Err(Unfit::Other), "{token}");
        }
    }

    proptest! {
        #[test]
        fn no_token_makes_it_panic(token in "\\PC{0,60}", payload in "\\PC{0,60}") {
            let _ = Claims::of(&token, NOW);
            let _ = of(&payload);
        }
    }
}
