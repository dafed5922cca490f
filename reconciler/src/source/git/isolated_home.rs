//! A home directory for the child process: libgit2 finds the configured files there, and nothing of the user's.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::source::{access::Access, error::SourceError, location::Transport};

/// Git's configuration of this home. A repository of another user is read: nothing of it is executed, neither hooks
/// nor filters.
const CONFIGURATION: &str = "[safe]\n\tdirectory = *\n";

/// A directory with nothing in it but what [`set_environment`](Self::set_environment) puts there.
#[derive(Debug)]
pub(super) struct Home(TempDir);

impl Home {
    /// True if the directory still exists: temporary directories may be cleaned up.
    pub(super) fn is_there(&self) -> bool {
        [".ssh", ".gitconfig"].iter().all(|name| self.0.path().join(name).exists())
    }

    /// The temporary directory, removed with this value.
    pub(super) fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("hfi-").tempdir()?;
        fs::create_dir(folder.path().join(".ssh"))?;
        fs::write(folder.path().join(".gitconfig"), CONFIGURATION)?;
        Ok(Self(folder))
    }

    /// Makes this the home of a child process. The files are read again each time.
    pub(super) fn set_environment(
        &self,
        process: &mut Command,
        access: &Access,
        transport: Option<Transport>,
    ) -> Result<(), SourceError> {
        process.env("HOME", self.0.path()).env("XDG_CONFIG_HOME", self.0.path());
        if transport == Some(Transport::Ssh) {
            let from = known_hosts(access).ok_or_else(|| {
                SourceError("nothing says which key the SSH server has: give --ssh-known-hosts-file".into())
            })?;
            self.put_known_hosts(&from)?;
        }
        Ok(())
    }

    /// Copies the file, so that the file that is checked is the file that is used.
    fn put_known_hosts(&self, from: &Path) -> Result<(), SourceError> {
        let wrong = |reason: String| SourceError(format!("{} {reason}", from.display()));
        let text = fs::read_to_string(from).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        is_known_hosts(&text).map_err(|reason| wrong(reason.to_owned()))?;
        let to = self.0.path().join(".ssh/known_hosts");
        fs::write(&to, text).map_err(|error| SourceError(format!("cannot write {}: {error}", to.display())))
    }
}

/// The path of the `known_hosts` file.
pub(super) fn known_hosts(access: &Access) -> Option<PathBuf> {
    let own = || Some(PathBuf::from(env::var_os("HOME")?).join(".ssh/known_hosts"));
    access.known_hosts_file.clone().or_else(own)
}

fn is_known_hosts(text: &str) -> Result<(), &'static str> {
    // libssh2 does not know the markers, and would trust a key that is marked as revoked.
    if text.lines().any(|line| line.trim_start().starts_with('@')) {
        return Err("has a line that begins with a marker, `@revoked` or `@cert-authority`, which is not \
                    supported; list the server's own key");
    }
    Ok(())
}
