//! `hfi completions`: completion in shells, of policy names of the server too.
//!
//! The script of a shell calls `hfi` with the line so far, so what is completed is always what this program takes.

use std::{process::ExitCode, time::Duration};

use clap::{Args, CommandFactory as _, Parser, ValueEnum};
pub(crate) use clap_complete::engine::ArgValueCandidates;
use clap_complete::{CompleteEnv, engine::CompletionCandidate, env::Shells};
use tokio::{runtime::Runtime, time::timeout};

use super::{
    Cli,
    console::{DONE, error, print_styled},
    server::ServerArgs,
};
use crate::api::status::Status;

/// The variable by which the script of a shell asks.
const VARIABLE: &str = "HFI_COMPLETE";
/// The longest time that a key press waits for the server.
const PATIENCE: Duration = Duration::from_secs(1);

/// Print the script that completes commands, options and policy names in a shell
///
/// Names come from the server of HFI_SERVER. Read the script at the start of the shell, such as by
/// `source <(hfi completions bash)` in ~/.bashrc, so that it is of the same release as hfi.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    pub fn run(self) -> ExitCode {
        let name = match self.shell {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
        };
        let mut script = Vec::new();
        let shells = Shells::builtins();
        let written = shells
            .completer(name)
            .map(|shell| shell.write_registration(VARIABLE, "hfi", "hfi", "hfi", &mut script));
        match written {
            Some(Ok(())) => {
                print_styled(&String::from_utf8_lossy(&script));
                ExitCode::from(DONE)
            }
            Some(Err(_)) | None => {
                error(format_args!("there is no script for {name}"));
                ExitCode::FAILURE
            }
        }
    }
}

/// Answers the script of a shell, and ends the process, if that is why it was started.
pub fn answer_shell() {
    CompleteEnv::with_factory(Cli::command).var(VARIABLE).complete();
}

/// The names of the policies of the server that the environment names; none if it does not answer at once.
pub(crate) fn policy_names() -> Vec<CompletionCandidate> {
    let names = names().unwrap_or_default();
    names.into_iter().map(CompletionCandidate::new).collect()
}

#[derive(Parser)]
struct Environment {
    #[command(flatten)]
    server: ServerArgs,
}

fn names() -> Option<Vec<String>> {
    let client = Environment::try_parse_from(["hfi"]).ok()?.server.quiet_client()?;
    let runtime = Runtime::new().ok()?;
    let status = client.get::<Status>(&["v1", "policies", "status"], &[]);
    let status = runtime.block_on(async { timeout(PATIENCE, status).await }).ok()?.ok()?;
    Some(status.policies.into_iter().map(|policy| policy.name).collect())
}
