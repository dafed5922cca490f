//! Objects of the cluster that hfi may not have made.

/// The reason why an object cannot be made without taking one over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// Others have made it.
    Made,
    /// It is not known if it is there, for this reason.
    Unknown(String),
}
