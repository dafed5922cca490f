//! What follows a backslash.

use super::Mistake;

/// The rest after an escape.
pub(super) fn escape(after: &str) -> Result<&str, Mistake> {
    let letter = after.chars().next().ok_or("ends in a backslash")?;
    let rest = after.get(letter.len_utf8()..).unwrap_or_default();
    match letter {
        'Q' => Ok(rest.split_once(r"\E").map_or("", |(_, rest)| rest)),
        'p' | 'P' => property(rest),
        'x' => hexadecimal(rest),
        // A digit above 0 is a reference to a group, unless more octal digits follow.
        '1'..='7' if !rest.starts_with(|next: char| ('0'..='7').contains(&next)) => {
            Err("refers to a group, which RE2 cannot")
        }
        '0'..='7' => {
            let more = rest.bytes().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            Ok(rest.get(more..).unwrap_or_default())
        }
        'A' | 'z' | 'b' | 'B' | 'C' | 'E' | 'a' | 'f' | 'n' | 'r' | 't' | 'v' => Ok(rest),
        'd' | 'D' | 's' | 'S' | 'w' | 'W' => Ok(rest),
        letter if letter.is_ascii() && !letter.is_ascii_alphanumeric() => Ok(rest),
        _ => Err("has an escape that RE2 does not know"),
    }
}

/// The rest after `L`, `{Greek}` or `{^Greek}`.
fn property(rest: &str) -> Result<&str, Mistake> {
    const UNCLOSED: Mistake = "has a `\\p` without a name";
    let Some(name) = rest.strip_prefix('{') else {
        return rest.strip_prefix(|letter: char| letter.is_ascii_uppercase()).ok_or(UNCLOSED);
    };
    let (name, rest) = name.split_once('}').ok_or(UNCLOSED)?;
    let name = name.strip_prefix('^').unwrap_or(name);
    let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if fits { Ok(rest) } else { Err(UNCLOSED) }
}

/// The rest after two digits, or after some in braces.
fn hexadecimal(rest: &str) -> Result<&str, Mistake> {
    const WRONG: Mistake = "has a `\\x` without a number";
    let fits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (digits, rest) = match rest.strip_prefix('{') {
        Some(inside) => inside.split_once('}').ok_or(WRONG)?,
        None => rest.split_at_checked(2).ok_or(WRONG)?,
    };
    if fits(digits) { Ok(rest) } else { Err(WRONG) }
}
