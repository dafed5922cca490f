//! The options for the other replicas.

use std::path::PathBuf;

use clap::Args;

use crate::{
    cli::values::maybe_path,
    peers::{self, name::PeerName},
};

#[derive(Debug, Args)]
pub(crate) struct PeerArgs {
    /// A DNS name that has the addresses of all replicas, such as that of a headless Service, and their port. May be
    /// given again; in the environment, commas separate several.
    #[arg(long, env = "HFI_PEERS", value_name = "NAME:PORT", value_delimiter = ',')]
    peers: Vec<String>,

    /// The file with the token by which replicas know each other, as a line: NAME TOKEN. Needed with --peers.
    #[arg(long, env = "HFI_PEER_TOKEN_FILE", value_name = "PATH", value_parser = maybe_path())]
    peer_token_file: Option<PathBuf>,

    /// The file with the certificates (PEM) of the only authorities trusted when replicas serve HTTPS, with --peers and
    /// with --kubernetes [default: the system's]
    #[arg(long, env = "HFI_PEER_CA_FILE", value_name = "FILE", value_parser = maybe_path())]
    peer_ca_file: Option<PathBuf>,
}

/// The way to the other replicas.
#[derive(Clone, Debug)]
pub struct PeerConfig {
    pub settings: peers::Settings,
    pub token_file: PathBuf,
}

impl PeerArgs {
    /// The only certificates that are trusted of replicas. Those of a cluster are asked without --peers, too.
    pub(crate) fn ca_file(&self, tls: bool, is_in_cluster: bool) -> Result<Option<PathBuf>, &'static str> {
        // A variable that is set to nothing is not set.
        let ca_file = self.peer_ca_file.clone().filter(|path| !path.as_os_str().is_empty());
        let has_peers = is_in_cluster || self.peers.iter().any(|name| !name.trim().is_empty());
        match ca_file {
            Some(_) if !has_peers => {
                Err("--peer-ca-file needs --peers (HFI_PEERS) or --kubernetes (HFI_KUBERNETES)")
            }
            Some(_) if !tls => Err("--peer-ca-file needs replicas that serve HTTPS; give --tls-cert-file \
                                    (HFI_TLS_CERT_FILE)"),
            ca_file => Ok(ca_file),
        }
    }

    /// Both the names and the token, or none.
    pub(crate) fn resolve(self, tls: bool, ca_file: Option<PathBuf>) -> Result<Option<PeerConfig>, String> {
        let Self { peers, peer_token_file, peer_ca_file: _ } = self;
        let token_file = peer_token_file.filter(|path| !path.as_os_str().is_empty());
        let names = peers.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
        let names = names
            .map(|name| name.parse::<PeerName>().map_err(|error| format!("--peers {error}, not `{name}`")));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        match (names.is_empty(), token_file) {
            (true, None) => Ok(None),
            (true, Some(_)) => {
                Err("--peer-token-file needs the name of all replicas; give --peers (HFI_PEERS)".to_owned())
            }
            (false, None) => {
                Err("--peers needs the token by which replicas know each other; give --peer-token-file \
                                  (HFI_PEER_TOKEN_FILE)"
                    .to_owned())
            }
            (false, Some(token_file)) => {
                Ok(Some(PeerConfig { settings: peers::Settings { names, tls, ca_file }, token_file }))
            }
        }
    }
}
