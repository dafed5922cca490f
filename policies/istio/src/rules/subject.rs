//! A resource under its rules, and what they say about it.

use serde_json::Value;

use crate::{
    field::Field,
    finding::Finding,
    resource::{Kind, Resource},
};

/// A resource, and its spec.
#[derive(Clone, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) spec: Field<'a>,
    /// Its place among the resources that are checked together.
    pub(crate) rank: usize,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(resource: &'a Resource) -> Self {
        Self { resource, spec: Field::root("spec", &resource.spec), rank: 0 }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.resource.kind
    }

    /// A place outside of the spec, such as `metadata.name`.
    pub(crate) fn place(&self, path: &str) -> Field<'a> {
        Field::root(path, &Value::Null)
    }

    /// The field of the spec.
    pub(crate) fn get(&self, name: &'a str) -> Field<'a> {
        self.spec.get(name)
    }

    /// The items of a list of the spec.
    pub(crate) fn each(&self, name: &'a str) -> impl Iterator<Item = Field<'a>> + use<'a> {
        self.spec.get(name).items()
    }
}

/// A rule and its id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    pub(crate) check: fn(&Subject, &mut Out),
}

impl Rule {
    pub(crate) const fn new(id: &'static str, check: fn(&Subject, &mut Out)) -> Self {
        Self { id, check }
    }
}

/// The findings of one rule.
#[derive(Debug)]
pub(crate) struct Out<'f> {
    rule: &'static str,
    found: &'f mut Vec<Finding>,
}

impl<'f> Out<'f> {
    pub(crate) fn new(rule: &'static str, found: &'f mut Vec<Finding>) -> Self {
        Self { rule, found }
    }

    /// The same under another id.
    pub(crate) fn of(&mut self, rule: &'static str) -> Out<'_> {
        Out { rule, found: self.found }
    }

    pub(crate) fn error(&mut self, at: &Field, reason: impl Into<String>, right: impl Into<String>) {
        self.found.push(Finding::error(self.rule, at.path(), reason).right(right));
    }

    pub(crate) fn warning(&mut self, at: &Field, reason: impl Into<String>, right: impl Into<String>) {
        self.found.push(Finding::warning(self.rule, at.path(), reason).right(right));
    }

    /// An error, or a warning where it has been so in force: then nothing that others have written since stops its
    /// application.
    pub(crate) fn error_if_new(
        &mut self,
        is_in_force: bool,
        at: &Field,
        reason: impl Into<String>,
        right: impl Into<String>,
    ) {
        if is_in_force { self.warning(at, reason, right) } else { self.error(at, reason, right) }
    }

    pub(crate) fn notice(&mut self, at: &Field, reason: impl Into<String>, right: impl Into<String>) {
        self.found.push(Finding::notice(self.rule, at.path(), reason).right(right));
    }
}
