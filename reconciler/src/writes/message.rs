//! The message of a commit.

use policies::language::PolicyName;

use super::order::Order;
use crate::source::git::USER_TRAILER;

/// The longest subject that is made here, in characters.
const MAX_SUBJECT: usize = 72;

/// The message of a commit that changes these policies.
pub(super) fn of(order: &Order, changed: &[&str]) -> String {
    let subject = match &order.options.message {
        Some(message) => message.clone(),
        None => subject(order.verb(), changed),
    };
    with_trailers(&subject, order.rights.user.as_str(), &order.id)
}

/// The message of a commit that a request of a user makes.
pub(super) fn with_trailers(subject: &str, user: &str, request: &str) -> String {
    format!("{subject}\n\n{USER_TRAILER}: {user}\nHfi-Request: {request}\n")
}

/// Names as many policies as fit.
fn subject(verb: &str, changed: &[&str]) -> String {
    let mut subject = format!("{verb} {}", changed.first().copied().unwrap_or("nothing"));
    for (position, name) in changed.iter().enumerate().skip(1) {
        let rest = changed.len() - position;
        if subject.len() + name.len() + 16 > MAX_SUBJECT {
            return format!("{subject} and {rest} more");
        }
        subject += if rest == 1 { " and " } else { ", " };
        subject += name;
    }
    subject
}

/// The names of policies in one text.
pub(super) fn names(names: &[PolicyName]) -> String {
    names.iter().map(PolicyName::as_str).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::subject;

    #[test]
    fn a_subject_names_what_fits() {
        assert_eq!(subject("Apply", &["a"]), "Apply a");
        assert_eq!(subject("Apply", &["a", "b"]), "Apply a and b");
        assert_eq!(subject("Delete", &["a", "b", "c"]), "Delete a, b and c");
        let long = "x".repeat(63);
        assert_eq!(subject("Apply", &[&long, "b", "c"]), format!("Apply {long} and 2 more"));
    }
}
