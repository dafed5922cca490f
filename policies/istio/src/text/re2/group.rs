//! Groups: `(a)`, `(?P<name>a)`, `(?i:a)`.

use super::Mistake;

/// The head of a group.
pub(super) struct Group<'r> {
    pub(super) name: Option<&'r str>,
    /// True for `(?i)`, which holds for what follows.
    pub(super) is_of_flags: bool,
    pub(super) rest: &'r str,
}

pub(super) fn group(inside: &str) -> Result<Group<'_>, Mistake> {
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
