//! What a resource binds to.

use serde_json::{Value, json};

use super::{frame::Frame, json::set};
use crate::{
    resource::Kind,
    surroundings::ServesService,
    written::{ApplyTo, Dataplane, Entry},
};

/// The reach of what an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Connections alone: what is between two nodes knows them.
    Connections,
    /// Requests: only a proxy that reads them knows them, in ambient a waypoint.
    Requests,
}

/// What an entry binds to, as it is written or by default.
pub(super) fn of(entry: &Entry, reach: Reach, frame: &Frame<'_>) -> ApplyTo {
    let written = entry.apply_to.clone();
    if frame.dataplane() == Dataplane::Sidecar {
        if written == Some(ApplyTo::Service) {
            let reason = "is for the waypoint of the service: sidecars do not read it";
            frame.report(
                entry
                    .warning("APP10", "applyTo", reason)
                    .right("write `dataplane: ambient`, or take `applyTo` out"),
            );
        }
        return written.unwrap_or(ApplyTo::Workload);
    }
    let default = match reach {
        // The matcher of an EnvoyFilter knows no services.
        Reach::Requests if entry.kind != Kind::EnvoyFilter => ApplyTo::Service,
        _ => ApplyTo::Workload,
    };
    let binding = written.unwrap_or(default);
    if binding == ApplyTo::Service {
        check_waypoint(entry, frame);
    }
    binding
}

/// Reports what keeps requests from going through the waypoint that an entry binds to.
fn check_waypoint(entry: &Entry, frame: &Frame<'_>) {
    if frame.waypoint().serves == ServesService::None {
        let reason =
            "has no effect: the label `istio.io/use-waypoint: none` says that the Service has no waypoint";
        frame
            .report(entry.error("APP14", "applyTo", reason).right("take the entry out, or change the label"));
    }
    let guards = matches!(entry.kind, Kind::AuthorizationPolicy | Kind::RequestAuthentication);
    if guards && frame.is_public() && !frame.waypoint().takes_ingress {
        let reason = "is at the waypoint, but requests for the public hosts go from the gateway directly to the pods: they are not checked, or, with `onlyViaWaypoint`, all denied";
        let right = "label the Service `istio.io/ingress-use-waypoint: \"true\"`, in the repository too";
        frame.report(entry.warning("APP15", "applyTo", reason).right(right));
    }
}

/// Writes into a spec what it binds to.
pub(super) fn write(spec: &mut Value, kind: Kind, binding: &ApplyTo, frame: &Frame<'_>) {
    match binding {
        ApplyTo::Namespace => {}
        ApplyTo::Workload => {
            let labels = json!(frame.application.workload);
            match kind {
                // The two kinds of the networking API that are older than `selector`.
                Kind::Sidecar | Kind::EnvoyFilter => set(spec, "workloadSelector", json!({"labels": labels})),
                _ => set(spec, "selector", json!({"matchLabels": labels})),
            }
        }
        ApplyTo::Service => {
            let name = frame.application.service.as_str();
            set(spec, "targetRefs", json!([{"group": "", "kind": "Service", "name": name}]));
        }
        ApplyTo::Gateway(name) => {
            let gateway =
                json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": name.as_str()});
            set(spec, "targetRefs", json!([gateway]));
        }
    }
}
