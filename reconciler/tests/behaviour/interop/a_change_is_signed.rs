//! A commit that is made here is signed with an SSH key as Git signs, and only on top of one that is trusted.

use std::{fs, path::Path, process::Command};

use harness::Repository;
use reconciler::source::{
    access::Access,
    signers::{Signers, SigningKey},
    writing::{BranchName, CommitError, PushOutcome, Writer},
};
use tempfile::TempDir;

use crate::support::{
    policy,
    remote::access,
    signing::Signer,
    writer::{PUSHED, bare_git, change, local, read, settings, text, writer},
};

/// A repository whose commits are signed, the directory of the trusted keys, and the key of the server.
struct Team {
    repository: Repository,
    trusted: TempDir,
    alice: Signer,
    server: Signer,
}

async fn team() -> Team {
    let repository = Repository::new().await.unwrap();
    let trusted = tempfile::tempdir().unwrap();
    let (alice, server) = (Signer::ssh("-t ed25519"), Signer::ssh("-t ed25519"));
    alice.allow_in(trusted.path(), "alice.pub");
    server.allow_in(trusted.path(), "server.pub");
    repository.write("a.yaml", &policy("a", "checkout", 503)).unwrap();
    alice.push(&repository).await;
    Team { repository, trusted, alice, server }
}

impl Team {
    fn signers(&self) -> Signers {
        Signers::new(self.trusted.path().to_owned())
    }

    fn writer(&self) -> Writer {
        let access = Access { signers: Some(self.signers()), ..access() };
        let mut settings = settings(&text(&self.repository.bare()), &access);
        settings.signing_key = Some(SigningKey::read(self.server.private_key()).unwrap());
        writer(settings)
    }
}

#[tokio::test]
async fn git_verifies_what_is_signed_here() {
    let team = team().await;
    let mut writer = team.writer();
    let head = writer.head().unwrap();
    let first = writer.commit(head, &change("a.yaml", &policy("a", "checkout", 500))).unwrap();
    let second = writer.commit(first, &change("b.yaml", &policy("b", "checkout", 500))).unwrap();
    assert_eq!(writer.push(head, second), PUSHED);
    assert_eq!(read(&mut writer), second, "it is served");
    let allowed = team.repository.folder().join("allowed");
    fs::write(&allowed, format!("server@hfi {}", String::from_utf8(team.server.public()).unwrap())).unwrap();
    let allowed = format!("gpg.ssh.allowedSignersFile={}", allowed.display());
    for commit in [first, second] {
        bare_git(&team.repository, &["-c", &allowed, "verify-commit", &commit.to_string()]).await;
    }
    let alice = ["-c", allowed.as_str(), "log", "-3", "--format=%G?", "main"];
    assert_eq!(bare_git(&team.repository, &alice).await, "G\nG\nU");
}

#[tokio::test]
async fn nothing_is_put_on_top_of_a_commit_that_is_not_trusted() {
    let team = team().await;
    let mut writer = team.writer();
    let head = writer.head().unwrap();
    fs::remove_file(team.trusted.path().join("alice.pub")).unwrap();
    let error = writer.commit(head, &change("a.yaml", "b")).unwrap_err();
    assert!(matches!(&error, CommitError::Unverified { commit, .. } if *commit == head), "{error}");
    assert!(error.to_string().contains(&head.to_string()), "{error}");
    team.alice.allow_in(team.trusted.path(), "alice.pub");
    writer.commit(head, &change("a.yaml", "b")).unwrap();
    fs::remove_file(team.trusted.path().join("server.pub")).unwrap();
    let error = writer.commit(head, &change("a.yaml", "c")).unwrap_err();
    assert!(matches!(error, CommitError::Failed(_)), "nobody would serve it: {error}");
}

#[tokio::test]
async fn a_key_that_no_replica_trusts_is_told() {
    let team = team().await;
    let key = SigningKey::read(team.server.private_key()).unwrap();
    key.is_trusted_by(&team.signers()).unwrap();
    fs::remove_file(team.trusted.path().join("server.pub")).unwrap();
    let error = key.is_trusted_by(&team.signers()).unwrap_err();
    assert!(error.contains(&team.server.private_key().display().to_string()), "{error}");
    assert!(error.contains(&team.trusted.path().display().to_string()), "{error}");
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_refused_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |path: &Path| SigningKey::read(path.to_owned()).unwrap_err();
    assert!(refused(&folder.path().join("none")).contains("cannot be read"));
    let locked = folder.path().join("locked");
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "secret words", "-f"]).arg(&locked);
    assert!(keygen.status().unwrap().success());
    assert!(refused(&locked).contains("passphrase"));
    assert!(refused(&locked.with_extension("pub")).contains("holds no private ed25519 key"));
    for kind in ["-t rsa -b 3072", "-t ecdsa -b 256"] {
        let error = refused(&Signer::ssh(kind).private_key());
        assert!(error.contains("ssh-keygen -t ed25519"), "{error}");
    }
    let odd = folder.path().join("odd");
    fs::write(&odd, "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n").unwrap();
    assert!(!refused(&odd).contains("secret"));
}

#[tokio::test]
async fn without_a_key_nothing_is_signed() {
    let team = team().await;
    let mut writer = local(&team.repository);
    let head = writer.head().unwrap();
    let commit = writer.commit(head, &change("a.yaml", "b")).unwrap();
    assert_eq!(writer.push(head, commit), PUSHED);
    assert!(!bare_git(&team.repository, &["cat-file", "commit", "main"]).await.contains("gpgsig"));
}

#[tokio::test]
async fn nothing_is_pushed_on_top_of_a_commit_that_is_no_longer_trusted() {
    let team = team().await;
    let mut writer = team.writer();
    let head = writer.head().unwrap();
    let commit = writer.commit(head, &change("a.yaml", "b")).unwrap();
    let name = BranchName::new("hfi/a", &"main".parse().unwrap()).unwrap();
    fs::remove_file(team.trusted.path().join("alice.pub")).unwrap();
    for outcome in [writer.push(head, commit), writer.push_new_branch(&name, head, commit)] {
        assert!(matches!(&outcome, PushOutcome::Unverified { commit, .. } if *commit == head), "{outcome:?}");
    }
    assert_eq!(bare_git(&team.repository, &["rev-parse", "main"]).await, head.to_string());
    team.alice.allow_in(team.trusted.path(), "alice.pub");
    assert_eq!(writer.push(head, commit), PUSHED);
}
