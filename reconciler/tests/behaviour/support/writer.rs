//! A writer to a repository, as the server has one.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use harness::{GitHttp, Repository};
use reconciler::source::{
    access::Access,
    ancestry::CommitId,
    writing::{Author, NewCommit, PushOutcome, Writer, WriterSettings},
};

use crate::support::remote::{access, repository};

/// The settings of a writer to the branch `main`.
pub(crate) fn settings(url: &str, access: &Access) -> WriterSettings {
    WriterSettings {
        repository: url.parse().unwrap(),
        branch: "main".parse().unwrap(),
        path: PathBuf::new(),
        access: access.clone(),
        signing_key: None,
    }
}

/// A writer that has read the branch.
pub(crate) fn writer(settings: WriterSettings) -> Writer {
    let mut writer = Writer::open(settings).unwrap();
    read(&mut writer);
    writer
}

/// A writer to the bare repository on this machine.
pub(crate) fn local(repository: &Repository) -> Writer {
    writer(settings(&text(&repository.bare()), &access()))
}

/// Reads the branch anew, and returns its commit.
pub(crate) fn read(writer: &mut Writer) -> CommitId {
    if let Some(reading) = writer.read(|_| false).unwrap() {
        reading.keep();
    }
    writer.head().unwrap()
}

/// A commit that writes one file.
pub(crate) fn change(path: &str, content: &str) -> NewCommit {
    changes(&[(path, Some(content))])
}

/// A commit that writes and removes files.
pub(crate) fn changes(files: &[(&str, Option<&str>)]) -> NewCommit {
    let changes = files
        .iter()
        .map(|(path, content)| (String::from(*path), content.map(|content| content.as_bytes().to_vec())));
    NewCommit {
        changes: changes.collect(),
        author: Author::new("alice", "alice@hfi").unwrap(),
        message: "Apply a\n\nHfi-User: alice\nHfi-Request: 1\n".to_owned(),
    }
}

/// The end of a push that went well.
pub(crate) const PUSHED: PushOutcome = PushOutcome::Pushed { link: None };

/// A path as an argument.
pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Runs git in the bare repository, and returns what it printed.
pub(crate) async fn bare_git(repository: &Repository, arguments: &[&str]) -> String {
    let bare = text(&repository.bare());
    let printed = repository.git(&[&["-C", bare.as_str()], arguments].concat()).await.unwrap();
    printed.trim_end().to_owned()
}

/// The commit of a branch of the bare repository.
pub(crate) async fn commit_of(repository: &Repository, branch: &str) -> String {
    bare_git(repository, &["rev-parse", &format!("refs/heads/{branch}")]).await
}

/// A repository behind a server that takes pushes over HTTP.
pub(crate) async fn over_http() -> (Repository, GitHttp) {
    let repository = repository().await;
    bare_git(&repository, &["config", "http.receivepack", "true"]).await;
    let server = GitHttp::start(repository.folder()).await.unwrap();
    (repository, server)
}

/// Puts a hook, a script of the shell, into the bare repository; its path.
pub(crate) fn hook(repository: &Repository, name: &str, script: &str) -> PathBuf {
    let hook = repository.bare().join("hooks").join(name);
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    hook
}
