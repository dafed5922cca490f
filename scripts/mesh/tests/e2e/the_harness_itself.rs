use anyhow::Result;
use mesh::{Client, Envoy, GitHttp, Load, Repository, Request, Sidecar, Upstream};

#[tokio::test]
async fn an_envoy_without_the_filter_passes_every_request_to_the_workload() -> Result<()> {
    let (client, upstream) = (Client::new()?, Upstream::start().await?);
    let sidecar = Sidecar::of("frontend", upstream.address()).without_filter();
    let mut envoy = Envoy::start(sidecar, &client).await?;

    let request = Request::get("/path?query").header("x-mark", "here");
    let answer = client.send(envoy.address(), &request).await?;
    assert_eq!(answer.seen_by_workload("x-mark").as_deref(), Some("here"));

    let tally = Load::of(request, 500).run(&client, &[envoy.address()]).await?;
    assert_eq!((tally.with_status(200), tally.failed()), (500, 0));
    assert_eq!(envoy.stat("inbound_0.0.0.0_8080.downstream_rq_total").await?, 501);

    envoy.restart().await?;
    assert_eq!(client.send(envoy.address(), &Request::get("/")).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_pushed_file_can_be_read_over_http() -> Result<()> {
    let repository = Repository::new().await?;
    repository.write("a/b.yaml", "metadata: {}\n")?;
    repository.push("Add a file").await?;
    let server = GitHttp::start(repository.folder()).await?;
    let clone = tempfile::tempdir()?;
    let status = tokio::process::Command::new("git")
        .args(["clone", "--quiet", &server.url("policies.git"), "."])
        .current_dir(clone.path())
        .status()
        .await?;
    assert!(status.success());
    assert_eq!(std::fs::read_to_string(clone.path().join("a/b.yaml"))?, "metadata: {}\n");
    Ok(())
}
