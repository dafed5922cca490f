use anyhow::Result;
use harness::{Answer, Mesh, Request};

use crate::policies::policy;

#[tokio::test]
async fn with_status_body_and_marks() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let fault = r#"percentage: 100, abort: {httpStatus: 429, body: "slow down, grüße"}"#;
    mesh.publish("limit.yaml", &policy("limit", "frontend", fault)).await?;
    mesh.everywhere("frontend", &Request::get("/"), Answer::aborted).await?;

    let answer = mesh.client.send(mesh.addresses("frontend")[0], &Request::get("/")).await?;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.body, "slow down, grüße");
    assert_eq!(answer.header("x-hfi-fault"), Some("abort"));
    assert_eq!(answer.header("x-hfi-policy"), Some("limit"));
    Ok(())
}
