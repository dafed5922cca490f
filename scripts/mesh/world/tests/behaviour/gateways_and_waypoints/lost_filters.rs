//! A race in Istio's agents takes the filters, one after the other: a plugin that is sent again brings back all filters
//! that istiod sends meanwhile. The doctor says which is lost, and hfi gives it back.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::edge::{Edge, Place};
use crate::doctor::finds;
use crate::support::plugins::was_sent_again;
use crate::support::pods::{name, pods};
use crate::support::race::lose;

const SOON: Duration = Duration::from_secs(20);
const TWO_MINUTES: Duration = Duration::from_secs(120);

pub(super) async fn come_back(edge: &Edge, places: &[Place]) -> Result<()> {
    for place in places {
        comes_back(edge, place).await?;
        finds(&edge.world, "nothing wrong", &[]).await?;
    }
    Ok(())
}

async fn comes_back(edge: &Edge, place: &Place) -> Result<()> {
    let Place { namespace, workload, plugin, faults } = place;
    let mut proxies = pods(&edge.world, namespace, None).await?;
    proxies.retain(|pod| name(pod).starts_with(&format!("{workload}-")));
    lose(&edge.world, &[(namespace, plugin)], &proxies).await?;
    let lost = faults.until("the loss of a filter by the race", false, SOON).await?;
    let (pod, message) = (format!("Pod {namespace}/{workload}-"), "does not run the filter of WasmPlugin");
    let next = format!("annotate wasmplugin {plugin}");
    finds(&edge.world, "a filter that a race took", &[[&pod, message, &next]]).await?;
    ensure!(!was_sent_again(&edge.world, namespace, plugin).await?, "{plugin} was sent again too soon");

    let back = faults.until("the filter that the race took", true, TWO_MINUTES).await?;
    println!("{namespace}/{workload} has its filter back {:?} after the race", back - lost);
    ensure!(back - lost < TWO_MINUTES, "it takes {:?}", back - lost);
    ensure!(was_sent_again(&edge.world, namespace, plugin).await?, "{plugin} came back by itself");
    Ok(())
}
