//! The names of objects in a cluster.

use std::fmt;

use super::Label;

/// An RFC 1123 subdomain: labels with dots between them, 253 characters at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(String);

/// The error of a text that no object can have as its name.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not the name of an object: lower-case letters, digits, `-` and `.`, at most 253 characters"
)]
pub struct ObjectNameError(String);

impl ObjectName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for ObjectName {
    type Error = ObjectNameError;

    fn try_from(text: &str) -> Result<Self, ObjectNameError> {
        let is_label = |part: &str| Label::try_from(part.to_owned()).is_ok();
        if text.len() <= 253 && text.split('.').all(is_label) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ObjectNameError(text.to_owned()))
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::ObjectName;

    #[test]
    fn a_name_is_labels_with_dots() {
        for good in ["reviews", "reviews.v1", "0-a"] {
            assert!(ObjectName::try_from(good).is_ok(), "{good}");
        }
        for bad in ["", "Reviews_v2", "a..b", "-a", &format!("{}a", "a.".repeat(130))] {
            assert!(ObjectName::try_from(bad).is_err(), "{bad}");
        }
    }
}
