//! Classes of characters: `[a-z]`.

use super::{
    Mistake,
    escape::{character, several},
};

const UNCLOSED: Mistake = "has a `[` that is not closed";
const NAMES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// The rest after a class whose bracket is open.
pub(super) fn class(inside: &str) -> Result<&str, Mistake> {
    let mut rest = inside.strip_prefix('^').unwrap_or(inside);
    let mut first = true;
    loop {
        if let Some(after) = rest.strip_prefix(']').filter(|_| !first) {
            return Ok(after);
        }
        first = false;
        if let Some((name, after)) = rest.strip_prefix("[:").and_then(|name| name.split_once(":]")) {
            if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
                return Err("has a class whose name RE2 does not know");
            }
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix('\\').and_then(several) {
            rest = after?;
            continue;
        }
        let (low, after) = member(rest)?;
        rest = after;
        // A `-` before the end is itself.
        if let Some(after) = rest.strip_prefix('-').filter(|after| !after.starts_with(']')) {
            let (high, after) = member(after)?;
            if low > high {
                return Err("has a range from a higher to a lower character");
            }
            rest = after;
        }
    }
}

/// One character of a class, and the rest after it.
fn member(rest: &str) -> Result<(u32, &str), Mistake> {
    let letter = rest.chars().next().ok_or(UNCLOSED)?;
    let after = rest.get(letter.len_utf8()..).unwrap_or_default();
    if letter == '\\' { character(after) } else { Ok((u32::from(letter), after)) }
}
