use std::collections::BTreeSet;

use anyhow::Result;
use harness::{Answer, Mesh, Request, expected};

const USERS: usize = 60;

/// At `/settled` the status tells which of the policies is in force.
fn cohort(percentage: usize, settled: u16) -> String {
    format!(
        "metadata: {{name: cohort}}
spec:
  selector: {{service: frontend, namespace: demo}}
  rules:
    - {{match: {{path: {{exact: /settled}}}}, fault: {{percentage: 100, abort: {{httpStatus: {settled}}}}}}}
    - fault: {{percentage: {percentage}, stickyBy: x-user, abort: {{httpStatus: 503}}}}
"
    )
}

#[tokio::test]
async fn and_stay_chosen_when_the_share_grows() -> Result<()> {
    let mut mesh = Mesh::start(&[("frontend", 3)]).await?;
    mesh.publish("cohort.yaml", &cohort(30, 501)).await?;
    mesh.everywhere("frontend", &Request::get("/settled"), |answer| answer.status == 501).await?;
    let few = chosen(&mesh).await?;
    assert!(expected(USERS, 0.3, 0.999).contains(&few.len()), "{few:?}");

    mesh.publish("cohort.yaml", &cohort(60, 502)).await?;
    mesh.everywhere("frontend", &Request::get("/settled"), |answer| answer.status == 502).await?;
    let more = chosen(&mesh).await?;
    assert!(expected(USERS, 0.6, 0.999).contains(&more.len()), "{more:?}");
    assert!(few.is_subset(&more), "{few:?} and then {more:?}");

    // Nor does it matter what a replica remembers.
    mesh.envoy_mut("frontend")?.restart().await?;
    mesh.everywhere("frontend", &Request::get("/settled"), Answer::aborted).await?;
    assert_eq!(chosen(&mesh).await?, more);
    Ok(())
}

/// The users that get the fault, the same on every replica.
async fn chosen(mesh: &Mesh) -> Result<BTreeSet<String>> {
    let mut chosen = BTreeSet::new();
    for user in (0..USERS).map(|number| format!("user-{number}")) {
        let mut outcomes = BTreeSet::new();
        for address in mesh.addresses("frontend") {
            let request = Request::get("/").header("x-user", &user);
            outcomes.insert(mesh.client.send(address, &request).await?.aborted());
        }
        assert_eq!(outcomes.len(), 1, "{user} is chosen on one replica and not on another");
        if outcomes.contains(&true) {
            chosen.insert(user);
        }
    }
    Ok(chosen)
}
