//! The syntax of RE2, by which Envoy and Istio read regexes.
//!
//! It is not that of Rust's crate: `{id}` is a text here and a mistake there, and `\u{e9}` the other way round.

mod class;
mod escape;

use std::collections::BTreeSet;

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

/// A group that is open, or the whole regex.
#[derive(Default)]
struct Level {
    /// The highest product of counts in it.
    repeats: u32,
}

fn check(regex: &str) -> Result<(), Mistake> {
    let mut rest = regex;
    let (mut levels, mut names) = (vec![Level::default()], BTreeSet::new());
    let mut before = Before::Nothing;
    // The product of counts of what stands before.
    let mut last = 1;
    while let Some(letter) = rest.chars().next() {
        let after = rest.get(letter.len_utf8()..).unwrap_or_default();
        let single = |rest| (Before::Atom, rest, 1);
        (before, rest, last) = match letter {
            '(' => {
                let group = group(after)?;
                // `(?i)` opens nothing.
                if !group.is_of_flags {
                    levels.push(Level::default());
                }
                if group.name.is_some_and(|name| !names.insert(name)) {
                    return Err("has two groups of one name");
                }
                (Before::Nothing, group.rest, 1)
            }
            ')' => {
                let level = levels.pop().filter(|_| !levels.is_empty()).ok_or("has a `)` too many")?;
                (Before::Atom, after, level.repeats.max(1))
            }
            '|' => (Before::Nothing, after, 1),
            '[' => single(class(after)?),
            '\\' => single(escape(after)?),
            '*' | '+' | '?' => (repeated(before, letter)?, after, last),
            '{' => match repetition(after)? {
                Some((count, after)) => (repeated(before, letter)?, after, count.saturating_mul(last)),
                None => single(after),
            },
            _ => single(after),
        };
        if last > MAX_REPETITIONS {
            return Err("repeats more than 1000 times, all counts around each other multiplied");
        }
        if let Some(level) = levels.last_mut() {
            level.repeats = level.repeats.max(last);
        }
    }
    if levels.len() == 1 { Ok(()) } else { Err("has a `(` that is not closed") }
}

fn repeated(before: Before, sign: char) -> Result<Before, Mistake> {
    match before {
        Before::Nothing => Err("repeats nothing"),
        Before::Atom => Ok(Before::Repetition),
        Before::Repetition if sign == '?' => Ok(Before::Lazy),
        Before::Repetition | Before::Lazy => Err("repeats a repetition"),
    }
}

/// The count of `{n}`, `{n,}` or `{n,m}`, and the rest; none if the brace is a text.
fn repetition(inside: &str) -> Result<Option<(u32, &str)>, Mistake> {
    let Some((counts, after)) = inside.split_once('}') else { return Ok(None) };
    let (least, most) = counts.split_once(',').unwrap_or((counts, counts));
    let is_number = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_digit()) && !(text.len() > 1 && text.starts_with('0'))
    };
    if least.is_empty() || !is_number(least) || !is_number(most) {
        return Ok(None);
    }
    let count = |text: &str| text.parse().ok().filter(|&count: &u32| count <= MAX_REPETITIONS);
    let least = count(least).ok_or("repeats more than 1000 times")?;
    let most = if most.is_empty() { least } else { count(most).ok_or("repeats more than 1000 times")? };
    if least > most { Err("repeats at least more than at most") } else { Ok(Some((most, after))) }
}

/// The head of a group.
struct Group<'r> {
    name: Option<&'r str>,
    /// True for `(?i)`, which holds for what follows.
    is_of_flags: bool,
    rest: &'r str,
}

fn group(inside: &str) -> Result<Group<'_>, Mistake> {
    let opened = |name, rest| Group { name, is_of_flags: false, rest };
    let Some(head) = inside.strip_prefix('?') else { return Ok(opened(None, inside)) };
    if let Some(named) = head.strip_prefix("P<").or_else(|| head.strip_prefix('<')) {
        if named.starts_with(['=', '!']) {
            return Err("has a look-ahead or look-behind, which RE2 does not know");
        }
        let (name, rest) = named.split_once('>').ok_or("has a group whose name does not end")?;
        let fits = !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
        let wrong = "has a group whose name is not of letters, digits and `_`";
        return if fits { Ok(opened(Some(name), rest)) } else { Err(wrong) };
    }
    let end = head.find([':', ')']).ok_or("has a `(?` that is not closed")?;
    let (flags, after) = head.split_at_checked(end).unwrap_or_default();
    let (on, off) = flags.split_once('-').unwrap_or((flags, "i"));
    let are_known = |flags: &str| flags.chars().all(|flag| "imsU".contains(flag));
    if !(are_known(on) && are_known(off) && !off.is_empty()) {
        return Err("has a `(?` that RE2 does not know, such as look-ahead");
    }
    let is_of_flags = after.starts_with(')');
    Ok(Group { name: None, is_of_flags, rest: after.get(1..).unwrap_or_default() })
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
            "(a{500}){2}",
            "(a{0}){9}",
            "(?:a{10}|b{99}){10}c{1000}",
            "a{01}{2}",
            "[\\d-z]",
            "[--z]",
            "\\p{Any}",
            "(?-i:a)",
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
            "(a{500}){3}",
            "((a{20}b){20}){3}",
            "\\p{lu}",
            "\\p{LC}",
            "\\p{Foo}",
            "\\pl",
            "\\C",
            "\\E",
            "[a-\\d]",
            "[\\b]",
            "[\\x7a-a]",
            "\\x{110000}",
            "(?P<a>b)(?P<a>c)",
            "(?<a.b>c)",
            "(?<é>c)",
            "(?i-:a)",
            "[[:^^alpha:]]",
        ] {
            assert!(regex_flaw(regex).is_some(), "{regex}");
        }
    }
}
