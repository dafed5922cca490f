use std::time::Duration;

use anyhow::Result;
use harness::{Answer, Load, Mesh, Request, first};

use crate::policies::{abort_all, policy};

#[tokio::test]
async fn in_the_median_of_five_pushes() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let (address, request) = (mesh.addresses("frontend")[0], Request::get("/"));

    let mut times = Vec::new();
    for _ in 0..5 {
        let push = mesh.publish("errors.yaml", &abort_all("errors", "frontend")).await?;
        let faulted = first(&mesh.client, address, &request, Answer::aborted).await?;
        times.push(faulted - push.began);
        mesh.retract("errors.yaml").await?;
        mesh.everywhere("frontend", &request, |answer| answer.status == 200).await?;
    }

    times.sort_unstable();
    println!("from git push to the first fault: {times:?}");
    assert!(times[2] < Duration::from_secs(1), "{times:?}");
    Ok(())
}

/// And no request in between gets anything but what some pushed policy says.
#[tokio::test]
async fn and_the_last_of_many_quick_pushes_wins() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let (addresses, load) = (mesh.addresses("frontend"), Load::of(Request::get("/"), 3000));
    let pushes = async {
        for status in 500..520 {
            let fault = format!("percentage: 100, abort: {{httpStatus: {status}}}");
            mesh.publish("errors.yaml", &policy("errors", "frontend", &fault)).await?;
        }
        anyhow::Ok(())
    };
    let (results, ()) = tokio::try_join!(load.run(&mesh.client, &addresses), pushes)?;
    assert_eq!(results.aborted() + results.with_status(200), 3000);

    mesh.everywhere("frontend", &Request::get("/"), |answer| answer.status.as_u16() == 519).await
}
