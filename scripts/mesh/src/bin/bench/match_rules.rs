//! What rules cost that share nothing with a request: natively, beside the plain loop over rules that
//! the first generation has, and through the filter in a real Envoy, beside Envoy without it.

mod envoy;
mod native;
mod plain_loop;

use anyhow::Result;
use policies::{
    Scope, Snapshot, Timestamp,
    catalog::{Catalog, Sources},
    file::File,
};

/// Of each policy file: a file has a greatest length.
const RULES_OF_A_FILE: usize = 100;

/// The request that every rule lets pass.
const PATH: &str = "/api/orders/17";
const HEADER: (&str, &str) = ("x-user-id", "alice");
/// One that the first of the rules aborts, to see them in force.
const ABORTED: &str = "/service-0/orders";

pub(crate) async fn run() -> Result<()> {
    native::run(&[1, 10, 100, 1_000, 10_000])?;
    println!();
    envoy::run(&[1, 10, 1_000, 10_000]).await
}

/// Policy files of so many rules, no two alike: exact paths, path prefixes, anchored regexes, and
/// values of one header.
fn files(rules: usize) -> Vec<String> {
    let numbers: Vec<_> = (0..rules).collect();
    let file = |(file, numbers): (usize, &[usize])| {
        let head = format!("metadata: {{name: rules-{file}}}\nspec:\n  rules:\n");
        numbers.iter().fold(head, |text, number| {
            let condition = match number % 4 {
                0 => format!("path: {{exact: /service-{number}/orders}}"),
                1 => format!("path: {{prefix: /team-{number}/}}"),
                2 => format!("path: {{regex: '^/item-{number}/[0-9]+$'}}"),
                _ => format!("headers: [{{name: {}, exact: user-{number}}}]", HEADER.0),
            };
            text + &format!(
                "    - {{match: {{{condition}}}, fault: {{percentage: 100, abort: {{httpStatus: 503}}}}}}\n"
            )
        })
    };
    numbers.chunks(RULES_OF_A_FILE).enumerate().map(file).collect()
}

/// What a workload is sent when these are the files.
fn snapshot(files: &[String], workload: &Scope) -> Result<Snapshot> {
    let files: Vec<_> = (0..)
        .zip(files)
        .map(|(number, text)| (format!("{number}.yaml").into(), File::read(text.as_bytes())))
        .collect();
    let sources =
        Sources { files: files.iter().map(|(path, file)| (path, file)).collect(), ..Sources::default() };
    let catalog = Catalog::new(&sources, |_, _| None);
    anyhow::ensure!(catalog.problems().is_empty(), "{:?}", catalog.problems());
    Ok(catalog.snapshot(workload, Timestamp::from_millis(0)))
}
