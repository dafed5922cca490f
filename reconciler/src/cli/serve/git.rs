//! The options for Git: the followed ref, and the access to the server.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::cli::values::duration;
use crate::source::{
    access::{Access, Login},
    location::{Repository, Transport},
    signers::Signers,
    target::{CommitId, RefName, Target},
};

/// The longest time that can be given to a fetch.
const LONGEST_FETCH: Duration = Duration::from_secs(60 * 60);

#[derive(Debug, Args)]
pub(crate) struct GitArgs {
    /// The branch to follow.
    #[arg(long, env = "HFI_BRANCH", value_name = "NAME", default_value = "main")]
    branch: RefName,

    /// The tag to follow instead of a branch. A moved tag is followed.
    #[arg(long, env = "HFI_TAG", value_name = "NAME", conflicts_with = "branch")]
    tag: Option<RefName>,

    /// The commit to serve instead of a branch, as its full id. A branch or tag must lead to it.
    #[arg(long, env = "HFI_COMMIT", value_name = "SHA", conflicts_with_all = ["branch", "tag"])]
    commit: Option<CommitId>,

    /// The user name for the Git server, if the URL has none [default: git]
    #[arg(long, env = "HFI_GIT_USERNAME", value_name = "NAME")]
    git_username: Option<String>,

    /// The file with the password or token for an HTTP server, or the passphrase of the SSH key.
    #[arg(long, env = "HFI_GIT_PASSWORD_FILE", value_name = "FILE")]
    git_password_file: Option<PathBuf>,

    /// The file with the private key for an SSH server.
    #[arg(long, env = "HFI_SSH_KEY_FILE", value_name = "FILE")]
    ssh_key_file: Option<PathBuf>,

    /// The file with the accepted keys of SSH servers [default: ~/.ssh/known_hosts]
    #[arg(long, env = "HFI_SSH_KNOWN_HOSTS_FILE", value_name = "FILE")]
    ssh_known_hosts_file: Option<PathBuf>,

    /// The file with the certificates (PEM) of the only authorities trusted for HTTPS [default: the system's]
    #[arg(long, env = "HFI_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// The directory with the public keys (SSH, OpenPGP) of trusted signers. One of them must have signed the commit.
    #[arg(long, env = "HFI_VERIFY", value_name = "DIR")]
    verify: Option<PathBuf>,

    /// The longest time for a fetch, for the first reading of a commit, and for a long history, from 1s to 1h.
    #[arg(long, env = "HFI_FETCH_TIMEOUT", value_name = "DURATION", default_value = "60s", value_parser = timeout)]
    fetch_timeout: Duration,
}

impl GitArgs {
    pub(crate) fn resolve(self) -> (Target, Access) {
        let Self {
            branch,
            tag,
            commit,
            git_username,
            git_password_file,
            ssh_key_file,
            ssh_known_hosts_file,
            ca_file,
            verify,
            fetch_timeout,
        } = self;
        let target = match (commit, tag) {
            (Some(id), _) => Target::Commit(id),
            (None, Some(name)) => Target::Tag(name),
            (None, None) => Target::Branch(branch),
        };
        let username = git_username.filter(|name| !name.is_empty());
        let access = Access {
            login: Login { username, password_file: git_password_file, ssh_key_file, ..Login::default() },
            ca_file,
            known_hosts_file: ssh_known_hosts_file,
            signers: verify.map(Signers::new),
            timeout: fetch_timeout,
            ..Access::default()
        };
        (target, access)
    }
}

/// The missing option for this repository, if there is one.
pub(crate) fn check(repository: &Repository, access: &Access) -> Result<(), String> {
    if repository.transport() == Some(Transport::Ssh) && access.login.ssh_key_file.is_none() {
        let option = access.login.options.ssh_key_file();
        let variable = option.trim_start_matches('-').replace('-', "_").to_uppercase();
        return Err(format!("goes over SSH, which needs a key; give {option} (HFI_{variable})"));
    }
    Ok(())
}

fn timeout(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_secs(1)..=LONGEST_FETCH, "from 1s to 1h")
}
