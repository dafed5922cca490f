//! `hfi validate`: whether policies are as the language has it.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use istio_config::Level;
use policies::{reading::Problem, repository::lint};

use super::policy_files::PolicyFiles;
use super::{
    applications::{Applications, Rendering, merged},
    console::{DONE, NOT_RIGHT, print, wrong_use},
    output::Output,
    report::Report,
};
use crate::clock::now;

/// Check policy files and directories, as `hfi serve` reads them; together they are one repository.
///
/// AppConfigurations are checked with them, as they are rendered; each message ends with the id of its rule. Objects of
/// Istio and Kubernetes beside them are what their hosts, subsets, gateways and selectors may refer to.
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

    /// Check the objects of Istio in these files too, by the same rules
    #[arg(long)]
    istio: bool,

    #[command(flatten)]
    rendering: Rendering,
}

impl Validate {
    /// Checks, and prints the report on stdout.
    pub fn run(self) -> ExitCode {
        let files = match PolicyFiles::read(&self.paths) {
            Ok(files) => files,
            Err(error) => return wrong_use(error),
        };
        let catalog = files.catalog(self.require_expiry, Some(now()));
        let applications = Applications::of(&files, &self.rendering);
        let with_istio = |problems: Vec<Problem>, level| {
            let by_hand = if self.istio { applications.problems_by_hand(level) } else { Vec::new() };
            merged(merged(problems, applications.problems(level)), by_hand)
        };
        let errors = with_istio(catalog.problems().to_vec(), Level::Error);
        let warnings = with_istio(lint::warnings(&catalog, now()), Level::Warning);
        let report = Report::new(&files, &errors, &warnings);
        report.print(self.output);
        if self.output == Output::Table {
            let valid = (!applications.is_empty()).then(|| applications.valid());
            print(&format!("{}\n", summary(catalog.policies().len(), valid, &report)));
        }
        ExitCode::from(if report.errors.is_empty() { DONE } else { NOT_RIGHT })
    }
}

fn summary(policies: usize, applications: Option<usize>, report: &Report) -> String {
    let count = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    let policies = if policies == 1 { "1 policy".to_owned() } else { format!("{policies} policies") };
    let valid = match applications {
        None if policies == "1 policy" => format!("{policies} is"),
        None => format!("{policies} are"),
        Some(applications) => format!("{policies} and {} are", count(applications, "application")),
    };
    format!(
        "{valid} valid; {}, {}",
        count(report.errors.len(), "error"),
        count(report.warnings.len(), "warning")
    )
}
