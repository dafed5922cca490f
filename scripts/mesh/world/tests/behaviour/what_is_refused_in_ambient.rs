//! What hfi refuses in ambient, Istio takes, and none of it does what was meant: ztunnel and the waypoints are sent the
//! same as before, or something else.
//!
//! No ztunnel runs here, so what istiod has for it is asked (`/debug/ambientz`). The waypoints are asked themselves.

mod country;
mod refused;
mod sent;

use anyhow::{Context, Result, ensure};
use istio_config::Kind;
use serde_json::{Value, json};

use self::{
    country::Country,
    refused::{Refused, refused},
    sent::differences,
};

/// What hfi refuses since it does something else than what was meant.
const ELSE: [(Kind, &str); 2] = [
    (Kind::AuthorizationPolicy, "reviews-authorization-policy-allow"),
    (Kind::VirtualService, "reviews-neighbour-virtual-service"),
];

/// What the routes for some callers, and of a neighbour, are in a waypoint.
const ROUTE_TO_V1: &str = r#""cluster":"inbound-vip|80|http/v1|reviews.shop."#;
const TIME_OUT: &str = r#""timeout":"1s""#;

#[tokio::test]
async fn does_nothing_there_or_something_else() -> Result<()> {
    let (other, inert): (Vec<_>, Vec<_>) =
        refused()?.into_iter().partition(|refused| ELSE.contains(&(refused.kind, &refused.name)));
    ensure!(other.len() == ELSE.len() && inert.len() >= 11, "{other:#?} {inert:#?}");
    let country = Country::start(&[refused::without_callers(&inert)?, refused::permissive(&inert)?]).await?;
    changes_nothing(&country, &inert).await?;
    a_route_for_some_callers_is_for_nobody(&country, &inert).await?;
    rules_about_requests_are_left_out(&country, &other).await?;
    a_route_of_a_neighbour_is_for_everybody(&country, &other).await?;
    country.world.end().await
}

/// All at once, where `permissive` is in the place of `disable`, and the route for some callers is not there yet.
async fn changes_nothing(country: &Country, inert: &[Refused]) -> Result<()> {
    let before = country.sent().await?;
    let objects: Vec<_> = inert.iter().map(|refused| refused.object.clone()).collect();
    country.world.apply(&objects).await?;
    country.is_known(inert).await?;
    let after = country.sent().await?;
    let differences = differences(&before, &after);
    ensure!(differences.is_empty(), "something has an effect: {differences:#?}");
    Ok(())
}

/// The same without `from` is for everybody: it would be seen.
async fn a_route_for_some_callers_is_for_nobody(country: &Country, inert: &[Refused]) -> Result<()> {
    let mut route = refused::with_callers(inert)?.object.clone();
    country.waypoint_lacks("shop", ROUTE_TO_V1).await?;
    let first = route.pointer_mut("/spec/http/0").and_then(Value::as_object_mut).context("no route")?;
    first.remove("match").context("a route for everybody")?;
    country.world.apply(&[route]).await?;
    country.until_waypoint("shop", ROUTE_TO_V1).await
}

/// ztunnel gets a policy with nothing in it, which allows nobody, and istiod says why.
async fn rules_about_requests_are_left_out(country: &Country, other: &[Refused]) -> Result<()> {
    let policy = of(other, Kind::AuthorizationPolicy)?;
    country.world.apply(std::slice::from_ref(&policy.object)).await?;
    let sent = country.until_ztunnel(&policy.name).await?;
    ensure!(sent.get("groups").is_none_or(|groups| *groups == json!([])), "{sent}");
    let reason = country.reason_of_ztunnel(&policy.name).await?;
    ensure!(reason.contains("ztunnel does not support HTTP attributes (found: methods)"), "{reason}");
    Ok(())
}

/// The waypoint takes it, for all callers.
async fn a_route_of_a_neighbour_is_for_everybody(country: &Country, other: &[Refused]) -> Result<()> {
    let route = of(other, Kind::VirtualService)?;
    country.waypoint_lacks("shop", TIME_OUT).await?;
    country.world.apply(std::slice::from_ref(&route.object)).await?;
    country.until_waypoint("shop", TIME_OUT).await
}

fn of(refused: &[Refused], kind: Kind) -> Result<&Refused> {
    refused.iter().find(|refused| refused.kind == kind).with_context(|| format!("no {}", kind.name()))
}
