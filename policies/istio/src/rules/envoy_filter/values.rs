//! The values of patches: types of Envoy, as far as they can be told without its schema.

use super::{operation, patches};
use crate::{
    field::Field,
    rules::subject::{Out, Rule, Subject},
};

pub(super) const RULES: &[Rule] = &[Rule::new("EF07", ef07), Rule::new("EF08", ef08)];

const PREFIX: &str = "type.googleapis.com/";

/// The types in a value, wherever they are.
fn types<'a>(value: &Field<'a>, found: &mut Vec<(&'a str, Field<'a>)>) {
    if let Some(name) = value.get("@type").text() {
        found.push((name, value.get("@type")));
    }
    for (_, inner) in value.entries() {
        types(&inner, found);
    }
    for inner in value.items() {
        types(&inner, found);
    }
}

fn ef07(subject: &Subject, out: &mut Out) {
    for patch in patches(subject) {
        let mut found = Vec::new();
        types(&patch.get("patch").get("value"), &mut found);
        for (name, at) in found {
            let message = name.rsplit('/').next().unwrap_or(name);
            if !message.contains('.') {
                out.error(
                    &at,
                    format!("`{name}` is not a type"),
                    format!("write `{PREFIX}` and the full name of the message"),
                );
            } else if name.contains(".v2.") || name.contains(".v2alpha.") {
                out.error(&at, format!("`{name}` is gone from Envoy"), "write its message of v3");
            }
        }
    }
}

fn ef08(subject: &Subject, out: &mut Out) {
    for patch in patches(subject) {
        let (value, on) = (patch.get("patch").get("value"), patch.word("applyTo"));
        let is_filter = matches!(on, "HTTP_FILTER" | "NETWORK_FILTER" | "LISTENER_FILTER");
        if !is_filter || !value.is_set() || operation(&patch) == "REMOVE" {
            continue;
        }
        let (name, at) = (value.word("name"), value.get("name"));
        let old = name.strip_prefix("envoy.").is_some_and(|rest| !rest.contains('.'));
        if old {
            out.warning(&at, format!("`{name}` is an old name"), "write it as `envoy.filters.http.…`");
        }
        if operation(&patch) != "MERGE"
            && value
                .present(&["typed_config", "typedConfig", "config_discovery", "configDiscovery"])
                .is_empty()
        {
            out.warning(
                &value.get("typed_config"),
                "is missing, so Envoy does not know the type of the filter",
                "write it with `@type`",
            );
        }
    }
}
