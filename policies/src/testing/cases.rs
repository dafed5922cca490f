//! Requests, and what each is to get of some policies.
//!
//! Read here for everyone who sends them: natively, and through the filter in a real Envoy. A request
//! is one of the workload `checkout` of the namespace `demo`, on 2026-12-01 at noon, unless it says
//! otherwise; the policies got their content then.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The reason why a proxy of this test bed cannot run the case.
    pub native_only: Option<String>,
    /// Whose the requests are that name none, as `service.namespace`.
    pub workload: Option<String>,
    #[serde(default)]
    pub requests: Vec<Request>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    #[serde(default = "get")]
    pub method: String,
    /// With the query string.
    #[serde(default = "root")]
    pub path: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub authority: Option<String>,
    /// The cluster of the route for this authority.
    pub cluster: Option<String>,
    #[serde(default)]
    pub direction: Direction,
    /// The URI of the caller's certificate.
    pub peer: Option<String>,
    pub workload: Option<String>,
    /// RFC 3339.
    pub now: Option<String>,
    pub expect: Expectation,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    #[default]
    Inbound,
    Outbound,
    /// Both, at a gateway.
    Both,
}

/// The outcome of a request.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Expectation {
    /// It reaches the workload as it came.
    Nothing,
    /// So it does, and is counted for the shadow policy of this name.
    Shadow(String),
    Delay(Delay),
    Abort(Abort),
}

/// It reaches the workload later, with the marks of the policy.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    pub policy: String,
    pub ms: u64,
    /// For a range; `ms` is where it begins.
    pub max_ms: Option<u64>,
}

/// It is answered in the workload's place.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Abort {
    pub policy: String,
    /// Of HTTP; or else there is one of gRPC.
    pub status: Option<u16>,
    pub grpc: Option<u8>,
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The time for which it is held before.
    #[serde(default)]
    pub ms: u64,
    pub max_ms: Option<u64>,
}

/// Reads what requests are to get.
pub fn table(text: &str) -> Result<Table, String> {
    let table: Table = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    if table.requests.is_empty() {
        return Err("there are no requests".to_owned());
    }
    if table.native_only.as_ref().is_some_and(String::is_empty) {
        return Err("`native_only` says why".to_owned());
    }
    for Request { path, expect, .. } in &table.requests {
        let (ms, max_ms) = match expect {
            Expectation::Abort(Abort { status, grpc, .. }) if status.is_some() == grpc.is_some() => {
                return Err(format!("{path}: an abort has either a `status` or a `grpc` one"));
            }
            Expectation::Abort(Abort { ms, max_ms, .. }) | Expectation::Delay(Delay { ms, max_ms, .. }) => {
                (*ms, *max_ms)
            }
            Expectation::Nothing | Expectation::Shadow(_) => continue,
        };
        if max_ms.is_some_and(|max_ms| max_ms <= ms) {
            return Err(format!("{path}: a range ends after it begins"));
        }
    }
    Ok(table)
}

fn get() -> String {
    "GET".to_owned()
}

fn root() -> String {
    "/".to_owned()
}
