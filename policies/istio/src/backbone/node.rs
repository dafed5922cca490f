//! The schema of one value.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The schema of one value; others are named by their number.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Node {
    #[serde(rename = "type")]
    pub(super) kind: Option<Type>,
    /// CEL demands a duration of at least 1 ms.
    pub(super) duration: bool,
    #[serde(rename = "enum")]
    pub(super) words: Vec<Value>,
    pub(super) pattern: Option<String>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) min_items: Option<usize>,
    pub(super) max_items: Option<usize>,
    pub(super) min_properties: Option<usize>,
    pub(super) max_properties: Option<usize>,
    pub(super) required: Vec<String>,
    pub(super) nullable: bool,
    /// Any fields are taken beside those that are known.
    pub(super) any_fields: bool,
    pub(super) int_or_string: bool,
    pub(super) at_most_one: Vec<Vec<String>>,
    pub(super) items: Option<usize>,
    pub(super) values: Option<usize>,
    pub(super) properties: BTreeMap<String, usize>,
}

/// The types of JSON.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Type {
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
}

impl Type {
    pub(super) fn fits(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Integer => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
        }
    }

    /// In words, with an article.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::String => "a text",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "`true` or `false`",
            Self::Array => "a list",
            Self::Object => "a map",
        }
    }
}
