//! Which rules can match a request, without looking at those that cannot.
//!
//! Each rule is filed under the one condition that tells most requests apart: the callee, then the path,
//! a header or a query parameter, then the caller, then the method. A request looks up what is filed under
//! its own values, so that its cost hardly grows with the number of rules that share nothing with it. A
//! rule that has none of these is looked at for every request.

use std::collections::{HashMap, HashSet};

use super::{radix::RadixTree, request_view::RequestView};
use crate::language::{Condition, Destination, Facts, Flow, Match, Policy, Rule, Subject};

/// Positions of rules, filed.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// By the callee's service.
    services: HashMap<String, Vec<u32>>,
    /// By the callee's host.
    hosts: HashMap<String, Vec<u32>>,
    /// By how the values of a subject begin.
    beginnings: Vec<(Subject, RadixTree)>,
    /// By the caller's service account.
    accounts: HashMap<String, Vec<u32>>,
    others: Vec<u32>,
}

impl Index {
    /// Files rules by their conditions, in the order of their positions.
    pub(crate) fn new<'p>(rules: impl Iterator<Item = (&'p Policy, &'p Rule)>) -> Self {
        let mut index = Self::default();
        let mut beginnings = HashMap::<&Subject, Vec<(&[u8], u32)>>::new();
        for (position, (policy, rule)) in (0..).zip(rules) {
            let Match { conditions, source } = &rule.matches;
            let callees = match &policy.flow {
                Flow::Outbound { destination: Destination::Service { service, namespace: _ } } => {
                    service.exact().map(|service| (&mut index.services, service))
                }
                Flow::Outbound { destination: Destination::Host(host) } => {
                    host.exact().map(|host| (&mut index.hosts, host))
                }
                Flow::Inbound => None,
            };
            let beginning = conditions
                .iter()
                .map(|Condition { subject, matcher }| (subject, matcher.prefix()))
                .filter(|(subject, prefix)| subject.is_told_apart_by(prefix))
                .min_by_key(|(subject, _)| subject.kind().rank);
            let account = source.as_ref().and_then(|source| source.service_account.exact());
            match (callees, beginning, account) {
                (Some((positions, name)), ..) => {
                    positions.entry(name.to_owned()).or_default().push(position);
                }
                (None, Some((subject, prefix)), account)
                    if account.is_none() || subject.kind().rank < Subject::LAST_RANK =>
                {
                    beginnings.entry(subject).or_default().push((prefix.as_bytes(), position));
                }
                (None, _, Some(account)) => {
                    index.accounts.entry(account.to_owned()).or_default().push(position);
                }
                (None, _, None) => index.others.push(position),
            }
        }
        let tree = |(subject, keys): (&Subject, _)| (subject.clone(), RadixTree::new(keys));
        index.beginnings = beginnings.into_iter().map(tree).collect();
        index
    }

    /// The number of fields that are read from every request to find its rules in all of these. Rules that all requests
    /// are held against read at least one.
    pub(crate) fn fields<'i>(all: impl Iterator<Item = &'i Self> + Clone) -> usize {
        let beginnings = all.clone().flat_map(|index| &index.beginnings);
        let of_values: HashSet<_> = beginnings.map(|(subject, _)| subject.field()).collect();
        let has_callees = all.clone().any(Self::is_by_callee);
        let has_others = all.clone().any(|index| !index.others.is_empty());
        of_values.len() + usize::from(has_callees) + usize::from(has_others)
    }

    fn is_by_callee(&self) -> bool {
        !self.services.is_empty() || !self.hosts.is_empty()
    }

    /// The positions of the rules that can match the request, ascending.
    pub(crate) fn candidates(&self, view: &RequestView<'_, impl Facts>) -> impl Iterator<Item = u32> {
        let mut filed = Vec::new();
        if self.is_by_callee() {
            for callee in view.callees() {
                let of_service = callee.service().and_then(|(service, _)| self.services.get(service));
                filed.extend(of_service.into_iter().chain(self.hosts.get(callee.host())).flatten());
            }
        }
        for (subject, tree) in &self.beginnings {
            view.any(subject, |value| {
                tree.prefixes_of(value, |positions| {
                    view.work.count_filed(positions.len());
                    filed.extend_from_slice(positions);
                });
                false
            });
        }
        if !self.accounts.is_empty() {
            filed.extend(
                view.caller().and_then(|(_, account)| self.accounts.get(account)).into_iter().flatten(),
            );
        }
        filed.sort_unstable();
        // A parameter that comes twice finds its rules twice, and so does a callee that is both called and routed to.
        filed.dedup();
        merge(filed.into_iter(), self.others.iter().copied())
    }
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
