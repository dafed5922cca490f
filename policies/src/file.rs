//! All documents of one file. Depends on the file's bytes alone, so it can be kept by their hash.

use std::sync::Arc;

use crate::{
    document::{self, Document},
    fields::Context,
    guardrail::{self, Guardrail},
    name::PolicyName,
    policy::Policy,
    problem::{Finding, Place},
    yaml::{self, Node, Value},
};

/// The most problems of one file that are told.
const MAX_FINDINGS: usize = 100;

/// The most guardrails of one file.
const MAX_GUARDRAILS: usize = 100;

/// What a policy file says.
#[derive(Debug, Default)]
pub struct File {
    /// The valid policies, also of a file that is not valid as a whole: their history goes on.
    pub documents: Vec<Declared>,
    guardrails: Vec<Guardrail>,
    /// The names that the file uses, also those of its invalid documents.
    pub names: Vec<(Place, PolicyName)>,
    /// All that is wrong with it.
    pub findings: Vec<Finding>,
    /// How many documents belong to somebody else.
    pub passed_over: usize,
    may_guard: bool,
}

/// A policy, and where it says what.
#[derive(Clone, Debug)]
pub struct Declared {
    pub policy: Arc<Policy>,
    pub place: Place,
    /// The places of the fields that other documents can be at odds with.
    fields: Vec<(String, Place)>,
}

impl File {
    /// Reads a file's bytes.
    pub fn read(bytes: &[u8]) -> Self {
        let (mut file, context) = (Self::default(), Context::default());
        for document in yaml::read(bytes) {
            match document.map(|node| (document::read(&node, &context), node)) {
                Ok((Document::Policy(policy), node)) => {
                    let declared = Declared::new(*policy, &node);
                    file.names.push((declared.place_of("metadata.name"), declared.policy.name.clone()));
                    file.documents.push(declared);
                }
                Ok((Document::Guardrail(guardrail), _)) => file.guardrails.push(guardrail),
                Ok((Document::Foreign, _)) => file.passed_over += 1,
                Ok((Document::Invalid(invalid), node)) => {
                    file.names.extend(invalid.name.map(|name| (node.place, name)));
                    file.may_guard |= invalid.may_guard;
                    file.findings.extend(invalid.findings);
                }
                Err(finding) => {
                    // Nobody knows what it is; but what does not speak of a guardrail is none.
                    file.may_guard |= guardrail::is_spoken_of(bytes);
                    file.findings.push(finding);
                }
            }
        }
        if file.guardrails.len() > MAX_GUARDRAILS {
            let message =
                format!("holds more than {MAX_GUARDRAILS} guardrails; each policy is held against each");
            file.findings.push(Finding { place: Place::default(), field: String::new(), message });
        }
        file.findings.sort();
        if let Some(more) = file.findings.len().checked_sub(MAX_FINDINGS).filter(|more| *more > 0) {
            file.findings.truncate(MAX_FINDINGS);
            let message = format!("has {more} more problems; they are told when these are mended");
            file.findings.push(Finding { place: Place::default(), field: String::new(), message });
        }
        file
    }

    /// A file that could not be read, and why. What stands in it nobody knows.
    pub fn unreadable(reason: String) -> Self {
        let finding = Finding { place: Place::default(), field: String::new(), message: reason };
        Self { findings: vec![finding], may_guard: true, ..Self::default() }
    }

    fn is_valid(&self) -> bool {
        self.findings.is_empty()
    }

    /// What the file contributes: nothing when anything in it is wrong.
    pub fn policies(&self) -> &[Declared] {
        if self.is_valid() { &self.documents } else { &[] }
    }

    /// The limits that it sets; `None` if it is invalid and may have meant to set some.
    pub fn guardrails(&self) -> Option<&[Guardrail]> {
        if self.is_valid() {
            Some(&self.guardrails)
        } else if self.may_guard || !self.guardrails.is_empty() {
            None
        } else {
            Some(&[])
        }
    }
}

impl Declared {
    fn new(policy: Policy, node: &Node) -> Self {
        let mut fields = Vec::new();
        note(node, String::new(), &mut fields);
        Self { policy: Arc::new(policy), place: node.place, fields }
    }

    /// Where a field stands; if it is not written, where what would hold it stands.
    pub fn place_of(&self, field: &str) -> Place {
        let within = |known: &str| {
            field.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let known = self.fields.iter().filter(|(known, _)| within(known));
        known.max_by_key(|(known, _)| known.len()).map_or(self.place, |(_, place)| *place)
    }
}

/// Notes the places of a document's fields, as deep as others can be at odds with them.
fn note(node: &Node, path: String, places: &mut Vec<(String, Place)>) {
    match &node.value {
        Value::Map(fields) => {
            for field in fields {
                let path = if path.is_empty() { field.key.clone() } else { format!("{path}.{}", field.key) };
                let deeper = !["match", "labels", "annotations", "headers"].contains(&field.key.as_str());
                places.push((path.clone(), field.value.place));
                if deeper {
                    note(&field.value, path, places);
                }
            }
        }
        Value::List(items) => {
            for (i, item) in items.iter().enumerate() {
                let path = format!("{path}[{i}]");
                places.push((path.clone(), item.place));
                note(item, path, places);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
