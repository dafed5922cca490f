//! `retries`.

use policies::reading::{Cursor, Value};

use crate::{
    values::{Duration, RETRY_CONDITIONS},
    written::fields::{duration, items},
};

/// The retries of a request; no attempts means that there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retries {
    pub attempts: u32,
    pub per_try_timeout: Option<Duration>,
    /// Envoy's conditions; empty: Istio's.
    pub on: Vec<String>,
}

/// The most attempts: more would be a storm.
const MAX_ATTEMPTS: u32 = 100;

pub(super) fn read(field: &Cursor<'_>) -> Option<Retries> {
    if let Value::Number(_) = field.value() {
        let attempts = field.integer(0..=MAX_ATTEMPTS, "")?;
        return Some(Retries { attempts, per_try_timeout: None, on: Vec::new() });
    }
    let mut fields = field.clone().fields()?;
    let attempts = fields.require("attempts").and_then(|field| field.integer(1..=MAX_ATTEMPTS, ""));
    let per_try_timeout = fields.read("perTryTimeout", duration).optional();
    let on = fields.read("on", |field| items(field, |item| condition(&item))).or(Vec::new());
    fields.finish();
    Some(Retries { attempts: attempts?, per_try_timeout: per_try_timeout?, on: on? })
}

/// A condition, or the status that an answer has.
fn condition(item: &Cursor<'_>) -> Option<String> {
    if let Value::Number(_) = item.value() {
        return item.integer(400..=599, " of a status").map(|status| status.to_string());
    }
    let text = item.string()?;
    if !RETRY_CONDITIONS.contains(&text) {
        item.report(format_args!(
            "`{text}` is not a condition of Envoy: {}, or a status",
            RETRY_CONDITIONS.join(", ")
        ));
        return None;
    }
    Some(text.to_owned())
}
