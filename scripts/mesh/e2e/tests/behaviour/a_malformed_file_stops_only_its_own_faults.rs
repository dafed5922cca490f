use anyhow::Result;
use harness::{Answer, Mesh, Request};

use crate::policies::abort_all;

#[tokio::test]
async fn and_they_are_back_once_it_is_repaired() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1), ("checkout", 1)]).await?;
    let request = Request::get("/");
    let healthy = |answer: &Answer| answer.status == 200;
    let errors = abort_all("frontend-errors", "frontend");
    mesh.repository.write("frontend.yaml", &errors)?;
    mesh.publish("checkout.yaml", &abort_all("checkout-errors", "checkout")).await?;
    mesh.everywhere("frontend", &request, Answer::aborted).await?;
    mesh.everywhere("checkout", &request, Answer::aborted).await?;

    let malformed = [
        errors.replace("percentage", "percentige"),
        errors.replace("100", "101"),
        "metadata: {name: [\n".to_owned(),
    ];
    for text in malformed {
        mesh.publish("frontend.yaml", &text).await?;
        mesh.everywhere("frontend", &request, healthy).await?;
        mesh.everywhere("checkout", &request, Answer::aborted).await?;
        mesh.publish("frontend.yaml", &errors).await?;
        mesh.everywhere("frontend", &request, Answer::aborted).await?;
    }
    Ok(())
}
