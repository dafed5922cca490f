//! Media types (RFC 9110, 8.3.1).

use crate::failure::shown;

/// The type and subtype of a `Content-Type`, in lower case and without parameters such as a charset.
pub(crate) fn media_type(value: &[u8]) -> String {
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
    shown(&essence.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::media_type;

    proptest! {
        #[test]
        fn parameters_blanks_and_case_do_not_matter(
            essence in "[a-z]{1,9}/[a-z0-9.+-]{1,30}",
            before in "[ \t]{0,3}",
            after in "([ \t]{0,3};[^\r\n]{0,40})?",
        ) {
            let value = format!("{before}{}{after}", essence.to_ascii_uppercase());
            prop_assert_eq!(media_type(value.as_bytes()), essence);
        }

        #[test]
        fn no_byte_of_it_can_steer_a_terminal(value: Vec<u8>) {
            prop_assert!(!media_type(&value).chars().any(char::is_control));
        }
    }
}
