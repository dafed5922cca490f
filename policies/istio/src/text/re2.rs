//! The syntax of RE2, by which Envoy and Istio read regexes.
//!
//! It is not that of Rust's crate: `{id}` is a text here and a mistake there, and `\u{e9}` the other way round.

mod class;
mod escape;

use self::{class::class, escape::escape};

/// The longest regex that Istio takes.
const MAX_CHARACTERS: usize = 1024;
/// The highest number of repetitions.
const MAX_REPETITIONS: u32 = 1000;

/// A mistake in a regex, as a sentence whose subject is the regex.
pub(super) type Mistake = &'static str;

/// The reason why Istio or Envoy refuses a regex.
pub(crate) fn regex_flaw(regex: &str) -> Option<String> {
    if regex.is_empty() {
        return Some("is empty".to_owned());
    }
    let length = regex.chars().count();
    if length > MAX_CHARACTERS {
        return Some(format!("has {length} characters, and Istio takes {MAX_CHARACTERS}"));
    }
    check(regex).err().map(|mistake| format!("`{regex}` {mistake}"))
}

/// What stands before the next letter.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// Nothing that can be repeated.
    Nothing,
    Atom,
    /// A repetition, which may get one `?`.
    Repetition,
    Lazy,
}

fn check(regex: &str) -> Result<(), Mistake> {
    let mut rest = regex;
    let mut open = 0_usize;
    let mut before = Before::Nothing;
    while let Some(letter) = rest.chars().next() {
        let after = rest.get(letter.len_utf8()..).unwrap_or_default();
        (before, rest) = match letter {
            '(' => {
                open += 1;
                group(after).map(|(flags_only, after)| {
                    // `(?i)` opens nothing.
                    open -= usize::from(flags_only);
                    (Before::Nothing, after)
                })?
            }
            ')' => {
                open = open.checked_sub(1).ok_or("has a `)` too many")?;
                (Before::Atom, after)
            }
            '|' => (Before::Nothing, after),
            '[' => (Before::Atom, class(after)?),
            '\\' => (Before::Atom, escape(after)?),
            '*' | '+' | '?' => (repeated(before, letter)?, after),
            '{' => match repetition(after)? {
                Some(after) => (repeated(before, letter)?, after),
                None => (Before::Atom, after),
            },
            _ => (Before::Atom, after),
        };
    }
    if open == 0 { Ok(()) } else { Err("has a `(` that is not closed") }
}

fn repeated(before: Before, sign: char) -> Result<Before, Mistake> {
    match before {
        Before::Nothing => Err("repeats nothing"),
        Before::Atom => Ok(Before::Repetition),
        Before::Repetition if sign == '?' => Ok(Before::Lazy),
        Before::Repetition | Before::Lazy => Err("repeats a repetition"),
    }
}

/// The rest after `{n}`, `{n,}` or `{n,m}`; none if the brace is a text.
fn repetition(inside: &str) -> Result<Option<&str>, Mistake> {
    let Some((counts, after)) = inside.split_once('}') else { return Ok(None) };
    let (least, most) = counts.split_once(',').unwrap_or((counts, counts));
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if least.is_empty() || !number(least) || !number(most) {
        return Ok(None);
    }
    let count = |text: &str| text.parse().ok().filter(|&count: &u32| count <= MAX_REPETITIONS);
    let least = count(least).ok_or("repeats more than 1000 times")?;
    let most = if most.is_empty() { least } else { count(most).ok_or("repeats more than 1000 times")? };
    if least > most { Err("repeats at least more than at most") } else { Ok(Some(after)) }
}

/// The rest after the head of a group, and whether it is of flags alone.
fn group(inside: &str) -> Result<(bool, &str), Mistake> {
    let Some(head) = inside.strip_prefix('?') else { return Ok((false, inside)) };
    if let Some(named) = head.strip_prefix("P<").or_else(|| head.strip_prefix('<')) {
        let (name, after) = named.split_once('>').ok_or("has a group whose name does not end")?;
        let fits = !name.is_empty() && name.chars().all(|letter| letter == '_' || letter.is_alphanumeric());
        return if fits {
            Ok((false, after))
        } else {
            Err("has a look-ahead or look-behind, which RE2 does not know")
        };
    }
    let end = head.find([':', ')']).ok_or("has a `(?` that is not closed")?;
    let (flags, after) = head.split_at_checked(end).unwrap_or_default();
    let known = flags.chars().all(|flag| "imsU-".contains(flag)) && flags.matches('-').count() < 2;
    match after.strip_prefix(':') {
        _ if !known => Err("has a `(?` that RE2 does not know, such as look-ahead"),
        Some(after) => Ok((false, after)),
        None if flags.is_empty() => Err("has a `(?` without anything"),
        None => Ok((true, after.get(1..).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::regex_flaw;

    #[test]
    fn the_syntax_is_that_of_re2() {
        for regex in [
            "/a",
            ".*",
            "^/(?:x|[^a&]+)(?P<id>\\d{1,3})\\b.*$",
            "/items/{id}",
            "a{,3}",
            "[^[]+",
            "[]a]",
            "[a-z&&[^x]]",
            "(?i)get",
            "(?i:get|post)",
            "x*?",
            "[[:alpha:]_]",
            "\\pL\\p{Greek}\\P{^Lu}",
            "\\Q(((\\E",
            "\\x41\\x{e9}",
            "\\<a\\>",
            "a|",
            "()",
            "\\.",
            "[\\w-]+",
            "[a-\\x7f]",
            "é+",
            "(?<name>a)",
        ] {
            assert_eq!(regex_flaw(regex), None, "{regex}");
        }
        for regex in [
            "",
            "(?=x)",
            "(?!x)",
            "(?<=x)",
            "(?<!x)",
            "a)",
            "(a",
            "[a",
            "[z-a]",
            "*a",
            "a**",
            "a{2}{3}",
            "x*?*",
            "a{1001}",
            "a{3,2}",
            "\\1",
            "\\u{e9}",
            "\\Z",
            "a\\",
            "(?x)a",
            "(?P<>a)",
            "(?P=n)",
            "[[:nope:]]",
            "\\p{",
            "\\xZ",
            "(?>a)",
            "|*",
        ] {
            assert!(regex_flaw(regex).is_some(), "{regex}");
        }
    }
}
