//! A value of a resource, and its path.

mod path;

use serde_json::Value;

use self::path::Path;

static ABSENT: Value = Value::Null;

/// A value of a resource, and its path. A field that is absent is there with the value null, as Istio reads it.
#[derive(Clone, Debug)]
pub(crate) struct Field<'a> {
    path: Path<'a>,
    value: &'a Value,
}

impl<'a> Field<'a> {
    /// The field of this name in the object itself.
    pub(crate) fn root(name: &str, value: &'a Value) -> Self {
        Self { path: Path::root(name), value }
    }

    /// Its path as text, for a finding.
    pub(crate) fn path(&self) -> String {
        self.path.to_string()
    }

    /// True for an item of a list.
    pub(crate) fn is_item(&self) -> bool {
        self.path.is_item()
    }

    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    /// The field of this name in a map; absent in anything else.
    pub(crate) fn get(&self, name: &'a str) -> Self {
        let value = self.value.get(name).unwrap_or(&ABSENT);
        Self { path: self.path.name(name), value }
    }

    /// True if a map has something under this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.value.get(name).is_some_and(|value| !value.is_null())
    }

    /// The names of these that a map has.
    pub(crate) fn present<'n>(&self, names: &[&'n str]) -> Vec<&'n str> {
        names.iter().copied().filter(|name| self.has(name)).collect()
    }

    pub(crate) fn is_set(&self) -> bool {
        !self.value.is_null()
    }

    /// True for null, and for a map, a list or a text without anything in it.
    pub(crate) fn is_empty(&self) -> bool {
        match self.value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        }
    }

    pub(crate) fn text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// The text under this name; empty if it is absent, as protobuf has it.
    pub(crate) fn word(&self, name: &str) -> &'a str {
        self.value.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn number(&self) -> Option<f64> {
        self.value.as_f64()
    }

    pub(crate) fn integer(&self) -> Option<i64> {
        self.value.as_i64()
    }

    /// The integer under this name.
    pub(crate) fn integer_of(&self, name: &str) -> Option<i64> {
        self.value.get(name).and_then(Value::as_i64)
    }

    /// True if a map says `true` under this name.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.value.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> impl Iterator<Item = Self> + use<'a> {
        let path = self.path.clone();
        let items = self.value.as_array().into_iter().flatten();
        items.enumerate().map(move |(at, value)| Self { path: path.item(at), value })
    }

    /// The texts of a list, with their places.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        self.items().filter_map(|item| Some((item.text()?, item)))
    }

    /// The entries of a map; none of anything else.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        let path = self.path.clone();
        let fields = self.value.as_object().into_iter().flatten();
        fields.map(move |(key, value)| (key.as_str(), Self { path: path.name(key), value }))
    }

    /// The number of its items or entries.
    pub(crate) fn len(&self) -> usize {
        match self.value {
            Value::Array(items) => items.len(),
            Value::Object(fields) => fields.len(),
            _ => 0,
        }
    }

    /// Itself, if it is set.
    pub(crate) fn set(self) -> Option<Self> {
        self.is_set().then_some(self)
    }
}
