//! The options for a running server.

mod cluster;
mod failure;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;

pub(crate) use self::{
    cluster::{no_way, object_name},
    failure::{AGAIN, failed, failed_as_told, failed_change, failed_to_compare, tell_missing},
};
use super::console;
use crate::{
    client::{
        Client, Failure, Token, Way,
        address::ServerUrlError,
        exchange::{LONGEST, Settings},
    },
    kubernetes::forwarding::{ForwardError, ObjectName},
};

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

    /// Reach the Service of hfi in a cluster, by port-forward with your kubeconfig. Takes the place of --server
    #[arg(long, value_name = "[NS/]NAME", value_parser = object_name)]
    kubernetes_service: Option<ObjectName>,

    /// The context of the kubeconfig [default: its current one]
    #[arg(long, value_name = "NAME", requires = "kubernetes_service")]
    context: Option<String>,

    /// Ask the cluster for a token of this service account. Takes the place of --token-file
    #[arg(long, value_name = "[NS/]NAME", requires = "kubernetes_service", value_parser = object_name)]
    service_account: Option<ObjectName>,
}

/// The reason why there is no client.
#[derive(Debug)]
enum NoClient {
    Way(ForwardError),
    Url(ServerUrlError),
    Failure(Failure),
}

impl ServerArgs {
    /// A client of the server, or the exit code of what is wrong.
    pub(crate) async fn client(self) -> Result<Client, ExitCode> {
        self.connected().await.map_err(NoClient::told)
    }

    /// A client of the server, without a word about what is wrong.
    pub(crate) async fn quiet_client(self) -> Option<Client> {
        self.connected().await.ok()
    }

    async fn connected(self) -> Result<Client, NoClient> {
        let Self { server, token_file, ca_file, insecure_token, kubernetes_service, .. } = self;
        let (server, way, granted) = match kubernetes_service {
            Some(service) => {
                let (way, token) = cluster::reach(service, self.context, self.service_account).await?;
                (way.url().to_owned(), Some(Arc::new(way) as Arc<dyn Way>), token)
            }
            None => (server, None, None),
        };
        let server = server.parse()?;
        let token = match granted {
            Some(token) => Some(token),
            None => token_file.as_deref().map(Token::of_file).transpose().map_err(Failure::from)?,
        };
        let (replica, longest) = (None, LONGEST);
        Ok(Client::new(Settings { server, token, ca_file, insecure_token, way, replica, longest })?)
    }
}

impl NoClient {
    /// Reports the reason, with the next step.
    fn told(self) -> ExitCode {
        match self {
            Self::Way(why) => cluster::no_way(&why),
            Self::Url(reason) => console::wrong_use(format_args!("--server (HFI_SERVER) {reason}")),
            Self::Failure(failure) => failed(&failure),
        }
    }
}

impl From<ForwardError> for NoClient {
    fn from(why: ForwardError) -> Self {
        Self::Way(why)
    }
}

impl From<ServerUrlError> for NoClient {
    fn from(reason: ServerUrlError) -> Self {
        Self::Url(reason)
    }
}

impl From<Failure> for NoClient {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}
