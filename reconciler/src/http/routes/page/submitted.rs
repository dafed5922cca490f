//! The form that stops everything, as a browser sends it.

use axum::http::StatusCode;

use crate::http::problem::Problem;

/// What somebody filled in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Submitted {
    pub(super) token: String,
    pub(super) reason: String,
}

impl Submitted {
    pub(super) fn read(body: &[u8]) -> Result<Self, Problem> {
        let mut submitted = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let field = match &*name {
                "token" => &mut submitted.token,
                "reason" => &mut submitted.reason,
                _ => {
                    let detail =
                        format!("`{}` is not a field of this form: token, reason", name.escape_debug());
                    return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
                }
            };
            // A token is pasted, perhaps with a line end.
            value.trim().clone_into(field);
        }
        Ok(submitted)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Submitted;

    #[test]
    fn a_token_and_a_reason_are_read() {
        let read = Submitted::read(b"token=+abc%0A&reason=it+is+down%21").unwrap();
        assert_eq!(read, Submitted { token: "abc".to_owned(), reason: "it is down!".to_owned() });
        assert_eq!(Submitted::read(b"").unwrap(), Submitted::default());
        assert!(Submitted::read(b"token=a&user=b").unwrap_err().detail().contains("`user` is not a field"));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body: Vec<u8>) {
            let _ = Submitted::read(&body);
        }
    }
}
