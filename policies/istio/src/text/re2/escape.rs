//! What follows a backslash.

use super::Mistake;
use crate::values::unicode_class;

/// The rest after an escape outside of a class.
pub(super) fn escape(after: &str) -> Result<&str, Mistake> {
    if let Some(rest) = after.strip_prefix('Q') {
        return Ok(rest.split_once(r"\E").map_or("", |(_, rest)| rest));
    }
    if let Some(rest) = after.strip_prefix(['A', 'z', 'b', 'B']) {
        return Ok(rest);
    }
    match several(after) {
        Some(rest) => rest,
        None => character(after).map(|(_, rest)| rest),
    }
}

/// The rest after an escape that stands for several characters; none if it is another one.
pub(super) fn several(after: &str) -> Option<Result<&str, Mistake>> {
    match after.strip_prefix(['p', 'P']) {
        Some(rest) => Some(property(rest)),
        None => after.strip_prefix(['d', 'D', 's', 'S', 'w', 'W']).map(Ok),
    }
}

/// The character that an escape stands for, and the rest.
pub(super) fn character(after: &str) -> Result<(u32, &str), Mistake> {
    let letter = after.chars().next().ok_or("ends in a backslash")?;
    let rest = after.get(letter.len_utf8()..).unwrap_or_default();
    let one = |letter: char| Ok((u32::from(letter), rest));
    match letter {
        'x' => hexadecimal(rest),
        // A digit above 0 is a reference to a group, unless more octal digits follow.
        '1'..='7' if !rest.starts_with(|next: char| ('0'..='7').contains(&next)) => {
            Err("refers to a group, which RE2 cannot")
        }
        '0'..='7' => {
            let more = rest.bytes().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            let (digits, _) = after.split_at_checked(more + 1).unwrap_or_default();
            let value = u32::from_str_radix(digits, 8).unwrap_or_default();
            Ok((value, rest.get(more..).unwrap_or_default()))
        }
        'a' => one('\u{7}'),
        'f' => one('\u{c}'),
        'n' => one('\n'),
        'r' => one('\r'),
        't' => one('\t'),
        'v' => one('\u{b}'),
        letter if letter.is_ascii() && !letter.is_ascii_alphanumeric() => one(letter),
        _ => Err("has an escape that RE2 does not know"),
    }
}

/// The rest after `L`, `{Greek}` or `{^Greek}`.
fn property(rest: &str) -> Result<&str, Mistake> {
    const UNCLOSED: Mistake = "has a `\\p` without a name";
    let (name, rest) = match rest.strip_prefix('{') {
        Some(named) => named.split_once('}').ok_or(UNCLOSED)?,
        None => rest.split_at_checked(1).ok_or(UNCLOSED)?,
    };
    let name = name.strip_prefix('^').unwrap_or(name);
    if unicode_class::is_known(name) {
        Ok(rest)
    } else {
        Err("has a class of Unicode that RE2 does not know")
    }
}

/// The character of two digits, or of some in braces.
fn hexadecimal(rest: &str) -> Result<(u32, &str), Mistake> {
    const WRONG: Mistake = "has a `\\x` without a number of a character";
    let (digits, rest) = match rest.strip_prefix('{') {
        Some(inside) => inside.split_once('}').ok_or(WRONG)?,
        None => rest.split_at_checked(2).ok_or(WRONG)?,
    };
    // A sign is not a digit.
    let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let value =
        u32::from_str_radix(digits, 16).ok().filter(|&value| is_number && value <= u32::from(char::MAX));
    Ok((value.ok_or(WRONG)?, rest))
}
