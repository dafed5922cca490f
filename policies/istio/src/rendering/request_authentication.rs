//! RequestAuthentications.

use serde_json::{Value, json};

use super::{
    binding::{self, Reach},
    frame::Frame,
    json::{object, some},
    part::Part,
};
use crate::{
    opinions::request_authentication as opinions,
    resource::Kind,
    written::{Entry, Issuer, Keys, RequestAuthentication, Required, TokenPlace},
};

pub(super) fn parts(tokens: &RequestAuthentication, entry: &Entry, frame: &Frame<'_>) -> Vec<Part> {
    let RequestAuthentication { issuers, required } = tokens;
    let binding = binding::of(entry, Reach::Requests, frame);
    let rules: Value = issuers.iter().map(rule).collect();
    let tokens = Part::new(Kind::RequestAuthentication, json!({"jwtRules": rules})).bound(binding.clone());
    let required = required.as_ref().map(|required| self::required(required).bound(binding));
    [tokens].into_iter().chain(required).collect()
}

fn rule(issuer: &Issuer) -> Value {
    let Issuer { issuer, keys, audiences, from, forwards, claims_to_headers, patch } = issuer;
    let (uri, inline) = match keys {
        Keys::Discovered => (None, None),
        Keys::Uri(uri) => (Some(json!(uri)), None),
        Keys::Inline(keys) => (None, Some(json!(keys))),
    };
    let places =
        |place: fn(&TokenPlace) -> Option<Value>| some(from.iter().filter_map(place).collect::<Vec<_>>());
    let headers = places(|place| match place {
        TokenPlace::Header { name, prefix } => {
            let (header, default) = opinions::PREFIX;
            let prefix = prefix.as_deref().or((name == header).then_some(default));
            Some(object([("name", Some(json!(name))), ("prefix", prefix.map(|prefix| json!(prefix)))]))
        }
        TokenPlace::Cookie(_) | TokenPlace::Param(_) => None,
    });
    let cookies = places(|place| match place {
        TokenPlace::Cookie(name) => Some(json!(name)),
        TokenPlace::Header { .. } | TokenPlace::Param(_) => None,
    });
    let params = places(|place| match place {
        TokenPlace::Param(name) => Some(json!(name)),
        TokenPlace::Header { .. } | TokenPlace::Cookie(_) => None,
    });
    let claims = claims_to_headers.iter().map(|(claim, header)| json!({"claim": claim, "header": header}));
    let mut rule = object([
        ("issuer", Some(json!(issuer))),
        ("jwksUri", uri),
        ("jwks", inline),
        ("audiences", some(audiences)),
        ("fromHeaders", headers),
        ("fromCookies", cookies),
        ("fromParams", params),
        ("forwardOriginalToken", forwards.then(|| json!(true))),
        ("outputClaimToHeaders", some(claims.collect::<Vec<_>>())),
    ]);
    if let Some(patch) = patch {
        patch.apply(&mut rule);
    }
    rule
}

/// The policy that denies requests without a valid token: a RequestAuthentication alone lets them through.
fn required(Required { exempt, ports }: &Required) -> Part {
    let ports: Vec<_> = ports.iter().map(u32::to_string).collect();
    let operation = object([("notPaths", some(exempt)), ("ports", some(ports))]);
    let to = some(&operation).map(|operation| json!([{"operation": operation}]));
    let from = json!([{"source": {"notRequestPrincipals": ["*"]}}]);
    let spec = json!({"action": "DENY", "rules": [object([("from", Some(from)), ("to", to)])]});
    Part::new(Kind::AuthorizationPolicy, spec).beside("required")
}
