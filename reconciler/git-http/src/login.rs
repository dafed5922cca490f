//! The password, in the form in which it is sent.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

use crate::{
    challenge::schemes,
    failure::{Failure, shown},
};

/// The user, and where the password comes from when a server asks for it.
pub struct Login {
    pub user: String,
    /// Reads the password. The error says what is missing, to be read after "the server ".
    pub password: Box<dyn Fn() -> Result<String, String> + Send + Sync>,
    /// The names of user and file, for errors.
    pub described: String,
}

impl Login {
    /// The answer to the challenges of a server. It is Basic that is chosen, whatever else is offered.
    pub(crate) fn authorization(&self, headers: &HeaderMap) -> Result<HeaderValue, Failure> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter();
        let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        let offered: Vec<_> = values.iter().flat_map(|value| schemes(value)).collect();
        if offered.is_empty() {
            return Err(Failure::NoChallenge);
        }
        if !offered.iter().any(|scheme| scheme.eq_ignore_ascii_case("Basic")) {
            return Err(Failure::NoBasic { offered: shown(offered.join(", ").as_bytes()) });
        }
        let password = (self.password)().map_err(Failure::Login)?;
        if self.user.contains(':') {
            return Err(Failure::Login(
                "takes no user name that contains a colon (Basic authentication)".to_owned(),
            ));
        }
        let credentials = STANDARD.encode(format!("{}:{password}", self.user));
        let value = HeaderValue::try_from(format!("Basic {credentials}"));
        let mut value = value.map_err(|_| Failure::Setup("the password cannot be sent"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.described)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

    use super::Login;
    use crate::failure::Failure;

    fn answer(user: &str, challenges: &[&str]) -> Result<HeaderValue, Failure> {
        let password = Box::new(|| Ok("päss".to_owned()));
        let login = Login { user: user.to_owned(), password, described: String::new() };
        let mut headers = HeaderMap::new();
        for challenge in challenges {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(challenge.as_bytes()).unwrap());
        }
        login.authorization(&headers)
    }

    #[test]
    fn basic_is_chosen_among_what_is_offered() {
        for challenges in [
            &["Basic realm=\"x\""][..],
            &["NTLM", "basic realm=\"größe\""],
            &["Negotiate, NTLM, BASIC realm=\"a, b\", charset=\"UTF-8\""],
        ] {
            let value = answer("git", challenges).unwrap();
            assert_eq!(value, "Basic Z2l0OnDDpHNz");
            assert!(!format!("{value:?}").contains("Z2l0"), "it would be logged");
        }
    }

    #[test]
    fn without_basic_nothing_is_sent() {
        let offered = "Negotiate, NTLM".to_owned();
        assert_eq!(answer("git", &["Negotiate", "NTLM realm=\"Basic\""]), Err(Failure::NoBasic { offered }));
        assert_eq!(answer("git", &[]), Err(Failure::NoChallenge));
        assert!(answer("a:b", &["Basic"]).unwrap_err().to_string().contains("colon"));
    }
}
