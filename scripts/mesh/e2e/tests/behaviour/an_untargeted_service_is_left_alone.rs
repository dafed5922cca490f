use anyhow::Result;
use harness::{Answer, Load, Mesh, Request};

use crate::policies::abort_all;

#[tokio::test]
async fn while_every_request_to_another_one_is_faulted() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1), ("checkout", 1)]).await?;
    mesh.publish("errors.yaml", &abort_all("errors", "frontend")).await?;
    mesh.everywhere("frontend", &Request::get("/"), Answer::aborted).await?;

    let load = Load::of(Request::get("/"), 1000);
    let (frontend, checkout) = (mesh.addresses("frontend"), mesh.addresses("checkout"));
    let (targeted, untargeted) =
        tokio::try_join!(load.run(&mesh.client, &frontend), load.run(&mesh.client, &checkout),)?;
    assert_eq!((targeted.aborted(), targeted.with_status(503)), (1000, 1000));
    assert_eq!((untargeted.aborted(), untargeted.with_status(200)), (0, 1000));
    Ok(())
}

#[tokio::test]
async fn even_one_of_the_same_name_in_another_namespace() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let elsewhere = abort_all("elsewhere", "frontend").replace("namespace: demo", "namespace: shop");
    mesh.repository.write("elsewhere.yaml", &elsewhere)?;
    // Pushed together: when the one is in force, the other has been seen as well.
    let here =
        abort_all("here", "frontend").replace("- fault", "- match: {path: {exact: /here}}\n      fault");
    mesh.publish("here.yaml", &here).await?;
    mesh.everywhere("frontend", &Request::get("/here"), Answer::aborted).await?;

    let results = Load::of(Request::get("/"), 1000).run(&mesh.client, &mesh.addresses("frontend")).await?;
    assert_eq!((results.aborted(), results.with_status(200)), (0, 1000));
    Ok(())
}
