//! Shows in the cluster which policies are served.
//!
//! - `observation`: the state to show.
//! - [`policy_source`]: the kind of the object that shows it, `PolicySource`.
//! - `status`: the status of that object.
//! - `events`: Events for changes.
//! - `reporter`: writes the object and sends the Events.
//! - `truncate`: fits text into the limits of the API.

pub mod events;
pub(crate) mod observation;
pub mod policy_source;
pub(crate) mod reporter;
pub(crate) mod status;
pub(crate) mod truncate;
