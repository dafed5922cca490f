//! Requests made of little, so that they collide with rules that are.

use std::collections::BTreeMap;

use policies::{evaluation::StaticRequest, language::Direction};
use proptest::{prelude::*, sample::select};

use super::repositories::text;

/// A request of a few methods, paths, headers and parameters, so that rules often hold for it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) outbound: bool,
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
            direction: Some(if self.outbound { Direction::Outbound } else { Direction::Inbound }),
            method: Some(self.method.to_owned()),
            target: Some(format!("{}{query}", self.path)),
            headers: headers.collect(),
            ..StaticRequest::default()
        }
    }
}

pub(crate) fn request() -> impl Strategy<Value = Request> {
    let value = || select(vec!["", "a", "b", "ab", "/a", "aab", "B"]);
    (
        prop::bool::weighted(0.2),
        select(vec!["GET", "PUT", "POST"]),
        text("/"),
        prop::collection::vec((select(vec!["q", "r", "s"]), value()), 0..3),
        prop::collection::btree_map(select(vec!["x-a", "x-b", "x-c"]), value(), 0..3),
    )
        .prop_map(|(outbound, method, path, query, headers)| Request {
            outbound,
            method,
            path,
            query,
            headers,
        })
}
