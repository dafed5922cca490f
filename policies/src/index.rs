//! Which rules can match a request, without looking at those that cannot.
//!
//! Each rule is filed under the one condition that tells most requests apart: the path, or else a
//! header's exact value, or else the exact method. A request looks up what is filed under its own,
//! so that its cost hardly grows with the number of rules that share nothing with it. A rule that
//! has none of these conditions is looked at for every request.

use std::collections::HashMap;

use crate::{facts::Facts, name::HeaderName, policy::Match, radix::RadixTree};

/// The positions of the rules that demand a value.
type ByValue = HashMap<Box<[u8]>, Vec<u32>>;

/// Positions of rules, filed.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// By how the path begins.
    paths: RadixTree,
    headers: Vec<(HeaderName, ByValue)>,
    methods: ByValue,
    others: Vec<u32>,
}

impl Index {
    /// Files rules by their conditions, in the order of their positions.
    pub(crate) fn new<'m>(rules: impl Iterator<Item = &'m Match>) -> Self {
        let mut index = Self::default();
        let mut paths = Vec::new();
        for (position, Match { method, path, headers, .. }) in (0..).zip(rules) {
            let path = path.as_ref().map(|path| path.prefix()).unwrap_or_default();
            let header = headers.iter().find_map(|(name, value)| Some((name, value.exact()?)));
            let method = method.as_ref().and_then(|method| method.exact());
            if !path.is_empty() && path != "/" {
                paths.push((path.as_bytes(), position));
            } else if let Some((name, value)) = header {
                index.by_header(name).entry(value.as_bytes().into()).or_default().push(position);
            } else if let Some(method) = method {
                index.methods.entry(method.as_bytes().into()).or_default().push(position);
            } else {
                index.others.push(position);
            }
        }
        index.paths = RadixTree::new(paths);
        index
    }

    fn by_header(&mut self, name: &HeaderName) -> &mut ByValue {
        let known = self.headers.iter().position(|(known, _)| known == name);
        let at = known.unwrap_or_else(|| {
            self.headers.push((name.clone(), ByValue::new()));
            self.headers.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the position was just found or made")]
        &mut self.headers[at].1
    }

    /// The positions of the rules that can match the request, ascending.
    pub(crate) fn candidates(&self, facts: &impl Facts) -> impl Iterator<Item = u32> {
        let mut filed = Vec::new();
        if !self.paths.is_empty()
            && let Some(path) = facts.path()
        {
            self.paths.prefixes_of(&path, |positions| filed.extend_from_slice(positions));
        }
        for (name, values) in &self.headers {
            let positions = facts.header(name.as_str()).and_then(|value| values.get(&*value));
            filed.extend(positions.into_iter().flatten());
        }
        if !self.methods.is_empty() {
            let positions = facts.method().and_then(|method| self.methods.get(&*method));
            filed.extend(positions.into_iter().flatten());
        }
        filed.sort_unstable();
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
