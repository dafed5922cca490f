//! Where requests of a route go.

use policies::reading::{Cursor, Fields, Value, word};

use crate::{
    values::{Label, MergePatch, ServiceRef},
    written::{
        fields::{items, label, port, service, text},
        json,
    },
};

/// Where requests go, or what answers them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// The own service.
    #[default]
    Own,
    /// Subsets of the own service.
    Split(Vec<Share>),
    To(Vec<Destination>),
    Redirect(Redirect),
    Respond(Respond),
}

/// A subset, and its share in percent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub subset: Label,
    pub percent: u32,
}

/// A service. All weights of a route are 100 together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub service: ServiceRef,
    pub port: Option<u32>,
    pub subset: Option<Label>,
    pub weight: u32,
    pub patch: Option<MergePatch>,
}

/// At least one part of the URL is another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    pub host: Option<String>,
    pub path: Option<String>,
    pub scheme: Option<&'static str>,
    pub code: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Respond {
    pub status: u32,
    pub body: Option<String>,
}

/// The longest body that Istio takes.
const MAX_BODY: usize = 1024 * 1024;

pub(super) fn read(fields: &mut Fields<'_>) -> Option<Target> {
    let split = fields.take("split").map(|field| split(&field).map(Target::Split));
    let to = fields.take("to").map(|field| to(&field).map(Target::To));
    let redirect = fields.take("redirect").map(|field| redirect(&field).map(Target::Redirect));
    let respond = fields.take("respond").map(|field| respond(&field).map(Target::Respond));
    let mut given = [split, to, redirect, respond].into_iter().flatten();
    let (one, more) = (given.next(), given.next());
    if more.is_some() {
        fields.cursor().report("has several of `split`, `to`, `redirect` and `respond`; keep one");
    }
    one.unwrap_or(Some(Target::Own))
}

fn split(field: &Cursor<'_>) -> Option<Vec<Share>> {
    if !matches!(field.value(), Value::Map(_)) {
        field.report("must be a map of subsets and their percent, such as `{v1: 90, v2: 10}`");
        return None;
    }
    let shares = field.entries().map(|(subset, percent)| {
        let subset = percent.accept(Label::try_from(subset.to_owned()));
        let percent = percent.integer(0..=100, " of percent");
        Some(Share { subset: subset?, percent: percent? })
    });
    let shares: Option<Vec<_>> = shares.collect::<Vec<_>>().into_iter().collect();
    let shares = shares?;
    is_whole(field, shares.iter().map(|share| share.percent).sum()).then_some(shares)
}

fn is_whole(field: &Cursor<'_>, sum: u32) -> bool {
    if sum != 100 {
        field.report(format_args!("is {sum} percent together; change the shares to 100"));
    }
    sum == 100
}

fn to(field: &Cursor<'_>) -> Option<Vec<Destination>> {
    let destinations = items(field, |item| destination(&item))?;
    let weights: Vec<_> = destinations.iter().map(|(_, weight)| *weight).collect();
    let sum: u32 = weights.iter().flatten().sum();
    let rest = match weights.iter().filter(|weight| weight.is_none()).count() {
        0 if is_whole(field, sum) => 0,
        1 if sum <= 100 => 100 - sum,
        0 => return None,
        1 => {
            field.report(format_args!("is {sum} percent without the one that takes the rest; at most 100"));
            return None;
        }
        _ => {
            field.report("has several destinations without `weight`; only one can take the rest");
            return None;
        }
    };
    let weighted = destinations
        .into_iter()
        .map(|(destination, weight)| Destination { weight: weight.unwrap_or(rest), ..destination });
    Some(weighted.collect())
}

/// A destination, and its weight if it is written.
fn destination(item: &Cursor<'_>) -> Option<(Destination, Option<u32>)> {
    let mut fields = item.clone().fields()?;
    let service = fields.require("service").and_then(|field| service(&field));
    let port = fields.read("port", port).optional();
    let subset = fields.read("subset", label).optional();
    let weight = fields.read("weight", |field| field.integer(0..=100, " of percent")).optional();
    let patch = fields.read("spec", json::patch).optional();
    fields.finish();
    let (service, port, subset, patch) = (service?, port?, subset?, patch?);
    Some((Destination { service, port, subset, weight: 0, patch }, weight?))
}

fn redirect(field: &Cursor<'_>) -> Option<Redirect> {
    let mut fields = field.clone().fields()?;
    let host = fields.read("host", text).optional();
    let path = fields.read("path", text).optional();
    let schemes = [("https", "https"), ("http", "http")];
    let scheme = fields.read("scheme", |field| word(Some(field.clone()), &schemes)).optional();
    let code = fields.read("code", |field| {
        let code = field.integer(300..=399, " of a status")?;
        let is_redirect = [301, 302, 303, 307, 308].contains(&code);
        if !is_redirect {
            field.report("must be 301, 302, 303, 307 or 308");
        }
        is_redirect.then_some(code)
    });
    fields.finish();
    let redirect = Redirect { host: host?, path: path?, scheme: scheme?, code: code.optional()? };
    if redirect.host.is_none() && redirect.path.is_none() && redirect.scheme.is_none() {
        field.report("must hold `host`, `path` or `scheme`: else it leads back to itself");
    }
    Some(redirect)
}

fn respond(field: &Cursor<'_>) -> Option<Respond> {
    let mut fields = field.clone().fields()?;
    let status = fields.require("status").and_then(|field| field.integer(200..=599, " of a status"));
    let body = fields.read("body", |field| {
        let body = field.string()?;
        let fits = body.len() < MAX_BODY;
        if !fits {
            field.report("is longer than Istio takes: less than 1 MiB");
        }
        fits.then(|| body.to_owned())
    });
    fields.finish();
    Some(Respond { status: status?, body: body.optional()? })
}
