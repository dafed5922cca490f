use std::time::Duration;

use anyhow::{Result, ensure};
use harness::{Answer, Deadline, Envoy, Mesh, Request, everywhere};

use crate::fragile::{fragile, teapot, trap};

#[tokio::test]
async fn and_knows_what_is_in_force_before_its_first_request() -> Result<()> {
    let mut mesh = Mesh::start(&[]).await?;
    let envoy = Envoy::start(fragile(&mesh, 1)?.failing("FAIL_RELOAD"), &mesh.client).await?;
    mesh.publish("teapot.yaml", &teapot()).await?;
    let request = Request::get("/");
    everywhere(envoy.address(), &request, Answer::aborted).await?;
    // From here on no poll can tell it.
    mesh.reconciler.kill().await?;

    trap(&mesh.client, &envoy).await?;
    let deadline = Deadline::of("the filter to be reloaded", Duration::from_secs(15));
    loop {
        let answer = mesh.client.send(envoy.address(), &request).await?;
        if answer.aborted() {
            break;
        }
        // Until the time of a back-off is over, Envoy fails all requests.
        ensure!(answer.status == 503, "this one passed: {answer:?}");
        deadline.pause().await?;
    }
    ensure!(envoy.stat("boifi.hfi.vm_reload_success").await? == 1);
    Ok(())
}
