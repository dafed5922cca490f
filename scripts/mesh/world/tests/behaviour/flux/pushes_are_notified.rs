//! A forge's webhook goes to the Receiver, Flux reads the policies, and the Alert tells hfi, which reads them too.
//! A link that fails is told to the people on call.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::http_client;
use serde_json::Value;
use world::FluxWorld;

use super::production::{WEBHOOK, hmac};
use super::support::{address, edit, get, push, until, until_ready};
use crate::support::replicas::ask_all;

const POLICY: &str = "\
metadata: {name: checkout-errors}
spec:
  selector: {service: checkout, namespace: demo}
  rules:
    - fault: {percentage: 30, abort: {httpStatus: 503}}
";

/// Without a notification hfi would read the repository after ten minutes here, and Flux after one.
const SOON: Duration = Duration::from_secs(20);

pub(super) async fn step(world: &mut FluxWorld) -> Result<()> {
    world.policies().write("checkout-errors.yaml", POLICY)?;
    world.policies().push("Break the checkout").await?;
    let began = Instant::now();
    let receiver = get(world, "receiver/fault-policies", "boifi").await?;
    let path = receiver.pointer("/status/webhookPath").and_then(Value::as_str).context("no path")?;
    let body = r#"{"ref": "refs/heads/main"}"#;
    let url = format!("http://{}{path}", address(world, "webhook-receiver", "flux-system").await?);
    let client = http_client()?.no_proxy().build()?;
    let notify = async |signature: String| {
        let request =
            client.post(&url).header("content-type", "application/json").header("x-github-event", "push");
        Ok::<_, anyhow::Error>(
            request.header("x-hub-signature-256", signature).body(body).send().await?.status(),
        )
    };
    let answer = notify(format!("sha256={}", hmac("a guess", body).await?)).await?;
    ensure!(answer.is_client_error(), "a forged notification gets {answer}");
    let answer = notify(format!("sha256={}", hmac(WEBHOOK, body).await?)).await?;
    ensure!(answer.is_success(), "the notification gets {answer}");
    until(world, "a replica to serve the policy", async |world| {
        let served = ask_all(world.world(), "/v1/policies/status").await?;
        let told = served.iter().filter(|policies| policies.contains("checkout-errors")).count();
        ensure!(told > 0, "{served:?}");
        println!("{told} of {} replicas serve the policy", served.len());
        Ok(())
    })
    .await?;
    println!("from the forge's webhook to the policy: {:?}", began.elapsed());
    ensure!(began.elapsed() < SOON);

    let file = "flux/components/istio/telemetry/failures-only/telemetry.yaml";
    let text = fs::read_to_string(world.platform().work().join(file))?;
    edit(world, file, "accessLogging:", "accessLogging: [")?;
    push(world, "Break the telemetry").await?;
    until(world, "the people on call to hear of the link", async |world| {
        let messages = world.messages();
        let is_told =
            |message: &String| message.contains("hfi-istio-telemetry") && message.contains("telemetry.yaml");
        ensure!(messages.iter().any(is_told), "{messages:#?}");
        Ok(())
    })
    .await?;
    world.platform().write(file, &text)?;
    push(world, "Mend the telemetry").await?;
    until_ready(world).await
}
