//! A person at the command line of a server that takes changes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness::Repository;
use tempfile::TempDir;

use super::{
    NEVER,
    command::{Ended, hfi},
    writing::{ALICE, CHECKOUT as A, Replica, git, path, repository},
};

/// A server that takes changes, and the files of a person who sends them.
pub(crate) struct World {
    pub(crate) repository: Repository,
    pub(crate) replica: Replica,
    pub(crate) files: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let repository = repository(&[("shop/a.yaml", A)]).await;
        Self::of(repository).await
    }

    pub(crate) async fn of(repository: Repository) -> Self {
        Self::at_rate(repository, 10_000).await
    }

    /// The server takes so many changes a second.
    pub(crate) async fn at_rate(repository: Repository, rate: u32) -> Self {
        let replica = Replica::with(&path(&repository), NEVER, |options| options.rate = rate).await;
        let files = tempfile::tempdir().unwrap();
        let token = replica.tokens.path().join("alice");
        fs::write(&token, ALICE).unwrap();
        let variables = vec![
            ("HFI_SERVER", replica.server.url.clone()),
            ("HFI_TOKEN_FILE", token.to_str().unwrap().to_owned()),
        ];
        Self { repository, replica, files, variables }
    }

    pub(crate) fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.files.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) async fn policy(&self, arguments: &[&str]) -> Ended {
        hfi(&[&["policy"], arguments].concat(), &self.variables()).await
    }

    pub(crate) async fn apply(&self, file: &Path, more: &[&str]) -> Ended {
        self.policy(&[&["apply", "-f", file.to_str().unwrap()], more].concat()).await
    }

    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    /// The commits of the branch but its first, the newest first.
    pub(crate) fn subjects(&self) -> Vec<String> {
        let log = git(&self.repository, &["log", "--format=%s", "main"]);
        log.lines().filter(|subject| *subject != "Begin").map(str::to_owned).collect()
    }
}

#[track_caller]
pub(crate) fn prints(ended: &Ended, code: i32, stdout: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (code, stdout), "{ended:?}");
}

#[track_caller]
pub(crate) fn is_told(ended: &Ended, code: i32, words: &[&str]) {
    prints(ended, code, "");
    tells(ended, words);
}

#[track_caller]
pub(crate) fn tells(ended: &Ended, words: &[&str]) {
    assert!(words.iter().all(|word| ended.stderr.contains(word)), "{words:?}: {ended:?}");
}
