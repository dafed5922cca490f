//! The syntax of RE2, by which Envoy and Istio read regexes.
//!
//! It is not that of Rust's crate: `{id}` is a text here and a mistake there, and `\u{e9}` the other way round.

mod class;
mod escape;
mod group;
mod repetition;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use self::{
    class::class,
    escape::escape,
    group::group,
    repetition::{Before, MAX_REPETITIONS, repeated, repetition},
};

/// The longest regex that Istio takes.
const MAX_CHARACTERS: usize = 1024;

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
