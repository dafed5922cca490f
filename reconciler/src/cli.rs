//! The command line: parses arguments into checked values, and does nothing else.

pub mod console;
pub mod doctor;
pub mod explain;
mod git;
mod kubernetes;
pub mod output;
pub mod policy_files;
pub mod report;
mod tls;
pub mod validate;

use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf, time::Duration};

use clap::{
    Arg, ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand,
    builder::{FalseyValueParser, OsStringValueParser, TypedValueParser},
    error::ErrorKind,
};
use policies::language::Guardrail;

use crate::cli::{doctor::Doctor, explain::Explain, validate::Validate};
use crate::clients::Prefixes;
use crate::http::tls::CertificateFiles;
use crate::reference::Subject;
use crate::source::{
    Settings,
    location::{LocationError, Repository},
};
use crate::version;

/// Fault injection for an Istio mesh, kept in Git.
#[derive(Debug, Parser)]
#[command(name = "hfi", version = version::text())]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The arguments and the environment of this process. A variable that is set to an empty text counts as not
    /// set. Ends the process on wrong use.
    pub fn from_process() -> Self {
        let is_unset =
            |arg: &Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
        let unset = |arg: Arg| if is_unset(&arg) { arg.env(None::<&'static str>) } else { arg };
        let command = Self::command().mut_subcommand("serve", |serve| serve.mut_args(unset));
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow a policy repository, and serve its policies to the filters.
    Serve(Box<Serve>),
    Validate(Validate),
    Explain(Explain),
    Doctor(Doctor),
    /// Print the JSON Schema of policy documents, for editors.
    Schema,
    /// Print the reference of the policy language, of `hfi serve` or of the filter.
    Reference {
        /// The reference to print.
        #[arg(default_value = "policies")]
        subject: Subject,
    },
    /// Work on the clone of a repository, as a child process of `serve`.
    #[command(hide = true)]
    FetchForServe,
}

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
    kubernetes: kubernetes::KubernetesArgs,

    /// The log level, or `target=level` pairs.
    #[arg(long, env = "HFI_LOG", value_name = "FILTER", default_value = "info")]
    log: String,
}

/// Exactly one of the two. The environment is read only if neither is given, so that an option wins.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct SourceArgs {
    /// The Git repository with the policies: a URL (https, http, ssh, file), user@host:path, or a path [env: HFI_REPO]
    // As text: when a parser of clap's refuses a value it shows it, and this one may hold a secret.
    #[arg(long, value_name = "URL|PATH")]
    repo: Option<String>,

    /// A plain directory with the policies, watched for changes. Guardrails in the directories above bind it too: up to
    /// the root of its Git work tree, or see `hfi reference`, Guardrails [env: HFI_DIR]
    #[arg(long, value_name = "PATH")]
    dir: Option<PathBuf>,
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
            kubernetes,
            log,
        } = self;
        let tls =
            tls.resolve().map_err(|reason| wrong(ErrorKind::MissingRequiredArgument, reason.to_owned()))?;
        let kubernetes = kubernetes
            .resolve(tls.is_some())
            .map_err(|reason| wrong(ErrorKind::MissingRequiredArgument, reason.to_owned()))?;
        // A variable that is set to nothing is not set.
        let set = |path: &PathBuf| !path.as_os_str().is_empty();
        let (state_dir, halt_file) = (state_dir.filter(set), halt_file.filter(set));
        let hook_secret_file = hook_secret_file.filter(set);
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
                git::check(&repository, &access).map_err(|reason| wrong(reason.to_owned()))?;
                Settings::Git { repository, target, path, access: Box::new(access) }
            }
            Chosen::Dir(dir) => Settings::Dir(dir),
        };
        let guardrail = Guardrail { require_expiry, ..Guardrail::default() };
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
            kubernetes,
            log,
        })
    }
}

/// The chosen source, and the option or variable that chose it.
enum Chosen {
    Repository { option: &'static str, text: String },
    Dir(PathBuf),
}

impl SourceArgs {
    fn resolve(self, variable: impl Fn(&str) -> Option<String>) -> Result<Chosen, clap::Error> {
        match self {
            Self { repo: Some(text), .. } => return Ok(Chosen::Repository { option: "--repo", text }),
            Self { dir: Some(dir), .. } => return Ok(Chosen::Dir(dir)),
            Self { repo: None, dir: None } => {}
        }
        // A variable that is set to nothing is not set.
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        match (set("HFI_REPO"), set("HFI_DIR")) {
            (Some(_), Some(_)) => Err(wrong(
                ErrorKind::ArgumentConflict,
                "HFI_REPO and HFI_DIR are both set; unset one".to_owned(),
            )),
            (None, None) => Err(wrong(
                ErrorKind::MissingRequiredArgument,
                "give --repo (HFI_REPO) or --dir (HFI_DIR)".to_owned(),
            )),
            (None, Some(dir)) => Ok(Chosen::Dir(dir.into())),
            (Some(text), None) => Ok(Chosen::Repository { option: "HFI_REPO", text }),
        }
    }
}

/// A path. An empty one stands for a variable that is set to an empty text.
fn maybe_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
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

/// A duration within a range, which is said when it is not.
fn duration(text: &str, range: RangeInclusive<Duration>, said: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).ok().filter(|duration| range.contains(duration));
    duration.ok_or_else(|| format!("must be a time {said}, as a number with its unit"))
}

/// An address with its port.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "must be an IP address and a port, such as [::]:8080 or 127.0.0.1:8080")
}

/// A path within the repository, without leading and trailing slashes.
fn inner_path(text: &str) -> Result<PathBuf, String> {
    let path: PathBuf = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if path.components().any(|part| part == std::path::Component::ParentDir) {
        return Err("must stay within the repository".to_owned());
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, Command, ServeConfig};
    use crate::source::Settings;

    fn serve(arguments: &[&str]) -> Result<ServeConfig, String> {
        serve_with(arguments, &[])
    }

    fn serve_with(arguments: &[&str], variables: &[(&str, &str)]) -> Result<ServeConfig, String> {
        let arguments = ["hfi", "serve"].iter().chain(arguments);
        let cli = Cli::try_parse_from(arguments).map_err(|error| error.to_string())?;
        let Command::Serve(serve) = cli.command else { panic!("{cli:?}") };
        let variable = |name: &str| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        };
        serve.resolve(variable).map_err(|error| error.to_string())
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_an_empty_variable_is_none() {
        let from = |arguments: &[&str], variables: &[(&str, &str)]| {
            serve_with(arguments, variables).map(|config| config.source)
        };
        assert!(
            matches!(from(&["--dir", "a"], &[("HFI_REPO", "b")]), Ok(Settings::Dir(dir)) if dir.as_os_str() == "a")
        );
        assert!(matches!(from(&[], &[("HFI_REPO", ""), ("HFI_DIR", "b")]), Ok(Settings::Dir(_))));
        assert!(matches!(from(&[], &[("HFI_REPO", "b")]), Ok(Settings::Git { .. })));
        assert!(from(&[], &[("HFI_REPO", "a"), ("HFI_DIR", "b")]).unwrap_err().contains("both set"));
        assert!(from(&[], &[("HFI_REPO", "ftp://a")]).unwrap_err().contains("HFI_REPO has scheme `ftp`"));
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_repository_has_defaults_for_the_rest() {
        let config = serve(&["--repo", "/srv/p.git"]).unwrap();
        let Settings::Git { target, path, access, .. } = config.source else { panic!("{config:?}") };
        assert_eq!((target.label(), path.as_os_str().len()), ("main", 0));
        assert_eq!((access.timeout.as_secs(), access.known_hosts_file), (60, None));
        assert_eq!((config.interval.as_secs(), config.listen.port()), (30, 8080));
    }

    #[test]
    fn a_tag_or_a_commit_is_followed_instead_of_the_branch() {
        let followed = |arguments: &[&str]| match serve(&[&["--repo", "a"], arguments].concat()) {
            Ok(ServeConfig { source: Settings::Git { target, .. }, .. }) => target.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(followed(&[]), "branch `main`");
        assert_eq!(followed(&["--tag", "v1"]), "tag `v1`");
        assert_eq!(followed(&["--commit", &"A1".repeat(20)]), format!("commit {}", "a1".repeat(20)));
    }

    #[test]
    fn a_directory_takes_the_options_of_a_repository() {
        let config = serve(&["--dir", "p", "--branch", "x", "--path", "/a//b/"]).unwrap();
        assert!(matches!(config.source, Settings::Dir(dir) if dir.as_os_str() == "p"));
    }

    #[test]
    fn wrong_use_of_serve_shows_the_usage_of_serve() {
        for arguments in [&[][..], &["--repo", "a", "--dir", "b"], &["--repo", "ftp://a"], &["--nonsense"]] {
            let error = serve(arguments).unwrap_err();
            assert!(error.contains("Usage: hfi serve "), "{arguments:?}: {error}");
        }
    }

    #[test]
    fn wrong_use_says_what_is_wrong() {
        for (arguments, reason) in [
            (&[][..], "give --repo"),
            (&["--repo", "a", "--dir", "b"], "cannot be used with"),
            (&["--repo", "https://me:secret@git.example/p.git"], "holds credentials"),
            (&["--repo", "a", "--interval", "0s"], "from 1s to 1day"),
            (&["--repo", "a", "--path", "../b"], "within the repository"),
            (&["--repo", "a", "--branch", "a b"], "not a name that Git takes"),
            (&["--repo", "a", "--branch", "b", "--tag", "c"], "cannot be used with"),
            (&["--repo", "a", "--commit", "0123456"], "40 hexadecimal digits"),
            (&["--repo", "git@git.example:p.git"], "needs a key; give --ssh-key-file"),
            (&["--repo", "a", "--fetch-timeout", "0s"], "from 1s to 1h"),
            (&["--repo", "a", "--client-prefix", "33,64"], "such as 32,128"),
            (
                &["--repo", "a", "--interval", "5"],
                "must be a time from 1s to 1day, as a number with its unit",
            ),
            (&["--repo", "a", "--listen", "8080"], "must be an IP address and a port"),
            (&["--dir", "a", "--verify", "b"], "nobody signs a plain directory"),
            (&["--repo", "a", "--verify", ""], "value is required for '--verify"),
            (&["--repo", "a", "--tls-cert-file", "c"], "give --tls-key-file"),
            (&["--repo", "a", "--tls-key-file", "k"], "give --tls-cert-file"),
            (&["--repo", "a", "--proxies", "watch"], "give --kubernetes"),
            (&["--repo", "a", "--kubernetes", "--proxies", "all"], "must be one of: off, watch, heal"),
        ] {
            let error = serve(arguments).unwrap_err();
            assert!(error.contains(reason), "{arguments:?}: {error}");
            assert!(!error.contains("Usage: hfi <COMMAND>"), "{arguments:?}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
