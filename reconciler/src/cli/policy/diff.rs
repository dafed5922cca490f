//! `hfi policy diff`.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use clap::Args;
use policies::{File, rendering::json::in_full};
use serde_json::Value;

use super::get::all;
use crate::{
    cli::{
        console::{DONE, NOT_RIGHT, WRONG_USE, error, print_styled, wrong_use},
        output::Output,
        policy_files::PolicyFiles,
        server::{ServerArgs, failed_to_compare},
        terminal::Terminal,
        unified::unified,
    },
    clock::now,
};

/// Compare policies in files with those of a server
///
/// Documents are compared by what they say, with their defaults: comments and the order of keys do not count. Ends
/// with 0 if all are the same, with 1 if one differs or is not on the server, with 2 or 3 if that cannot be said.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// A file, a directory, or `-` for stdin
    #[arg(short = 'f', long = "filename", required = true, value_name = "FILE|DIR|-")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    server: ServerArgs,
}

impl Diff {
    pub(super) async fn run(self) -> ExitCode {
        let Self { files, server } = self;
        let wanted = match read(&files) {
            Ok(wanted) => wanted,
            Err(code) => return code,
        };
        let client = match server.client().await {
            Ok(client) => client,
            Err(code) => return code,
        };
        let present = match all(&client).await {
            Ok(present) => present,
            Err(failure) => return failed_to_compare(&failure),
        };
        let present: BTreeMap<_, _> = present.iter().map(|document| (name(document), document)).collect();
        let terminal = Terminal::of_stdout();
        let mut code = DONE;
        for (file, document) in &wanted {
            let name = name(document);
            let before = present.get(name).map(|document| normal(document));
            let text = difference(name, file, before.as_ref(), document, terminal);
            if !text.is_empty() {
                code = NOT_RIGHT;
                print_styled(&text);
            }
        }
        ExitCode::from(code)
    }
}

/// The policies in files, each with its file. Tells of errors.
fn read(files: &[PathBuf]) -> Result<Vec<(String, Value)>, ExitCode> {
    let found = PolicyFiles::read_or_piped(files).map_err(wrong_use)?;
    let catalog = found.catalog(false, Some(now()));
    for problem in catalog.problems() {
        error(found.told(problem));
    }
    if !catalog.problems().is_empty() {
        return Err(ExitCode::from(WRONG_USE));
    }
    Ok(found.policies().map(|(file, policy)| (file.to_string(), in_full(policy))).collect())
}

fn name(document: &Value) -> &str {
    document.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

/// A document of a server as this program writes it.
fn normal(document: &Value) -> Value {
    let file = File::read(document.to_string().as_bytes());
    match file.policies() {
        [policy] => in_full(policy),
        // A newer server may have fields that are not known here.
        _ => document.clone(),
    }
}

/// The difference in the unified format; empty if there is none.
fn difference(name: &str, file: &str, before: Option<&Value>, after: &Value, terminal: Terminal) -> String {
    let yaml = |document: &Value| Output::Yaml.render(document, String::new);
    let (old, new) = (before.map(yaml), yaml(after));
    unified((&format!("policy/{name} of the server"), old.as_deref()), (file, Some(&new)), terminal)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{difference, normal};
    use crate::cli::{
        snapshots::{PIPE, text_is_as_in},
        terminal::Terminal,
    };

    #[test]
    fn a_difference_is_told_in_the_unified_format() {
        let rules = |status: u16| json!([{"fault": {"percentage": 5, "abort": {"httpStatus": status}}}]);
        let document =
            |status: u16| normal(&json!({"metadata": {"name": "a"}, "spec": {"rules": rules(status)}}));
        let (before, after) = (document(503), document(500));
        let plain = |before, after| difference("a", "p/a.yaml", before, after, Terminal::default());
        assert_eq!(plain(Some(&before), &before), "");
        let text = plain(Some(&before), &after);
        assert!(text.starts_with("--- policy/a of the server\n+++ p/a.yaml\n@@ "), "{text}");
        let changed: Vec<_> = text.lines().skip(3).filter(|line| line.starts_with(['+', '-'])).collect();
        assert!(changed.len() == 2 && changed[0].ends_with("httpStatus: 503"), "{text}");
        let new = plain(None, &after);
        assert!(new.starts_with("--- /dev/null\n") && !new.lines().skip(3).any(|line| line.starts_with('-')));
        let coloured =
            difference("a", "f", Some(&before), &after, Terminal { has_colours: true, width: None });
        assert!(coloured.contains("\u{1b}[32m+") && coloured.contains("\u{1b}[31m-"), "{coloured}");
    }
    #[test]
    fn a_difference_is_as_it_was_at_every_terminal() {
        let document = |rules: u16| {
            let rules = (0..rules).map(|rule| {
                let path = format!("/{rule}/{}\u{1b}[2J", "p".repeat(90));
                json!({"match": {"path": {"exact": path}}, "fault": {"percentage": 5, "abort": {"httpStatus": 503}}})
            });
            let rules: Vec<_> = rules.collect();
            normal(&json!({"metadata": {"name": "n".repeat(63)}, "spec": {"rules": rules}}))
        };
        let (name, one, two) = ("n".repeat(63), document(1), document(2));
        text_is_as_in("policy-diff.txt", |terminal| {
            difference(&name, "policies/n.yaml", Some(&one), &two, terminal)
                + &difference(&name, "policies/n.yaml", None, &one, terminal)
        });
        // Nothing of a long one is left out.
        let many = difference(&name, "f", None, &document(50), PIPE);
        assert_eq!(many.lines().filter(|line| line.contains("exact: ")).count(), 50, "{many}");
    }
}
