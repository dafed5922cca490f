//! Texts within the length limits of the API server.

/// The first bytes of a text, at most `longest`, with an ellipsis if some are missing.
pub(crate) fn truncate(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(longest.saturating_sub('…'.len_utf8()));
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::truncate;

    #[test]
    fn a_text_is_cut_between_characters_and_says_so() {
        assert_eq!(truncate("äöü", 6), "äöü");
        assert_eq!(truncate("äöüä", 6), "ä…");
        assert_eq!(truncate("äöüä", 7), "äö…");
    }
}
