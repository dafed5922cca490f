//! JSON: which texts are it. The one module here that names `serde_json`.

use serde::de::IgnoredAny;

use crate::reading::{Finding, Place};

/// True if the text is JSON, and not only YAML.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text.trim_start_matches('\u{feff}')).is_ok()
}

/// The first mistake of a text that is to be JSON.
pub(super) fn mistake(text: &str) -> Option<Finding> {
    let error = serde_json::from_str::<IgnoredAny>(text).err()?;
    let place = Place { line: error.line() as u32, column: error.column() as u32 };
    let words = error.to_string();
    let reason = words.rsplit_once(" at line ").map_or(words.as_str(), |(reason, _)| reason);
    Some(Finding { place, field: String::new(), message: format!("is not valid JSON: {reason}") })
}
