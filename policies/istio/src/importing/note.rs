//! What an import does not keep.

use std::fmt;

use crate::resource::Resource;

/// Something to know about an object or an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The object, such as `VirtualService shop/reviews`, or the application.
    pub about: String,
    pub text: String,
    /// True if hfi would not render what was read.
    pub is_error: bool,
}

impl Note {
    /// An object that no document has.
    pub(super) fn left_out(resource: &Resource, reason: String) -> Self {
        Self { about: named(resource), text: format!("is left out: {reason}"), is_error: true }
    }

    /// Something that a document does not keep, or that its author has to know.
    pub(super) fn about(resource: &Resource, text: String) -> Self {
        Self { about: named(resource), text, is_error: false }
    }
}

/// An object as messages name it.
fn named(Resource { kind, namespace, name, .. }: &Resource) -> String {
    format!("{} {namespace}/{name}", kind.name())
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.about, self.text)
    }
}
