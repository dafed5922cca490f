//! Reads documents: from YAML text to policies and guardrails, or to every reason why not.

mod envelope;
mod fault;
mod fields;
mod guardrail;
mod halt;
mod istio_limits;
mod kinds;
mod kustomize;
mod matching;
mod patterns;
mod policy;
mod problem;
mod selector;
mod suggest;
mod values;
mod yaml;

pub use envelope::RESTARTED_AT;
pub(crate) use envelope::{Outcome, read as read_document};
pub use fields::{Context, Cursor, Field, Fields};
pub use halt::Halt;
pub(crate) use kinds::{API_VERSION, Document, Kind, POLICY, mentions_binding_kind};
pub use kinds::{names_application_kind, names_binding_kind};
pub use matching::conditions as read_conditions;
pub use patterns::{Patterns, RefusedPattern};
pub use problem::{Finding, Place, Problem};
pub use suggest::closest;
pub use values::{or, word};
pub use yaml::{
    Aliases, read_next as read_next_yaml_document, read_one as read_yaml_document, split as split_yaml,
};
pub use yaml::{MAX_FILE_BYTES, MapEntry, Node, Value, read as read_yaml};
