//! The policy language of hfi.
//!
//! This crate is pure: no I/O, no clock, no async. What an SRE writes becomes, step by step, what a
//! proxy evaluates, and each step is a type that the next one consumes:
//!
//! ```text
//! YAML ──yaml──▶ Node ──document──▶ Policy ──catalog──▶ Snapshot ══HTTP══▶ Program ──decide──▶ Decision
//!      (places)        (checked)           (one scope's bytes)     (one workload)
//! ```
//!
//! The left half is for whoever authors snapshots and stands behind the feature `authoring`; the
//! right half is all that the filter needs.
//!
//! - [`policy`], [`reply`]: a policy whose values cannot be wrong, in the words of the language.
//! - [`matcher`], [`percentage`], [`glob`], [`name`], [`time`]: the values it is made of.
//! - [`scope`]: who asks: the workload (or the set of workloads) a snapshot is for.
//! - [`snapshot`]: what passes from the reconciler to the filter, its bytes and their [`Digest`].
//! - [`program`]: a snapshot compiled for one workload; behind it `rule`, and `index` with `radix`,
//!   which finds the rules that can match a request without looking at the others, and `regex`.
//! - [`facts`], [`dice`], [`decision`]: what a program asks about a request, the chance it takes, and
//!   what it decides.
//!
//! Authoring:
//!
//! - [`yaml`]: YAML text to nodes that know their place; the one module that names `serde_yaml`.
//! - [`fields`]: reads a node's fields and collects every problem instead of stopping at the first.
//! - [`document`]: nodes to a [`Policy`].
//! - [`file`](mod@file): all documents of one file, cacheable by content.
//! - [`catalog`]: all files together: duplicates, order, what is in force when and for whom.
//! - [`in_force`]: what of a catalog is in force, found by whom it selects, and what a change of it touches.
//! - [`guardrail`]: limits on what the policies at and below a folder may do.
//! - [`lint`]: warnings: what is legal and surely not meant.
//! - [`view`]: policies as the first generation's JSON.
//! - [`problem`]: what is wrong, where, and what would be right.
//!
#![doc = include_str!("../REFERENCE.md")]
#![forbid(unsafe_code)]

pub mod decision;
pub mod dice;
pub mod digest;
pub mod facts;
pub mod glob;
mod index;
mod inquiry;
pub mod matcher;
pub mod name;
mod peer;
pub mod percentage;
pub mod policy;
pub mod program;
mod query;
mod radix;
mod regex;
pub mod reply;
mod rule;
pub mod scope;
pub mod snapshot;
pub mod time;

#[cfg(feature = "authoring")]
pub mod catalog;
#[cfg(feature = "authoring")]
pub mod document;
#[cfg(feature = "authoring")]
mod fault_document;
#[cfg(feature = "authoring")]
pub mod fields;
#[cfg(feature = "authoring")]
pub mod file;
#[cfg(feature = "authoring")]
pub mod guardrail;
#[cfg(feature = "authoring")]
pub mod in_force;
#[cfg(feature = "authoring")]
pub mod lint;
#[cfg(feature = "authoring")]
mod match_document;
#[cfg(feature = "authoring")]
pub mod problem;
#[cfg(feature = "authoring")]
pub mod view;
#[cfg(feature = "authoring")]
mod window;
#[cfg(feature = "authoring")]
pub mod yaml;

pub use decision::Decision;
pub use dice::Dice;
pub use digest::Digest;
pub use facts::Facts;
pub use policy::Policy;
pub use program::Program;
pub use rule::Mismatch;
pub use scope::Scope;
pub use snapshot::Snapshot;
pub use time::Timestamp;

/// The JSON Schema of a document (draft 2020-12), for editors.
#[cfg(feature = "authoring")]
pub const SCHEMA: &str = include_str!("../schema.json");

/// The one text of the language.
#[cfg(feature = "authoring")]
pub const REFERENCE: &str = include_str!("../REFERENCE.md");
