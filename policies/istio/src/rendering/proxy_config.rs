//! ProxyConfigs.

use serde_json::json;

use super::{
    binding::{self, Reach},
    frame::Frame,
    json::{object, some},
    part::Part,
};
use crate::{
    resource::Kind,
    written::{Entry, ProxyConfig},
};

pub(super) fn parts(config: &ProxyConfig, entry: &Entry, frame: &Frame<'_>) -> Vec<Part> {
    let ProxyConfig { concurrency, environment } = config;
    let spec = object([
        ("concurrency", concurrency.map(|threads| json!(threads))),
        ("environmentVariables", some(environment)),
    ]);
    vec![Part::new(Kind::ProxyConfig, spec).bound(binding::of(entry, Reach::Connections, frame))]
}
