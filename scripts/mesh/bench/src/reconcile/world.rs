//! A repository, a reconciler that follows it, and a bare clone that is fetched into.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Answer, Client, GitHttp, Reconciler, Repository, Request, Source, loopback};
use reqwest::Method;
use tokio::{task::JoinHandle, time::Instant};

use super::{
    bare::{git, history},
    policies::Policy,
};

/// The branch that commits are pushed to before the followed branch moves there.
pub(crate) const STAGED: &str = "refs/heads/staged";
const FOLLOWED: &str = "refs/heads/main";
const SECRET: &str = "for the bench";
/// The HMAC-SHA256 of no body by that secret.
const SIGNATURE: &str = "sha256=a1b578a2a2c8c7fd5a0967a8ee142f4b9eb7a02cadc472133680c1d463395670";

/// The way to reach a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// By `git http-backend`; the generic hook tells of a push.
    Http,
    /// On this machine; a push is noticed by the ref that moves.
    Local,
}

/// Everything that a measurement needs.
pub(crate) struct World {
    transport: Transport,
    client: Client,
    pub(crate) repository: Repository,
    pub(crate) url: String,
    pub(crate) reconciler: Reconciler,
    /// From the start of the process until it was ready.
    pub(crate) cold_start: Duration,
    _server: GitHttp,
    _secret: tempfile::NamedTempFile,
}

impl World {
    /// With so many policies, and so many commits that change none, served.
    pub(crate) async fn new(
        transport: Transport,
        files: usize,
        commits: usize,
        client: &Client,
    ) -> Result<Self> {
        let repository = Repository::new().await?;
        for number in 0..files {
            Policy(number).write(&repository, 500)?;
        }
        repository.push("Add policies").await?;
        git(&repository.bare(), &["fast-import", "--quiet"], &history(commits)?).await?;
        git(&repository.bare(), &["gc", "--quiet"], "").await?;
        repository.git(&["pull", "--quiet", "origin", "main"]).await?;
        let server = GitHttp::start(repository.folder()).await?;
        let (url, interval) = match transport {
            Transport::Http => (server.url("policies.git"), "1h"),
            Transport::Local => (repository.bare().display().to_string(), "1h"),
        };
        let secret = tempfile::NamedTempFile::new()?;
        std::fs::write(secret.path(), SECRET)?;
        let options = vec!["--hook-secret-file".into(), secret.path().into()];
        let began = Instant::now();
        let source = Source::Git { repository: url.clone().into(), interval };
        let mut reconciler = Reconciler::start_with(source, loopback(), options).await?;
        reconciler.ready(client).await?;
        let cold_start = began.elapsed();
        let client = client.clone();
        Ok(Self {
            transport,
            client,
            repository,
            url,
            reconciler,
            cold_start,
            _server: server,
            _secret: secret,
        })
    }

    /// Commits what was written and brings it to the server, beside the branch that is followed.
    pub(crate) async fn stage(&self) -> Result<String> {
        self.repository.git(&["add", "--all"]).await?;
        self.repository.git(&["commit", "--quiet", "--message", "Change one policy"]).await?;
        let to = format!("HEAD:{STAGED}");
        self.repository.git(&["push", "--quiet", "--force", "origin", &to]).await?;
        Ok(self.repository.git(&["rev-parse", "HEAD"]).await?.trim().to_owned())
    }

    /// Moves the branch that is followed there, as Git does, and tells of it.
    pub(crate) async fn publish(&self, commit: &str) -> Result<()> {
        let branch = self.repository.bare().join(FOLLOWED);
        let lock = branch.with_extension("lock");
        std::fs::write(&lock, format!("{commit}\n"))?;
        std::fs::rename(&lock, &branch)?;
        if self.transport == Transport::Http {
            let hook =
                Request::get("/v1/hooks/generic").method(Method::POST).header("x-signature", SIGNATURE);
            let answer = self.client.send(self.reconciler.address(), &hook).await?;
            ensure!(answer.status.as_u16() == 202, "the hook answered {}: {}", answer.status, answer.body);
        }
        Ok(())
    }

    /// Asks for something until it is other than what `etag` names.
    pub(crate) async fn poll(&self, policy: Policy) -> Result<JoinHandle<Result<(Instant, Answer)>>> {
        let (client, address) = (self.client.clone(), self.reconciler.address());
        let snapshot = Request::get(&policy.snapshot());
        let now = client.send(address, &snapshot).await?;
        let etag = now.header("etag").context("a snapshot without an ETag")?;
        let held = snapshot.header("if-none-match", etag).header("prefer", "wait=30");
        Ok(tokio::spawn(async move {
            let answer = client.send(address, &held).await?;
            Ok((Instant::now(), answer))
        }))
    }

    /// The time between one change and the next: requested reads are a second apart.
    pub(crate) fn spacing(&self) -> Duration {
        match self.transport {
            Transport::Http => Duration::from_millis(1_100),
            Transport::Local => Duration::from_millis(150),
        }
    }
}
