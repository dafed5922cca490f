//! `hfi validate`: whether policies are as the language has it.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use policies::{lint, problem::Problem};

use super::{
    DONE, NOT_RIGHT, now,
    report::{Format, Report},
    wrong_use,
};
use crate::{folder::Folder, source::SourceError};

/// Check policy files and folders; a folder is checked as a repository of its own.
#[derive(Debug, Args)]
pub struct Validate {
    /// Policy files, or folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,

    /// How to say what is wrong
    #[arg(short, long, default_value = "text")]
    output: Format,

    /// Refuse every policy without an end, as `hfi serve --require-expiry` does
    #[arg(long)]
    require_expiry: bool,
}

impl Validate {
    /// Checks, and prints the report on stdout.
    pub fn run(self) -> ExitCode {
        let mut report = Report::default();
        let mut policies = 0;
        for path in &self.paths {
            match check(path, self.require_expiry, &mut report) {
                Ok(count) => policies += count,
                Err(error) => return wrong_use(error),
            }
        }
        print!("{}", report.render(self.output));
        if self.output == Format::Text {
            println!("{}", summary(policies, &report));
        }
        ExitCode::from(if report.errors.is_empty() { DONE } else { NOT_RIGHT })
    }
}

/// Adds what is to be said of one path; how many policies are valid there.
fn check(path: &Path, require_expiry: bool, report: &mut Report) -> Result<usize, SourceError> {
    let folder = Folder::read(path)?;
    let named = |file: &Arc<str>| Arc::<str>::from(folder.shown(file));
    let catalog = folder.catalog(require_expiry, now());
    let shown = |problem: &Problem| Problem { file: named(&problem.file), finding: problem.finding.clone() };
    report.errors.extend(catalog.problems().iter().map(shown));
    report.warnings.extend(lint::warnings(&catalog, now()).iter().map(shown));
    report.sources.extend(folder.files().map(|(path, bytes)| (named(path), Arc::clone(bytes))));
    for warning in folder.warnings() {
        eprintln!("warning: {warning}");
    }
    Ok(catalog.policies().len())
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
