//! Each plugin knows whose it is, and runs what is meant for that one only.

use anyhow::{Context, Result};
use harness::{Envoy, Request, everywhere};
use serde_json::Value;

use crate::policy::{PROBE, Policy};
use crate::report::Report;
use crate::world::{FRONTEND, PRODUCTCATALOG, World, json, services, sidecars};

const ASKED: usize = 200;

pub(crate) async fn play(world: &mut World, report: &mut Report) -> Result<()> {
    let all = sidecars();
    let filters = filters(world).await?;
    let knows = |envoy: &Envoy, service: &str| {
        filters.iter().any(|filter| {
            let says = |field| filter.get(field).and_then(Value::as_str);
            says("node") == Some(&envoy.node_id())
                && says("namespace") == Some("demo")
                && says("service") == Some(service)
        })
    };
    let known =
        services().map(|service| world.mesh.envoys(service).filter(|envoy| knows(envoy, service)).count());
    let known: usize = known.sum();
    let frontend = world.mesh.envoys(FRONTEND).filter(|envoy| knows(envoy, FRONTEND)).count();
    let measured = format!("{frontend} of 3, by /v1/filters");
    report.figure("service", measured, frontend == 3)?;

    world.publish(vec![Policy::abort(PRODUCTCATALOG, 100, 503)]).await?;
    let mut ignored = 0;
    for envoy in world.mesh.envoys(FRONTEND) {
        ignored += usize::from(envoy.stat("hfi.policies.active").await? == 0);
    }
    let passed = world.ask(FRONTEND, ASKED).await?.with_status(200);
    let measured = format!("0 policies in {ignored} of 3; {passed} of {ASKED} pass");
    let holds = ignored == 3 && passed == ASKED;
    report.figure("ignores", measured, holds)?;

    let measured = format!("{known} of {all} right, by /v1/filters");
    report.figure("every-plugin", measured, known == all)?;
    nameless(world, report).await
}

/// The filters that poll either replica: each replica knows only its own.
async fn filters(world: &World) -> Result<Vec<Value>> {
    let mut filters = Vec::new();
    for replica in [world.mesh.reconciler.address(), world.peer.address()] {
        let known = json(&world.mesh.client, replica, "/v1/filters").await?;
        let known = known.get("filters").and_then(Value::as_array).context("a list of filters")?;
        filters.extend(known.iter().cloned());
    }
    Ok(filters)
}

async fn nameless(world: &mut World, report: &mut Report) -> Result<()> {
    let nameless = world.mesh.sidecar(FRONTEND).replica(5).without_identity();
    let nameless = Envoy::start(nameless, &world.mesh.client).await?;
    // The first of the two policies is for everything, and seen to be in force.
    let everything = Policy::abort("*", 100, 502).in_every_namespace();
    world.publish(vec![everything, Policy::abort(FRONTEND, 100, 503)]).await?;
    everywhere(nameless.address(), &Request::get(PROBE), |answer| answer.aborted()).await?;
    let wildcard = world.ask_at(&[nameless.address()], ASKED).await?.with_status(502);
    world.publish(vec![Policy::abort(FRONTEND, 100, 503)]).await?;
    everywhere(nameless.address(), &Request::get(PROBE), |answer| !answer.aborted()).await?;
    let named = world.ask_at(&[nameless.address()], ASKED).await?;
    let warnings = nameless.warnings()?.len();
    let measured = format!("{warnings} warning; {wildcard} of {ASKED} fail, {} pass", named.with_status(200));
    let holds = warnings == 1 && wildcard == ASKED && named.with_status(200) == ASKED;
    report.figure("nameless", measured, holds)
}
