//! The kind of a document at a glance, without reading it: most files of a repository are not for us.

/// The kind, where it is beyond doubt: the document is a map in block style, with one line `kind: WORD` at its left
/// edge. What is within a value is indented there.
pub(super) fn kind(document: &str) -> Option<&str> {
    let mut kind = None;
    for line in document.lines().filter(|line| !line.starts_with([' ', '\t', '#', '\r'])) {
        let line = line.trim_end();
        if matches!(line, "" | "---" | "...") || line == "-" || line.starts_with("- ") {
            continue;
        }
        let (key, value) = line.split_once(':')?;
        if !is_word(key) || !(value.is_empty() || value.starts_with(' ')) {
            return None;
        }
        if key.eq_ignore_ascii_case("kind") {
            let value = value.split_once(" #").map_or(value, |(value, _)| value).trim();
            let value = value.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(value);
            if kind.is_some() || !is_word(value) {
                return None;
            }
            kind = Some(value);
        }
    }
    kind
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn a_kind_at_the_left_edge_is_seen() {
        for text in [
            "kind: ConfigMap\ndata:\n  kind: AppConfiguration\n",
            "# a\n---\napiVersion: v1\nkind: \"ConfigMap\" # b\ndata:\n- a\n",
            "kind: ConfigMap\r\ndata: {{ template }}\r\n",
        ] {
            assert_eq!(kind(text), Some("ConfigMap"), "{text}");
        }
    }

    #[test]
    fn a_kind_in_doubt_is_not() {
        for text in [
            "",
            "apiVersion: v1\n",
            "kind:\n  ConfigMap\n",
            "kind: ConfigMap\nkind: AppConfiguration\n",
            "kind: ConfigMap\nKind: AppConfiguration\n",
            "kind: ConfigMap\n\"kind\": AppConfiguration\n",
            "{a: {\nkind: ConfigMap\n}, kind: AppConfiguration}\n",
            "--- {kind: AppConfiguration}\nkind: ConfigMap\n",
            "kind: &a ConfigMap\n",
            "kind: >\n  ConfigMap\n",
            "? kind\n: AppConfiguration\nkind: ConfigMap\n",
            "<<: *a\nkind: ConfigMap\n",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
    }
}
