use anyhow::Result;
use harness::{Answer, Load, Mesh, Request};

use crate::policies::abort_all;

#[tokio::test]
async fn on_every_worker_and_for_good() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let request = Request::get("/");
    mesh.publish("errors.yaml", &abort_all("errors", "frontend")).await?;
    mesh.everywhere("frontend", &request, Answer::aborted).await?;

    mesh.retract("errors.yaml").await?;
    mesh.everywhere("frontend", &request, |answer| answer.status == 200).await?;

    let results = Load::of(request, 1000).run(&mesh.client, &mesh.addresses("frontend")).await?;
    assert_eq!((results.aborted(), results.with_status(200)), (0, 1000));
    Ok(())
}
