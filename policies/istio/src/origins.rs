//! Where the fields of rendered resources come from.
//!
//! A rendered field comes from the written fields whose change changes it. So each written field is changed, one at a
//! time, and the application is rendered again: no table of attributes can be out of date. What only depends on
//! something being there is an [opinion](crate::opinions) about it.

mod fields;
mod leaves;
mod probe;

use std::collections::BTreeMap;

use policies::reading::{Place, read_yaml};
use serde_json::Value;

use self::{
    fields::{Field, fields},
    leaves::leaves,
    probe::{How, Probe},
};
use crate::{catalog::RenderedApplication, node, opinions::reason, resource::Kind};

/// The most written fields of a document that are changed. Of a larger one only the entries are told.
const MAX_FIELDS: usize = 1_000;

/// The reason of a field that nobody has written and that no opinion is about.
const FOLLOWS: &str = "follows from what is written there";

/// The origin of a rendered field.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The path of the field, such as `spec.http[0].timeout`.
    pub field: String,
    pub value: Value,
    /// The written fields that it comes from; with an opinion, those that it is about.
    pub written: Vec<Written>,
    /// The reason why it is rendered, where nobody has written it.
    pub opinion: Option<&'static str>,
}

/// A written field and its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    pub place: Place,
    pub field: String,
}

/// A written field that a rendered one depends on.
#[derive(Clone, Copy, Debug)]
struct Cause<'f> {
    field: &'f Field,
    how: How,
}

/// The origins of the fields of a valid application, for each of its resources in their order. `text` is that of its
/// file.
pub fn origins(application: &RenderedApplication, text: &[u8]) -> Vec<Vec<Origin>> {
    let RenderedApplication { application: read, resources, setting, .. } = application;
    let documents: Vec<_> = read_yaml(text).into_iter().flatten().collect();
    let mut documents = documents.iter().flat_map(node::flattened);
    let document = documents.find(|document| document.place == read.place).cloned();
    let written = document.as_ref().map(fields).filter(|fields| fields.len() <= MAX_FIELDS);
    let written = written.unwrap_or_default();
    let mut causes = vec![BTreeMap::<String, Vec<Cause<'_>>>::new(); resources.len()];
    if let Some(document) = document {
        let mut probe = Probe::new(document, resources, setting);
        for field in &written {
            let Some((how, changed)) = probe.change(field) else { continue };
            for (resource, leaf) in changed {
                let Some(causes) = causes.get_mut(resource) else { continue };
                causes.entry(leaf).or_default().push(Cause { field, how });
            }
        }
    }
    let of_resource =
        |(rendered, causes): (&crate::rendering::Rendered, BTreeMap<String, Vec<Cause<'_>>>)| {
            let entry = Written { place: rendered.entry, field: rendered.field.clone() };
            let origin = |(field, value): (String, Value)| {
                let causes = causes.get(&field).map(Vec::as_slice).unwrap_or_default();
                origin(rendered.resource.kind, field, value, causes, &written, &entry)
            };
            leaves(&rendered.resource).into_iter().map(origin).collect()
        };
    resources.iter().zip(causes).map(of_resource).collect()
}

/// The origin of a field, given everything written that it depends on.
fn origin(
    kind: Kind,
    field: String,
    value: Value,
    causes: &[Cause<'_>],
    fields: &[Field],
    entry: &Written,
) -> Origin {
    // What a field depends on, its parents depend on too.
    let is_within = |cause: &Cause<'_>| causes.iter().any(|other| cause.field.is_around(other.field));
    let nearest: Vec<_> = causes.iter().filter(|cause| !is_within(cause)).collect();
    let by_value: Vec<_> = nearest.iter().filter(|cause| cause.how == How::ByValue).collect();
    if !by_value.is_empty() {
        let written = by_value.iter().map(|cause| cause.field.written.clone()).collect();
        return Origin { field, value, written, opinion: None };
    }
    let reason = reason(kind, &field);
    let says = |written: &&Field| {
        let is_inside = nearest.iter().any(|cause| cause.field == *written || cause.field.is_around(written));
        is_inside && written.says(&value)
    };
    let saying: Vec<_> = fields.iter().filter(says).map(|field| field.written.clone()).collect();
    if reason.is_none() && !saying.is_empty() {
        return Origin { field, value, written: saying, opinion: None };
    }
    // The list that the entry is in says no more than the entry.
    let is_in_entry = |cause: &&&Cause<'_>| !entry.field.starts_with(&cause.field.written.field);
    let innermost = |cause: &&Cause<'_>| cause.field.innermost(fields).written.clone();
    let about: Vec<_> = nearest.iter().filter(is_in_entry).map(innermost).collect();
    let written = if about.is_empty() { vec![entry.clone()] } else { about };
    let opinion = (!fields.is_empty()).then(|| reason.unwrap_or(FOLLOWS));
    Origin { field, value, written, opinion }
}
