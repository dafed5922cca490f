//! `hfi completions`: completion in shells, of policy names of the server too.
//!
//! The script of a shell calls `hfi` with the line so far, so what is completed is always what this program takes.

use std::{ffi::OsString, process::ExitCode, time::Duration};

use clap::{Args, CommandFactory as _, FromArgMatches as _, ValueEnum};
pub(crate) use clap_complete::engine::ArgValueCandidates;
use clap_complete::{CompleteEnv, engine::CompletionCandidate, env::Shells};
use tokio::{runtime::Runtime, time::timeout};

use super::{
    Cli,
    console::{DONE, error, print_styled},
    server::ServerArgs,
    without_empty_variables,
};
use crate::api::status::{OWN, Status};

/// The variable by which the script of a shell asks.
const VARIABLE: &str = "HFI_COMPLETE";
/// The longest time that a key press waits for the server, and for what ends the way to it.
const PATIENCE: Duration = Duration::from_secs(2);
const FAREWELL: Duration = Duration::from_millis(100);

/// Print the script that completes commands, options and policy names in a shell
///
/// Names come from the server that the line names, or HFI_SERVER. Read the script at the start of the shell, such as by
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

/// The names of the policies of the server that the line or the environment names; none if it does not answer soon.
pub(crate) fn policy_names() -> Vec<CompletionCandidate> {
    let names = names().unwrap_or_default();
    names.into_iter().map(CompletionCandidate::new).collect()
}

fn names() -> Option<Vec<String>> {
    // The script of a shell gives the line behind a `--`.
    let line = std::env::args_os().skip_while(|word| word != "--").skip(1);
    let server = server(line)?;
    let status = async move {
        let client = server.quiet_client().await?;
        client.get::<Status>(&["v1", "policies", "status"], &OWN).await.ok()
    };
    let runtime = Runtime::new().ok()?;
    // On its own: what a kubeconfig asks other programs for stops its thread.
    let asked = runtime.spawn(status);
    let status = runtime.block_on(async { timeout(PATIENCE, asked).await });
    runtime.shutdown_timeout(FAREWELL);
    Some(status.ok()?.ok()??.policies.into_iter().map(|policy| policy.name).collect())
}

/// The options of a line, which need not be whole, by which the server is reached.
fn server(line: impl Iterator<Item = OsString>) -> Option<ServerArgs> {
    let command = without_empty_variables(Cli::command()).ignore_errors(true);
    let mut words: Vec<_> = line.collect();
    // The last one is not whole, and so may be no value of its argument.
    words.pop();
    let matches = command.try_get_matches_from(words).ok()?;
    let mut innermost = &matches;
    while let Some((_, matches)) = innermost.subcommand() {
        innermost = matches;
    }
    ServerArgs::from_arg_matches(innermost).ok()
}

#[cfg(test)]
mod tests {
    use super::server;

    #[test]
    fn the_server_of_a_line_is_known_before_it_is_whole() {
        let told = |line: &str| format!("{:?}", server(line.split(' ').map(Into::into)));
        for line in [
            "hfi policy get --server http://there ch",
            "hfi policy delete --server=http://there a",
            "hfi policy rollback --server http://there a --to",
            "hfi policy suspend a --server http://there ",
            "hfi policy describe --server http://there --tok",
        ] {
            assert!(told(line).contains(r#"server: "http://there""#), "{line}: {}", told(line));
        }
        let cluster = told("hfi policy get --kubernetes-service boifi/hfi --context test ch");
        assert!(cluster.contains(r#"name: "hfi""#) && cluster.contains(r#"Some("test")"#), "{cluster}");
    }
}
