//! The options for a running server, and what its failures end with.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use super::console::{self, NOT_RIGHT, UNREACHABLE, WRONG_USE, error};
use crate::client::{Client, Failure, exchange::Settings};

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// The URL of the server
    // As text: when a parser of clap's refuses a value it shows it, and this one may hold a password.
    #[arg(
        long,
        env = "HFI_SERVER",
        value_name = "URL",
        default_value = "http://localhost:8080",
        hide_env_values = true
    )]
    server: String,

    /// The file with the token that the server asks for
    #[arg(long, env = "HFI_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// The file with the certificates (PEM) of the only authorities trusted for HTTPS [default: the system's]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Send the token over plain http to other machines too, where others can read it
    #[arg(long)]
    insecure_token: bool,
}

impl ServerArgs {
    /// A client of the server, or the exit code of what is wrong with the options.
    pub(crate) fn client(self) -> Result<Client, ExitCode> {
        let Self { server, token_file, ca_file, insecure_token } = self;
        let server = server
            .parse()
            .map_err(|reason| console::wrong_use(format_args!("--server (HFI_SERVER) {reason}")))?;
        Client::new(Settings { server, token_file, ca_file, insecure_token }).map_err(|why| failed(&why))
    }
}

/// Reports a failure, with the next step.
pub(crate) fn failed(failure: &Failure) -> ExitCode {
    error(failure);
    console::next(next(failure));
    ExitCode::from(exit_code(failure))
}

fn exit_code(failure: &Failure) -> u8 {
    match failure {
        Failure::Token(_) | Failure::Exposed { .. } | Failure::Setup { .. } => WRONG_USE,
        Failure::Unreachable { .. } | Failure::Redirected { .. } | Failure::Foreign { .. } => UNREACHABLE,
        Failure::Refused { status, .. } => match status {
            400 | 415 => WRONG_USE,
            429 | 500.. => UNREACHABLE,
            _ => NOT_RIGHT,
        },
    }
}

fn next(failure: &Failure) -> String {
    match failure {
        Failure::Token(_) => {
            "write the token alone into the file of --token-file (HFI_TOKEN_FILE)".to_owned()
        }
        Failure::Exposed { .. } => {
            "give an https URL with --server, or --insecure-token if nobody listens on the way".to_owned()
        }
        Failure::Setup { .. } => "correct --server, --ca-file or the proxy of the environment".to_owned(),
        Failure::Unreachable { .. } => {
            "name the server with --server (HFI_SERVER); GET /v1/health answers where one runs".to_owned()
        }
        Failure::Redirected { .. } => "give --server the URL that answers by itself".to_owned(),
        Failure::Foreign { .. } => "check that --server (HFI_SERVER) leads to hfi, with its path".to_owned(),
        Failure::Refused { status, retry_after, .. } => refused(*status, *retry_after),
    }
}

fn refused(status: u16, retry_after: Option<u64>) -> String {
    match (status, retry_after) {
        (401, _) => "give a token that the server knows with --token-file (HFI_TOKEN_FILE)".to_owned(),
        (403, _) => "use a token with this right".to_owned(),
        (404, _) => "`hfi policy list` shows every valid policy, and names the files with errors".to_owned(),
        (429 | 500.., Some(seconds)) => format!("try again in {seconds} s"),
        (429 | 500.., None) => "try again; the log of the server may say more".to_owned(),
        _ => "correct the request".to_owned(),
    }
}
