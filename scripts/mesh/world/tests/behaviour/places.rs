//! Faults at the four places of `policies/WHERE-FAULTS-HAPPEN.md`: the caller's sidecar, gateways, a waypoint and the
//! callee's sidecar. One mesh serves all of these tests, since it takes half a minute to start.
//!
//! | section of that page | shown by |
//! |---|---|
//! | the places, names, and who calls | `whom_a_policy_names`, `one_decision` |
//! | retries and time-outs | `retries_and_time_outs` |
//! | what a match compares | `rewrites`, `odd_requests` |
//! | canaries | `canaries` |
//! | outside the mesh | `whom_a_policy_names`, `odd_requests` |
//! | browsers | `browsers` |
//! | two places on one way | `two_places` |
//!
//! A request to the address of a Pod at a waypoint is the chain `direct-http` of the end-to-end test
//! `a_waypoint_stands_for_the_service_of_a_request`: only ztunnel sends such requests.

mod browsers;
mod canaries;
mod odd_requests;
mod one_decision;
mod retries_and_time_outs;
mod rewrites;
mod town;
mod two_places;
mod whom_a_policy_names;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use town::{SETTLED, Town};

/// The interval of the control plane is 1 s here.
const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn faults_happen_where_a_policy_says() -> Result<()> {
    let objects = [
        whom_a_policy_names::objects(),
        retries_and_time_outs::objects(),
        rewrites::objects(),
        browsers::objects(),
        canaries::objects(),
    ];
    let town = Town::start(objects.concat()).await?;
    let policies = [
        SETTLED,
        &whom_a_policy_names::policies(),
        one_decision::POLICIES,
        retries_and_time_outs::POLICIES,
        &rewrites::policies(),
        browsers::POLICIES,
        two_places::POLICIES,
        canaries::POLICIES,
        odd_requests::POLICIES,
    ];
    town.policies.write("places.yaml", &policies.join("---\n"))?;
    town.settled(false).await?;
    let push = town.policies.push("Break everything").await?;
    town.settled(true).await?;
    println!("from git push to faults in every proxy: {:?}", push.began.elapsed());
    ensure!(push.began.elapsed() < SOON);

    let mut all = Verdicts::default();
    all.add("whom a policy names", whom_a_policy_names::and_nobody_else(&town)).await;
    all.add("one decision", one_decision::although_two_plugins_meet(&town)).await;
    all.add("retries", retries_and_time_outs::what_is_left_of_a_fault(&town)).await;
    all.add("time-outs", retries_and_time_outs::which_delays_end_early(&town)).await;
    all.add("rewrites", rewrites::before_the_route_but_at_the_callee(&town)).await;
    all.add("browsers", browsers::what_they_may_read(&town)).await;
    all.add("two places", two_places::throw_twice_or_agree(&town)).await;
    all.add("canaries", canaries::get_their_share(&town)).await;
    all.add("odd requests", odd_requests::at_a_gateway(&town)).await;
    all.add("out of the mesh", odd_requests::out_of_the_mesh(&town)).await;
    all.well()?;

    town.policies.remove("places.yaml")?;
    town.policies.push("Mend everything").await?;
    town.settled(false).await?;
    whom_a_policy_names::once_it_is_gone(&town).await?;
    town.world.end().await
}

/// The outcome of each test, so that one that fails hides no other.
#[derive(Default)]
struct Verdicts(Vec<String>);

impl Verdicts {
    async fn add(&mut self, what: &str, test: impl Future<Output = Result<()>>) {
        let began = Instant::now();
        let outcome = test.await;
        println!("{what}: {:?}", began.elapsed());
        self.0.extend(outcome.err().map(|error| format!("{what}: {error:#}")));
    }

    fn well(self) -> Result<()> {
        ensure!(self.0.is_empty(), "{}", self.0.join("\n\n"));
        Ok(())
    }
}
