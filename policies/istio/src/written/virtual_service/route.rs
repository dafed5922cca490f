//! A route.

use policies::reading::Cursor;

use super::{
    matching::{self, RequestMatch},
    retries::{self, Retries},
    shaping::{self, Cors, HeaderChanges, Mirror, Rewrite},
    target::{self, Target},
};
use crate::{
    values::{Duration, MergePatch},
    written::{
        fields::{duration, text},
        json,
    },
};

/// Requests, and where they go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    pub name: Option<String>,
    /// One of them must hold; none at all: every request.
    pub matches: Vec<RequestMatch>,
    pub timeout: Option<Duration>,
    pub retries: Option<Retries>,
    pub target: Target,
    pub mirror: Option<Mirror>,
    pub rewrite: Option<Rewrite>,
    pub headers: Option<HeaderChanges>,
    pub response_headers: Option<HeaderChanges>,
    pub cors: Option<Cors>,
    pub patch: Option<MergePatch>,
}

pub(super) fn read(item: &Cursor<'_>) -> Option<Route> {
    let mut fields = item.clone().fields()?;
    let name = fields.read("name", text).optional();
    let matches = fields.read("match", matching::read).or(Vec::new());
    let timeout = fields.read("timeout", duration).optional();
    let retries = fields.read("retries", retries::read).optional();
    let target = target::read(&mut fields);
    let mirror = fields.read("mirror", shaping::mirror).optional();
    let rewrite = fields.read("rewrite", shaping::rewrite).optional();
    let headers = fields.read("headers", |field| shaping::headers(field, true)).optional();
    let response_headers = fields.read("responseHeaders", |field| shaping::headers(field, false)).optional();
    let cors = fields.read("cors", shaping::cors).optional();
    let patch = fields.read("spec", json::patch).optional();
    fields.finish();
    let route = Route {
        name: name?,
        matches: matches?,
        timeout: timeout?,
        retries: retries?,
        target: target?,
        mirror: mirror?,
        rewrite: rewrite?,
        headers: headers?,
        response_headers: response_headers?,
        cors: cors?,
        patch: patch?,
    };
    if matches!(route.target, Target::Redirect(_) | Target::Respond(_)) {
        let forwards = [
            ("timeout", route.timeout.is_some()),
            ("retries", route.retries.is_some()),
            ("mirror", route.mirror.is_some()),
            ("rewrite", route.rewrite.is_some()),
        ];
        for (attribute, _) in forwards.iter().filter(|(_, is_there)| *is_there) {
            item.report(format_args!("answers by itself, so `{attribute}` never happens; take it out"));
        }
    }
    Some(route)
}
