use std::time::{Duration, Instant};

use anyhow::Result;
use harness::{Answer, Load, Mesh, Request};

use crate::policies::policy;

#[tokio::test]
async fn for_as_long_as_it_says() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let slow = policy("slow", "frontend", "percentage: 100, delay: {fixed_delay_ms: 300}");
    mesh.publish("slow.yaml", &slow).await?;
    mesh.everywhere("frontend", &Request::get("/"), Answer::delayed).await?;

    // Marks that a caller forges are replaced, not added to.
    let request = Request::get("/").header("x-hfi-fault", "forged").header("x-hfi-policy", "forged");
    let answer = mesh.client.send(mesh.addresses("frontend")[0], &request).await?;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.seen_by_workload("x-hfi-fault").as_deref(), Some("delay"));
    assert_eq!(answer.seen_by_workload("x-hfi-policy").as_deref(), Some("slow"));

    let load = Load::of(Request::get("/"), 200).concurrency(20);
    let results = load.run(&mesh.client, &mesh.addresses("frontend")).await?;
    assert_eq!((results.with_status(200), results.delayed()), (200, 200));
    let (least, most) = (results.percentile(0.0), results.percentile(0.99));
    println!("a delay of 300 ms took {least:?} to {most:?}");
    assert!(least >= Duration::from_millis(300), "{least:?}");
    assert!(most < Duration::from_millis(600), "{most:?}");
    Ok(())
}

#[tokio::test]
async fn before_the_abort_of_the_same_rule() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let fault = "percentage: 100, delay: {fixed_delay_ms: 200}, abort: {httpStatus: 504}";
    mesh.publish("slow-errors.yaml", &policy("slow-errors", "frontend", fault)).await?;

    let late = |answer: &Answer| answer.aborted() && answer.took >= Duration::from_millis(200);
    mesh.everywhere("frontend", &Request::get("/"), late).await?;
    let answer = mesh.client.send(mesh.addresses("frontend")[0], &Request::get("/")).await?;
    assert_eq!(answer.status, 504);
    assert!(late(&answer) && answer.took < Duration::from_millis(500), "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn and_start_delay_ms_comes_before_either() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1), ("checkout", 1)]).await?;
    let abort = "percentage: 100, start_delay_ms: 250, abort: {httpStatus: 503}";
    mesh.repository.write("abort.yaml", &policy("late-abort", "frontend", abort))?;
    let delay = "percentage: 100, start_delay_ms: 150, delay: {fixed_delay_ms: 150}";
    mesh.publish("delay.yaml", &policy("late-delay", "checkout", delay)).await?;

    let after = |least, answer: &Answer| answer.took >= Duration::from_millis(least);
    let request = Request::get("/");
    mesh.everywhere("frontend", &request, |answer| answer.aborted() && after(250, answer)).await?;
    mesh.everywhere("checkout", &request, |answer| answer.delayed() && after(300, answer)).await
}

#[tokio::test]
async fn and_requests_held_do_not_wait_for_each_other() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let slow = policy("slow", "frontend", "percentage: 100, delay: {fixed_delay_ms: 500}");
    mesh.publish("slow.yaml", &slow).await?;
    mesh.everywhere("frontend", &Request::get("/"), Answer::delayed).await?;

    let began = Instant::now();
    let load = Load::of(Request::get("/"), 300).concurrency(100);
    let results = load.run(&mesh.client, &mesh.addresses("frontend")).await?;
    assert_eq!(results.with_status(200), 300);
    assert!(began.elapsed() < Duration::from_secs(4), "three rounds took {:?}", began.elapsed());
    Ok(())
}
