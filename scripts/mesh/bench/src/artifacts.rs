//! The memory of a replica with the Istio configuration of 1,000 applications: with `--istio-artifacts`, beside the same
//! replica without. The API server is Kubernetes' own; it has the kinds of Flux, and none of its controllers.

#[path = "../../../../policies/istio/examples/thousand_applications/repository.rs"]
mod repository;

use std::{ffi::OsString, fs, time::Duration};

use anyhow::{Context as _, Result};
use harness::{Client, Deadline, KubeApi, Reconciler, Repository, Request, Source, loopback, paths};
use serde_json::Value;

const APPLICATIONS: usize = 1_000;
const NAMESPACES: usize = 50;
/// Commits after the start, each of which changes one application.
const COMMITS: usize = 20;
/// The most memory that the option may take, in MiB.
const AIM: f64 = 20.0;
const ARTIFACTS: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/hfi-istio/externalartifacts";
/// EnvoyFilters need the leave of a guardrail, which names the other kinds then, too.
const LEAVE: &str = "kind: Guardrail
spec:
  istio:
    kinds: [AuthorizationPolicy, DestinationRule, EnvoyFilter, Gateway, PeerAuthentication, ProxyConfig,
            RequestAuthentication, ServiceEntry, Sidecar, Telemetry, VirtualService]
";
const PATIENCE: Duration = Duration::from_secs(120);

/// The resident memory of the server, in MiB. The processes that it starts are not counted.
#[derive(Clone, Copy, Debug)]
struct Memory {
    at_start: f64,
    after_commits: f64,
}

pub(crate) async fn run() -> Result<()> {
    let client = Client::new()?;
    println!("{APPLICATIONS} applications in {NAMESPACES} namespaces: resident MiB of hfi serve\n");
    println!("{:<28}{:>12}{:>20}", "", "at the start", format!("after {COMMITS} commits"));
    let row = |what: &str, memory: Memory| {
        println!("{what:<28}{:>12.1}{:>20.1}", memory.at_start, memory.after_commits);
    };
    let without = measure(false, &client).await?;
    row("without --istio-artifacts", without);
    let with = measure(true, &client).await?;
    row("with it", with);
    let more = Memory {
        at_start: with.at_start - without.at_start,
        after_commits: with.after_commits - without.after_commits,
    };
    row(&format!("more (aim: {AIM:.0})"), more);
    Ok(())
}

async fn measure(has_artifacts: bool, client: &Client) -> Result<Memory> {
    let api = KubeApi::start().await?;
    api.create_namespace("hfi-istio").await?;
    define_artifacts(&api).await?;
    let (applications, repository) =
        (repository::Repository::of(APPLICATIONS, NAMESPACES), Repository::new().await?);
    for (path, text) in applications.files.iter().chain(&applications.around) {
        repository.write(path, text)?;
    }
    repository.write("guardrail.yaml", LEAVE)?;
    repository.push("Add applications").await?;
    let reconciler = start(&api, &repository, has_artifacts).await?;
    let artifacts = has_artifacts.then_some(&api);
    until_in_force(&repository, artifacts, NAMESPACES, &reconciler, client).await?;
    let at_start = mib(&reconciler)?;
    for (number, (path, text)) in applications.files.iter().enumerate().take(COMMITS) {
        repository.write(path, &text.replace("timeout: 10s", &format!("timeout: {}s", 11 + number)))?;
        repository.push("Change one application").await?;
        until_in_force(&repository, artifacts, 1, &reconciler, client).await?;
    }
    Ok(Memory { at_start, after_commits: mib(&reconciler)? })
}

/// Brings the kind of the artifacts, and waits until it is served.
async fn define_artifacts(api: &KubeApi) -> Result<()> {
    let crds = fs::read_to_string(paths::world_program("flux-source", "crds.yaml")?)?;
    api.apply(&serde_yaml::from_multiple::<Value>(&crds)?).await?;
    let deadline = Deadline::of_costly("the kind of the artifacts", PATIENCE);
    while api.get(ARTIFACTS).await.is_err() {
        deadline.pause().await?;
    }
    Ok(())
}

async fn start(api: &KubeApi, repository: &Repository, has_artifacts: bool) -> Result<Reconciler> {
    let kubeconfig = api.kubeconfig("admin", &api.url())?;
    let variables = [
        format!("KUBECONFIG={}", kubeconfig.display()),
        "HFI_KUBERNETES=true".to_owned(),
        format!("HFI_ISTIO_ARTIFACTS={has_artifacts}"),
    ];
    let mut command: Vec<OsString> = vec!["/usr/bin/env".into()];
    command.extend(variables.map(OsString::from));
    command.extend([paths::hfi()?.into(), "serve".into()]);
    Reconciler::start_as(command, Source::local(&repository.bare()), loopback()).await
}

/// Waits until the newest commit is served and, where there are artifacts, announced by so many of them.
async fn until_in_force(
    repository: &Repository,
    artifacts: Option<&KubeApi>,
    count: usize,
    reconciler: &Reconciler,
    client: &Client,
) -> Result<()> {
    let commit = repository.git(&["rev-parse", "HEAD"]).await?;
    let deadline = Deadline::of_costly("a commit to be in force", PATIENCE);
    loop {
        let ready = client.send(reconciler.address(), &Request::get("/v1/ready")).await?;
        let is_announced = match artifacts {
            Some(api) => announcing(api, commit.trim()).await? >= count,
            None => true,
        };
        if ready.body.contains(commit.trim()) && is_announced {
            return Ok(());
        }
        deadline.pause().await?;
    }
}

/// The number of artifacts that announce a commit.
async fn announcing(api: &KubeApi, commit: &str) -> Result<usize> {
    let list = api.get(ARTIFACTS).await?;
    let items = list.get("items").and_then(Value::as_array).context("no items")?;
    let revision = |item: &Value| -> Option<String> {
        let metadata = item.pointer("/status/artifact/metadata")?;
        Some(metadata.get("org.opencontainers.image.revision")?.as_str()?.to_owned())
    };
    Ok(items.iter().filter_map(revision).filter(|revision| revision == commit).count())
}

fn mib(reconciler: &Reconciler) -> Result<f64> {
    Ok(reconciler.memory()? as f64 / f64::from(1 << 20))
}
