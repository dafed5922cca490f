//! Requests made of little, so that they collide with rules that are.

use std::collections::BTreeMap;

use policies::{evaluation::StaticRequest, language::Direction};
use proptest::{prelude::*, sample::select};

use super::repositories::text;

/// What callers write.
const AUTHORITIES: [&str; 12] = [
    "a",
    "ab:80",
    "A.demo",
    "a.b",
    "a.b.svc",
    "a.b.svc.cluster.local:8080",
    "a.b.svc.evil.example",
    "api.a.example",
    "API.a.example:443",
    "b.a.example.",
    "10.0.0.1:80",
    "a:http",
];

/// Where routes lead.
const CLUSTERS: [&str; 9] = [
    "outbound|80||a.b.svc.cluster.local",
    "outbound|80|v2|ab.demo.svc.cluster.local",
    "outbound|80||a.b.svc.evil.example",
    "outbound|443||api.a.example",
    "outbound|443||*.a.example",
    "outbound|443||a.b",
    "PassthroughCluster",
    "inbound|8080||",
    "outbound|80||",
];

/// A request of a few methods, paths, headers and parameters, so that rules often hold for it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// At a gateway there is none: it goes both ways.
    pub(crate) direction: Option<Direction>,
    pub(crate) authority: Option<&'static str>,
    pub(crate) cluster: Option<&'static str>,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, &'static str)>,
    pub(crate) headers: BTreeMap<&'static str, &'static str>,
}

impl Request {
    pub(crate) fn given(&self) -> StaticRequest {
        let parameters: Vec<_> = self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let query = if parameters.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) };
        let headers = self.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        StaticRequest {
            direction: self.direction,
            authority: self.authority.map(str::to_owned),
            cluster: self.cluster.map(str::to_owned),
            method: Some(self.method.to_owned()),
            target: Some(format!("{}{query}", self.path)),
            headers: headers.collect(),
            ..StaticRequest::default()
        }
    }
}

pub(crate) fn request() -> impl Strategy<Value = Request> {
    let value = || select(vec!["", "a", "b", "ab", "/a", "aab", "B"]);
    let direction = prop_oneof![4 => Just(Some(Direction::Inbound)), 2 => Just(Some(Direction::Outbound)), 1 => Just(None)];
    (
        direction,
        prop::option::of(select(AUTHORITIES.to_vec())),
        prop::option::of(select(CLUSTERS.to_vec())),
        select(vec!["GET", "PUT", "POST"]),
        text("/"),
        prop::collection::vec((select(vec!["q", "r", "s"]), value()), 0..3),
        prop::collection::btree_map(select(vec!["x-a", "x-b", "x-c"]), value(), 0..3),
    )
        .prop_map(|(direction, authority, cluster, method, path, query, headers)| Request {
            direction,
            authority,
            cluster,
            method,
            path,
            query,
            headers,
        })
}
