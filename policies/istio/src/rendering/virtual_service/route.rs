//! Routes.

use serde_json::{Value, json};

use super::{destination, is_forwarded, matching, sides::Side};
use crate::{
    rendering::{
        frame::Frame,
        json::{number, object, some},
    },
    written::{
        Cors, Destination, HeaderChanges, Mirror, Origin, Redirect, Respond, Retries, Rewrite, Route, Share,
        Target, VirtualService,
    },
};

/// A route, as far as it is for a side. Without a target of its own, requests go to `target`.
pub(super) fn route(
    route: &Route,
    service: &VirtualService,
    target: &str,
    side: &Side,
    frame: &Frame<'_>,
) -> Value {
    let Route {
        name,
        matches,
        timeout,
        retries,
        target: own,
        mirror,
        rewrite,
        headers,
        response_headers,
        cors,
        patch,
    } = route;
    let (to, redirect, respond) = match own {
        Target::Redirect(redirect) => (None, Some(self::redirect(redirect)), None),
        Target::Respond(respond) => (None, None, Some(self::respond(respond))),
        forwarded => (Some(destinations(forwarded, target, side.port, frame)), None, None),
    };
    let timeout = timeout.or(service.timeout).filter(|_| is_forwarded(own));
    let retries = retries.as_ref().or(service.retries.as_ref()).filter(|_| is_forwarded(own));
    let changes = object([
        ("request", headers.as_ref().map(header_changes)),
        ("response", response_headers.as_ref().map(header_changes)),
    ]);
    let mut rendered = object([
        ("name", name.as_ref().map(|name| json!(name))),
        ("match", some(matching::matches(matches, &side.gateways))),
        ("route", to),
        ("redirect", redirect),
        ("directResponse", respond),
        ("timeout", timeout.map(|timeout| json!(timeout.to_string()))),
        ("retries", retries.map(self::retries)),
        ("mirrors", mirror.as_ref().map(|mirror| json!([self::mirror(mirror, frame)]))),
        ("rewrite", rewrite.as_ref().map(self::rewrite)),
        ("headers", (headers.is_some() || response_headers.is_some()).then_some(changes)),
        ("corsPolicy", cors.as_ref().map(self::cors)),
    ]);
    if let Some(patch) = patch {
        patch.apply(&mut rendered);
    }
    rendered
}

fn destinations(target: &Target, own: &str, port: Option<u32>, frame: &Frame<'_>) -> Value {
    let weighted = |destination: Value, weight: u32, count: usize| {
        // One destination has all the weight there is.
        let weight = (count > 1).then(|| json!(weight));
        object([("destination", Some(destination)), ("weight", weight)])
    };
    match target {
        Target::Split(shares) => {
            let share = |Share { subset, percent }: &Share| {
                weighted(destination(own, Some(subset.as_str()), port), *percent, shares.len())
            };
            shares.iter().map(share).collect()
        }
        Target::To(destinations) => {
            let one = |to: &Destination| {
                let Destination { service, port, subset, weight, patch } = to;
                let (_, host) = frame.called(service);
                let subset = subset.as_ref().map(|subset| subset.as_str());
                let mut one = weighted(destination(&host, subset, *port), *weight, destinations.len());
                if let Some(patch) = patch {
                    patch.apply(&mut one);
                }
                one
            };
            destinations.iter().map(one).collect()
        }
        Target::Own | Target::Redirect(_) | Target::Respond(_) => {
            json!([{"destination": destination(own, None, port)}])
        }
    }
}

fn redirect(Redirect { host, path, scheme, code }: &Redirect) -> Value {
    object([
        ("authority", host.as_ref().map(|host| json!(host))),
        ("uri", path.as_ref().map(|path| json!(path))),
        ("scheme", scheme.map(|scheme| json!(scheme))),
        ("redirectCode", code.map(|code| json!(code))),
    ])
}

fn respond(Respond { status, body }: &Respond) -> Value {
    object([("status", Some(json!(status))), ("body", body.as_ref().map(|body| json!({"string": body})))])
}

fn retries(Retries { attempts, per_try_timeout, on }: &Retries) -> Value {
    object([
        ("attempts", Some(json!(attempts))),
        ("perTryTimeout", per_try_timeout.map(|timeout| json!(timeout.to_string()))),
        ("retryOn", (!on.is_empty()).then(|| json!(on.join(",")))),
    ])
}

fn mirror(Mirror { service, port, subset, percent }: &Mirror, frame: &Frame<'_>) -> Value {
    let (_, host) = frame.called(service);
    object([
        ("destination", Some(destination(&host, subset.as_ref().map(|subset| subset.as_str()), *port))),
        ("percentage", percent.map(|percent| json!({"value": number(percent)}))),
    ])
}

fn rewrite(Rewrite { path, host }: &Rewrite) -> Value {
    object([
        ("uri", path.as_ref().map(|path| json!(path))),
        ("authority", host.as_ref().map(|host| json!(host))),
    ])
}

fn header_changes(HeaderChanges { set, add, remove }: &HeaderChanges) -> Value {
    object([("set", some(set)), ("add", some(add)), ("remove", some(remove))])
}

fn cors(Cors { origins, methods, headers, max_age }: &Cors) -> Value {
    let origin = |origin: &Origin| match origin {
        Origin::Exact(text) => json!({"exact": text}),
        Origin::Prefix(text) => json!({"prefix": text}),
        Origin::Regex(regex) => json!({"regex": regex.as_str()}),
    };
    object([
        ("allowOrigins", Some(origins.iter().map(origin).collect())),
        ("allowMethods", some(methods)),
        ("allowHeaders", some(headers)),
        ("maxAge", max_age.map(|age| json!(age.to_string()))),
    ])
}
