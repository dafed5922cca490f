//! The Istio configuration of applications.
//!
//! This crate is pure: no I/O, no clock, no async. A team writes what it means about its application's place
//! in the mesh, as `kind: AppConfiguration`; this crate renders the resources of Istio that say it:
//!
//! ```text
//! YAML ──▶ Node ──▶ Application ──▶ Resource ──▶ Catalog ──▶ YAML
//! └─ policies ─┘ └── written ──┘ └ rendering ┘
//! ```
//!
//! Each room looks only at the rooms above it in this list:
//!
//! - [`resource`]: a resource, of one of Istio's eleven kinds or a route of the Gateway API, and its text.
//! - `node`: nodes of YAML, read without finding fault.
//! - [`finding`]: an error or a warning: its rule, its place, and what would be right.
//! - [`values`]: durations, hosts, names: the values that documents are made of.
//! - `field`: a value of a resource, and its path.
//! - `text`: labels, hosts, addresses, durations and regexes.
//! - [`surroundings`]: what resources refer to: Services, Pods, Secrets.
//! - [`in_force`]: the objects that are in force, by application.
//! - [`backbone`]: the fields that Istio knows.
//! - [`rules`]: what is wrong with a resource, alone and among others.
//! - [`limits`]: the limits of Guardrails, put together.
//! - [`written`]: documents as teams write them, with every problem in its place.
//! - [`schema()`]: the JSON Schema of documents.
//! - [`opinions`]: what is rendered where a document says nothing, and why.
//! - [`rendering`]: the resources of an application.
//! - [`importing`]: resources that exist, to the documents that render them.
//! - [`mod@file`]: a file of a repository: applications, and what they may refer to.
//! - [`catalog`]: all files of a repository together, and what only one of them may have.
//! - [`mod@origins`]: the written fields that each rendered field comes from.
//! - [`output`]: resources as a stream, a list or a directory.
//!
//! # Add a kind
//!
//! 1. `written/KIND.rs`: the attributes as a type that cannot be wrong, and their reader; a variant and a row in
//!    `written/sections.rs`.
//! 2. `opinions/KIND.rs`: the defaults, with their reasons.
//! 3. `rendering/KIND.rs`: the objects of an entry; a row in `rendering.rs`.
//! 4. `schema/KIND.json`: the attributes for editors; a row in `schema.rs`.
//! 5. `tests/golden/KIND/`: a case for each attribute and for each mistake (`tests/golden.rs` says how).
//!
//! # Example
//!
//! ```
//! use istio_config::{Catalog, File, InForce, Setting};
//!
//! let file = File::read(b"
//! apiVersion: hfi.dev/v1
//! kind: AppConfiguration
//! metadata: {name: reviews, namespace: shop}
//! spec: {destinationRule: {host: reviews, trafficPolicy: {ejectionSettings: {}}}}");
//! let files = [("reviews.yaml".into(), &file)];
//! let catalog = Catalog::new(&files, &InForce::default(), &Setting::default(), |_, setting| setting);
//! assert!(catalog.findings().is_empty());
//! assert_eq!(catalog.resources()[0].name, "reviews-destination-rule");
//! ```
#![forbid(unsafe_code)]

// What tests of several crates share names the crate so.
#[cfg(test)]
extern crate self as istio_config;

pub mod backbone;
pub mod catalog;
mod field;
pub mod file;
pub mod finding;
pub mod importing;
pub mod in_force;
pub mod limits;
mod node;
pub mod opinions;
pub mod origins;
pub mod output;
pub mod rendering;
pub mod resource;
pub mod rules;
mod schema;
pub mod surroundings;
mod text;
pub mod values;
pub mod written;

pub use catalog::{Catalog, LocatedFinding, RenderCache, RenderedApplication};
pub use file::File;
pub use finding::{Finding, Level};
pub use in_force::{ApplicationId, Foreign, InForce, InForceError};
pub use limits::Limits;
pub use origins::{Origin, Written, origins};
pub use rendering::{Rendered, Setting, render};
pub use resource::{Kind, ObjectId, Raw, Resource};
pub use schema::schema;
pub use written::{Application, Document};
