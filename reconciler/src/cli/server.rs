//! The options for a running server.

mod failure;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

pub(crate) use self::failure::{failed, failed_as_told};
use super::console;
use crate::client::{Client, Token, exchange::Settings};

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
        let wrong = |reason| console::wrong_use(format_args!("--server (HFI_SERVER) {reason}"));
        let server = server.parse().map_err(wrong)?;
        let token = token_file.as_deref().map(Token::of_file).transpose();
        let token = token.map_err(|error| failed(&error.into()))?;
        Client::new(Settings { server, token, ca_file, insecure_token }).map_err(|why| failed(&why))
    }

    /// The same, without a word about what is wrong.
    pub(crate) fn quiet_client(self) -> Option<Client> {
        let Self { server, token_file, ca_file, insecure_token } = self;
        let token = token_file.as_deref().map(Token::of_file).transpose().ok()?;
        Client::new(Settings { server: server.parse().ok()?, token, ca_file, insecure_token }).ok()
    }
}
