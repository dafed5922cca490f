//! Where requests go.

use serde_json::{Value, json};

use super::draft::Draft;
use crate::{
    rendering::{
        frame::Frame,
        json::{object, set},
    },
    values::ServiceRef,
    written::{Destination, Route, Target, VirtualService},
};

/// The destinations of a route, unless it answers by itself.
pub(super) fn of(
    route: &Route,
    service: &VirtualService,
    frame: &Frame<'_>,
    draft: &mut Draft,
) -> Option<Value> {
    match &route.target {
        Target::Own => {
            let name = frame.application.service.as_str();
            let port = service.port.map(|port| json!(port));
            Some(json!([object([("name", Some(json!(name))), ("port", port)])]))
        }
        Target::Split(_) => {
            let reason = "names subsets, and versions are Services there, for `to`";
            draft.misfit("split", reason);
            None
        }
        Target::To(destinations) => {
            let count = destinations.len();
            let mut one = |(number, to): (usize, &Destination)| {
                let Destination { service, port, subset, weight, patch } = to;
                if subset.is_some() {
                    let reason = "names a subset, and versions are Services there";
                    draft.misfit(&format!("to[{number}].subset"), reason);
                }
                if patch.is_some() {
                    draft.differs();
                }
                let mut backend = backend(service, *port, &format!("to[{number}]"), frame, draft);
                if count > 1 {
                    set(&mut backend, "weight", json!(weight));
                }
                if let Some(patch) = patch {
                    patch.apply(&mut backend);
                }
                backend
            };
            Some(destinations.iter().enumerate().map(&mut one).collect())
        }
        Target::Redirect(_) => None,
        Target::Respond(_) => {
            draft.misfit("respond", "has no counterpart");
            None
        }
    }
}

/// A service as a route names it.
pub(super) fn backend(
    service: &ServiceRef,
    port: Option<u32>,
    attribute: &str,
    frame: &Frame<'_>,
    draft: &mut Draft,
) -> Value {
    if port.is_none() {
        draft.lacks(&format!("{attribute}.port"), "each destination has a port");
    }
    let (_, host) = frame.called(service);
    let port = port.map(|port| json!(port));
    match frame.service_of(&host) {
        Some((name, namespace)) => {
            let is_own = namespace == frame.application.namespace.as_str();
            object([
                ("name", Some(json!(name))),
                ("namespace", (!is_own).then(|| json!(namespace))),
                ("port", port),
            ])
        }
        // Istio's name for a host of a ServiceEntry.
        None => object([
            ("group", Some(json!("networking.istio.io"))),
            ("kind", Some(json!("Hostname"))),
            ("name", Some(json!(host))),
            ("port", port),
        ]),
    }
}
