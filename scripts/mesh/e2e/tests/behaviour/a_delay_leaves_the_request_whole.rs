use std::time::Duration;

use anyhow::{Context, Result};
use harness::{Answer, Client, Mesh, Request};
use policies::Digest;
use tokio::task::JoinSet;

use crate::policies::policy;

const DELAY: Duration = Duration::from_millis(200);

#[tokio::test]
async fn over_http_1_and_2_with_or_without_a_body_of_5_megabytes() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let slow = policy("slow", "frontend", "percentage: 100, delay: {fixed_delay_ms: 200}");
    mesh.publish("slow.yaml", &slow).await?;
    mesh.everywhere("frontend", &Request::get("/"), Answer::delayed).await?;

    // No two parts of it are alike, so that a part that is lost or doubled is noticed.
    let large: Vec<u8> = (0..655_360_u64).flat_map(|number| number.to_be_bytes()).collect();
    let address = mesh.addresses("frontend")[0];
    let mut asking = JoinSet::new();
    for client in [Client::new()?, Client::http2()?] {
        // Several at once: over HTTP/2 they share a connection.
        for body in [Vec::new(), large.clone(), large.clone(), b"short".to_vec()] {
            let client = client.clone();
            asking.spawn(async move {
                let request = Request::get("/").method("POST".parse()?).body(body.clone());
                anyhow::Ok((Digest::of(&body).to_string(), client.send(address, &request).await?))
            });
        }
    }
    while let Some(answered) = asking.join_next().await {
        let (sent, answer) = answered??;
        assert!(answer.status == 200 && answer.delayed() && answer.took >= DELAY, "{answer:?}");
        assert_eq!(answer.body_seen_by_workload().context("no digest")?, sent);
    }
    Ok(())
}
