//! A gateway in which two plugins meet decides once about a request.

use anyhow::{Result, ensure};
use harness::{CONFIDENCE, Load, Request, expected};

use super::town::Town;

const REQUESTS: usize = 1000;

pub(super) const POLICIES: &str = "\
metadata: {name: decided-once}
spec:
  selector: {service: gateway-istio}
  rules: [{match: {path: {exact: /decided-once}}, fault: {percentage: 50, abort: {httpStatus: 503}}}]
";

pub(super) async fn although_two_plugins_meet(town: &Town) -> Result<()> {
    for (gateway, namespace, plugins) in [(town.edge, "edge", 1), (town.shop, "shop", 2)] {
        let filters = town.filters_of_gateway(namespace).await?;
        ensure!(filters.len() == plugins, "the filters of the gateway of {namespace} are {filters:?}");
        let request = Request::get("/decided-once").header("host", "shop.example.com");
        let results = town.outside().load(gateway, Load::of(request, REQUESTS)).await?;
        let share = results.aborted();
        ensure!(expected(REQUESTS, 0.5, CONFIDENCE).contains(&share), "{namespace}: {share} of {REQUESTS}");
        ensure!(share + results.with_status(200) == REQUESTS, "{namespace}: {results:?}");
    }
    Ok(())
}
