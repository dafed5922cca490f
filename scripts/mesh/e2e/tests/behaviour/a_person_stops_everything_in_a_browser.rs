use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{
    Answer, Browser, Client, Deadline, Envoy, Reconciler, Repository, Request, Sidecar, Source, Upstream,
    Window, everywhere, reached,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::policies::policy;

const TOKEN: &str = "alice-0123456789abcdef";

/// Two replicas that know each other, with addresses that no other run has.
async fn replicas(repository: &Repository, files: &TempDir, client: &Client) -> Result<[Reconciler; 2]> {
    let network = u8::try_from(std::process::id() % 200 + 20)?;
    let addresses = [1, 2].map(|host| SocketAddr::from((Ipv4Addr::new(127, network, 250, host), 18_081)));
    let file = |name: &str, line: &str| -> Result<OsString> {
        let path = files.path().join(name);
        fs::write(&path, format!("{line}\n"))?;
        Ok(path.into())
    };
    let options = |option: &str, value: OsString| [option.into(), value];
    let options = [
        options("--peers", addresses.map(|address| address.to_string()).join(",").into()),
        options("--peer-token-file", file("peers", "replicas replicas-0123456789abcdef")?),
        options("--write-token-file", file("writers", &format!("alice {TOKEN} resume"))?),
    ];
    let start = async |address| {
        let source = Source::local(&repository.bare());
        let mut replica = Reconciler::start_with(source, address, options.concat()).await?;
        replica.ready(client).await?;
        anyhow::Ok(replica)
    };
    let [one, other] = addresses;
    Ok([start(one).await?, start(other).await?])
}

/// Fills in the form with the keyboard alone.
async fn stop(browser: &mut Browser) -> Result<()> {
    for (id, typed) in [("stop", ""), ("token", TOKEN), ("reason", "checkout is down")] {
        for _ in 0..30 {
            if browser.focus().await?.get("id").is_some_and(|focus| focus == id) {
                break;
            }
            browser.press("Tab").await?;
        }
        match typed {
            "" => browser.press("Enter").await?,
            typed => browser.type_in(typed).await?,
        }
    }
    browser.press("Enter").await
}

#[tokio::test]
async fn and_the_faults_end_at_each_replica_within_a_second_and_stay_away() -> Result<()> {
    let (client, upstream, files) = (Client::new()?, Upstream::start().await?, tempfile::tempdir()?);
    let repository = Repository::new().await?;
    repository.write("a.yaml", &policy("a", "frontend", "percentage: 100, abort: {httpStatus: 503}"))?;
    repository.push("Break the frontend").await?;
    let mut replicas = replicas(&repository, &files, &client).await?;
    let mut envoys = Vec::new();
    for (number, replica) in (1..).zip(&replicas) {
        let sidecar =
            Sidecar::of("frontend", upstream.address()).replica(number).following(replica.address());
        envoys.push(Envoy::start(sidecar, &client).await?);
    }
    let (home, passed) = (Request::get("/"), |answer: &Answer| answer.status == 200);
    for envoy in &envoys {
        everywhere(envoy.address(), &home, Answer::aborted).await?;
    }
    let mut browser = Browser::start()?;
    browser.open(&format!("http://{}/", replicas[0].address()), Window::default()).await?;
    browser.until("#banners", "INJECTING", 5.0).await?;
    stop(&mut browser).await?;
    let begun = Instant::now();
    reached(&client, &home, envoys.iter().map(|envoy| (envoy.address(), passed))).await?;
    for envoy in &envoys {
        everywhere(envoy.address(), &home, passed).await?;
    }
    let took = begun.elapsed();
    ensure!(took < Duration::from_secs(1), "the last fault is gone after {took:?}");
    browser.until("#banners", "HALTED by alice", 2.0).await?;
    ensure!(browser.problems().await?.is_empty());

    for replica in &replicas {
        until(&client, replica, "/v1/halt", |halt| halt["durable"] == "git" && halt["complete"] == true)
            .await?;
    }
    for replica in &mut replicas {
        replica.kill().await?;
        replica.restart().await?;
        replica.ready(&client).await?;
        // The proxy has polled the process that knows nothing but what it was told since.
        until(&client, replica, "/v1/filters?own=true", |list| list["summary"]["in_step"] == 1).await?;
    }
    for envoy in &envoys {
        everywhere(envoy.address(), &home, passed).await?;
    }
    Ok(())
}

/// Waits until a replica answers as wanted.
async fn until(
    client: &Client,
    replica: &Reconciler,
    path: &'static str,
    is_wanted: fn(&Value) -> bool,
) -> Result<()> {
    let deadline = Deadline::of(path, Duration::from_secs(40));
    loop {
        let answer = client.send(replica.address(), &Request::get(path)).await?;
        let state: Value = serde_json::from_str(&answer.body)?;
        if is_wanted(&state) {
            return Ok(());
        }
        deadline.pause().await.with_context(|| state.to_string())?;
    }
}
