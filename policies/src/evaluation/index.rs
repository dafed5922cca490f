//! Which rules can match a request, without looking at those that cannot.
//!
//! Each rule is filed under the one condition that tells most requests apart: the callee, the path, a
//! header, a query parameter, the caller, the method, whichever it has first in this order. A request
//! looks up what is filed under its own, so that its cost hardly grows with the number of rules that
//! share nothing with it. A rule that has none of these is looked at for every request.

use std::{collections::HashMap, hash::Hash};

use super::{facts::Facts, query, radix::RadixTree, request_view::RequestView};
use crate::language::{Flow, Match, Policy, Rule};

/// Positions of rules, filed.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// By the callee's service.
    services: HashMap<String, Vec<u32>>,
    /// By how the path begins.
    paths: RadixTree,
    /// By how the value of a header, or of a query parameter, begins.
    headers: Vec<(String, RadixTree)>,
    parameters: Vec<(String, RadixTree)>,
    /// By the caller's service account.
    accounts: HashMap<String, Vec<u32>>,
    methods: HashMap<String, Vec<u32>>,
    others: Vec<u32>,
}

/// Positions and the beginnings that they are filed under.
type Beginnings<'p> = Vec<(&'p [u8], u32)>;

impl Index {
    /// Files rules by their conditions, in the order of their positions.
    pub(crate) fn new<'p>(rules: impl Iterator<Item = (&'p Policy, &'p Rule)>) -> Self {
        let mut index = Self::default();
        let mut paths = Beginnings::new();
        let (mut headers, mut parameters) = (HashMap::new(), HashMap::new());
        for (position, (policy, rule)) in (0..).zip(rules) {
            let Match { method, path, headers: header_matches, query, source } = &rule.matches;
            let service = match &policy.flow {
                Flow::Outbound { destination } => destination.service.exact(),
                Flow::Inbound => None,
            };
            let path =
                path.as_ref().map(|path| path.prefix()).filter(|path| !path.is_empty() && *path != "/");
            let header = header_matches.iter().find(|(_, value)| !value.prefix().is_empty());
            let parameter = query.iter().find(|(_, value)| !value.prefix().is_empty());
            let account = source.as_ref().and_then(|source| source.service_account.exact());
            let method = method.as_ref().and_then(|method| method.exact());
            if let Some(service) = service {
                index.services.entry(service.to_owned()).or_default().push(position);
            } else if let Some(path) = path {
                paths.push((path.as_bytes(), position));
            } else if let Some((name, value)) = header {
                file(&mut headers, name.as_str(), value.prefix(), position);
            } else if let Some((name, value)) = parameter {
                file(&mut parameters, name.as_str(), value.prefix(), position);
            } else if let Some(account) = account {
                index.accounts.entry(account.to_owned()).or_default().push(position);
            } else if let Some(method) = method {
                index.methods.entry(method.to_owned()).or_default().push(position);
            } else {
                index.others.push(position);
            }
        }
        index.paths = RadixTree::new(paths);
        index.headers = trees(headers);
        index.parameters = trees(parameters);
        index
    }

    /// How many fields every request is asked for to find its rules; those that all requests are held
    /// against ask for one at least.
    pub(crate) fn fields(&self) -> usize {
        let asked = [
            !self.services.is_empty(),
            !self.paths.is_empty() || !self.parameters.is_empty(),
            !self.methods.is_empty(),
            !self.others.is_empty(),
        ];
        asked.into_iter().filter(|asked| *asked).count() + self.headers.len()
    }

    /// The positions of the rules that can match the request, ascending.
    pub(crate) fn candidates(&self, view: &RequestView<'_, impl Facts>) -> impl Iterator<Item = u32> {
        let mut filed = Vec::new();
        let facts = view.facts;
        if !self.services.is_empty() {
            filed.extend(
                view.callee().and_then(|(service, _)| self.services.get(service)).into_iter().flatten(),
            );
        }
        if !self.paths.is_empty()
            && let Some(path) = facts.path()
        {
            self.paths.prefixes_of(&path, |positions| filed.extend_from_slice(positions));
        }
        for (name, values) in &self.headers {
            if let Some(value) = facts.header(name) {
                values.prefixes_of(&value, |positions| filed.extend_from_slice(positions));
            }
        }
        if !self.parameters.is_empty()
            && let Some(query) = facts.query()
        {
            for (name, values) in &self.parameters {
                for value in query::values(&query, name) {
                    values.prefixes_of(&value, |positions| filed.extend_from_slice(positions));
                }
            }
        }
        if !self.accounts.is_empty() {
            filed.extend(
                view.caller().and_then(|(_, account)| self.accounts.get(account)).into_iter().flatten(),
            );
        }
        if !self.methods.is_empty()
            && let Some(method) = facts.method()
        {
            let positions = std::str::from_utf8(&method).ok().and_then(|method| self.methods.get(method));
            filed.extend(positions.into_iter().flatten());
        }
        filed.sort_unstable();
        // A parameter that comes twice finds its rules twice.
        filed.dedup();
        merge(filed.into_iter(), self.others.iter().copied())
    }
}

fn file<'p, N: Eq + Hash>(
    by_name: &mut HashMap<N, Beginnings<'p>>,
    name: N,
    beginning: &'p str,
    position: u32,
) {
    by_name.entry(name).or_default().push((beginning.as_bytes(), position));
}

fn trees(by_name: HashMap<&str, Beginnings<'_>>) -> Vec<(String, RadixTree)> {
    by_name.into_iter().map(|(name, beginnings)| (name.to_owned(), RadixTree::new(beginnings))).collect()
}

/// Two ascending sequences as one.
fn merge(a: impl Iterator<Item = u32>, b: impl Iterator<Item = u32>) -> impl Iterator<Item = u32> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    std::iter::from_fn(move || match (a.peek(), b.peek()) {
        (Some(first), Some(second)) if second < first => b.next(),
        (None, _) => b.next(),
        (Some(_), _) => a.next(),
    })
}
