//! The hosts that Gateways serve.

use std::collections::{BTreeMap, BTreeSet};

use super::Known;
use crate::{
    field::Field,
    resource::Kind,
    rules::subject::Subject,
    text::{LONGEST_HOST, from_end},
};

/// The hosts of the servers of each Gateway, by its number, the namespace whose VirtualServices they take, and whether
/// they read requests.
#[derive(Debug, Default)]
pub(super) struct Served<'a>(BTreeMap<(usize, &'a str, bool), Hosts>);

/// Hosts, written from their ends, so that those of a wildcard stand together.
#[derive(Debug, Default)]
struct Hosts {
    exact: BTreeSet<String>,
    /// Without the `*`.
    wildcards: BTreeSet<String>,
}

impl<'a> Served<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut found = Self::default();
        for gateway in known.all(Kind::Gateway) {
            for server in gateway.each("servers") {
                let reads = reads_requests(&server);
                for (entry, _) in server.get("hosts").texts() {
                    let (from, host) = entry.split_once('/').unwrap_or(("*", entry));
                    let from = if from == "." { &*gateway.resource.namespace } else { from };
                    let hosts = found.0.entry((gateway.rank, from, reads)).or_default();
                    let (is_wildcard, end) = read(host);
                    let hosts = if is_wildcard { &mut hosts.wildcards } else { &mut hosts.exact };
                    hosts.insert(end);
                }
            }
        }
        found
    }
}

impl<'a> Known<'a> {
    /// True if a server of the Gateway takes a host from VirtualServices of this namespace, or one that a wildcard fits;
    /// with `reads` one that reads requests.
    pub(in crate::rules::across) fn serves(
        &self,
        gateway: &Subject<'a>,
        host: &str,
        namespace: &str,
        reads: bool,
    ) -> bool {
        let (is_wildcard, end) = read(host);
        let of = |from, reads| self.served.0.get(&(gateway.rank, from, reads));
        let passing = ["*", namespace].into_iter().filter(|_| !reads).map(|from| of(from, false));
        let reading = ["*", namespace].into_iter().map(|from| of(from, true));
        reading.chain(passing).flatten().any(|hosts| hosts.have(is_wildcard, &end))
    }
}

impl Hosts {
    fn have(&self, is_wildcard: bool, end: &str) -> bool {
        let is_below = |hosts: &BTreeSet<String>| {
            hosts.range(end.to_owned()..).next().is_some_and(|host| host.starts_with(end))
        };
        let is_same = if is_wildcard {
            is_below(&self.exact) || is_below(&self.wildcards)
        } else {
            self.exact.contains(end)
        };
        // A wildcard stands before a dot or a `-`, or alone.
        let ends = end.match_indices(['.', '-']).filter_map(|(at, _)| end.get(..=at));
        let mut above = ["", end].into_iter().chain(ends);
        is_same || (end.len() <= LONGEST_HOST && above.any(|end| self.wildcards.contains(end)))
    }
}

/// False where TLS passes through.
fn reads_requests(server: &Field) -> bool {
    !matches!(server.get("tls").word("mode"), "PASSTHROUGH" | "AUTO_PASSTHROUGH")
}

/// True for a wildcard, and a host without its `*`, written from its end.
fn read(host: &str) -> (bool, String) {
    let end = host.strip_prefix('*');
    (end.is_some(), from_end(&end.unwrap_or(host).to_ascii_lowercase()))
}
