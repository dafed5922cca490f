//! Texts that the API server takes only up to a length.

/// At most so many bytes of a text.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(longest.saturating_sub('…'.len_utf8()));
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_text_is_cut_between_characters_and_says_so() {
        assert_eq!(shortened("äöü", 6), "äöü");
        assert_eq!(shortened("äöüä", 6), "ä…");
        assert_eq!(shortened("äöüä", 7), "äö…");
    }
}
