//! The command line: what was typed, and what it means. Acts on nothing.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{
    ArgAction, Args, CommandFactory as _, Parser, Subcommand, builder::FalseyValueParser, error::ErrorKind,
};
use policies::guardrail::Guardrail;

use crate::command::{explain::Explain, validate::Validate};
use crate::source::{Settings, location::Repository};

/// Fault injection for an Istio mesh, kept in Git.
#[derive(Debug, Parser)]
#[command(name = "hfi", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow a policy repository and serve it to the filters.
    Serve(Serve),
    Validate(Validate),
    Explain(Explain),
    /// Print the JSON Schema of policy documents, for editors.
    Schema,
    /// Print the reference of the policy language.
    Reference,
}

/// Every option can also be given as an environment variable.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    source: SourceArgs,

    /// The branch to follow.
    #[arg(long, env = "HFI_BRANCH", default_value = "main", value_parser = branch)]
    branch: String,

    /// The folder of the repository that holds the policies [default: all of it]
    #[arg(long, env = "HFI_PATH", value_name = "DIR", default_value = "", hide_default_value = true, value_parser = inner_path)]
    path: PathBuf,

    /// How often to look for changes that nothing announced; from 1s to 1day.
    #[arg(long, env = "HFI_INTERVAL", value_name = "DURATION", default_value = "30s", value_parser = interval)]
    interval: Duration,

    /// The address to serve HTTP on.
    #[arg(long, env = "HFI_LISTEN", value_name = "ADDR", default_value = "[::]:8080")]
    listen: SocketAddr,

    /// Refuse every policy without an end.
    #[arg(long, env = "HFI_REQUIRE_EXPIRY", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    require_expiry: bool,

    /// What to log: a level, or `target=level` pairs.
    #[arg(long, env = "HFI_LOG", value_name = "FILTER", default_value = "info")]
    log: String,
}

/// One of the two. Read from the environment only when neither is given, so that a flag wins.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct SourceArgs {
    /// The Git repository with the policies: a URL (http, https, file) or a path [env: HFI_REPO]
    #[arg(long, value_name = "URL|PATH")]
    repo: Option<Repository>,

    /// A plain folder with the policies, watched for changes [env: HFI_DIR]
    #[arg(long, value_name = "PATH")]
    dir: Option<PathBuf>,
}

/// What `hfi serve` is to do.
#[derive(Debug)]
pub struct ServeConfig {
    pub source: Settings,
    pub guardrail: Guardrail,
    pub interval: Duration,
    pub listen: SocketAddr,
    pub log: String,
}

impl Serve {
    /// What was typed, completed by the environment that `variable` reads.
    pub fn resolve(self, variable: impl Fn(&str) -> Option<String>) -> Result<ServeConfig, clap::Error> {
        let Self { source, branch, path, interval, listen, require_expiry, log } = self;
        let source = match source.resolve(variable)? {
            SourceArgs { repo: Some(repository), .. } => Settings::Git { repository, branch, path },
            SourceArgs { dir, .. } => Settings::Dir(dir.unwrap_or_default()),
        };
        let guardrail = Guardrail { require_expiry, ..Guardrail::default() };
        Ok(ServeConfig { source, guardrail, interval, listen, log })
    }
}

impl SourceArgs {
    fn resolve(self, variable: impl Fn(&str) -> Option<String>) -> Result<Self, clap::Error> {
        if self.repo.is_some() || self.dir.is_some() {
            return Ok(self);
        }
        let wrong = |kind, message: String| Cli::command().error(kind, message);
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
            (None, Some(dir)) => Ok(Self { repo: None, dir: Some(dir.into()) }),
            (Some(repo), None) => match repo.parse() {
                Ok(repo) => Ok(Self { repo: Some(repo), dir: None }),
                Err(error) => Err(wrong(ErrorKind::ValueValidation, format!("HFI_REPO {error}"))),
            },
        }
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let range = Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);
    if range.contains(&duration) { Ok(duration) } else { Err("must be from 1s to 1day".to_owned()) }
}

/// A name that can stand behind `refs/heads/` (git-check-ref-format, without its rarer rules: what
/// they forbid names no branch either).
fn branch(text: &str) -> Result<String, String> {
    let odd = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    if text.is_empty() || text.contains(odd) || text.contains("..") || text.starts_with('-') {
        return Err("is not the name of a branch".to_owned());
    }
    Ok(text.to_owned())
}

/// A path within the repository, without the slashes around it.
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
        let Settings::Git { branch, path, .. } = config.source else { panic!("{config:?}") };
        assert_eq!((branch.as_str(), path.as_os_str().len()), ("main", 0));
        assert_eq!((config.interval.as_secs(), config.listen.port()), (30, 8080));
    }

    #[test]
    fn a_folder_takes_the_options_of_a_repository() {
        let config = serve(&["--dir", "p", "--branch", "x", "--path", "/a//b/"]).unwrap();
        assert!(matches!(config.source, Settings::Dir(dir) if dir.as_os_str() == "p"));
    }

    #[test]
    fn wrong_use_says_what_is_wrong() {
        for (arguments, reason) in [
            (&[][..], "give --repo"),
            (&["--repo", "a", "--dir", "b"], "cannot be used with"),
            (&["--repo", "https://me:secret@git.example/p.git"], "holds credentials"),
            (&["--repo", "a", "--interval", "0s"], "from 1s to 1day"),
            (&["--repo", "a", "--path", "../b"], "within the repository"),
            (&["--repo", "a", "--branch", "a b"], "name of a branch"),
            (&["--repo", "a", "--listen", "8080"], "invalid"),
        ] {
            let error = serve(arguments).unwrap_err();
            assert!(error.contains(reason), "{arguments:?}: {error}");
        }
    }
}
