//! CORS.

use serde_json::{Value, json};

use super::{get, list, matching::whole, object, text};

pub(super) fn cors(policy: &Value) -> Value {
    let origin = |origin: &Value| match (text(origin, "exact"), text(origin, "regex")) {
        (Some(exact), _) => json!(exact),
        (None, Some(regex)) => json!({"regex": whole(regex)}),
        (None, None) => origin.clone(),
    };
    object([
        ("origins", Some(list(policy, "allowOrigins").iter().map(origin).collect())),
        ("methods", get(policy, "allowMethods")),
        ("headers", get(policy, "allowHeaders")),
        ("maxAge", get(policy, "maxAge")),
    ])
}
