//! A halt as it is written.

use super::{
    fields::{Cursor, Fields},
    problem::Place,
    yaml::{Node, Value},
};

/// The fields of a halt's `spec`.
pub(super) const FIELDS: [&str; 1] = ["reason"];

/// The longest reason, in bytes.
const MAX_REASON: usize = 1_024;

/// A document that takes every policy at and below its directory out of force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halt {
    pub reason: Box<str>,
    /// The place of the document in its file.
    pub place: Place,
    /// The texts among its annotations, which nothing here acts on.
    annotations: Vec<(Box<str>, Box<str>)>,
}

impl Halt {
    /// The text of an annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.iter().find(|(known, _)| &**known == name).map(|(_, text)| &**text)
    }
}

/// Reads the `spec` of a halt.
pub(super) fn spec(mut fields: Fields<'_>) -> Option<Halt> {
    let reason = fields.require("reason").and_then(|field| reason(&field));
    fields.finish();
    Some(Halt { reason: reason?, place: Place::default(), annotations: Vec::new() })
}

fn reason(field: &Cursor<'_>) -> Option<Box<str>> {
    let text = field.string()?;
    if text.trim().is_empty() || text.len() > MAX_REASON {
        field.report(format_args!("must be a text of 1 to {MAX_REASON} bytes"));
        return None;
    }
    Some(text.into())
}

/// A halt with the place of its document, and its annotations.
pub(super) fn placed(halt: Halt, place: Place, annotations: Option<&Value>) -> Halt {
    let halt = Halt { place, ..halt };
    let Some(Value::Map(fields)) = annotations else { return halt };
    let texts = fields.iter().filter_map(|field| match &field.value {
        Node { value: Value::String(text), .. } => Some((field.key.as_str().into(), text.as_str().into())),
        _ => None,
    });
    Halt { annotations: texts.collect(), ..halt }
}
