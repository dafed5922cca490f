use std::time::{Duration, Instant};

use anyhow::Result;
use harness::{Answer, Mesh, Request, first};

use crate::policies::policy;

#[tokio::test]
async fn by_the_clock_of_the_filter() -> Result<()> {
    let mut mesh = Mesh::start(&[("frontend", 1)]).await?;
    let request = Request::get("/");
    let short = policy("short", "frontend", "percentage: 100, duration_seconds: 8, abort: {httpStatus: 503}");
    mesh.publish("short.yaml", &short).await?;
    let committed = Instant::now();
    mesh.everywhere("frontend", &request, Answer::aborted).await?;
    mesh.reconciler.kill().await?;

    let address = mesh.addresses("frontend")[0];
    let ended = first(&mesh.client, address, &request, |answer| answer.status == 200).await?;
    let lasted = ended - committed;
    println!("a fault of 8 s lasted {lasted:?}");
    // A commit's time is in whole seconds, rounded down.
    assert!(lasted > Duration::from_millis(6500) && lasted < Duration::from_millis(9000), "{lasted:?}");
    mesh.everywhere("frontend", &request, |answer| answer.status == 200).await
}
