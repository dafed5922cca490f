//! The options of `hfi serve`, as checked settings.

mod git;
mod kubernetes;
mod peers;
mod people;
mod source;
#[cfg(test)]
mod tests;
mod tls;
mod writes;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{ArgAction, Args, CommandFactory as _, builder::FalseyValueParser, error::ErrorKind};
use policies::language::Guardrail;

use self::source::{Chosen, SourceArgs};
pub use self::{peers::PeerConfig, people::PeopleConfig, writes::WriteConfig};
use super::{
    Cli,
    values::{address, duration, inner_path, maybe_path},
};
use crate::clients::Prefixes;
use crate::http::tls::CertificateFiles;
use crate::source::{
    Settings,
    location::{LocationError, Repository},
};

/// Every option can also be given as an environment variable.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    git: git::GitArgs,

    /// The directory of the repository that holds the policies [default: the whole repository]
    #[arg(long, env = "HFI_PATH", value_name = "DIR", default_value = "", hide_default_value = true, value_parser = inner_path)]
    path: PathBuf,

    /// The time between two reads of the source without a notification, from 1s to 1day.
    #[arg(long, env = "HFI_INTERVAL", value_name = "DURATION", default_value = "30s", value_parser = interval)]
    interval: Duration,

    /// The address to serve HTTP on.
    #[arg(long, env = "HFI_LISTEN", value_name = "ADDR", default_value = "[::]:8080", value_parser = address)]
    listen: SocketAddr,

    #[command(flatten)]
    tls: tls::TlsArgs,

    /// The lengths of the prefixes of IPv4 and IPv6 addresses that count as one client, when clients have to share.
    #[arg(long, env = "HFI_CLIENT_PREFIX", value_name = "V4,V6", default_value = "32,128")]
    client_prefix: Prefixes,

    /// A directory for state that outlives the process: a start without Git then serves the last good commit.
    #[arg(long, env = "HFI_STATE_DIR", value_name = "DIR")]
    state_dir: Option<PathBuf>,

    /// While this file exists every snapshot is empty, Git or not.
    #[arg(long, env = "HFI_HALT_FILE", value_name = "PATH")]
    halt_file: Option<PathBuf>,

    /// Refuse every policy without an end.
    #[arg(long, env = "HFI_REQUIRE_EXPIRY", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    require_expiry: bool,

    /// The file with the secrets of push notifications, one a line. Without it there are no notifications.
    #[arg(long, env = "HFI_HOOK_SECRET_FILE", value_name = "PATH", value_parser = maybe_path())]
    hook_secret_file: Option<PathBuf>,

    /// The filter module to serve at /filter.wasm. Further modules, such as its predecessor, are served by their
    /// SHA-256 only. In the environment, commas separate them.
    #[arg(long = "filter", env = "HFI_FILTER", value_name = "PATH", value_delimiter = ',', value_parser = maybe_path())]
    filters: Vec<PathBuf>,

    #[command(flatten)]
    writes: writes::WriteArgs,

    /// The file with the tokens of those who may stop everything by HTTP, one a line: NAME TOKEN. They never resume.
    #[arg(long, env = "HFI_HALT_TOKEN_FILE", value_name = "PATH", value_parser = maybe_path())]
    halt_token_file: Option<PathBuf>,

    #[command(flatten)]
    people: people::PeopleArgs,

    #[command(flatten)]
    peers: peers::PeerArgs,

    #[command(flatten)]
    kubernetes: kubernetes::KubernetesArgs,

    /// The log level, or `target=level` pairs.
    #[arg(long, env = "HFI_LOG", value_name = "FILTER", default_value = "info")]
    log: String,
}

/// The settings of `hfi serve`, checked.
#[derive(Debug)]
pub struct ServeConfig {
    pub source: Settings,
    pub guardrail: Guardrail,
    pub interval: Duration,
    pub listen: SocketAddr,
    pub tls: Option<CertificateFiles>,
    pub clients: Prefixes,
    pub state_dir: Option<PathBuf>,
    pub halt_file: Option<PathBuf>,
    pub hook_secret_file: Option<PathBuf>,
    /// Filter modules, the newest first.
    pub filters: Vec<PathBuf>,
    /// Absent where nobody may change policies by HTTP.
    pub writes: Option<WriteConfig>,
    pub halt_token_file: Option<PathBuf>,
    pub people: PeopleConfig,
    /// Absent where this replica asks no others.
    pub peers: Option<PeerConfig>,
    /// Absent without the cluster.
    pub kubernetes: Option<crate::kubernetes::Settings>,
    pub log: String,
}

impl Serve {
    /// Checks the arguments, completed from the environment that `variable` reads.
    pub fn resolve(self, variable: impl Fn(&str) -> Option<String>) -> Result<ServeConfig, clap::Error> {
        // Every field is named, so that a new option cannot be forgotten here.
        let Self {
            source,
            git,
            path,
            interval,
            listen,
            tls,
            client_prefix,
            state_dir,
            halt_file,
            require_expiry,
            hook_secret_file,
            filters,
            writes,
            halt_token_file,
            people,
            peers,
            kubernetes,
            log,
        } = self;
        let tls =
            tls.resolve().map_err(|reason| wrong(ErrorKind::MissingRequiredArgument, reason.to_owned()))?;
        let missing = |reason: &str| wrong(ErrorKind::MissingRequiredArgument, reason.to_owned());
        let ca_file = peers.ca_file(tls.is_some(), kubernetes.is_on()).map_err(missing)?;
        let kubernetes =
            kubernetes.resolve(tls.is_some(), ca_file.clone()).map_err(|reason| missing(&reason))?;
        let people = people.resolve().map_err(|reason| wrong(ErrorKind::ValueValidation, reason))?;
        let peers = peers.resolve(tls.is_some(), ca_file).map_err(|reason| missing(&reason))?;
        // A variable that is set to nothing is not set.
        let set = |path: &PathBuf| !path.as_os_str().is_empty();
        let (state_dir, halt_file) = (state_dir.filter(set), halt_file.filter(set));
        let hook_secret_file = hook_secret_file.filter(set);
        let halt_token_file = halt_token_file.filter(set);
        let filters = filters.into_iter().filter(set).collect();
        let (target, access) = git.resolve();
        let source = match source.resolve(variable)? {
            Chosen::Dir(_) if access.signers.is_some() => {
                let why = "--verify (HFI_VERIFY) needs a repository, --repo: nobody signs a plain directory";
                return Err(wrong(ErrorKind::ArgumentConflict, why.to_owned()));
            }
            Chosen::Repository { option, text } => {
                let wrong = |reason| wrong(ErrorKind::ValueValidation, format!("{option} {reason}"));
                let repository: Repository =
                    text.parse().map_err(|error: LocationError| wrong(error.to_string()))?;
                git::check(&repository, &access).map_err(wrong)?;
                Settings::Git { repository, target, path, access: Box::new(access) }
            }
            Chosen::Dir(dir) => Settings::Dir(dir),
        };
        let wants_artifacts = kubernetes.as_ref().is_some_and(|settings| settings.artifacts.is_some());
        if wants_artifacts && matches!(source, Settings::Dir(_)) {
            let why = "--istio-artifacts (HFI_ISTIO_ARTIFACTS) needs a repository, --repo: commits say when and why \
                       something goes";
            return Err(wrong(ErrorKind::ArgumentConflict, why.to_owned()));
        }
        let guardrail = Guardrail { require_expiry, ..Guardrail::default() };
        let writes = writes.resolve(&source, &guardrail);
        let writes = writes.map_err(|reason| wrong(ErrorKind::ArgumentConflict, reason))?;
        Ok(ServeConfig {
            source,
            guardrail,
            interval,
            listen,
            tls,
            clients: client_prefix,
            state_dir,
            halt_file,
            hook_secret_file,
            filters,
            writes,
            halt_token_file,
            people,
            peers,
            kubernetes,
            log,
        })
    }
}

/// Wrong use of `hfi serve`, with the usage of just that command.
fn wrong(kind: ErrorKind, message: String) -> clap::Error {
    let mut cli = Cli::command();
    // Only then a command knows the name that it is called by.
    cli.build();
    match cli.find_subcommand_mut("serve") {
        Some(serve) => serve.error(kind, message),
        None => cli.error(kind, message),
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60), "from 1s to 1day")
}
