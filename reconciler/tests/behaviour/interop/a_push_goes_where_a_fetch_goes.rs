//! A push goes over SSH and HTTPS as a fetch does, with credentials that may be others.

use std::{fs, os::unix::fs::PermissionsExt as _};

use harness::{GitHttps, GitSsh, Repository};
use reconciler::source::{
    access::{Access, Login},
    ancestry::CommitId,
    writing::{PushOutcome, Settled, Writer},
};
use tempfile::TempDir;

use crate::support::{
    remote::{access, repository},
    writer::{PUSHED, bare_git, change, commit_of, hook, read, settings, writer},
};

/// A repository behind a server, and the access to it.
struct Forge<S> {
    repository: Repository,
    server: S,
    url: String,
    access: Access,
    folder: TempDir,
}

async fn ssh() -> Forge<GitSsh> {
    let repository = repository().await;
    let server = GitSsh::start("ed25519").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let known_hosts = folder.path().join("known_hosts");
    fs::write(&known_hosts, server.known_host().unwrap()).unwrap();
    let login = Login { ssh_key_file: Some(server.client_key()), ..Login::default() };
    let access = Access { login, known_hosts_file: Some(known_hosts), ..access() };
    let url = server.url(&repository.bare());
    Forge { repository, server, url, access, folder }
}

async fn https() -> Forge<GitHttps> {
    let repository = repository().await;
    bare_git(&repository, &["config", "http.receivepack", "true"]).await;
    let server = GitHttps::start(repository.folder(), "robot", "secret-1").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    fs::write(&password, "secret-1\n").unwrap();
    let login = Login { username: Some("robot".into()), password_file: Some(password), ..Login::default() };
    let access = Access { login, ca_file: Some(server.ca_file()), ..access() };
    let url = server.url("policies.git");
    Forge { repository, server, url, access, folder }
}

impl<S> Forge<S> {
    fn writer(&self) -> (Writer, CommitId, CommitId) {
        let mut writer = writer(settings(&self.url, &self.access));
        let head = writer.head().unwrap();
        let commit = writer.commit(head, &change("team/b.yaml", "b")).unwrap();
        (writer, head, commit)
    }

    /// The steps of a push: taken, refused with words, lost, dead in the middle.
    async fn is_pushed_to(&self) {
        let (mut writer, head, commit) = self.writer();
        let declining = hook(&self.repository, "pre-receive", "echo main is protected >&2; exit 1");
        let words = "main is protected\npre-receive hook declined".to_owned();
        assert_eq!(writer.push(head, commit), PushOutcome::Refused { words });
        hook(&self.repository, "pre-receive", "kill -9 $PPID");
        let outcome = writer.push(head, commit);
        assert!(matches!(outcome, PushOutcome::Unknown { .. }), "{outcome:?}");
        assert_eq!(writer.settle(head, commit), Settled::NotYet);
        fs::remove_file(declining).unwrap();
        assert_eq!(writer.push(head, commit), PUSHED);
        assert_eq!(commit_of(&self.repository, "main").await, commit.to_string());
        assert_eq!(writer.settle(head, commit), Settled::In);
        assert_eq!(read(&mut writer), commit);
        let late = writer.commit(head, &change("c.yaml", "c")).unwrap();
        assert_eq!(writer.push(head, late), PushOutcome::LostRace { head: Some(commit) });
        bare_git(&self.repository, &["fsck", "--strict", "--no-dangling"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_ssh() {
    ssh().await.is_pushed_to().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_https() {
    https().await.is_pushed_to().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_server_does_not_take_is_a_matter_of_ours() {
    let forge = ssh().await;
    let (mut writer, head, commit) = forge.writer();
    let other = forge.server.another_key("ed25519", "").await.unwrap();
    forge.server.let_in(&other).unwrap();
    let outcome = writer.push(head, commit);
    let PushOutcome::Unreachable { reason } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("refused the credentials"), "{reason}");
    assert!(matches!(writer.settle(head, commit), Settled::Unknown { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_only_read_is_told_by_the_server() {
    let forge = ssh().await;
    let (mut writer, head, commit) = forge.writer();
    // As forges do it with a key for reading.
    let script = forge.folder.path().join("shell");
    let refusal =
        "case \"$SSH_ORIGINAL_COMMAND\" in *receive-pack*) echo 'this key may only read' >&2; exit 1;; esac";
    fs::write(&script, format!("#!/bin/sh\n{refusal}\nexec sh -c \"$SSH_ORIGINAL_COMMAND\"\n")).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let keys = forge.server.client_key().with_file_name("authorized_keys");
    let key = fs::read_to_string(&keys).unwrap();
    fs::write(&keys, format!("command=\"{}\" {key}", script.display())).unwrap();
    assert!(writer.read(|_| false).unwrap().is_none(), "it reads");
    let outcome = writer.push(head, commit);
    let PushOutcome::Refused { words } = outcome else { panic!("{outcome:?}") };
    assert!(words.contains("this key may only read"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_is_a_matter_of_ours_and_not_shown() {
    let forge = https().await;
    let (mut writer, head, commit) = forge.writer();
    forge.server.let_in("robot", "secret-2").unwrap();
    let outcome = writer.push(head, commit);
    let PushOutcome::Unreachable { reason } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("refused the credentials") && !reason.contains("secret"), "{reason}");
    fs::write(forge.folder.path().join("password"), "secret-2\n").unwrap();
    assert_eq!(writer.push(head, commit), PUSHED, "the file is read anew");
}
