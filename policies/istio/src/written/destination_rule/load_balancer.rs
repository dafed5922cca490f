//! `loadBalancerSettings`.

use policies::reading::{Cursor, word};

use crate::{
    values::Duration,
    written::{
        fields::{duration, text},
        scope::Scope,
    },
};

/// The way in which an endpoint is chosen for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Absent: Istio's, which is `LEAST_REQUEST`.
    pub balance: Option<Balance>,
    /// Requests go to endpoints near the caller, and elsewhere when those fail.
    pub fails_over: bool,
    /// The time in which a new endpoint gets more and more requests.
    pub warmup: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Balance {
    Simple(Strategy),
    /// Requests with one value of this go to one endpoint.
    Header(String),
    Cookie(String),
    Query(String),
    SourceIp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    RoundRobin,
    LeastRequest,
    Passthrough,
    Random,
}

/// The strategies by their names in Istio, and the old name of one.
const STRATEGIES: [(&str, Strategy); 5] = [
    ("ROUND_ROBIN", Strategy::RoundRobin),
    ("LEAST_REQUEST", Strategy::LeastRequest),
    ("LEAST_CONN", Strategy::LeastRequest),
    ("PASSTHROUGH", Strategy::Passthrough),
    ("RANDOM", Strategy::Random),
];

impl Strategy {
    /// Its name in Istio.
    pub fn name(self) -> &'static str {
        STRATEGIES.iter().find(|(_, strategy)| *strategy == self).map_or("", |(name, _)| name)
    }
}

pub(super) fn read(field: &Cursor<'_>, scope: &Scope<'_>) -> Option<LoadBalancer> {
    let mut fields = field.clone().fields()?;
    let strategy = fields.read("strategy", |field| strategy(field, scope)).optional();
    let sticky = fields.read("stickyBy", sticky_by).optional();
    let locality = fields.read("locality", |field| word(Some(field.clone()), &[("failover", ())])).optional();
    let warmup = fields.read("warmup", duration).optional();
    fields.finish();
    let (strategy, sticky, locality, warmup) = (strategy?, sticky?, locality?, warmup?);
    if strategy.is_none() && sticky.is_none() && locality.is_none() && warmup.is_none() {
        field.report("is empty; write `strategy`, `stickyBy`, `locality` or `warmup`, or leave it out");
    }
    if strategy.is_some() && sticky.is_some() {
        field.report("has `strategy` and `stickyBy`, which chooses by a hash; keep one");
    }
    let warms_up = matches!(strategy, None | Some(Strategy::RoundRobin | Strategy::LeastRequest));
    if warmup.is_some() && (!warms_up || sticky.is_some()) {
        field.report("has `warmup`, which only ROUND_ROBIN and LEAST_REQUEST know; take it out");
    }
    let balance = sticky.or(strategy.map(Balance::Simple));
    Some(LoadBalancer { balance, fails_over: locality.is_some(), warmup })
}

fn strategy(field: &Cursor<'_>, scope: &Scope<'_>) -> Option<Strategy> {
    let strategy = word(Some(field.clone()), &STRATEGIES);
    if field.string() == Some("LEAST_CONN") {
        scope.notes.warn(
            "META11",
            field,
            "is the old name of `LEAST_REQUEST`, which is rendered; write that",
        );
    }
    strategy
}

fn sticky_by(field: &Cursor<'_>) -> Option<Balance> {
    let mut fields = field.clone().fields()?;
    let header = fields.take("header").map(|field| text(&field).map(Balance::Header));
    let cookie = fields.take("cookie").map(|field| text(&field).map(Balance::Cookie));
    let query = fields.take("query").map(|field| text(&field).map(Balance::Query));
    let source = fields.take("sourceIp").map(|field| {
        let is_set = field.boolean()?;
        if !is_set {
            field.report("must be `true`; leave it out if requests need not stick");
        }
        is_set.then_some(Balance::SourceIp)
    });
    let mut given = [header, cookie, query, source].into_iter().flatten();
    let (one, more) = (given.next(), given.next());
    if one.is_none() || more.is_some() {
        field.report("must hold exactly one of `header`, `cookie`, `query` and `sourceIp`");
    }
    fields.finish();
    one.flatten()
}
