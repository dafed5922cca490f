//! Regexes as they are written, and compiled.

use std::sync::Arc;

#[cfg(feature = "authoring")]
use super::{lazy_size::LazySize, regex_source};
use crate::automaton::Automaton;
#[cfg(feature = "authoring")]
use crate::automaton::{MAX_COST, REJECT, TooComplex, WideMap, compile};

/// The longest regex as it is written, in bytes.
#[cfg(feature = "authoring")]
const MAX_REGEX_LENGTH: usize = 4 * 1024;

/// A regex of Rust's `regex` crate, and its automaton.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// Empty if it came in a snapshot.
    written: String,
    /// Absent if it came in a snapshot.
    #[cfg(feature = "authoring")]
    size_in_format_1: Option<LazySize>,
    /// The steps that it took to compile it.
    cost: usize,
    /// The text that every fitting value begins with; empty where that is not known.
    prefix: String,
    automaton: Arc<Automaton>,
}

/// The error of a regex that is refused.
#[cfg(feature = "authoring")]
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
    /// A regex that came in a snapshot.
    pub(crate) fn compiled(automaton: Arc<Automaton>, prefix: &str) -> Self {
        Self {
            written: String::new(),
            #[cfg(feature = "authoring")]
            size_in_format_1: None,
            cost: 0,
            prefix: prefix.to_owned(),
            automaton,
        }
    }

    /// True if the regex fits something in the value.
    pub fn is_match(&self, value: &[u8]) -> bool {
        self.automaton.finds(value).0
    }

    pub(crate) fn automaton(&self) -> &Arc<Automaton> {
        &self.automaton
    }

    /// The text that every fitting value begins with; empty where that is not known.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The regex as its author wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The memory that it takes in a filter that knows only format 1, in bytes; `None` if that filter refuses it, or if
    /// it came in a snapshot.
    pub(crate) fn size_in_format_1(&self) -> Option<usize> {
        #[cfg(feature = "authoring")]
        return self
            .size_in_format_1
            .as_ref()?
            .get(|| regex_source::size(&regex_syntax::parse(&self.written).ok()?));
        #[cfg(not(feature = "authoring"))]
        None
    }

    /// Its text in format 1. It can be a hundred times as long as what its author wrote, so it is not kept.
    pub(crate) fn text_in_format_1(&self) -> String {
        #[cfg(feature = "authoring")]
        return regex_syntax::parse(&self.written)
            .ok()
            .and_then(|hir| regex_source::text(&hir))
            .unwrap_or_default();
        // A regex that came in a snapshot is in no other.
        #[cfg(not(feature = "authoring"))]
        String::new()
    }
}

#[cfg(feature = "authoring")]
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

#[cfg(feature = "authoring")]
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
