//! The overview: what is known of policies, filters and replicas, on one screen.
//!
//! ```text
//! Facts ──▶ made ──▶ api::overview::Overview
//! ```
//!
//! - [`facts`]: all that is known, as one value. [`doing`]: what a filter does to requests.
//! - [`made`]: the overview of these facts, a pure function of them and of the time. `banners` and `trouble` are parts
//!   of it.
//! - [`commits`]: the commits that changed policies, found once.

mod banners;
pub mod commits;
pub mod doing;
pub mod facts;
pub mod made;
mod trouble;

#[cfg(test)]
mod tests;
