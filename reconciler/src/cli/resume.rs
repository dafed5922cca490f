//! `hfi resume`: ends what `hfi halt` began.

use std::{
    io::{IsTerminal as _, Write as _, stderr, stdin},
    process::ExitCode,
};

use clap::Args;

use super::{
    console::{DONE, NOT_RIGHT, error, next, print, warning, wrong_use},
    policy::returning,
    server::{ServerArgs, failed, failed_change},
};
use crate::{
    api::{
        halts::HaltState,
        status::{OWN, Status},
    },
    client::{Client, Failure},
};

/// End the halt of everything, after a look at what comes into force again
#[derive(Debug, Args)]
pub struct Resume {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    server: ServerArgs,
}

impl Resume {
    pub async fn run(self) -> ExitCode {
        let Self { yes, server } = self;
        let client = match server.client().await {
            Ok(client) => client,
            Err(code) => return code,
        };
        resume(&client, yes).await.unwrap_or_else(|failure| failed(&failure))
    }
}

async fn resume(client: &Client, yes: bool) -> Result<ExitCode, Failure> {
    let state: HaltState = client.get(&["v1", "halt"], &[]).await?;
    if !state.halted && !state.replicas.iter().any(|replica| replica.halted) {
        print(&nothing(&state));
        return Ok(ExitCode::from(DONE));
    }
    let status: Status = client.get(&["v1", "policies", "status"], &OWN).await?;
    // What halts everything, and stays, keeps all of them out of force.
    let count = if state.standing.is_empty() { returning(&status) } else { 0 };
    stays(&state);
    if !yes && !stdin().is_terminal() {
        return Ok(wrong_use("nobody is asked where stdin is no terminal; add --yes if that is meant"));
    }
    if !yes && !is_confirmed(count) {
        error("not resumed: everything stays halted");
        next("`hfi resume` asks again; --yes does not ask");
        return Ok(ExitCode::from(NOT_RIGHT));
    }
    let state = match client.resume().await {
        Ok(state) => state,
        Err(failure) => return Ok(refused(&failure)),
    };
    if state.halted {
        error("the halt is ended, and something else still halts everything");
        stays(&state);
        next("end it where it stands");
        return Ok(ExitCode::from(NOT_RIGHT));
    }
    print(&format!("resumed; policies that come into force again: {count}\n"));
    for replica in state.replicas.iter().filter(|replica| replica.halted) {
        warning(format_args!(
            "replica {} is still halted; it goes on when it has read the commit, unless it has a halt file of its own: \
             GET /v1/halt there says which",
            replica.name
        ));
    }
    Ok(ExitCode::from(DONE))
}

/// The answer where nothing is halted. Without peers it is that of one replica, and behind a load balancer another one may
/// be halted.
fn nothing(state: &HaltState) -> String {
    match state.replicas.first().filter(|replica| state.complete.is_none() && !replica.name.is_empty()) {
        Some(replica) => format!("nothing is halted at replica {}\n", replica.name),
        None => "nothing is halted\n".to_owned(),
    }
}

/// Tells why nothing was resumed, or that it is not known.
fn refused(failure: &Failure) -> ExitCode {
    if failure.status() == Some(405) {
        error(failure);
        next("end the halt where it stands, as GET /v1/halt shows it");
        return ExitCode::from(NOT_RIGHT);
    }
    failed_change(failure, "run `hfi resume` again: it says if something is still halted")
}

/// Warns of what this command cannot end.
fn stays(state: &HaltState) {
    for place in &state.standing {
        warning(format_args!("this halt stays, and is to be ended where it stands: {place}"));
    }
}

/// Asks the user at the terminal.
fn is_confirmed(count: usize) -> bool {
    let asked =
        write!(stderr(), "Put {count} policies into force again? [y/N] ").and_then(|()| stderr().flush());
    let mut answer = String::new();
    asked.is_ok()
        && stdin().read_line(&mut answer).is_ok()
        && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
