//! Workloads with 1, 2 and 4 workers, of which half of the requests are to fail, and one that no policy names.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{Client, Expectation, GitHttp, Load, Repository, Request, everywhere};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use world::World;

use crate::support::pods::{address, pods};
use crate::support::polls::all_poll;
use crate::support::proxy::{self, exec};
use crate::support::traffic::Traffic;
use crate::support::{deploy, roll_out, serve, start, workload};

pub(super) const NAMESPACE: &str = "demo";

/// The workloads and their workers.
const WORKLOADS: [(&str, u32); 4] = [("one", 1), ("two", 2), ("four", 4), ("calm", 1)];

const POLICY: &str = "\
metadata: {name: half}
spec:
  selector: {service: NAME, namespace: demo}
  rules:
    - fault: {percentage: 50, abort: {httpStatus: 503}}
";

/// Answers by which a rate is judged.
const REQUESTS: usize = 800;

/// The longest time without a fault: a policy is removed and pushed again, or plugins are changed. A proxy whose filter
/// is gone has none for ever.
const LULL: Duration = Duration::from_secs(6);

/// A mesh with traffic.
pub(super) struct Fleet {
    pub(super) world: World,
    /// Name, and the address past any Service.
    pub(super) proxies: Vec<(&'static str, SocketAddr)>,
    policies: Repository,
    traffic: Traffic,
    _git: GitHttp,
}

/// The VMs and the memory of an Envoy, in MiB.
#[derive(Debug)]
pub(super) struct Costs {
    pub(super) vms: u32,
    pub(super) memory: u64,
}

impl Fleet {
    /// Starts all of it, and waits until every filter polls.
    pub(super) async fn start() -> Result<Self> {
        let mut world = start().await?;
        let policies = Repository::new().await?;
        let git = serve(&world, &policies).await?;
        write(&policies)?;
        policies.push("Break three of four").await?;
        deploy(&world, "default").await?;
        world.kubectl(&["create", "namespace", NAMESPACE]).await?;
        world.kubectl(&["label", "namespace", NAMESPACE, "istio-injection=enabled"]).await?;
        let plugin = harness::paths::workspace().join("k8s/plugin/sidecar").display().to_string();
        world.kubectl(&["apply", "--namespace", NAMESPACE, "--kustomize", &plugin]).await?;
        for (name, workers) in WORKLOADS {
            world.apply(&deployment(name, workers, 1)).await?;
        }
        let mut proxies = Vec::new();
        for (name, workers) in WORKLOADS {
            roll_out(&world, NAMESPACE, name).await?;
            let pod = only_pod(&world, name).await?;
            ensure!(proxy::concurrency(&world, &pod).await? == workers, "{name} has not {workers} workers");
            proxies.push((name, address(&pod, 8080)?));
        }
        let took = all_poll(&mut world, NAMESPACE, proxies.len(), Duration::from_secs(30)).await?;
        println!("all filters poll {took:?} after the rollout");
        let addresses: Vec<_> = proxies.iter().map(|(_, address)| *address).collect();
        let traffic = Traffic::to(&addresses)?;
        Ok(Self { world, proxies, policies, traffic, _git: git })
    }

    /// Removes the policies, and waits until no worker applies them.
    pub(super) async fn mend(&self) -> Result<()> {
        for (name, _) in self.harmed() {
            self.policies.remove(&format!("{name}.yaml"))?;
        }
        self.policies.push("Mend all").await?;
        for (_, address) in self.harmed() {
            everywhere(address, &Request::get("/"), |answer| answer.status == 200).await?;
        }
        Ok(())
    }

    /// Pushes the policies again, and waits until they are in force.
    pub(super) async fn harm(&self) -> Result<()> {
        write(&self.policies)?;
        self.policies.push("Break three of four").await?;
        let client = Client::new()?;
        for (_, address) in self.harmed() {
            harness::first(&client, address, &Request::get("/"), harness::Answer::aborted).await?;
        }
        Ok(())
    }

    /// Fails if not half of the requests are hit at each of the three, whatever the number of workers.
    pub(super) async fn are_rates_right(&self) -> Result<()> {
        for (name, address) in self.harmed() {
            let load = Load::of(Request::get("/"), REQUESTS).concurrency(16);
            let results = load.run(&Client::new()?, &[address]).await?;
            println!("{name}: {} of {} requests were hit", results.aborted(), results.requests());
            ensure!(Expectation::Aborted { share: 0.5 }.holds(&results), "{name}: {results:?}");
        }
        Ok(())
    }

    /// Waits until every filter runs, with one poll a proxy.
    pub(super) async fn all_poll(&mut self, after: &str, patience: Duration) -> Result<()> {
        self.all_poll_with(0, after, patience).await
    }

    /// The same with so many more proxies.
    pub(super) async fn all_poll_with(&mut self, more: usize, after: &str, patience: Duration) -> Result<()> {
        let number = self.proxies.len() + more;
        let took = all_poll(&mut self.world, NAMESPACE, number, patience).await?;
        println!("each of {number} proxies polls once, {took:?} after {after}");
        Ok(())
    }

    /// Fails if since then a request failed that no policy names, or policies were out of force for long.
    pub(super) fn was_as_policies_say(&self, since: Instant) -> Result<()> {
        self.was_as_policies_say_but_at(&[], since)
    }

    /// The same but for some proxies that could not answer.
    pub(super) fn was_as_policies_say_but_at(&self, others: &[&str], since: Instant) -> Result<()> {
        let here = |(name, _): &&(&str, _)| !others.contains(name);
        let addresses: Vec<_> = self.proxies.iter().filter(here).map(|(_, address)| *address).collect();
        self.traffic.failed_nowhere(&addresses, since)?;
        for (name, address) in self.harmed().filter(|one| here(&one)) {
            let lull = self.traffic.longest_without_fault(address, since);
            println!("{name}: at most {lull:?} without a fault");
            ensure!(lull < LULL, "{name} had no fault for {lull:?}");
        }
        Ok(())
    }

    /// Kills an Envoy. Its agent ends because of that, and its container starts again.
    pub(super) async fn kill_envoy(&self, workload: &str) -> Result<()> {
        let pod = only_pod(&self.world, workload).await?;
        exec(&self.world, &pod, &["pkill", "-KILL", "-x", "envoy"]).await.map(drop)
    }

    /// Kills an agent, and with it its Envoy.
    pub(super) async fn kill_agent(&self, workload: &str) -> Result<()> {
        let pod = only_pod(&self.world, workload).await?;
        self.world.kubelet().kill(NAMESPACE, crate::support::pods::name(&pod), "istio-proxy")
    }

    /// Makes a Deployment have so many Pods, without waiting for them.
    pub(super) async fn scale(&self, name: &str, number: usize) -> Result<usize> {
        self.world.apply(&deployment(name, 1, number)).await?;
        Ok(number)
    }

    /// The costs of each proxy.
    pub(super) async fn costs(&self) -> Result<Vec<Costs>> {
        let mut all = Vec::new();
        for (name, _) in WORKLOADS {
            let pod = only_pod(&self.world, name).await?;
            let (vms, memory) =
                (proxy::vms(&self.world, &pod).await?, proxy::memory(&self.world, &pod).await?);
            all.push(Costs { vms, memory });
        }
        Ok(all)
    }

    /// Ends it. Fails if anything happened to what no policy names.
    pub(super) async fn end(self) -> Result<()> {
        let (_, calm) = self.proxies.last().context("no proxies")?;
        self.traffic.was_spared(*calm)?;
        self.world.end().await
    }

    fn harmed(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        self.proxies.iter().filter(|(name, _)| *name != "calm").copied()
    }
}

/// Succeeds when no proxy has a poll under way.
pub(super) async fn nobody_polls(world: &World) -> Result<()> {
    for (name, _) in WORKLOADS {
        let polls = proxy::polls(world, &only_pod(world, name).await?).await?;
        ensure!(polls == 0, "{name} polls");
    }
    Ok(())
}

async fn only_pod(world: &World, name: &str) -> Result<Pod> {
    pods(world, NAMESPACE, Some(name)).await?.pop().with_context(|| format!("{name} has no Pod"))
}

fn write(policies: &Repository) -> Result<()> {
    for name in ["one", "two", "four"] {
        policies.write(&format!("{name}.yaml"), &POLICY.replace("NAME", name).replace("half", name))?;
    }
    Ok(())
}

fn deployment(name: &str, workers: u32, replicas: usize) -> Vec<Value> {
    let mut objects = workload(NAMESPACE, name);
    let config = json!({"concurrency": workers}).to_string();
    for object in &mut objects {
        let set = |place: &mut Value, field: &str, value: Value| {
            place.as_object_mut().map(|fields| fields.insert(field.to_owned(), value));
        };
        if let Some(metadata) = object.pointer_mut("/spec/template/metadata") {
            set(metadata, "annotations", json!({"proxy.istio.io/config": config}));
        }
        if let Some(spec) = object.get_mut("spec").filter(|spec| spec.get("template").is_some()) {
            set(spec, "replicas", json!(replicas));
        }
    }
    objects
}
