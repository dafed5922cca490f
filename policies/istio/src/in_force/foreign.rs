//! Objects of the cluster that hfi may not have made.

use crate::resource::{Kind, Resource};

/// An object: its namespace, its kind and its name.
pub type ObjectId = (String, Kind, String);

/// The reason why an object cannot be made without taking one over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// Others have made it.
    Made,
    /// It is not known if it is there, for this reason.
    Unknown(String),
}

impl Resource {
    /// The object that it is.
    pub fn id(&self) -> ObjectId {
        (self.namespace.clone(), self.kind, self.name.clone())
    }
}
