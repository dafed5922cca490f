//! `hfi validate`: whether policies are as the language has it.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use policies::repository::lint;

use super::policy_files::PolicyFiles;
use super::{
    console::{DONE, NOT_RIGHT, print, wrong_use},
    output::Output,
    report::Report,
};
use crate::clock::now;

/// Check policy files and directories, as `hfi serve` reads them; together they are one repository.
///
/// In a Git work tree the rules are those of `hfi serve --repo`: no symbolic link is followed, no submodule is
/// entered, what Git ignores is left out, the limits of a commit apply, and the guardrails of all directories above
/// count, up to the root of the work tree. Elsewhere they are those of `hfi serve --dir`: see `hfi reference`,
/// Guardrails.
#[derive(Debug, Args)]
pub struct Validate {
    /// Policy files, or directories of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,

    /// The output format; `text` is another name of `table`
    #[arg(short, long, default_value = "table")]
    output: Output,

    /// Refuse every policy without an end, as `hfi serve --require-expiry` does
    #[arg(long)]
    require_expiry: bool,
}

impl Validate {
    /// Checks, and prints the report on stdout.
    pub fn run(self) -> ExitCode {
        let files = match PolicyFiles::read(&self.paths) {
            Ok(files) => files,
            Err(error) => return wrong_use(error),
        };
        let catalog = files.catalog(self.require_expiry, Some(now()));
        let report = Report::new(&files, catalog.problems(), &lint::warnings(&catalog, now()));
        report.print(self.output);
        if self.output == Output::Table {
            print(&format!("{}\n", summary(catalog.policies().len(), &report)));
        }
        ExitCode::from(if report.errors.is_empty() { DONE } else { NOT_RIGHT })
    }
}

fn summary(policies: usize, report: &Report) -> String {
    let count = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    let valid = if policies == 1 { "1 policy is".to_owned() } else { format!("{policies} policies are") };
    format!(
        "{valid} valid; {}, {}",
        count(report.errors.len(), "error"),
        count(report.warnings.len(), "warning")
    )
}
