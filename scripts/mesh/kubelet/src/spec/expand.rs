//! References to variables in the values of variables, in commands and in arguments.

/// The text with the value for each `$(NAME)` that has one. `$$` is a dollar sign; everything else stays.
pub(crate) fn expand<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|name| name.split_once(')')) {
            match value(name) {
                Some(value) => expanded.push_str(value),
                None => expanded.extend(["$(", name, ")"]),
            }
            rest = after;
        } else {
            expanded.push('$');
        }
    }
    expanded + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::expand;

    fn value(name: &str) -> Option<&'static str> {
        match name {
            "A" => Some("1"),
            "B" => Some("$(A)"),
            _ => None,
        }
    }

    #[test]
    fn references_are_expanded_as_kubernetes_does() {
        for (text, expected) in [
            ("$(A)", "1"),
            ("x$(A)y$(A)", "x1y1"),
            // A value is not expanded again.
            ("$(B)", "$(A)"),
            ("$(C)", "$(C)"),
            ("$$(A)", "$(A)"),
            ("$$$(A)", "$1"),
            ("$$$$(A)", "$$(A)"),
            ("$(A", "$(A"),
            ("$(A $(A)", "$(A $(A)"),
            ("$A", "$A"),
            ("$", "$"),
            ("$()", "$()"),
            ("a$(A)$", "a1$"),
        ] {
            assert_eq!(expand(text, value), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn without_a_dollar_sign_a_text_stays(text in "[^$]*") {
            prop_assert_eq!(expand(&text, value), text);
        }

        #[test]
        fn every_text_expands(text in "[$()AB é]{0,12}") {
            expand(&text, value);
        }
    }
}
