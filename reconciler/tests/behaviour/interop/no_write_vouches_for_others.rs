//! With `--verify` no write makes a commit valid by standing on it that nobody who may sign has signed.

use std::time::{Duration, Instant};

use harness::Repository;
use reconciler::source::{
    access::Access,
    signers::{Signers, SigningKey},
};
use tokio::task::JoinSet;

use crate::support::{
    policy,
    process::text,
    remote::{self, SOON},
    signing::Signer,
    writing::{Replica, git, path, waiting},
};

struct Team {
    repository: Repository,
    alice: Signer,
    server: Signer,
    trusted: tempfile::TempDir,
}

async fn team() -> Team {
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
    async fn replica(&self, write_branch: Option<&str>) -> Replica {
        let signers = Some(Signers::new(self.trusted.path().to_owned()));
        let access = Access { signers, ..remote::access() };
        let key = SigningKey::read(self.server.private_key()).unwrap();
        Replica::start(remote::following(&path(&self.repository), &access), SOON, |options| {
            options.settings.writer.signing_key = Some(key);
            options.settings.write_branch = write_branch.map(|pattern| pattern.parse().unwrap());
        })
        .await
    }

    /// Pushes a commit that nobody signed; its id.
    async fn push_unsigned(&self) -> String {
        let bare = self.repository.bare();
        let tree = git(&self.repository, &["rev-parse", "main^{tree}"]);
        let mallory = ["-c", "user.name=Mallory", "-c", "user.email=mallory@example.org"];
        let unsigned = ["-C", text(&bare), "commit-tree", tree.trim(), "-p", "main", "-m", "Unsigned"];
        let unsigned = [&mallory[..], &unsigned].concat();
        let commit = self.repository.git(&unsigned).await.unwrap().trim().to_owned();
        git(&self.repository, &["update-ref", "refs/heads/main", &commit]);
        commit
    }

    /// Checks that each commit that was made here stands on a signed one.
    fn stands_on_signed_ones(&self) -> usize {
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

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_on_top_of_what_a_pusher_without_a_key_pushed() {
    let team = team().await;
    let (replica, proposing) = (team.replica(None).await, team.replica(Some("hfi/{id}")).await);
    replica.apply("", &policy("b", "web", 500)).await.is(201, &["b created"]);
    let unsigned = team.push_unsigned().await;
    for refusing in [&replica, &proposing] {
        refusing.apply("", &policy("c", "web", 500)).await.is_refused(409, &unsigned);
        refusing.delete("b").await.is_refused(409, &unsigned);
    }
    assert_eq!(git(&team.repository, &["rev-parse", "main"]).trim(), unsigned);
    assert_eq!(git(&team.repository, &["for-each-ref", "refs/heads/hfi"]), "");
    team.repository.git(&["fetch", "--quiet", "origin", "main"]).await.unwrap();
    team.repository.git(&["reset", "--quiet", "--hard", "FETCH_HEAD"]).await.unwrap();
    team.repository.write("notes.txt", "looked at").unwrap();
    team.alice.push(&team.repository).await;
    replica.apply("", &policy("c", "web", 500)).await.is(201, &["c created"]);
    assert_eq!(team.stands_on_signed_ones(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_in_a_race_with_one() {
    let team = team().await;
    let replica: &'static Replica = Box::leak(Box::new(team.replica(None).await));
    let until = Instant::now() + Duration::from_secs(3);
    let mut writers = JoinSet::new();
    for writer in 0..3 {
        writers.spawn(async move {
            let (mut written, mut status) = (0, 500);
            while Instant::now() < until {
                status += 1;
                let answer =
                    replica.send(waiting(5, &policy(&format!("w-{writer}"), "web", 500 + status % 90))).await;
                assert!(matches!(answer.status, 200 | 201 | 409 | 503), "{answer:?}");
                written += usize::from(answer.status < 300);
            }
            written
        });
    }
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let unsigned = team.push_unsigned().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        // Taken back, unless somebody has stood on it.
        git(&team.repository, &["update-ref", "refs/heads/main", &format!("{unsigned}~1"), &unsigned]);
    }
    let written: usize = writers.join_all().await.into_iter().sum();
    assert!(written > 0);
    assert!(team.stands_on_signed_ones() >= 1);
}
