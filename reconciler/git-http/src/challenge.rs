//! The challenges of `WWW-Authenticate` (RFC 9110, 11.6.1): a client chooses among those that it understands.

use std::iter;

/// The names of the authentication schemes that a value of the header offers, in their order. One value may hold
/// many challenges; their parameters are separated by the same commas as the challenges are.
pub(crate) fn schemes(value: &str) -> impl Iterator<Item = &str> {
    elements(value).filter_map(scheme)
}

/// The parts between the commas that are not in a quoted string.
fn elements(mut rest: &str) -> impl Iterator<Item = &str> {
    iter::from_fn(move || {
        let (mut is_quoted, mut is_escaped) = (false, false);
        let comma = rest.find(|c| match c {
            _ if is_escaped => {
                is_escaped = false;
                false
            }
            '\\' => {
                is_escaped = is_quoted;
                false
            }
            '"' => {
                is_quoted = !is_quoted;
                false
            }
            _ => c == ',' && !is_quoted,
        });
        let (element, after) =
            comma.map_or((rest, ""), |at| (rest.get(..at).unwrap_or(rest), rest.get(at + 1..).unwrap_or("")));
        if rest.is_empty() {
            return None;
        }
        rest = after;
        Some(element.trim())
    })
}

/// The scheme with which an element begins; `None` for a further parameter of the challenge before it.
fn scheme(element: &str) -> Option<&str> {
    let end = element.find(|c: char| !is_token(c)).unwrap_or(element.len());
    let (name, rest) = element.split_at_checked(end)?;
    let is_parameter = rest.trim_start().starts_with('=');
    (!name.is_empty() && !is_parameter).then_some(name)
}

/// The characters of a token (RFC 9110, 5.6.2).
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::schemes;

    fn all(value: &str) -> Vec<&str> {
        schemes(value).collect()
    }

    #[test]
    fn the_challenges_of_real_servers_are_found() {
        assert_eq!(all("Basic realm=\"GitLab\""), ["Basic"]);
        assert_eq!(
            all(
                "Bearer authorization_uri=https://login.example/x, Basic realm=\"https://tfs\", TFS-Federated"
            ),
            ["Bearer", "Basic", "TFS-Federated"]
        );
        assert_eq!(
            all("Negotiate, NTLM,Basic realm=\"a, Digest \\\" b\", charset = \"UTF-8\""),
            ["Negotiate", "NTLM", "Basic"]
        );
        assert_eq!(all("Negotiate YII=="), ["Negotiate"]);
        assert_eq!(all(" , ,"), [""; 0]);
    }

    /// A challenge with parameters as servers write them.
    fn challenge() -> impl Strategy<Value = (String, String)> {
        let parameter = ("[a-z]{1,9}", " ?= ?", "[a-z0-9]{1,9}|\"([ -!#-\\[\\]-~]|\\\\[ -~]){0,20}\"");
        let parameters =
            vec(parameter.prop_map(|(name, equals, value)| format!("{name}{equals}{value}")), 0..4);
        let token68 = "[A-Za-z0-9/+._~-]{1,20}={0,2}".prop_map(|token| vec![token]);
        let rest = prop_oneof![parameters, token68];
        ("[A-Za-z][A-Za-z0-9-]{0,12}", rest).prop_map(|(scheme, rest)| {
            let text = if rest.is_empty() { scheme.clone() } else { format!("{scheme} {}", rest.join(", ")) };
            (scheme, text)
        })
    }

    proptest! {
        #[test]
        fn each_challenge_of_a_value_is_found_and_nothing_else(challenges in vec(challenge(), 0..5)) {
            let (wanted, texts): (Vec<_>, Vec<_>) = challenges.into_iter().unzip();
            let value = texts.join(" ,");
            prop_assert_eq!(all(&value), wanted);
        }

        #[test]
        fn any_text_is_read_to_its_end(value: String) {
            prop_assert!(all(&value).iter().all(|scheme| value.contains(scheme) && !scheme.contains(',')));
        }
    }
}
