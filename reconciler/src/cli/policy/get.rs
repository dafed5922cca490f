//! `hfi policy get`.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::{
    list::{read, show},
    names::policy_name,
};
use crate::{
    cli::{
        completions::{ArgValueCandidates, policy_names},
        console::{DONE, NOT_RIGHT, error, next, print},
        listing::ListOutput,
        output::Output,
        server::{ServerArgs, failed},
    },
    client::{Client, Failure},
};

/// Show policies, or print them as documents
///
/// `-o yaml` and `-o json` print the documents, which `hfi validate` accepts. Without names, these are all valid
/// policies.
#[derive(Debug, Args)]
pub(super) struct Get {
    /// The names of policies
    #[arg(value_parser = policy_name, add = ArgValueCandidates::new(policy_names))]
    names: Vec<String>,

    /// The output format
    #[arg(short, long, default_value = "table")]
    output: ListOutput,

    #[command(flatten)]
    server: ServerArgs,
}

impl Get {
    /// Ends with 1 if a policy is not there.
    pub(super) async fn run(self) -> ExitCode {
        let Self { names, output, server } = self;
        let client = match server.client().await {
            Ok(client) => client,
            Err(code) => return code,
        };
        let shown = match output {
            ListOutput::Table | ListOutput::Wide | ListOutput::Name => rows(&client, &names, output).await,
            ListOutput::Json | ListOutput::Yaml => documents(&client, &names, output).await,
        };
        shown.unwrap_or_else(|failure| failed(&failure))
    }
}

async fn rows(client: &Client, names: &[String], output: ListOutput) -> Result<ExitCode, Failure> {
    let mut status = read(client).await?;
    let is_there = |name: &&String| status.policies.iter().any(|policy| &policy.name == *name);
    let missing: Vec<_> = names.iter().filter(|name| !is_there(name)).collect();
    status.policies.retain(|policy| names.is_empty() || names.contains(&policy.name));
    show(&status, output);
    for name in &missing {
        error(format_args!("there is no valid policy `{name}`"));
    }
    if !missing.is_empty() {
        next("`hfi policy list` shows every valid policy, and names the files with errors");
    }
    Ok(ExitCode::from(if missing.is_empty() { DONE } else { NOT_RIGHT }))
}

async fn documents(client: &Client, names: &[String], output: ListOutput) -> Result<ExitCode, Failure> {
    let (mut documents, mut code) = (Vec::new(), ExitCode::from(DONE));
    if names.is_empty() {
        documents = all(client).await?;
    }
    for name in names {
        match document(client, name).await {
            Ok(document) => documents.push(document),
            Err(failure) if failure.status() == Some(404) => code = failed(&failure),
            Err(failure) => return Err(failure),
        }
    }
    print(&written(&documents, output == ListOutput::Json, names.len() == 1));
    Ok(code)
}

/// The policy as a document.
pub(super) async fn document(client: &Client, name: &str) -> Result<Value, Failure> {
    client.get(&["v1", "policies", name], &[("all", "true")]).await
}

/// All valid policies as documents.
pub(super) async fn all(client: &Client) -> Result<Vec<Value>, Failure> {
    let mut list: Value = client.get(&["v1", "policies"], &[("all", "true")]).await?;
    Ok(list.get_mut("policies").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default())
}

/// An array of JSON, or one object if one policy was asked for; a stream of YAML documents.
fn written(documents: &[Value], json: bool, is_one: bool) -> String {
    match (documents, json) {
        (documents, false) => {
            let document = |document: &Value| Output::Yaml.render(document, String::new);
            documents.iter().map(document).collect::<Vec<_>>().join("---\n")
        }
        ([], true) if is_one => String::new(),
        ([document], true) if is_one => Output::Json.render(document, String::new),
        (documents, true) => Output::Json.render(&documents, String::new),
    }
}
