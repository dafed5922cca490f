//! `reconciler/REFERENCE.md`: its tables say what the program takes and serves.

use std::collections::BTreeSet;

use clap::{Arg, CommandFactory as _};
use reconciler::cli::Cli;
use serde_json::Value;

use crate::support::Server;

const REFERENCE: &str = include_str!("../../REFERENCE.md");

/// The cells of every row of a table that begins with this text.
fn rows(beginning: &str) -> Vec<Vec<String>> {
    let rows = REFERENCE.lines().filter(|line| line.starts_with(&format!("| `{beginning}")));
    rows.map(|row| {
        let cells = row.trim_matches('|').replace("\\|", "\0");
        cells.split('|').map(|cell| cell.trim().replace('\0', "|")).collect()
    })
    .collect()
}

/// An option as the table has it. That of `--repo` and `--dir` is in their help alone.
fn option(arg: &Arg) -> (String, String) {
    let help = arg.get_help().unwrap().to_string();
    let from_help = || Some(help.split_once("[env: ")?.1.split_once(']')?.0.to_owned());
    let variable = arg.get_env().map(|name| name.to_str().unwrap().to_owned()).or_else(from_help).unwrap();
    let value = match arg.get_value_names() {
        Some([name]) if arg.get_action().takes_values() => format!(" {name}"),
        _ => String::new(),
    };
    (format!("`--{}{value}`", arg.get_long().unwrap()), format!("`{variable}`"))
}

#[test]
fn every_option_is_there_with_its_variable_and_its_default() {
    let command = Cli::command();
    let serve = command.find_subcommand("serve").unwrap();
    let known: Vec<_> = serve.get_arguments().filter(|arg| arg.get_long() != Some("help")).collect();
    let table = rows("--");
    let listed: BTreeSet<_> = table.iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    assert_eq!(listed, known.iter().map(|arg| option(arg)).collect());
    assert_eq!(table.len(), known.len(), "an option is listed twice");
    for arg in known {
        let default = &table.iter().find(|row| row[0] == option(arg).0).unwrap()[3];
        let takes_value = arg.get_action().takes_values() && !arg.is_hide_default_value_set();
        match arg.get_default_values().first().filter(|_| takes_value) {
            Some(value) => assert_eq!(default, &format!("`{}`", value.to_str().unwrap())),
            None => {
                let literal = default.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
                let help = arg.get_help().unwrap().to_string();
                assert!(
                    literal.is_none_or(|text| help.contains(&format!("[default: {text}]"))),
                    "--{} has no default {default}",
                    arg.get_long().unwrap()
                );
            }
        }
    }
}

/// The document at `/openapi.json`, which tests of its own compare with the routes.
async fn document() -> Value {
    let folder = tempfile::tempdir().unwrap();
    Server::of_folder(folder.path()).await.json("/openapi.json").await
}

#[tokio::test]
async fn every_route_is_there() {
    let document = document().await;
    let paths = document["paths"].as_object().unwrap().iter();
    let served: BTreeSet<_> = paths
        .flat_map(|(path, operations)| {
            let methods = operations.as_object().unwrap().keys();
            methods.map(move |method| format!("`{} {path}`", method.to_uppercase()))
        })
        .collect();
    let listed: BTreeSet<_> =
        ["GET ", "POST ", "PUT ", "DELETE "].into_iter().flat_map(rows).map(|row| row[0].clone()).collect();
    assert_eq!(listed, served);
}

#[tokio::test]
async fn every_forge_is_there_with_the_header_that_proves_it() {
    let document = document().await;
    let parameters = document["paths"]["/v1/hooks/{forge}"]["post"]["parameters"].as_array().unwrap().clone();
    let of_kind = |kind: &str| {
        let parameters = parameters.clone().into_iter();
        parameters.filter(|parameter| parameter["in"] == kind).collect::<Vec<_>>()
    };
    let table: Vec<_> = REFERENCE
        .lines()
        .filter_map(|line| {
            let (_, rest) = line.split_once(" | `/v1/hooks/")?;
            let (forge, proof) = rest.split_once("` | `")?;
            Some((forge.to_owned(), proof.split([':', '`']).next()?.to_lowercase()))
        })
        .collect();
    let forges = of_kind("path")[0]["schema"]["enum"].as_array().unwrap().clone();
    assert_eq!(forges, table.iter().map(|(forge, _)| Value::from(forge.as_str())).collect::<Vec<_>>());
    let known = of_kind("header").into_iter();
    let known: BTreeSet<_> = known.map(|header| header["name"].as_str().unwrap().to_lowercase()).collect();
    assert_eq!(table.into_iter().map(|(_, proof)| proof).collect::<BTreeSet<_>>(), known);
}
