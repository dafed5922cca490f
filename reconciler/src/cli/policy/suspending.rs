//! `hfi policy suspend` and `hfi policy resume`.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value};

use super::{
    changing::{Changing, Connected},
    names::policy_name,
};
use crate::{
    api::writes::Written,
    cli::{
        completions::{ArgValueCandidates, policy_names},
        console::DONE,
    },
    client::{
        Failure,
        writing::{Change, Condition},
    },
};

/// Take policies out of force and keep them, one commit for each
///
/// Ends at the first one that cannot be suspended. Goes on later where the server takes no more changes for now.
#[derive(Debug, Args)]
pub(super) struct Suspend {
    #[command(flatten)]
    which: Which,
}

/// Put suspended policies into force again, one commit for each
///
/// A duration begins anew. Ends at the first one that cannot be resumed.
#[derive(Debug, Args)]
pub(super) struct Resume {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
struct Which {
    /// The names of policies
    #[arg(required = true, value_parser = policy_name, add = ArgValueCandidates::new(policy_names))]
    names: Vec<String>,

    /// Write documents anew that cannot be edited in place
    #[arg(long)]
    rewrite: bool,

    #[command(flatten)]
    changing: Changing,
}

impl Suspend {
    pub(super) async fn run(self) -> ExitCode {
        self.which.set(true).await
    }
}

impl Resume {
    pub(super) async fn run(self) -> ExitCode {
        self.which.set(false).await
    }
}

impl Which {
    async fn set(self, suspend: bool) -> ExitCode {
        let Self { names, rewrite, changing } = self;
        let connected = match changing.connect_for(&names).await {
            Ok(connected) => connected,
            Err(code) => return code,
        };
        for name in &names {
            let written = set(&connected, name, suspend, rewrite).await;
            let is_done = written.is_ok();
            let code = connected.end(written);
            if !is_done {
                return code;
            }
        }
        ExitCode::from(DONE)
    }
}

/// Changes nothing but `spec.suspend`, of the policy as it is now.
async fn set(connected: &Connected, name: &str, suspend: bool, rewrite: bool) -> Result<Written, Failure> {
    let client = &connected.client;
    let (mut document, etag): (Map<String, Value>, _) =
        client.get_tagged(&["v1", "policies", name], &[("all", "true")]).await?;
    if let Some(Value::Object(spec)) = document.get_mut("spec") {
        if suspend {
            spec.insert("suspend".to_owned(), true.into());
        } else {
            spec.remove("suspend");
        }
    }
    let subject = format!("{} {name}", if suspend { "Suspend" } else { "Resume" });
    let mut query = connected.query();
    if connected.message.is_none() {
        query.push(("message", &subject));
    }
    if !suspend && !connected.restart {
        query.push(("restart", "true"));
    }
    if rewrite {
        query.push(("rewrite", "true"));
    }
    let body = Value::Object(document).to_string();
    let change = Change::Replace { name, if_it: Condition::Has(&etag), body: body.as_bytes() };
    connected.change(change, &query).await
}
