//! Names of policies, as they are typed.

use policies::language::PolicyName;

/// What listings print before a name with `-o name`, and kubectl's users type.
const TYPE: &str = "policy/";

/// The name of a policy: `checkout-errors`, or `policy/checkout-errors`.
pub(super) fn policy_name(text: &str) -> Result<String, String> {
    let name = text.strip_prefix(TYPE).unwrap_or(text);
    let name = PolicyName::try_from(name.to_owned()).map_err(|error| error.to_string())?;
    Ok(name.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::policy_name;

    #[test]
    fn a_name_is_taken_as_it_is_printed() {
        for text in ["checkout-errors", "policy/checkout-errors"] {
            assert_eq!(policy_name(text).as_deref(), Ok("checkout-errors"));
        }
        for text in ["", "policy/", "policy/policy/a", "filter/a", "../status", "A", "a b"] {
            assert!(policy_name(text).unwrap_err().contains("RFC 1123 label"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_one_segment_of_a_path_or_refused(text in "\\PC{0,70}") {
            if let Ok(name) = policy_name(&text) {
                prop_assert!(!name.contains('/') && text.ends_with(&name));
            }
        }
    }
}
