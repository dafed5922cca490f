//! Requests and limits of containers as values (`resourceFieldRef`).

use k8s_openapi::api::core::v1::{Container, Pod, ResourceFieldSelector};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::facts::Facts;
use super::quantity::{billionths, divided};
use super::refusal::Refusal;

/// The amount that a selector names, in units of its divisor. A missing limit is all that the Node has.
pub(super) fn resource(
    pod: &Pod,
    container: Option<&Container>,
    selector: &ResourceFieldSelector,
    facts: &Facts,
) -> Result<String, Refusal> {
    let what = &selector.resource;
    let unknown = || Refusal::of_spec(format!("there is no resource {what:?}"));
    let named = selector.container_name.as_deref().and_then(|name| named(pod, name));
    let container = named.or(container).ok_or_else(unknown)?;
    let resources = container.resources.clone().unwrap_or_default();
    let (kind, name) = what.split_once('.').ok_or_else(unknown)?;
    let (limits, requests) = (resources.limits.unwrap_or_default(), resources.requests.unwrap_or_default());
    let of_node = facts.capacity.get(name);
    let zero = Quantity("0".to_owned());
    let quantity = match kind {
        "limits" => limits.get(name).or(of_node),
        "requests" => requests.get(name).or(limits.get(name)),
        _ => return Err(unknown()),
    };
    let quantity = billionths(&quantity.unwrap_or(&zero).0).ok_or_else(unknown)?;
    let divisor = selector.divisor.as_ref().map_or(Some(0), |divisor| billionths(&divisor.0));
    Ok(divided(quantity, divisor.ok_or_else(unknown)?).to_string())
}

fn named<'p>(pod: &'p Pod, name: &str) -> Option<&'p Container> {
    let spec = pod.spec.as_ref()?;
    let mut containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    containers.find(|container| container.name == name)
}
