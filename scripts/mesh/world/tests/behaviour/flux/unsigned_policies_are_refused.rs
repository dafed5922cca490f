//! hfi itself refuses policies that nobody signed, in the installation that Flux has made: the last good commit stays in
//! force until a signed one follows.

use anyhow::{Result, ensure};
use harness::http_client;
use world::FluxWorld;

use super::production::{HOOKS, hmac, sign_as};
use super::support::until;
use crate::support::pods::{address, pods};
use crate::support::replicas::ask_all;

const POLICY: &str = "\
metadata: {name: unsigned}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - fault: {percentage: 100, abort: {httpStatus: 503}}
";

/// The policy that was pushed before is in force on one replica at least.
pub(super) async fn step(world: &mut FluxWorld, signer: &str, in_force: &'static str) -> Result<()> {
    notify(world).await?;
    until(world, "both replicas to serve what is signed", async |world| {
        only(world, in_force, "unsigned").await
    })
    .await?;

    world.policies().git(&["config", "commit.gpgsign", "false"]).await?;
    world.policies().write("unsigned.yaml", POLICY)?;
    world.policies().remove(&format!("{in_force}.yaml"))?;
    world.policies().push("Break the frontend, says nobody").await?;
    let commit = world.policies().git(&["rev-parse", "HEAD"]).await?.trim().to_owned();
    notify(world).await?;
    until(world, "both replicas to refuse the commit", async |world| {
        let ready = ask_all(world.world(), "/v1/ready").await?;
        let refuses = |answer: &String| answer.contains(&commit) && answer.contains("not signed");
        ensure!(ready.len() == 2 && ready.iter().all(refuses), "{ready:?}");
        Ok(())
    })
    .await?;
    only(world, in_force, "unsigned").await?;

    sign_as(world.policies(), world, signer).await?;
    world.policies().git(&["commit", "--quiet", "--allow-empty", "--message", "Sign it"]).await?;
    world.policies().git(&["push", "--quiet", "origin", "main"]).await?;
    notify(world).await?;
    until(world, "both replicas to serve what is signed at last", async |world| {
        only(world, "unsigned", in_force).await
    })
    .await
}

/// Both replicas serve one policy and not another.
async fn only(world: &FluxWorld, one: &str, other: &str) -> Result<()> {
    let served = ask_all(world.world(), "/v1/policies/status").await?;
    let has = |served: &str, name: &str| served.contains(&format!("\"name\":\"{name}\""));
    let is_it = |served: &String| has(served, one) && !has(served, other);
    ensure!(served.len() == 2 && served.iter().all(is_it), "{served:?}");
    Ok(())
}

/// Tells each replica of a push, as Flux tells one of them.
async fn notify(world: &FluxWorld) -> Result<()> {
    let client = http_client()?.no_proxy().build()?;
    let signature = format!("sha256={}", hmac(HOOKS, "{}").await?);
    for pod in pods(world.world(), "boifi", None).await? {
        let url = format!("http://{}/v1/hooks/generic", address(&pod, 8080)?);
        let answer = client.post(url).header("x-signature", &signature).body("{}").send().await?;
        ensure!(answer.status() == 202, "{answer:?}");
    }
    Ok(())
}
