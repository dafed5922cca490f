//! The error of reading a snapshot.

/// The error of bytes that are not a snapshot, or not one that this build can read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("the body is not a snapshot")]
    NotASnapshot,
    #[error("format {0} is newer than this filter knows")]
    Newer(u8),
    #[error("the body is cut short or damaged")]
    Damaged,
    #[error("{0} bytes follow the snapshot")]
    Trailing(usize),
}
