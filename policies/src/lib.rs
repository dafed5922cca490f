//! The policy language of hfi.
//!
//! This crate is pure: no I/O, no clock, no async. What an SRE writes becomes, step by step, what a
//! proxy evaluates, and each step is a type that the next one consumes:
//!
//! ```text
//! YAML ──▶ Node ──▶ Policy ──▶ File ──▶ Catalog ──▶ Snapshot ══HTTP══▶ Program ──▶ Decision
//! └────── reading ───────┘ └─ repository ─┘ └──── wire ────┘ └── evaluation ──┘
//! ```
//!
//! Each room looks only at the rooms above it in this list:
//!
//! - `automaton`: regexes, compiled where policies are read and only run where requests are.
//! - [`language`]: policies and guardrails, and the values that they are made of.
//! - [`wire`]: what passes from the reconciler to the filter: the [`Snapshot`] of a [`Scope`], its bytes
//!   and their [`Digest`].
//! - [`evaluation`]: a snapshot compiled for one workload: the [`Program`]; the [`Facts`] that it asks
//!   for, the [`Dice`] that it throws, and the [`Decision`] that it takes.
//! - [`reading`]: YAML text to policies and guardrails, with every problem in its place.
//! - [`repository`]: files, the catalog of all files, the policies in force, and warnings.
//! - [`rendering`]: policies as JSON, in full or for clients of the first generation.
//! - [`editing`]: documents that are sent, and policy files with one document changed and every other byte as
//!   it was.
//!
//! The last four are for the author of snapshots and stand behind the feature `authoring`; the others
//! are all that the filter needs.
//!
//! From text to a decision:
//!
#![cfg_attr(feature = "authoring", doc = "```")]
#![cfg_attr(not(feature = "authoring"), doc = "```ignore")]
//! use policies::{Catalog, File, Program, Scope, Snapshot, Timestamp};
//! use policies::{evaluation::{AlwaysHit, StaticRequest}, repository::Sources, wire::Format};
//!
//! let file = File::read(b"
//! metadata: {name: errors}
//! spec: {rules: [{fault: {percentage: 5, abort: {httpStatus: 503}}}]}");
//! let path = "errors.yaml".into();
//! let sources = Sources { files: vec![(&path, &file)], ..Sources::default() };
//! let catalog = Catalog::new(&sources, |_, _| None);
//! assert!(catalog.problems().is_empty());
//!
//! let checkout = Scope::new(["demo"], ["checkout"])?;
//! let served = catalog.snapshot(&checkout, Timestamp::from_millis(0)).encode(Format::V2);
//! let program = Program::compile(&Snapshot::decode(&served)?, &checkout);
//! let decision = program.decide(&StaticRequest::default(), &mut AlwaysHit);
//! assert_eq!(&*decision.ok_or("no fault")?.policy, "errors");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![doc = include_str!("../REFERENCE.md")]
#![forbid(unsafe_code)]

mod automaton;
pub mod evaluation;
pub mod language;
pub mod wire;

#[cfg(feature = "authoring")]
pub mod editing;
#[cfg(feature = "authoring")]
pub mod reading;
#[cfg(feature = "authoring")]
pub mod rendering;
#[cfg(feature = "authoring")]
pub mod repository;
#[cfg(feature = "testing")]
pub mod testing;

pub use evaluation::{Decision, Dice, Mismatch, Program};
pub use language::{Facts, Policy, Timestamp};
#[cfg(feature = "authoring")]
pub use repository::{Catalog, File};
pub use wire::{Digest, Scope, Snapshot};

/// The JSON Schema of a document (draft-07, which editors know), but for applications.
#[cfg(feature = "authoring")]
pub const SCHEMA: &str = include_str!("../schema.json");

/// The one text of the language.
#[cfg(feature = "authoring")]
pub const REFERENCE: &str = include_str!("../REFERENCE.md");
