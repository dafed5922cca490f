//! Rules that share nothing with a request, as many as one likes.

use std::path::Path;

use anyhow::Result;
use policies::{Catalog, File, Scope, Snapshot, Timestamp, repository::Sources};

/// Of each policy file: a file has a greatest length.
const RULES_OF_A_FILE: usize = 100;

/// The request that every rule lets pass.
pub(crate) const PATH: &str = "/api/orders/17";
pub(crate) const HEADER: (&str, &str) = ("x-user-id", "alice");
/// One that the first of the rules aborts, to see them in force.
pub(crate) const ABORTED: &str = "/service-0/orders";

/// Policies to be written into files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    number: usize,
    service: Option<&'static str>,
    paths_alone: bool,
    applies: bool,
    status: u16,
}

impl Rules {
    /// So many rules for every workload, no two alike: exact paths, path prefixes, anchored regexes,
    /// and values of one header.
    pub(crate) fn of(number: usize) -> Self {
        Self { number, service: None, paths_alone: false, applies: false, status: 503 }
    }

    /// Only those that ask for the path.
    pub(crate) fn paths_alone(self) -> Self {
        Self { paths_alone: true, ..self }
    }

    /// With one more, which applies to the request and never hits it.
    pub(crate) fn applying(self) -> Self {
        Self { applies: true, ..self }
    }

    /// For this service alone.
    pub(crate) fn service(self, service: &'static str) -> Self {
        Self { service: Some(service), ..self }
    }

    /// With another status for what they abort.
    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn are_for_all(self) -> bool {
        self.service.is_none()
    }

    /// The files, each by its name.
    fn files(self) -> Vec<(String, String)> {
        let numbers: Vec<_> = (0..self.number).collect();
        let files = numbers.chunks(RULES_OF_A_FILE).enumerate();
        files.map(|(file, numbers)| self.file(file, numbers)).collect()
    }

    /// Writes the files into a directory, and over those of the same names.
    pub(crate) fn write_into(self, folder: &Path) -> Result<()> {
        for (name, text) in self.files() {
            std::fs::write(folder.join(name), text)?;
        }
        Ok(())
    }

    fn file(self, file: usize, numbers: &[usize]) -> (String, String) {
        let Self { service, paths_alone, status, .. } = self;
        let name = format!("{}-{file}", service.unwrap_or("rules"));
        let selector = service.map(|service| format!("  selector: {{service: {service}}}\n"));
        let head = format!("metadata: {{name: {name}}}\nspec:\n{}  rules:\n", selector.unwrap_or_default());
        let applying =
            format!("    - {{match: {{path: {{exact: {PATH}}}}}, fault: {{percentage: 0, delay_ms: 1}}}}\n");
        let head = if self.applies && file == 0 { head + &applying } else { head };
        let kinds = if paths_alone { 3 } else { 4 };
        let text = numbers.iter().fold(head, |text, number| {
            let condition = match number % kinds {
                0 => format!("path: {{exact: /service-{number}/orders}}"),
                1 => format!("path: {{prefix: /team-{number}/}}"),
                2 => format!("path: {{regex: '^/item-{number}/[0-9]+$'}}"),
                _ => format!("headers: [{{name: {}, exact: user-{number}}}]", HEADER.0),
            };
            let fault = format!("{{percentage: 100, abort: {{httpStatus: {status}}}}}");
            text + &format!("    - {{match: {{{condition}}}, fault: {fault}}}\n")
        });
        (format!("{name}.yaml"), text)
    }

    /// The snapshot of a workload if there are no other policies.
    pub(crate) fn snapshot(self, workload: &Scope) -> Result<Snapshot> {
        snapshot(self.files(), workload)
    }
}

/// The snapshot of a workload with these regexes on a header, a rule for each.
pub(crate) fn of_regexes(regexes: &[String], workload: &Scope) -> Result<Snapshot> {
    let rule = |regex: &String| {
        let name = HEADER.0;
        format!(
            "    - {{match: {{headers: [{{name: {name}, regex: '{regex}'}}]}}, fault: {{percentage: 1, delay_ms: 1}}}}\n"
        )
    };
    let files = regexes.chunks(RULES_OF_A_FILE).enumerate().map(|(number, regexes)| {
        let rules: String = regexes.iter().map(rule).collect();
        (format!("{number}.yaml"), format!("metadata: {{name: regexes-{number}}}\nspec:\n  rules:\n{rules}"))
    });
    snapshot(files.collect(), workload)
}

fn snapshot(files: Vec<(String, String)>, workload: &Scope) -> Result<Snapshot> {
    let files: Vec<_> =
        files.into_iter().map(|(name, text)| (name.into(), File::read(text.as_bytes()))).collect();
    let sources =
        Sources { files: files.iter().map(|(path, file)| (path, file)).collect(), ..Sources::default() };
    let catalog = Catalog::new(&sources, |_, _| None);
    anyhow::ensure!(catalog.problems().is_empty(), "{:?}", catalog.problems());
    Ok(catalog.snapshot(workload, Timestamp::from_millis(0)))
}
