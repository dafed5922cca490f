use std::time::{Duration, Instant};

use anyhow::Result;
use harness::{Answer, Load, Mesh, Request};

use crate::policies::abort_all;

#[tokio::test]
async fn for_traffic_and_what_was_pushed_meanwhile_takes_effect_after_its_restart() -> Result<()> {
    let mut mesh = Mesh::start(&[("frontend", 1), ("checkout", 1)]).await?;
    let request = Request::get("/");
    mesh.publish("frontend.yaml", &abort_all("frontend-errors", "frontend")).await?;
    mesh.everywhere("frontend", &request, Answer::aborted).await?;

    mesh.reconciler.kill().await?;
    mesh.publish("checkout.yaml", &abort_all("checkout-errors", "checkout")).await?;
    // Long enough for polls to fail and be tried again.
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        let load = Load::of(request.clone(), 200);
        let targeted = load.run(&mesh.client, &mesh.addresses("frontend")).await?;
        let other = load.run(&mesh.client, &mesh.addresses("checkout")).await?;
        assert_eq!((targeted.aborted(), targeted.with_status(503)), (200, 200));
        assert_eq!((other.aborted(), other.with_status(200)), (0, 200));
    }

    mesh.reconciler.restart().await?;
    mesh.everywhere("checkout", &request, Answer::aborted).await?;
    mesh.everywhere("frontend", &request, Answer::aborted).await?;
    Ok(())
}

#[tokio::test]
async fn and_one_that_is_asked_to_end_answers_held_polls_at_once() -> Result<()> {
    let mut mesh = Mesh::start(&[("frontend", 1)]).await?;
    let request = Request::get("/");
    mesh.publish("errors.yaml", &abort_all("errors", "frontend")).await?;
    mesh.everywhere("frontend", &request, Answer::aborted).await?;

    let asked = Instant::now();
    let status = mesh.reconciler.terminate().await?;
    assert!(status.success(), "{status}");
    assert!(asked.elapsed() < Duration::from_secs(2), "it took {:?}", asked.elapsed());
    mesh.everywhere("frontend", &request, Answer::aborted).await
}

#[tokio::test]
async fn nor_does_one_that_hangs() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1), ("checkout", 1)]).await?;
    let request = Request::get("/");
    mesh.publish("frontend.yaml", &abort_all("frontend-errors", "frontend")).await?;
    mesh.everywhere("frontend", &request, Answer::aborted).await?;

    mesh.reconciler.freeze()?;
    mesh.publish("checkout.yaml", &abort_all("checkout-errors", "checkout")).await?;
    let load = Load::of(request.clone(), 1000);
    let targeted = load.run(&mesh.client, &mesh.addresses("frontend")).await?;
    let other = load.run(&mesh.client, &mesh.addresses("checkout")).await?;
    assert_eq!((targeted.aborted(), other.with_status(200)), (1000, 1000));
    assert!(other.percentile(1.0) < Duration::from_secs(1), "{:?}", other.percentile(1.0));

    mesh.reconciler.thaw()?;
    mesh.everywhere("checkout", &request, Answer::aborted).await
}
