//! Regexes as Envoy wants them: of RE2, and matched against the whole value.

mod only_re2;

use regex_syntax::ast::{self, Ast};

use self::only_re2::OnlyRe2;

/// The longest regex that Istio takes.
const MAX_LENGTH: usize = 1024;

/// A regex that is found anywhere in a value, written so that it matches the whole value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvoyRegex(String);

/// The error of a regex that Envoy does not take.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvoyRegexError {
    #[error("is not a regex")]
    Syntax,
    #[error("has {0}, which RE2 in Envoy does not know; write it another way")]
    Unknown(&'static str),
    #[error("is too long a regex for Istio: at most {MAX_LENGTH} characters with what is put around it")]
    TooLong,
    #[error("fits every value; write `present: true`, or leave it out")]
    Empty,
    #[error("fits only a value without anything in it; write `exact: \"\"`")]
    OnlyEmpty,
}

impl EnvoyRegex {
    /// The regex of a text as it is.
    pub fn escaped(text: &str) -> String {
        regex_syntax::escape(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The regex for a regex of Rust.
    pub fn parse(written: &str) -> Result<Self, EnvoyRegexError> {
        if written.is_empty() {
            return Err(EnvoyRegexError::Empty);
        }
        let ast = ast::parse::Parser::new().parse(written).map_err(|_| EnvoyRegexError::Syntax)?;
        ast::visit(&ast, OnlyRe2::default())?;
        let whole = whole(written, &ast);
        match whole.len() {
            0 => Err(EnvoyRegexError::OnlyEmpty),
            length if length > MAX_LENGTH => Err(EnvoyRegexError::TooLong),
            _ => Ok(Self(whole)),
        }
    }
}

/// The same regex for the whole value.
fn whole(written: &str, ast: &Ast) -> String {
    let is_anchor = |ast: &Ast, wanted: &ast::AssertionKind| matches!(ast, Ast::Assertion(found) if found.kind == *wanted);
    // Of a list of parts, anchors at the ends say what they say; elsewhere they stay where they are.
    let (mut text, mut before, mut after) = (written, ".*", ".*");
    match ast {
        Ast::Concat(concat) => {
            if concat.asts.first().is_some_and(|first| is_anchor(first, &ast::AssertionKind::StartLine)) {
                (text, before) = (text.strip_prefix('^').unwrap_or(text), "");
            }
            if concat.asts.last().is_some_and(|last| is_anchor(last, &ast::AssertionKind::EndLine)) {
                (text, after) = (text.strip_suffix('$').unwrap_or(text), "");
            }
            // A flag would hold for what is put behind it.
            if concat.asts.iter().any(|part| matches!(part, Ast::Flags(_))) {
                return format!("{before}(?:{text}){after}");
            }
            format!("{before}{text}{after}")
        }
        Ast::Alternation(_) | Ast::Flags(_) => format!(".*(?:{written}).*"),
        _ => format!(".*{written}.*"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{EnvoyRegex, EnvoyRegexError};

    #[test]
    fn a_regex_is_written_for_the_whole_value() {
        for (written, whole) in [
            ("^a", "a.*"),
            ("a$", ".*a"),
            ("^a$", "a"),
            ("a", ".*a.*"),
            ("^/api/v[0-9]+$", "/api/v[0-9]+"),
            ("^a|b$", ".*(?:^a|b$).*"),
            ("^(a|b)$", "(a|b)"),
            ("a\\$", ".*a\\$.*"),
            ("(?i)abc$", ".*(?:(?i)abc)"),
            ("^(?i:a)b", "(?i:a)b.*"),
            ("^", ".*^.*"),
        ] {
            assert_eq!(EnvoyRegex::parse(written).map(|regex| regex.0), Ok(whole.to_owned()), "{written}");
        }
    }

    #[test]
    fn what_re2_does_not_know_is_refused() {
        for written in [
            "(?x)a b",
            "[a&&b]",
            "[a[b]]",
            r"\b{start}a",
            r"\u0041",
            "a{1001}",
            r"\p{Greek}",
            r"\p{sc=Greek}",
            r"\p{lu}",
            r"\p{Cn}",
            r"\p{LC}",
            "(a{500}){3}",
            "((a{20}b?){20}){3}",
            "a**",
            "a{2}{3}",
            "(?<a.b>c)",
            "(?P<é>c)",
        ] {
            assert!(matches!(EnvoyRegex::parse(written), Err(EnvoyRegexError::Unknown(_))), "{written}");
        }
        assert_eq!(EnvoyRegex::parse(""), Err(EnvoyRegexError::Empty));
        assert_eq!(EnvoyRegex::parse("^$"), Err(EnvoyRegexError::OnlyEmpty));
        assert!(EnvoyRegex::parse(r"(a{500}){2}(b{9}c*){0}\p{Lu}(?P<n_1>d)").is_ok());
        assert_eq!(EnvoyRegex::parse(&"a".repeat(1021)), Err(EnvoyRegexError::TooLong));
    }

    /// Regexes of literals, classes, groups, counts and anchors.
    fn regexes() -> impl Strategy<Value = String> {
        let atom = prop_oneof![
            "[ab]",
            Just(r"\.".to_owned()),
            Just(r"\d".to_owned()),
            Just(r"\pL".to_owned()),
            Just(r"\x61".to_owned()),
            r"\[\^?[ab0-]{1,3}\]",
            Just("[[:alpha:]_]".to_owned()),
            Just(".".to_owned()),
        ];
        let inner = atom.prop_recursive(4, 24, 4, |inner| {
            let counted = (inner.clone(), r"[*+?]\??|\{[0-3]\}|\{[0-2],\}|\{0,[1-9]0?\}|\{400\}");
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
                prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| format!("({})", parts.join("|"))),
                (r"\?:|\?i:|\?P<n>|\?<m>|\?i-s:|", inner)
                    .prop_map(|(head, inside)| format!("({head}{inside})")),
                counted.prop_map(|(inside, count)| format!("{inside}{count}")),
            ]
        });
        (r"\^?(\(\?i\))?", inner, r"\$?").prop_map(|(before, inside, after)| before + &inside + &after)
    }

    proptest! {
        /// Found anywhere as it is written, or matched as a whole as Envoy gets it: the same.
        #[test]
        fn the_whole_regex_means_what_is_written(written in regexes(), value in "[abA0.]{0,6}") {
            if let (Ok(whole), Ok(found)) = (EnvoyRegex::parse(&written), regex::Regex::new(&written)) {
                let matched = regex::Regex::new(&format!("^(?:{})$", whole.as_str())).unwrap();
                prop_assert_eq!(matched.is_match(&value), found.is_match(&value), "{} as {}", written, whole.as_str());
            }
        }

        /// Both readers of regexes agree: nothing is rendered that Istio refuses.
        #[test]
        fn what_is_rendered_is_of_re2(written in regexes()) {
            if let Ok(whole) = EnvoyRegex::parse(&written) {
                prop_assert_eq!(crate::text::regex_flaw(whole.as_str()), None, "{}", written);
            }
        }
    }
}
