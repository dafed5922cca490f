//! `connectionPoolSettings`.

use policies::reading::Cursor;

use crate::{
    values::Duration,
    written::{fields::duration, scope::Scope},
};

/// The limits of calls at each caller; TCP's, HTTP's, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionPool {
    pub tcp: Option<Tcp>,
    pub http: Option<Http>,
}

/// What is absent has a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// Absent: without limit.
    pub max_connections: Option<u32>,
    pub connection_timeout: Option<Duration>,
}

/// What is absent has a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    pub max_pending: Option<u32>,
    pub max_active: Option<u32>,
    /// Absent: without limit.
    pub max_per_connection: Option<u32>,
}

/// The most connections that Istio can be told: a number of 32 bits with a sign, in which 0 means no limit.
pub const MAX_CONNECTIONS: u32 = i32::MAX as u32;

/// How the documents of the first design write that there is no limit.
const NO_LIMIT: &str = "4294967295";

pub(super) fn read(field: &Cursor<'_>, scope: &Scope<'_>) -> Option<ConnectionPool> {
    let mut fields = field.clone().fields()?;
    let tcp = fields.read("tcpSettings", tcp).optional();
    let http = fields.read("httpSettings", |field| http(field, scope)).optional();
    fields.finish();
    let pool = ConnectionPool { tcp: tcp?, http: http? };
    if pool.tcp.is_none() && pool.http.is_none() {
        field.report("is empty; write `tcpSettings` or `httpSettings`, or leave it out");
    }
    Some(pool)
}

fn tcp(field: &Cursor<'_>) -> Option<Tcp> {
    let mut fields = field.clone().fields()?;
    let max_connections = fields
        .read("maxTcpConnections", |field| match field.number()? {
            NO_LIMIT => Some(None),
            _ => limit(field).map(Some),
        })
        .or(None);
    let connection_timeout = fields.read("connectionTimeout", duration).optional();
    fields.finish();
    Some(Tcp { max_connections: max_connections?, connection_timeout: connection_timeout? })
}

fn http(field: &Cursor<'_>, scope: &Scope<'_>) -> Option<Http> {
    let mut fields = field.clone().fields()?;
    let max_pending = fields.read("maxPendingHttpConnections", limit).optional();
    let max_active = fields.read("maxActiveHttpConnections", limit).optional();
    let max_per_connection = fields.read("maxHttpRequestsPerConnection", limit).optional();
    fields.finish();
    let http =
        Http { max_pending: max_pending?, max_active: max_active?, max_per_connection: max_per_connection? };
    if http.max_pending.is_none() || http.max_active.is_none() {
        scope.notes.warn(
            "APP02",
            field,
            "limits pending and active requests to 1024 where it gives no other number; Istio alone has no limit",
        );
    }
    Some(http)
}

/// A limit: 0 would be none for Istio.
fn limit(field: &Cursor<'_>) -> Option<u32> {
    field.integer(1..=MAX_CONNECTIONS, "")
}
