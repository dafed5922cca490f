//! Regexes as they are written, and as they travel.

#[cfg(feature = "authoring")]
use super::regex::Regex;
use super::regex::{RegexError, SIZE_LIMIT};

/// The longest regex as it is written, in bytes.
const MAX_REGEX_LENGTH: usize = 4 * 1024;

/// A regex of Rust's `regex` crate.
///
/// A snapshot carries its expansion: Unicode classes and case folding written out as ranges, so that
/// the proxy needs no Unicode tables to mean the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    written: String,
    expanded: String,
    /// The text that every fitting value begins with; empty where that is not known.
    prefix: String,
    /// The compiled size, in bytes.
    size: usize,
}

/// The error of a regex that is refused.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    #[error("is not a regex: {0}")]
    Syntax(String),
    #[error(
        "is too large a regex: compiled it takes more than {SIZE_LIMIT} bytes; repeat less or match less"
    )]
    TooLarge,
    #[error("is too long a regex: at most {MAX_REGEX_LENGTH} bytes")]
    TooLong,
}

impl Pattern {
    /// Reads a regex, and proves that a proxy will be able to compile it.
    #[cfg(feature = "authoring")]
    pub fn parse(written: &str) -> Result<Self, PatternError> {
        if written.len() > MAX_REGEX_LENGTH {
            return Err(PatternError::TooLong);
        }
        let hir = regex_syntax::parse(written).map_err(|error| PatternError::Syntax(reason(&error)))?;
        let mut expanded = String::new();
        regex_syntax::hir::print::Printer::new()
            .print(&hir, &mut expanded)
            .map_err(|error| PatternError::Syntax(error.to_string()))?;
        let size = Regex::new(&expanded)?.size();
        Ok(Self { written: written.to_owned(), expanded, prefix: literal_prefix(&hir), size })
    }

    /// The compiled size, in bytes.
    #[cfg(feature = "authoring")]
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The plainer matcher that means the same, if there is one: its kind and its text.
    #[cfg(feature = "authoring")]
    pub fn simpler(&self) -> Option<(&'static str, &str)> {
        use regex_syntax::hir::{HirKind, Look};
        let hir = regex_syntax::parse(&self.written).ok()?;
        let HirKind::Concat(parts) = hir.kind() else { return None };
        let kinds: Vec<_> = parts.iter().map(|part| part.kind()).collect();
        match kinds.as_slice() {
            [HirKind::Look(Look::Start), HirKind::Literal(_)] => Some(("prefix", &self.prefix)),
            // What may follow and need not says nothing.
            [HirKind::Look(Look::Start), HirKind::Literal(_), HirKind::Repetition(rest)] if rest.min == 0 => {
                Some(("prefix", &self.prefix))
            }
            [HirKind::Look(Look::Start), HirKind::Literal(_), HirKind::Look(Look::End)] => {
                Some(("exact", &self.prefix))
            }
            _ => None,
        }
    }

    /// The regex that travelled; how its author wrote it did not.
    pub(crate) fn from_expanded(expanded: &str, prefix: &str) -> Self {
        Self { written: String::new(), expanded: expanded.to_owned(), prefix: prefix.to_owned(), size: 0 }
    }

    /// The regex as it travels.
    pub(crate) fn expanded(&self) -> &str {
        &self.expanded
    }

    /// The text that every fitting value begins with; empty where that is not known.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The regex as its author wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }
}

impl From<RegexError> for PatternError {
    fn from(error: RegexError) -> Self {
        match error {
            RegexError::TooLarge => Self::TooLarge,
            RegexError::Syntax(reason) => Self::Syntax(reason),
        }
    }
}

/// One line of what `regex-syntax` draws over several.
#[cfg(feature = "authoring")]
fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => {
            format!("{} at character {}", error.kind(), error.span().start.column)
        }
        regex_syntax::Error::Translate(error) => {
            format!("{} at character {}", error.kind(), error.span().start.column)
        }
        error => error.to_string(),
    }
}

/// The text that a regex anchored at the beginning demands there.
#[cfg(feature = "authoring")]
fn literal_prefix(hir: &regex_syntax::hir::Hir) -> String {
    use regex_syntax::hir::{HirKind, Look};
    let HirKind::Concat(parts) = hir.kind() else { return String::new() };
    match parts.iter().map(|part| part.kind()).collect::<Vec<_>>().as_slice() {
        [HirKind::Look(Look::Start), HirKind::Literal(literal), ..] => {
            String::from_utf8(literal.0.to_vec()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

#[cfg(feature = "authoring")]
#[cfg(test)]
mod tests {
    use super::{Pattern, PatternError};

    #[test]
    fn an_anchored_regex_tells_how_what_fits_begins() {
        for (written, prefix) in [
            ("^/api/[0-9]+", "/api/"),
            ("^/api", "/api"),
            ("/api", ""),
            ("^(?i)api", ""),
            ("^(a|b)", ""),
            ("^a|b", ""),
        ] {
            assert_eq!(Pattern::parse(written).unwrap().prefix, prefix, "{written}");
        }
    }

    #[test]
    fn what_does_not_compile_says_why_and_where() {
        assert_eq!(
            Pattern::parse("a(b").unwrap_err().to_string(),
            "is not a regex: unclosed group at character 2"
        );
        assert!(matches!(Pattern::parse(r"(\w{100}){100}"), Err(PatternError::TooLarge)));
    }
}
