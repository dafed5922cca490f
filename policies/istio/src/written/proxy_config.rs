//! `proxyConfig`: the application's own sidecar, as it is when a pod starts.

use std::collections::BTreeMap;

use policies::reading::{Cursor, Fields};

use super::{fields::strings, scope::Scope};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyConfig {
    /// The threads of the proxy; 0 for all cores.
    pub concurrency: Option<u32>,
    pub environment: BTreeMap<String, String>,
}

/// The most threads: Istio's number has a sign.
const MAX_CONCURRENCY: u32 = i32::MAX as u32;

/// The longest value of a variable.
const MAX_VALUE: usize = 2048;

/// Words in names of variables whose values are secrets.
const SECRETS: [&str; 4] = ["PASSWORD", "SECRET", "TOKEN", "PRIVATE_KEY"];

pub(super) fn read(fields: &mut Fields<'_>, scope: &Scope<'_>) -> Option<ProxyConfig> {
    let concurrency = fields.read("concurrency", |field| field.integer(0..=MAX_CONCURRENCY, "")).optional();
    let environment = fields.read("environment", |field| environment(field, scope)).or(BTreeMap::new());
    let config = ProxyConfig { concurrency: concurrency?, environment: environment? };
    if config.concurrency.is_none() && config.environment.is_empty() {
        fields.cursor().report("says nothing; write `concurrency` or `environment`");
    }
    Some(config)
}

fn environment(field: &Cursor<'_>, scope: &Scope<'_>) -> Option<BTreeMap<String, String>> {
    let variables = strings(field)?;
    let mut is_right = true;
    for (name, value) in field.entries() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(is_name) || name.starts_with(|c: char| c.is_ascii_digit()) {
            value.report(format_args!("`{name}` is not the name of a variable: letters, digits and `_`"));
            is_right = false;
        }
        if variables.get(name).is_some_and(|value| value.len() > MAX_VALUE) {
            value.report(format_args!("is longer than Istio takes: at most {MAX_VALUE} bytes"));
            is_right = false;
        }
        if SECRETS.iter().any(|word| name.to_ascii_uppercase().contains(word)) {
            scope.notes.warn(
                "APP08",
                &value,
                "looks like a secret, and everybody who reads the repository reads it",
            );
        }
    }
    is_right.then_some(variables)
}
