//! The token that a server asks for.

use std::{
    fmt::{self, Debug, Formatter},
    fs,
    path::{Path, PathBuf},
};

use reqwest::header::HeaderValue;

use crate::io_reason::io_reason;

/// A token, as the value of the header `Authorization`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(HeaderValue);

/// The reason why a file gives no token.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token file {} {reason}", file.display())]
pub struct TokenError {
    file: PathBuf,
    reason: String,
}

impl Token {
    /// Reads the file anew: a token may be renewed at any time. A byte order mark and blanks around the token do not
    /// count.
    pub fn of_file(file: &Path) -> Result<Self, TokenError> {
        let wrong = |reason: String| TokenError { file: file.to_owned(), reason };
        let bytes =
            fs::read(file).map_err(|error| wrong(format!("cannot be read: {}", io_reason(&error))))?;
        Self::of_text(&bytes).map_err(|reason| wrong(reason.to_owned()))
    }

    /// Reads the content of such a file.
    pub fn of_text(bytes: &[u8]) -> Result<Self, &'static str> {
        let text = str::from_utf8(bytes).map_err(|_| "is not text in UTF-8; it must hold the token alone")?;
        let token = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
        if token.is_empty() {
            return Err("is empty; it must hold the token");
        }
        let alone = Some(token).filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()));
        let bearer = alone.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok());
        let mut bearer = bearer.ok_or("must hold the token alone, on one line, without blanks")?;
        // Neither shown nor kept by what prints and packs headers.
        bearer.set_sensitive(true);
        Ok(Self(bearer))
    }

    /// The value of the header `Authorization`.
    pub(crate) fn bearer(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl Debug for Token {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::Token;

    #[test]
    fn a_file_holds_one_token() {
        for text in ["secret-secret-secret", "\u{feff}secret-secret-secret\r\n", "secret-secret-secret\n\n"] {
            let token = Token::of_text(text.as_bytes()).unwrap();
            assert_eq!(token.bearer(), "Bearer secret-secret-secret");
            let shown = format!("{token:?} {:?}", token.bearer());
            assert!(!shown.contains("secret"), "{shown}");
        }
        for (text, reason) in [
            (&b""[..], "is empty"),
            (b"\xef\xbb\xbf\n", "is empty"),
            (b"alice secret-secret", "on one line"),
            (b"first-token\nsecond-token", "on one line"),
            (b"\xff\xfes\0e\0", "not text in UTF-8"),
        ] {
            assert!(Token::of_text(text).unwrap_err().contains(reason), "{text:?}");
        }
    }

    #[test]
    fn a_file_that_is_missing_is_named() {
        let error = Token::of_file(Path::new("/nowhere/token")).unwrap_err().to_string();
        assert!(error.starts_with("the token file /nowhere/token cannot be read: "), "{error}");
    }

    proptest! {
        #[test]
        fn whatever_a_file_holds_it_makes_one_header_or_none(bytes: Vec<u8>) {
            if let Ok(token) = Token::of_text(&bytes) {
                let bearer = token.bearer();
                let text = bearer.to_str().unwrap().strip_prefix("Bearer ").unwrap();
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
}
