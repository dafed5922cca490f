//! Templates of paths.

/// What is wrong with a template, as a sentence whose subject is the path.
pub(super) fn path_flaw(path: &str) -> Option<&'static str> {
    if !path.contains(['{', '}']) {
        return None;
    }
    if !path.starts_with('/') {
        return Some("is a template that does not begin with `/`");
    }
    let mut after_rest = false;
    for segment in path.split('/').skip(1) {
        match segment {
            "{*}" | "{**}" if after_rest => return Some("has an operator after `{**}`"),
            "{*}" => {}
            "{**}" => after_rest = true,
            literal if literal.contains(['{', '}']) => {
                return Some("has another operator than `{*}` and `{**}`");
            }
            literal if literal.contains('*') => return Some("has a `*` without braces beside an operator"),
            _ => {}
        }
    }
    None
}
