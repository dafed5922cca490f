//! People and a server whose commits are believed, since they sign them.

use harness::Repository;
use reconciler::source::{
    access::Access,
    signers::{Signers, SigningKey},
};

use super::{
    policy,
    process::text,
    remote::{self, SOON},
    signing::Signer,
    writing::{Replica, git, path},
};

/// A repository that alice has begun, and where a server may write beside her.
pub(crate) struct Team {
    pub(crate) repository: Repository,
    alice: Signer,
    server: Signer,
    trusted: tempfile::TempDir,
}

pub(crate) async fn team() -> Team {
    let repository = Repository::new().await.unwrap();
    let (alice, server) = (Signer::ssh("-t ed25519"), Signer::ssh("-t ed25519"));
    let trusted = tempfile::tempdir().unwrap();
    alice.allow_in(trusted.path(), "alice.pub");
    server.allow_in(trusted.path(), "server.pub");
    repository.write("a.yaml", &policy("a", "checkout", 503)).unwrap();
    alice.push(&repository).await;
    Team { repository, alice, server, trusted }
}

impl Team {
    pub(crate) async fn replica(&self, write_branch: Option<&str>) -> Replica {
        self.replica_of(&path(&self.repository), write_branch).await
    }

    pub(crate) async fn replica_of(&self, url: &str, write_branch: Option<&str>) -> Replica {
        let signers = Some(Signers::new(self.trusted.path().to_owned()));
        let access = Access { signers, ..remote::access() };
        let key = SigningKey::read(self.server.private_key()).unwrap();
        Replica::start(remote::following(url, &access), SOON, |options| {
            options.settings.writer.signing_key = Some(key);
            options.settings.write_branch = write_branch.map(|pattern| pattern.parse().unwrap());
        })
        .await
    }

    /// Pushes a commit that nobody signed; its id.
    pub(crate) async fn push_unsigned(&self) -> String {
        let commit = self.unsigned().await;
        git(&self.repository, &["update-ref", "refs/heads/main", &commit]);
        commit
    }

    /// A commit on top of the branch that nobody signed; its id.
    pub(crate) async fn unsigned(&self) -> String {
        let bare = self.repository.bare();
        let tree = git(&self.repository, &["rev-parse", "main^{tree}"]);
        let mallory = ["-c", "user.name=Mallory", "-c", "user.email=mallory@example.org"];
        let unsigned = ["-C", text(&bare), "commit-tree", tree.trim(), "-p", "main", "-m", "Unsigned"];
        let unsigned = [&mallory[..], &unsigned].concat();
        self.repository.git(&unsigned).await.unwrap().trim().to_owned()
    }

    /// Alice commits something on top of what is there.
    pub(crate) async fn vouch(&self) {
        self.repository.git(&["fetch", "--quiet", "origin", "main"]).await.unwrap();
        self.repository.git(&["reset", "--quiet", "--hard", "FETCH_HEAD"]).await.unwrap();
        self.repository.write("notes.txt", "looked at").unwrap();
        self.alice.push(&self.repository).await;
    }

    /// Checks that each commit that was made here stands on a signed one.
    pub(crate) fn stands_on_signed_ones(&self) -> usize {
        let log = git(
            &self.repository,
            &["log", "--all", "--format=%P %(trailers:key=Hfi-Request,valueonly,separator=)"],
        );
        let made =
            log.lines().filter_map(|line| line.split_once(' ')).filter(|(_, request)| !request.is_empty());
        let mut count = 0;
        for (parent, request) in made {
            let below = git(&self.repository, &["cat-file", "commit", parent]);
            assert!(below.contains("\ngpgsig "), "{request} stands on {below}");
            count += 1;
        }
        count
    }
}
