//! Operations: what is called.

use super::{both, operations, paths::path_flaw};
use crate::rules::subject::{Out, Rule, Subject};

pub(super) const RULES: &[Rule] = &[
    Rule::new("AP11", ap11),
    Rule::new("AP12", ap12),
    Rule::new("H06", h06),
    Rule::new("H07", h07),
    Rule::new("H08", h08),
];

fn ap11(subject: &Subject, out: &mut Out) {
    for operation in operations(subject) {
        for (port, at) in both(&operation, "ports") {
            if port.parse::<u16>().is_err() {
                out.error(&at, format!("`{port}` is not a port"), "write the number of the Pod's port");
            }
        }
    }
}

fn h06(subject: &Subject, out: &mut Out) {
    for operation in operations(subject) {
        for (port, at) in both(&operation, "ports") {
            if port.parse() == Ok(0_u16) {
                out.error(&at, "is port 0, which never fits", "a port is from 1 to 65535");
            }
        }
    }
}

fn ap12(subject: &Subject, out: &mut Out) {
    for operation in operations(subject) {
        for (path, at) in both(&operation, "paths") {
            if let Some(flaw) = path_flaw(path) {
                out.error(
                    &at,
                    format!("`{path}` {flaw}"),
                    "write `{*}` for a segment, and `{**}` for all the rest",
                );
            }
        }
    }
}

fn h07(subject: &Subject, out: &mut Out) {
    for operation in operations(subject) {
        for (method, at) in both(&operation, "methods") {
            let plain = method.trim_matches('*');
            if !plain.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
                let upper = method.to_ascii_uppercase();
                out.error(
                    &at,
                    format!("`{method}` never fits, since methods are in upper case"),
                    format!("write `{upper}`"),
                );
            }
        }
    }
}

fn h08(subject: &Subject, out: &mut Out) {
    for operation in operations(subject) {
        for (path, at) in both(&operation, "paths") {
            let inside = path.strip_prefix('*').unwrap_or(path);
            let inside = inside.strip_suffix('*').unwrap_or(inside);
            if path.contains('{') || path.is_empty() {
                continue;
            }
            if !path.starts_with(['/', '*']) {
                out.error(
                    &at,
                    format!("`{path}` never fits, since a path begins with `/`"),
                    format!("write `/{path}`"),
                );
            } else if inside.contains('*') {
                let reason = format!("`{path}` never fits, since a `*` counts at the ends only");
                out.error(&at, reason, "write `{*}` for a segment in the middle");
            }
        }
    }
}
