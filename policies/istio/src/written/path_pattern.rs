//! Paths as policies compare them.

use policies::reading::Cursor;

use super::fields::text;

/// A path: whole, with a `*` at one end, or with `{*}` and `{**}` for segments.
pub(super) fn read(item: &Cursor<'_>) -> Option<String> {
    let text = text(item)?;
    let plain = text.replace("{**}", "").replace("{*}", "");
    let inner = plain.strip_prefix('*').or_else(|| plain.strip_suffix('*')).unwrap_or(&plain);
    if plain.contains(['{', '}']) {
        item.report("has a `{` that Istio does not know; write `{*}` for a segment, or `{**}` for several");
    } else if inner.contains('*') {
        item.report("has a `*` that is not at one end, and never matches; write `{*}` for a segment");
    } else if !text.starts_with(['/', '*']) && !text.starts_with("{*") {
        item.report("never matches, since paths begin with `/`; write it");
    } else {
        return Some(text);
    }
    None
}
