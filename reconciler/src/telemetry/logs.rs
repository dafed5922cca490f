//! Logs: text for a person at a terminal, JSON for everybody else. On stderr; stdout is for data.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::{EnvFilter, filter::ParseError, fmt};

/// Libraries that log at every attempt what is logged here once. A filter that names them has the last word.
const SILENT: &str = "kube_client=off,kube_runtime=off";

/// Sets the process's logs up. `filter` is in the syntax of `tracing`'s `EnvFilter`, such as `info`
/// or `reconciler=debug`.
pub fn init(filter: &str) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(format!("{SILENT},{filter}"))?;
    let logs = fmt().with_env_filter(filter).with_writer(stderr);
    if stderr().is_terminal() {
        logs.with_target(false).init();
    } else {
        logs.json().with_current_span(false).with_span_list(false).init();
    }
    Ok(())
}
