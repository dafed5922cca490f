//! Repetitions: `a*`, `a{2,3}`, `a+?`.

use super::Mistake;

/// The highest number of repetitions.
pub(super) const MAX_REPETITIONS: u32 = 1000;

/// What stands before the next letter.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Before {
    /// Nothing that can be repeated.
    Nothing,
    Atom,
    /// A repetition, which may get one `?`.
    Repetition,
    Lazy,
}

/// What stands after `*`, `+`, `?` or a count.
pub(super) fn repeated(before: Before, sign: char) -> Result<Before, Mistake> {
    match before {
        Before::Nothing => Err("repeats nothing"),
        Before::Atom => Ok(Before::Repetition),
        Before::Repetition if sign == '?' => Ok(Before::Lazy),
        Before::Repetition | Before::Lazy => Err("repeats a repetition"),
    }
}

/// The count of `{n}`, `{n,}` or `{n,m}`, and the rest; none if the brace is a text.
pub(super) fn repetition(inside: &str) -> Result<Option<(u32, &str)>, Mistake> {
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
