//! The kinds of documents: a table with a row for each.

use std::sync::Arc;

use super::{
    fields::Fields,
    guardrail,
    halt::{self, Halt},
    policy,
};
use crate::language::{Guardrail, Policy, PolicyName};

/// A valid document, by its kind.
#[derive(Debug)]
pub(crate) enum Document {
    Policy(Box<Policy>),
    Guardrail(Box<Guardrail>),
    Halt(Arc<Halt>),
}

/// Reads the `spec` of a document, given the document's name.
type ReadSpec = fn(Fields<'_>, Option<PolicyName>) -> Option<Document>;

/// A kind of document.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Its `kind`.
    pub(crate) name: &'static str,
    pub(super) api_version: &'static str,
    /// True if each document has a name, which no other document of the kind has.
    pub(super) is_named: bool,
    /// The fields of its `spec` that bind policies. Where a document that cannot be used has one of
    /// them, no policy that it may be meant for is in force.
    pub(super) binds: &'static [&'static str],
    /// Reads its `spec`; `None` for a kind that another crate reads.
    pub(super) spec: Option<ReadSpec>,
}

impl Kind {
    /// True if its documents bind policies.
    pub(super) fn is_binding(&self) -> bool {
        !self.binds.is_empty()
    }
}

/// The group of every `apiVersion` of hfi.
pub(super) const GROUP: &str = "hfi.dev/";

/// The `apiVersion` of every kind.
pub(crate) const API_VERSION: &str = "hfi.dev/v1";

/// The kind of policies.
pub(crate) const POLICY: &str = "FaultPolicy";

/// The kind of guardrails.
const GUARDRAIL: &str = "Guardrail";

/// The kind of halts.
const HALT: &str = "Halt";

/// The kind of the Istio configuration of applications, which `istio-config` reads. No policy depends on it.
const APPLICATION: &str = "AppConfiguration";

/// The kinds whose documents bind every policy at and below their directory.
const BINDING: [&str; 2] = [GUARDRAIL, HALT];

/// All kinds. A document without a `kind` is of the first.
pub(super) static KINDS: [Kind; 4] = [
    Kind {
        name: POLICY,
        api_version: API_VERSION,
        is_named: true,
        binds: &[],
        spec: Some(|fields, name| policy::spec(fields, name).map(Box::new).map(Document::Policy)),
    },
    Kind {
        name: GUARDRAIL,
        api_version: API_VERSION,
        is_named: false,
        binds: &guardrail::FIELDS,
        spec: Some(|fields, _| guardrail::spec(fields).map(Box::new).map(Document::Guardrail)),
    },
    Kind {
        name: HALT,
        api_version: API_VERSION,
        is_named: false,
        binds: &halt::FIELDS,
        spec: Some(|fields, _| halt::spec(fields).map(Arc::new).map(Document::Halt)),
    },
    Kind { name: APPLICATION, api_version: API_VERSION, is_named: true, binds: &[], spec: None },
];

/// True if a text that is no valid document contains a word of a kind that binds policies.
pub(crate) fn mentions_binding_kind(text: &[u8]) -> bool {
    let binding = KINDS.iter().filter(|kind| kind.is_binding());
    has_word(text, binding.flat_map(|kind| kind.binds.iter().chain([&kind.name])))
}

/// True if a text has the name of a kind that binds policies, in whatever case.
pub fn names_binding_kind(text: &[u8]) -> bool {
    has_word(text, &BINDING)
}

/// True if a text has the name of the kind of applications, in whatever case.
pub fn names_application_kind(text: &[u8]) -> bool {
    has_word(text, &[APPLICATION])
}

fn has_word<'a>(text: &[u8], words: impl IntoIterator<Item = &'a &'a str>) -> bool {
    // UTF-16 has a zero beside each letter.
    let text: Vec<_> = text.iter().filter(|byte| **byte != 0).map(u8::to_ascii_lowercase).collect();
    let text = String::from_utf8_lossy(&text);
    words.into_iter().any(|word| text.contains(&word.to_ascii_lowercase()))
}
