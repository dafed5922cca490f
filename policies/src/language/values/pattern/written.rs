//! Regexes as their authors write them: read, compiled, and judged.

use std::sync::Arc;

use super::Pattern;
use crate::{
    automaton::{MAX_COST, REJECT, TooComplex, WideMap, compile},
    language::values::lazy_size::LazySize,
};

/// The longest regex as it is written, in bytes.
const MAX_REGEX_LENGTH: usize = 4 * 1024;

/// The error of a regex that is refused.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    #[error("is not a regex: {0}")]
    Syntax(String),
    #[error("{0}")]
    TooComplex(TooComplex),
    #[error("is too long a regex: at most {MAX_REGEX_LENGTH} bytes")]
    TooLong,
}

impl Pattern {
    /// Reads and compiles a regex.
    pub fn parse(written: &str) -> Result<Self, PatternError> {
        if written.len() > MAX_REGEX_LENGTH {
            return Err(PatternError::TooLong);
        }
        let hir = regex_syntax::parse(written).map_err(|error| PatternError::Syntax(reason(&error)))?;
        let (automaton, cost) = compile(&hir).map_err(PatternError::TooComplex)?;
        Ok(Self {
            written: written.to_owned(),
            size_in_format_1: Some(LazySize::default()),
            cost,
            prefix: literal_prefix(&hir),
            automaton: Arc::new(automaton),
        })
    }

    /// The plainer matcher that means the same, if there is one: its kind and its text.
    pub fn simpler(&self) -> Option<(&'static str, &str)> {
        use regex_syntax::hir::{HirKind, Look};
        // Most regexes have none, and need not be read again.
        if self.prefix.is_empty() {
            return None;
        }
        let hir = regex_syntax::parse(&self.written).ok()?;
        let HirKind::Concat(parts) = hir.kind() else { return None };
        let kinds: Vec<_> = parts.iter().map(|part| part.kind()).collect();
        match kinds.as_slice() {
            [HirKind::Look(Look::Start), HirKind::Literal(_)] => Some(("prefix", &self.prefix)),
            // The value may go on anyway, so what may follow demands nothing.
            [HirKind::Look(Look::Start), HirKind::Literal(_), HirKind::Repetition(rest)] if rest.min == 0 => {
                Some(("prefix", &self.prefix))
            }
            [HirKind::Look(Look::Start), HirKind::Literal(_), HirKind::Look(Look::End)] => {
                Some(("exact", &self.prefix))
            }
            _ => None,
        }
    }

    /// True if it fits something in a value of such ASCII characters, which begins with `first` if that is given.
    pub(crate) fn can_match(&self, first: Option<u8>, is_in: fn(u8) -> bool) -> bool {
        self.automaton.can_find(first, is_in)
    }

    /// True if it fits nothing, whatever the value.
    pub(crate) fn is_void(&self) -> bool {
        self.automaton.start() == REJECT
    }

    /// The steps that it took to compile it.
    pub(crate) fn cost(&self) -> usize {
        self.cost
    }

    /// The size of its table in a proxy, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.automaton.size()
    }

    /// The classes of the characters beyond ASCII, which regexes can share.
    pub(crate) fn wide_map(&self) -> &Arc<WideMap> {
        self.automaton.classes().wide()
    }
}

impl PatternError {
    /// The most steps that it took to find the error.
    pub(crate) fn cost(&self) -> usize {
        match self {
            Self::Syntax(_) | Self::TooLong => 0,
            Self::TooComplex(_) => MAX_COST,
        }
    }
}

/// One line of what `regex-syntax` draws over several.
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

    /// A class of Unicode takes a hundred times as long there as in an automaton, and a file may have thousands.
    #[test]
    fn the_size_in_format_1_is_worked_out_when_it_is_asked_for() {
        for (written, size) in [("", true), (r"^\w{3}-1", true), (r"\w{300}", false)] {
            let pattern = Pattern::parse(written).unwrap();
            let (lazy, clone) = (pattern.size_in_format_1.as_ref().unwrap(), pattern.clone());
            assert!(!lazy.is_known(), "{written}");
            assert_eq!(clone.size_in_format_1().is_some(), size, "{written}");
            assert!(lazy.is_known(), "it is worked out once for all clones");
            assert_eq!(pattern, Pattern::parse(written).unwrap());
        }
    }

    #[test]
    fn what_does_not_compile_says_why_and_where() {
        assert_eq!(
            Pattern::parse("a(b").unwrap_err().to_string(),
            "is not a regex: unclosed group at character 2"
        );
        assert!(matches!(Pattern::parse(r"(\w{100}){100}"), Err(PatternError::TooComplex(_))));
    }
}
