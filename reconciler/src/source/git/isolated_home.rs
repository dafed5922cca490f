//! A home directory for the child process: libgit2 finds the configured files there, and nothing of the user's.

use std::{env, fs, io, path::PathBuf, process::Command};

use super::temporary::Temporary;
use crate::{
    io_reason::io_reason,
    source::{access::Access, error::SourceError},
};

/// Git's configuration of this home. A repository of another user is read: nothing of it is executed, neither hooks
/// nor filters. The name stands in the log of a ref that is moved, in a repository that names nobody else.
const CONFIGURATION: &str = "[safe]\n\tdirectory = *\n[user]\n\tname = hfi\n\temail = hfi@hfi\n";

/// A directory with nothing in it but Git's configuration and what [`put_known_hosts`](Self::put_known_hosts) puts there.
#[derive(Debug)]
pub(super) struct Home(Temporary);

impl Home {
    /// True if the directory still exists: temporary directories may be cleaned up.
    pub(super) fn is_there(&self) -> bool {
        [".ssh", ".gitconfig"].iter().all(|name| self.0.path().join(name).exists())
    }

    /// The temporary directory, removed with this value.
    pub(super) fn new() -> io::Result<Self> {
        let folder = Temporary::new()?;
        fs::create_dir(folder.path().join(".ssh"))?;
        fs::write(folder.path().join(".gitconfig"), CONFIGURATION)?;
        Ok(Self(folder))
    }

    /// Makes this the home of a child process.
    pub(super) fn set_environment(&self, process: &mut Command) {
        process.env("HOME", self.0.path()).env("XDG_CONFIG_HOME", self.0.path());
    }

    /// Copies the `known_hosts` file, so that the file that is checked is the file that is used. It is read again each
    /// time.
    pub(super) fn put_known_hosts(&self, access: &Access) -> Result<(), SourceError> {
        let from = known_hosts(access).ok_or_else(|| {
            SourceError("nothing says which key the SSH server has: give --ssh-known-hosts-file".into())
        })?;
        let wrong = |reason: String| SourceError(format!("{} {reason}", from.display()));
        let text = fs::read_to_string(&from)
            .map_err(|error| wrong(format!("cannot be read: {}", io_reason(&error))))?;
        is_known_hosts(&text).map_err(|reason| wrong(reason.to_owned()))?;
        let to = self.0.path().join(".ssh/known_hosts");
        fs::write(&to, text)
            .map_err(|error| SourceError(format!("cannot write {}: {}", to.display(), io_reason(&error))))
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
