//! The options for changes by HTTP.

use std::path::PathBuf;

use clap::Args;
use policies::language::Guardrail;

use super::git;
use crate::{
    cli::values::maybe_path,
    source::{
        Settings,
        access::{Login, LoginOptions},
        location::LocationError,
        target::{RefName, Target},
        writing::{Author, BranchName, WriterSettings},
    },
    writes::{self, settings::BranchPattern},
};

/// The token file, which switches changes on.
const TOKENS: &str = "--write-token-file (HFI_WRITE_TOKEN_FILE)";

#[derive(Debug, Args)]
pub(crate) struct WriteArgs {
    /// The file with the tokens of those who may change policies by HTTP, one a line: NAME TOKEN [RIGHT…]. Without it
    /// nobody may.
    #[arg(long, env = "HFI_WRITE_TOKEN_FILE", value_name = "PATH", value_parser = maybe_path())]
    write_token_file: Option<PathBuf>,

    /// The repository to push to, if it is not the one of --repo.
    // As text: when a parser of clap's refuses a value it shows it, and this one may hold a secret.
    #[arg(long, env = "HFI_PUSH_URL", value_name = "URL|PATH")]
    push_url: Option<String>,

    /// The file with the password or token to push with, if it is not the one to fetch with.
    #[arg(long, env = "HFI_PUSH_PASSWORD_FILE", value_name = "FILE", value_parser = maybe_path())]
    push_password_file: Option<PathBuf>,

    /// The file with the private SSH key to push with, if it is not the one to fetch with.
    #[arg(long, env = "HFI_PUSH_SSH_KEY_FILE", value_name = "FILE", value_parser = maybe_path())]
    push_ssh_key_file: Option<PathBuf>,

    /// The author of all commits, as NAME <EMAIL> [default: the user of the token]
    #[arg(long, env = "HFI_GIT_AUTHOR", value_name = "AUTHOR")]
    git_author: Option<String>,

    /// The file with the private SSH key that signs commits. Needed with --verify.
    #[arg(long, env = "HFI_SIGNING_KEY_FILE", value_name = "FILE", value_parser = maybe_path())]
    signing_key_file: Option<PathBuf>,

    /// Push each change to a new branch of this name, such as hfi/{user}/{name}-{id}, instead of to the served one.
    #[arg(long, env = "HFI_WRITE_BRANCH", value_name = "PATTERN")]
    write_branch: Option<String>,

    /// The changes of a user in a second, above 20 at once. From 1 to 10000.
    #[arg(long, env = "HFI_WRITE_RATE", value_name = "NUMBER", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    write_rate: u32,
}

/// The settings of changes by HTTP, checked as far as that needs no file.
#[derive(Clone, Debug)]
pub struct WriteConfig {
    pub token_file: PathBuf,
    pub settings: writes::settings::Settings,
    /// Read when the server starts.
    pub signing_key_file: Option<PathBuf>,
    pub rate: u32,
}

impl WriteArgs {
    /// Checks the options beside the source; `None` if changes are off.
    pub(crate) fn resolve(
        self,
        source: &Settings,
        server: &Guardrail,
    ) -> Result<Option<WriteConfig>, String> {
        let Self {
            write_token_file,
            push_url,
            push_password_file,
            push_ssh_key_file,
            git_author,
            signing_key_file,
            write_branch,
            write_rate,
        } = self;
        // A variable that is set to nothing is not set.
        let path = |path: Option<PathBuf>| path.filter(|path| !path.as_os_str().is_empty());
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (tokens, password) = (path(write_token_file), path(push_password_file));
        let (ssh_key, signing_key_file) = (path(push_ssh_key_file), path(signing_key_file));
        let (push_url, author, pattern) = (text(push_url), text(git_author), text(write_branch));
        let others = [
            ("--push-url", push_url.is_some()),
            ("--push-password-file", password.is_some()),
            ("--push-ssh-key-file", ssh_key.is_some()),
            ("--git-author", author.is_some()),
            ("--signing-key-file", signing_key_file.is_some()),
            ("--write-branch", pattern.is_some()),
        ];
        let first = others.iter().find(|(_, is_given)| *is_given).map(|(option, _)| *option);
        let Some(token_file) = tokens else {
            return first.map_or(Ok(None), |option| Err(format!("{option} needs {TOKENS}")));
        };
        let Settings::Git { repository, target, path, access } = source else {
            return Err(format!("{TOKENS} needs a repository, --repo: changes are commits"));
        };
        let Target::Branch(branch) = target else {
            return Err(format!("{TOKENS} needs a branch, --branch: {target} takes no commits"));
        };
        let mut access = (**access).clone();
        let repository = match push_url {
            Some(url) => {
                // It may be another server, which must not get the password of the first.
                access.login = Login { username: access.login.username, ..Login::default() };
                url.parse().map_err(|error| match error {
                    LocationError::Credentials => {
                        "--push-url holds credentials; leave them out, and give the password as a file with \
                         --push-password-file"
                            .to_owned()
                    }
                    error => format!("--push-url {error}"),
                })?
            }
            None => repository.clone(),
        };
        access.login.options = LoginOptions::OfPush;
        access.login.password_file = password.or(access.login.password_file);
        access.login.ssh_key_file = ssh_key.or(access.login.ssh_key_file);
        git::check(&repository, &access).map_err(|reason| format!("--push-url {reason}"))?;
        if access.signers.is_some() && signing_key_file.is_none() {
            return Err(
                "--verify together with changes needs --signing-key-file (HFI_SIGNING_KEY_FILE): unsigned \
                        commits are not served"
                    .to_owned(),
            );
        }
        let author = author.map(|author| author.parse::<Author>()).transpose();
        let author = author.map_err(|error| format!("--git-author {error}"))?;
        let write_branch = pattern.map(|pattern| checked_pattern(&pattern, branch)).transpose()?;
        let writer = WriterSettings {
            repository,
            branch: branch.clone(),
            path: path.clone(),
            access,
            signing_key: None,
        };
        let settings = writes::settings::Settings { writer, author, write_branch, server: server.clone() };
        Ok(Some(WriteConfig { token_file, settings, signing_key_file, rate: write_rate }))
    }
}

/// A pattern none of whose branches is the served one.
fn checked_pattern(text: &str, served: &RefName) -> Result<BranchPattern, String> {
    let pattern: BranchPattern = text.parse().map_err(|error| format!("--write-branch {error}"))?;
    if pattern.can_yield(served.as_str()) {
        return Err(format!(
            "--write-branch can be the served branch, `{}`; choose another",
            served.as_str()
        ));
    }
    let example = pattern.name("user", "name", "0123456789abcdef");
    BranchName::new(&example, served).map_err(|error| format!("--write-branch {error}"))?;
    Ok(pattern)
}
