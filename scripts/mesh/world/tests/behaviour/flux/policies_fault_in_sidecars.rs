//! A policy that is pushed faults in a sidecar of the mesh that Flux has made, for nobody else, and no more after the
//! commit that deletes it. The application takes part as `flux/README.md` says of sidecars.

use anyhow::{Result, ensure};
use harness::{Answer, Client, Request, everywhere};
use world::FluxWorld;

use crate::support::{address, apply_workload, roll_out};

const NAMESPACE: &str = "my-app";

const POLICY: &str = "\
metadata: {name: my-service-errors}
spec:
  selector: {service: my-service, namespace: my-app}
  rules:
    - fault: {percentage: 100, abort: {httpStatus: 503}}
";

const WITH_FILTER: &str = r#"{"spec":{"template":{"metadata":{"labels":{"hfi.dev/inject":"true"}}}}}"#;

pub(super) async fn step(world: &mut FluxWorld) -> Result<()> {
    world.kubectl(&["create", "namespace", NAMESPACE]).await?;
    world.kubectl(&["label", "namespace", NAMESPACE, "istio-injection=enabled"]).await?;
    let mut addresses = Vec::new();
    for name in ["my-service", "other"] {
        apply_workload(world.world(), NAMESPACE, name).await?;
        let deployment = format!("deployment/{name}");
        let patch = ["patch", &deployment, "--namespace", NAMESPACE, "--type=merge", "--patch", WITH_FILTER];
        world.kubectl(&patch).await?;
    }
    for name in ["my-service", "other"] {
        roll_out(world.world(), NAMESPACE, name).await?;
        addresses.push(address(world.world(), NAMESPACE, name).await?);
    }
    let [mine, other] = addresses[..] else { anyhow::bail!("two workloads have {addresses:?}") };
    let (request, is_well) = (Request::get("/"), |answer: &Answer| answer.status == 200);
    for address in [mine, other] {
        everywhere(address, &request, is_well).await?;
    }
    world.policies().write("my-service-errors.yaml", POLICY)?;
    world.policies().push("Break my service").await?;
    everywhere(mine, &request, Answer::aborted).await?;
    ensure!(is_well(&Client::new()?.send(other, &request).await?), "another service has the fault");

    world.policies().remove("my-service-errors.yaml")?;
    world.policies().push("Mend my service").await?;
    everywhere(mine, &request, is_well).await
}
