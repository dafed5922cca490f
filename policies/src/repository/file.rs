//! All documents of one file. Depends on the file's bytes alone, so it can be kept by their hash.

use std::{
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher},
    sync::Arc,
};

use super::{
    field_places::FieldPlaces, file_regexes::FileRegexes, inert_metadata::InertMetadata, window::Window,
};
use crate::{
    language::{Guardrail, Policy, PolicyName},
    reading::{
        Context, Document, Finding, Halt, Kind, Node, Outcome, POLICY, Place, Value, mentions_binding_kind,
        read_document, read_yaml,
    },
    wire::SnapshotEntry,
};

/// The most problems of one file that are told.
const MAX_FINDINGS: usize = 100;

/// The most guardrails and halts of one file.
const MAX_BINDING: usize = 100;

/// A policy file, read.
#[derive(Debug, Default)]
pub struct File {
    /// The valid policies, also of a file that is not valid as a whole: their history goes on.
    pub documents: Vec<Arc<ParsedPolicy>>,
    /// The valid documents of the other kinds.
    others: Vec<Document>,
    /// The names that the file uses, also those of its invalid documents.
    pub(crate) names: Vec<NameUse>,
    /// All that is wrong with it.
    pub findings: Vec<Finding>,
    /// The number of documents that are not hfi's.
    pub ignored: usize,
    pub(super) regexes: FileRegexes,
    /// True if something invalid in it binds policies beside it, or may have been meant to.
    may_bind: bool,
}

/// A name, and where it is used.
#[derive(Debug)]
pub(crate) struct NameUse {
    pub(crate) place: Place,
    /// The kind of the document: each kind has names of its own.
    pub(crate) kind: &'static str,
    pub(crate) name: PolicyName,
    /// The same for the same name, and seldom for another.
    pub(crate) hash: u64,
}

/// A policy, and where it says what.
#[derive(Clone, Debug)]
pub struct ParsedPolicy {
    pub policy: Arc<Policy>,
    pub place: Place,
    /// Computed once, since a change of any policy asks for it.
    has_duration: bool,
    window: Window,
    regex_bytes: usize,
    fields: FieldPlaces,
    inert_metadata: InertMetadata,
}

impl File {
    /// Reads a file's bytes.
    pub fn read(bytes: &[u8]) -> Self {
        Self::of(bytes, read_yaml(bytes))
    }

    /// The same of a text that may have its documents in a list, as `hfi policy get -o json` prints them. A policy file
    /// has none.
    pub fn read_list(bytes: &[u8]) -> Self {
        let documents = read_yaml(bytes).into_iter().flat_map(|document| match document {
            Ok(Node { value: Value::List(documents), .. }) => documents.into_iter().map(Ok).collect(),
            document => vec![document],
        });
        Self::of(bytes, documents.collect())
    }

    fn of(bytes: &[u8], documents: Vec<Result<Node, Finding>>) -> Self {
        let (mut file, context) = (Self::default(), Context::default());
        for document in documents {
            match document.map(|node| (read_document(&node, &context), node)) {
                Ok((Outcome::Valid { kind, name, document }, node)) => {
                    let fields = FieldPlaces::of(&node);
                    let place = fields.at("metadata.name").unwrap_or(node.place);
                    file.names.extend(name.map(|name| NameUse::new(place, kind, name)));
                    match document {
                        Document::Policy(policy) => {
                            file.documents.push(ParsedPolicy::new(*policy, &node, fields).into());
                        }
                        other => file.others.push(other),
                    }
                }
                Ok((Outcome::Foreign, _)) => file.ignored += 1,
                Ok((Outcome::Elsewhere(_), _)) => {}
                Ok((Outcome::Invalid(invalid), node)) => {
                    file.names.extend(invalid.name.map(|name| NameUse::new(node.place, invalid.kind, name)));
                    file.may_bind |= invalid.may_bind;
                    file.findings.extend(invalid.findings);
                }
                Err(finding) => {
                    // Nobody knows what it is; but what does not speak of a guardrail or a halt is none.
                    file.may_bind |= mentions_binding_kind(bytes);
                    file.findings.push(finding);
                }
            }
        }
        if file.others.len() > MAX_BINDING {
            let message = format!(
                "holds more than {MAX_BINDING} guardrails and halts; each policy is held against each"
            );
            file.findings.push(Finding { place: Place::default(), field: String::new(), message });
        }
        file.findings.sort();
        if let Some(more) = file.findings.len().checked_sub(MAX_FINDINGS).filter(|more| *more > 0) {
            file.findings.truncate(MAX_FINDINGS);
            let message = format!("has {more} more problems; they are reported when these are corrected");
            file.findings.push(Finding { place: Place::default(), field: String::new(), message });
        }
        let policies = file.documents.iter().map(|parsed| &*parsed.policy);
        file.regexes = FileRegexes::of(policies, context.regex_steps());
        // Most files hold one document, and there are many files.
        file.documents.shrink_to_fit();
        file.others.shrink_to_fit();
        file.names.shrink_to_fit();
        file
    }

    /// A file that could not be read, for this reason. Its content is unknown.
    pub fn unreadable(reason: String) -> Self {
        let finding = Finding { place: Place::default(), field: String::new(), message: reason };
        Self { findings: vec![finding], may_bind: true, ..Self::default() }
    }

    /// The names of its policies and their places, also of those that are not valid.
    pub fn policy_names(&self) -> impl Iterator<Item = (&PolicyName, Place)> {
        self.names.iter().filter(|used| used.kind == POLICY).map(|used| (&used.name, used.place))
    }

    fn is_valid(&self) -> bool {
        self.findings.is_empty()
    }

    /// The policies that the file contributes: none if it has a problem.
    pub fn policies(&self) -> &[Arc<ParsedPolicy>] {
        if self.is_valid() { &self.documents } else { &[] }
    }

    /// The limits that it sets; `None` if it is invalid and may have meant to set some, or to halt.
    pub fn guardrails(&self) -> Option<Vec<&Guardrail>> {
        let is_known = self.is_valid() || !self.may_bind && self.others.is_empty();
        let guardrails = self.others.iter().filter_map(|document| match document {
            Document::Guardrail(guardrail) => Some(&**guardrail),
            _ => None,
        });
        is_known.then(|| guardrails.collect())
    }

    /// The valid halts, also of a file that is not valid as a whole.
    pub fn halts(&self) -> impl Iterator<Item = &Arc<Halt>> {
        self.others.iter().filter_map(|document| match document {
            Document::Halt(halt) => Some(halt),
            _ => None,
        })
    }
}

impl NameUse {
    fn new(place: Place, kind: &Kind, name: PolicyName) -> Self {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((kind.name, &name));
        Self { place, kind: kind.name, name, hash }
    }
}

impl ParsedPolicy {
    fn new(policy: Policy, document: &Node, fields: FieldPlaces) -> Self {
        let (place, inert_metadata) = (document.place, InertMetadata::of(document));
        let (has_duration, regex_bytes) = (policy.has_duration(), policy.regex_bytes());
        let policy = Arc::new(policy);
        let window = Window::of(&SnapshotEntry { policy: Arc::clone(&policy), started_at: None });
        Self { policy, place, has_duration, window, regex_bytes, fields, inert_metadata }
    }

    /// True if a duration counts from the time at which the document got its content.
    pub fn has_duration(&self) -> bool {
        self.has_duration
    }

    /// The time in which the policy is in force, given the entry with its start.
    pub(crate) fn window(&self, entry: &SnapshotEntry) -> Window {
        if self.has_duration { Window::of(entry) } else { self.window }
    }

    /// The size of the policy's compiled regexes, in bytes.
    pub(crate) fn regex_bytes(&self) -> usize {
        self.regex_bytes
    }

    /// The fields of its metadata that nothing acts on.
    pub fn inert_metadata(&self) -> &InertMetadata {
        &self.inert_metadata
    }

    /// The place of a field; of one that is not written, the place of its parent.
    pub fn place_of(&self, field: &str) -> Place {
        self.fields.at(field).unwrap_or(self.place)
    }
}
