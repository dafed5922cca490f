//! Where keys come from.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::Value;

use super::issuers;
use crate::{
    field::Field,
    rules::subject::{Out, Rule, Subject},
    values::SECRET_MEMBERS,
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("RA02", ra02),
    Rule::new("RA03", ra03),
    Rule::new("RA04", ra04),
    Rule::new("RA05", ra05),
    Rule::new("H31", h31),
];

/// The addresses of keys, under either spelling.
fn addresses<'a>(subject: &Subject<'a>) -> impl Iterator<Item = (&'a str, Field<'a>)> + use<'a> {
    let all = issuers(subject).flat_map(|rule| ["jwksUri", "jwks_uri"].map(|name| rule.get(name)));
    all.filter_map(|at| Some((at.text().filter(|text| !text.is_empty())?, at)))
}

/// The host of an address, and its port if it names one; nothing if it is no address of HTTP.
fn host_and_port(address: &str) -> Option<(&str, Option<&str>)> {
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let (head, rest) = address.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    })?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        return Some((host, port.strip_prefix(':')));
    }
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    (!host.is_empty()).then_some((host, port))
}

fn ra02(subject: &Subject, out: &mut Out) {
    for (address, at) in addresses(subject) {
        let right = "write `https://host/path`";
        match host_and_port(address) {
            None => out.error(&at, format!("`{address}` is no address of HTTP"), right),
            Some((_, Some(port))) if port.parse::<u16>().is_err() => {
                out.error(&at, format!("has the port `{port}`"), right);
            }
            Some(_) => {}
        }
    }
}

fn ra03(subject: &Subject, out: &mut Out) {
    for rule in issuers(subject) {
        let given: Vec<_> =
            ["jwks", "jwksUri", "jwks_uri"].into_iter().filter(|name| rule.has(name)).collect();
        if let [first, _, ..] = *given {
            out.error(
                &rule.get(first),
                format!("stands beside {}", given.get(1..).unwrap_or_default().join(", ")),
                "keep one of them",
            );
        }
    }
}

/// The keys that stand in the resource itself.
fn inline(rule: &Field) -> Option<Result<Vec<Value>, ()>> {
    let text = rule.get("jwks").text().filter(|text| !text.is_empty())?;
    let read = serde_json::from_str::<Value>(text).ok();
    Some(read.and_then(|read| read.get("keys")?.as_array().cloned()).ok_or(()))
}

fn ra04(subject: &Subject, out: &mut Out) {
    for rule in issuers(subject) {
        if inline(&rule) == Some(Err(())) {
            out.error(
                &rule.get("jwks"),
                "is not a set of keys, so no token is valid",
                "write `{\"keys\": […]}`",
            );
        }
    }
}

fn ra05(subject: &Subject, out: &mut Out) {
    for rule in issuers(subject) {
        let Some(Ok(keys)) = inline(&rule) else { continue };
        if keys.iter().any(|key| SECRET_MEMBERS.iter().any(|name| key.get(name).is_some())) {
            out.warning(
                &rule.get("jwks"),
                "has a key that signs",
                "write the public keys only, and replace that key",
            );
        }
    }
}

fn h31(subject: &Subject, out: &mut Out) {
    for (address, at) in addresses(subject) {
        let Some((host, _)) = host_and_port(address) else { continue };
        if !address.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:")) {
            out.error(&at, "has no TLS, so keys can be exchanged on the way", "write `https://`");
        }
        if host.parse().is_ok_and(is_inside) {
            out.error(
                &at,
                format!("asks `{host}`, which is inside the network of istiod"),
                "write the public host of the issuer",
            );
        }
    }
}

fn is_inside(address: IpAddr) -> bool {
    let v4 = |address: Ipv4Addr| {
        address.is_private() || address.is_link_local() || address.is_loopback() || address.is_unspecified()
    };
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.to_ipv4_mapped().is_some_and(v4)
        }
    }
}
