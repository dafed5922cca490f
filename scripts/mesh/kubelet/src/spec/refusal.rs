//! The reason that a container cannot be started now.

use std::fmt;

/// A reason in one word, as `kubectl get pods` prints it, and a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    /// The spec asks for what is not there, or for what cannot be.
    pub(crate) fn of_spec(message: impl Into<String>) -> Self {
        Self { reason: "CreateContainerConfigError", message: message.into() }
    }

    /// No program stands for the image.
    pub(crate) fn of_image(image: &str) -> Self {
        Self { reason: "ImagePullBackOff", message: format!("no program stands for the image {image:?}") }
    }

    /// The machine refuses to run it.
    pub(crate) fn of_machine(error: &anyhow::Error) -> Self {
        Self { reason: "RunContainerError", message: format!("{error:#}") }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}
