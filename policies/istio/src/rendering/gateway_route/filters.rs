//! What happens to requests on their way.

use std::collections::BTreeMap;

use policies::language::Percentage;
use serde_json::{Value, json};

use super::{backends::backend, draft::Draft};
use crate::{
    rendering::{
        frame::Frame,
        json::{object, some},
    },
    written::{Cors, HeaderChanges, Mirror, Origin, Redirect, Rewrite, Route, Target, TextMatch},
};

/// The code of a redirect that says none, as in a VirtualService; that of the Gateway API would be 302.
const MOVED_PERMANENTLY: u32 = 301;

/// The longest that clients may remember an answer of CORS, in seconds.
const MAX_AGE: u64 = i32::MAX as u64;

pub(super) fn filters(route: &Route, frame: &Frame<'_>, draft: &mut Draft) -> Vec<Value> {
    let filter = |kind: &str, field: &str, value: Value| json!({"type": kind, field: value});
    let redirect = match &route.target {
        Target::Redirect(redirect) => Some(redirect),
        _ => None,
    };
    if draft.is_grpc() {
        let unknown = [
            ("redirect", redirect.is_some()),
            ("rewrite", route.rewrite.is_some()),
            ("cors", route.cors.is_some()),
        ];
        for (attribute, _) in unknown.into_iter().filter(|(_, is_there)| *is_there) {
            draft.misfit(attribute, "has no counterpart");
        }
    }
    let mut headers = |changes: &HeaderChanges, attribute| header_changes(changes, attribute, draft);
    let request = route.headers.as_ref().map(|changes| headers(changes, "headers"));
    let response = route.response_headers.as_ref().map(|changes| headers(changes, "responseHeaders"));
    let all = [
        request.map(|changes| filter("RequestHeaderModifier", "requestHeaderModifier", changes)),
        response.map(|changes| filter("ResponseHeaderModifier", "responseHeaderModifier", changes)),
        route
            .mirror
            .as_ref()
            .map(|mirror| filter("RequestMirror", "requestMirror", self::mirror(mirror, frame, draft))),
        redirect
            .map(|redirect| filter("RequestRedirect", "requestRedirect", self::redirect(redirect, draft))),
        route
            .rewrite
            .as_ref()
            .map(|rewrite| filter("URLRewrite", "urlRewrite", self::rewrite(rewrite, route, draft))),
        route.cors.as_ref().map(|cors| filter("CORS", "cors", self::cors(cors, draft))),
    ];
    all.into_iter().flatten().collect()
}

fn header_changes(changes: &HeaderChanges, attribute: &str, draft: &mut Draft) -> Value {
    let HeaderChanges { set, add, remove } = changes;
    if let Some(name) = set.keys().chain(add.keys()).find(|name| name.starts_with(':')) {
        draft.misfit(attribute, &format!("has `{name}`, which `rewrite.host` changes there"));
    }
    let pairs = |values: &BTreeMap<String, String>| {
        some(values.iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>())
    };
    object([("set", pairs(set)), ("add", pairs(add)), ("remove", some(remove))])
}

fn mirror(mirror: &Mirror, frame: &Frame<'_>, draft: &mut Draft) -> Value {
    let Mirror { service, port, subset, percent } = mirror;
    if subset.is_some() {
        draft.misfit("mirror.subset", "names a subset, and versions are Services there");
    }
    let percent = percent.map(Percentage::parts_per_million);
    let whole = |parts: &u32| parts.is_multiple_of(PER_PERCENT);
    object([
        ("backendRef", Some(backend(service, *port, "mirror", frame, draft))),
        ("percent", percent.filter(whole).map(|parts| json!(parts / PER_PERCENT))),
        (
            "fraction",
            percent
                .filter(|parts| !whole(parts))
                .map(|parts| json!({"numerator": parts, "denominator": Percentage::WHOLE})),
        ),
    ])
}

/// The parts per million of a percent.
const PER_PERCENT: u32 = Percentage::WHOLE / 100;

fn redirect(redirect: &Redirect, draft: &mut Draft) -> Value {
    let Redirect { host, path, scheme, code } = redirect;
    // The port of the new address is derived in another way.
    draft.differs();
    object([
        ("hostname", host.as_ref().map(|host| json!(host))),
        ("path", path.as_ref().map(|path| json!({"type": "ReplaceFullPath", "replaceFullPath": path}))),
        ("scheme", scheme.map(|scheme| json!(scheme))),
        ("statusCode", Some(json!(code.unwrap_or(MOVED_PERMANENTLY)))),
    ])
}

fn rewrite(rewrite: &Rewrite, route: &Route, draft: &mut Draft) -> Value {
    let Rewrite { path, host } = rewrite;
    let path = path.as_ref().map(|path| {
        draft.differs();
        let is_exact = |matched: &Option<TextMatch>| matches!(matched, Some(TextMatch::Exact(_)));
        match route.matches.as_slice() {
            matches if !matches.is_empty() && matches.iter().all(|matched| is_exact(&matched.path)) => {
                json!({"type": "ReplaceFullPath", "replaceFullPath": path})
            }
            matches => {
                let is_prefix = matches!(
                    matches.first().map(|matched| &matched.path),
                    None | Some(Some(TextMatch::Prefix(_)))
                );
                if !is_prefix || matches.len() > 1 {
                    draft.misfit("rewrite.path", "needs a match of one prefix, or of exact paths");
                }
                json!({"type": "ReplacePrefixMatch", "replacePrefixMatch": path})
            }
        }
    });
    object([("hostname", host.as_ref().map(|host| json!(host))), ("path", path)])
}

fn cors(cors: &Cors, draft: &mut Draft) -> Value {
    let Cors { origins, methods, headers, max_age } = cors;
    // Only the newest Gateway API knows it.
    draft.differs();
    let origins = origins.iter().filter_map(|origin| match origin {
        Origin::Exact(origin) => Some(origin),
        Origin::Prefix(_) | Origin::Regex(_) => None,
    });
    let origins: Vec<_> = origins.collect();
    if origins.len() < cors.origins.len() {
        draft.misfit(
            "cors.origins",
            "has a prefix or a regex, of which only `https://*.` before a domain is known",
        );
    }
    let age = max_age.map(|age| age.as_millis() / 1000);
    if age.is_some_and(|age| age > MAX_AGE) {
        draft.misfit("cors.maxAge", "is too long");
    }
    object([
        ("allowOrigins", some(origins)),
        ("allowMethods", some(methods)),
        ("allowHeaders", some(headers)),
        ("maxAge", age.map(|age| json!(age))),
    ])
}
