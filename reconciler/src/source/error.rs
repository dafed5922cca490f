//! The failure of a source.

/// The reason why a source could not be read. The message is for people and free of secrets.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub String);
