use anyhow::Result;
use harness::{
    Answer, Client, Envoy, GitHttp, Reconciler, Repository, Request, Sidecar, Source, Upstream, everywhere,
    loopback,
};

use crate::policies::abort_all;

#[tokio::test]
async fn from_a_real_git_server() -> Result<()> {
    let (client, upstream) = (Client::new()?, Upstream::start().await?);
    let repository = Repository::new().await?;
    let server = GitHttp::start(repository.folder()).await?;
    let source = Source::Git { repository: server.url("policies.git").into(), interval: "1s" };
    let mut reconciler = Reconciler::start(source, loopback()).await?;
    reconciler.ready(&client).await?;
    let sidecar = Sidecar::of("frontend", upstream.address()).following(reconciler.address());
    let envoy = Envoy::start(sidecar, &client).await?;
    let request = Request::get("/");

    repository.write("errors.yaml", &abort_all("errors", "frontend"))?;
    repository.push("Add errors").await?;
    everywhere(envoy.address(), &request, Answer::aborted).await?;

    repository.remove("errors.yaml")?;
    repository.push("Remove errors").await?;
    everywhere(envoy.address(), &request, |answer| answer.status == 200).await
}
