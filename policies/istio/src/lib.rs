//! The Istio configuration of applications.
//!
//! This crate is pure: no I/O, no clock, no async. A team writes what it means about its application's place
//! in the mesh, as `kind: AppConfiguration`; this crate renders the resources of Istio that say it:
//!
//! ```text
//! YAML ──▶ Node ──▶ Application ──▶ Resource ──▶ YAML
//!  └ policies ┘      written      rendering
//! ```
//!
//! Each room looks only at the rooms above it in this list:
//!
//! - [`resource`]: a resource of Istio, of one of eleven kinds, and its text.
//! - [`finding`]: an error or a warning: its rule, its place, and what would be right.
#![forbid(unsafe_code)]

pub mod finding;
pub mod resource;

pub use finding::{Finding, Level};
pub use resource::{Kind, Resource};
