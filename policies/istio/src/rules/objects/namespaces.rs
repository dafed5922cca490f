//! Namespaces: one way into the mesh.

use super::{Object, Rule};
use crate::rules::subject::Out;

pub(super) const RULES: &[Rule] = &[Rule::new("X123", x123)];

fn x123(object: &Object, out: &mut Out) {
    let labels = object.metadata.get("labels");
    // A namespace that says no to the old label may say yes by another one.
    let injects = labels.word("istio-injection") != "disabled";
    let given = labels.present(&["istio-injection", "istio.io/rev", "istio.io/dataplane-mode"]);
    if object.kind == "Namespace" && injects && given.len() > 1 {
        let reason = format!("has `{}`, which are different ways into the mesh", given.join("` and `"));
        out.warning(&labels, reason, "keep one of them");
    }
}
