//! Shows in the cluster which policies are served.
//!
//! - `observation`: the state to show.
//! - `object`: the `PolicySource` object that shows it.
//! - `events`: Events for changes.
//! - `reporter`: writes the object and sends the Events.
//! - `truncate`: fits text into the limits of the API.

pub mod events;
pub(crate) mod object;
pub(crate) mod observation;
pub(crate) mod reporter;
pub(crate) mod truncate;
