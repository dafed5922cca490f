use std::time::Duration;

use anyhow::Result;
use harness::{
    Behaviour, Client, ControlPlane, Envoy, GitHttp, Load, Reply, Repository, Request, Sidecar, Upstream,
};

use crate::scripted::aborting;

#[tokio::test]
async fn an_envoy_without_the_filter_passes_every_request_to_the_workload() -> Result<()> {
    let (client, upstream) = (Client::new()?, Upstream::start().await?);
    let sidecar = Sidecar::of("frontend", upstream.address()).without_filter();
    let mut envoy = Envoy::start(sidecar, &client).await?;

    let request = Request::get("/path?query").header("x-mark", "here");
    let answer = client.send(envoy.address(), &request).await?;
    assert_eq!(answer.seen_by_workload("x-mark").as_deref(), Some("here"));

    let results = Load::of(request, 500).run(&client, &[envoy.address()]).await?;
    assert_eq!((results.with_status(200), results.failed()), (500, 0));
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

#[tokio::test]
async fn a_scripted_control_plane_does_as_it_is_told() -> Result<()> {
    let (client, snapshot) = (Client::new()?, aborting(501)?);
    let control_plane = ControlPlane::start(Behaviour::Serve(snapshot.clone())).await?;
    let ask = async |request: Request| client.send(control_plane.address(), &request).await;

    let answer = ask(Request::get("/")).await?;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, Some(&*snapshot.etag())));
    assert_eq!(answer.header("x-hfi-revision"), Some(snapshot.revision()));
    let knowing = Request::get("/").header("if-none-match", &snapshot.etag());
    let held = ask(knowing.clone().header("prefer", "wait=1")).await?;
    assert_eq!(held.status, 304);
    assert!(held.took >= Duration::from_secs(1), "{:?}", held.took);

    control_plane.becomes(Behaviour::Alternate(snapshot.clone(), aborting(502)?));
    assert_eq!(ask(knowing).await?.header("etag"), Some(&*aborting(502)?.etag()));
    control_plane.becomes(Behaviour::Say(Reply::with(&snapshot).cut_short()));
    assert!(ask(Request::get("/")).await.is_err());

    control_plane.becomes(Behaviour::Hang);
    let waited = tokio::time::timeout(Duration::from_millis(100), ask(Request::get("/hang"))).await;
    assert!(waited.is_err());
    let gone = "the connection of one who does not wait to be closed";
    let polls = control_plane.polled(gone, |polls| polls.iter().all(|poll| poll.ended.is_some())).await?;
    assert_eq!((polls.len(), polls[4].path.as_str()), (5, "/hang"));
    Ok(())
}
