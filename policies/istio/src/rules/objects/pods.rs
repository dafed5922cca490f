//! Pods: users and images that are the proxy's own.

use super::{Object, Rule};
use crate::rules::subject::Out;

pub(super) const RULES: &[Rule] = &[Rule::new("X144", x144), Rule::new("X146", x146)];

/// The user of the proxy, whose own calls pass it by.
const PROXY_USER: i64 = 1337;
const PROXY: &str = "istio-proxy";

fn x144(object: &Object, out: &mut Out) {
    let Some((_, spec)) = object.pods().filter(|_| !object.is_of_a_system()) else { return };
    let containers = spec.get("containers").items().filter(|container| container.word("name") != PROXY);
    for holder in containers.chain([spec]) {
        let user = holder.get("securityContext").get("runAsUser");
        if user.integer() == Some(PROXY_USER) {
            let reason = format!("is {PROXY_USER}, the user of the proxy: calls of this user go past it");
            out.warning(&user, reason, "write another user");
        }
    }
}

fn x146(object: &Object, out: &mut Out) {
    const INJECT: &str = "sidecar.istio.io/inject";
    let Some((metadata, spec)) = object.pods() else { return };
    let says_no = ["labels", "annotations"].iter().any(|map| metadata.get(map).word(INJECT) == "false");
    for container in spec.get("containers").items().filter(|container| container.word("name") == PROXY) {
        if container.word("image") == "auto" && says_no {
            let reason = format!("is `auto`, for the injector, which `{INJECT}: \"false\"` keeps away");
            out.warning(&container.get("image"), reason, "write `\"true\"` there, or an image here");
        }
    }
}
