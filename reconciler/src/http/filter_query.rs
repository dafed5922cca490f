//! The query of `GET /v1/filters`: some of the filters, in pages.

use serde_json::json;

use super::{
    operation::Parameter,
    policy_query::{switch, values, wrong},
    problem::Problem,
};
use crate::{
    api::filters::{FilterCounts, FilterState},
    fleet::filters::{Filter, counts},
};

/// The longest page.
const MAX_LIMIT: usize = 1_000;
/// The longest cursor: a node in hex.
const MAX_CURSOR: usize = 2 * policies::wire::poll::MAX_NODE_BYTES;

/// The filters that a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FilterQuery {
    /// Only those that polled this replica.
    pub(super) own: bool,
    state: Option<FilterState>,
    namespace: Option<String>,
    service: Option<String>,
    limit: Option<usize>,
    /// The last node of the page before.
    after: Option<Vec<u8>>,
}

/// The filters of one answer.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) filters: Vec<Filter>,
    /// Those of every state and page.
    pub(super) summary: FilterCounts,
    /// The cursor of the next page, if there is one.
    pub(super) next: Option<String>,
}

impl FilterQuery {
    pub(super) fn read(query: Option<&str>) -> Result<Self, Problem> {
        let known = ["own", "state", "namespace", "service", "limit", "cursor"];
        let [own, state, namespace, service, limit, cursor] = values(query, known)?;
        Ok(Self {
            own: switch("own", own)?,
            state: state.map(read_state).transpose()?,
            namespace: namespace.map(|value| read_name("namespace", value)).transpose()?,
            service: service.map(|value| read_name("service", value)).transpose()?,
            limit: limit.map(read_limit).transpose()?,
            after: cursor.map(read_cursor).transpose()?,
        })
    }

    /// The page of all filters, which are sorted by node.
    pub(super) fn page(&self, mut filters: Vec<Filter>) -> Page {
        let Self { own: _, state, namespace, service, limit, after } = self;
        filters.retain(|filter| {
            is_of(filter.names("namespace"), namespace.as_deref())
                && is_of(filter.names("service"), service.as_deref())
        });
        let summary = counts(&filters);
        let is_after = |filter: &Filter| {
            after.as_ref().is_none_or(|after| filter.node.as_str().as_bytes() > after.as_slice())
        };
        filters.retain(|filter| state.is_none_or(|state| filter.state == state) && is_after(filter));
        let next = limit.filter(|limit| filters.len() > *limit).and_then(|limit| {
            filters.truncate(limit);
            filters.last().map(|last| cursor(last.node.as_str()))
        });
        Page { filters, summary, next }
    }
}

/// The states by which filters are chosen.
fn states() -> impl Iterator<Item = FilterState> {
    FilterState::ALL.into_iter().chain([FilterState::Unknown])
}

fn read_state(value: &str) -> Result<FilterState, Problem> {
    states().find(|state| state.as_str() == value).ok_or_else(|| {
        let names: Vec<_> = states().map(FilterState::as_str).collect();
        wrong(&format!("`state` must be one of {}", names.join(", ")))
    })
}

/// A name as filters ask for it. Of its characters only `*` may be percent-encoded.
fn read_name(of: &str, value: &str) -> Result<String, Problem> {
    let value = if value.eq_ignore_ascii_case("%2a") { "*" } else { value };
    let is_name = (1..=253).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let must = || wrong(&format!("`{of}` must be a name: 1 to 253 letters, digits and any of `._-`; or `*`"));
    (is_name || value == "*").then(|| value.to_owned()).ok_or_else(must)
}

fn read_limit(value: &str) -> Result<usize, Problem> {
    let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| wrong(&format!("`limit` must be a number from 1 to {MAX_LIMIT}")))
}

fn read_cursor(value: &str) -> Result<Vec<u8>, Problem> {
    let byte = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok();
    let is_hex = (2..=MAX_CURSOR).contains(&value.len())
        && value.len().is_multiple_of(2)
        && value.bytes().all(|digit| digit.is_ascii_hexdigit());
    let bytes = || value.as_bytes().chunks(2).map(byte).collect::<Option<_>>();
    is_hex.then(bytes).flatten().ok_or_else(|| wrong("`cursor` must be the `next` of an answer before"))
}

fn cursor(node: &str) -> String {
    node.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Tells whether names have the wanted one. A filter for all of them has each.
fn is_of<'n>(mut names: impl Iterator<Item = &'n str>, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| names.any(|name| name == wanted || name == "*"))
}

/// The parameters, for the OpenAPI document.
pub(super) fn described() -> [Parameter; 6] {
    let name = json!({"type": "string", "pattern": "^(\\*|[A-Za-z0-9._-]{1,253})$"});
    let states: Vec<_> = states().map(FilterState::as_str).collect();
    let of = |name, description, schema| Parameter { schema, ..Parameter::query(name, description) };
    [
        Parameter::switch("own", "`true`: only those that polled this replica, also with `--peers`"),
        of("state", "Only filters in this state", json!({"type": "string", "enum": states})),
        of("namespace", "Only filters of this namespace, and of all namespaces", name.clone()),
        of("service", "Only filters of this service, and of all services", name),
        of(
            "limit",
            "The most filters of an answer; without it all are in one",
            json!({"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}),
        ),
        of(
            "cursor",
            "The `next` of the answer before: this one goes on behind it, whatever has come and gone meanwhile",
            json!({"type": "string", "pattern": "^([0-9a-f]{2}){1,253}$"}),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use policies::{Scope, Timestamp, wire::poll::NodeId};
    use proptest::prelude::*;

    use super::{Filter, FilterQuery, FilterState, MAX_LIMIT, Page, cursor, read_cursor};

    fn filter(node: &str, namespace: &str, service: &str, state: FilterState) -> Filter {
        Filter {
            node: NodeId::parse(node).unwrap(),
            variant: Arc::new(Scope::new([namespace], service.split(',')).unwrap().into()),
            plugins: None,
            digest: None,
            given: None,
            is_newest: false,
            contact: Timestamp::from_millis(0),
            state,
        }
    }

    fn all() -> Vec<Filter> {
        vec![
            filter("a", "shop", "cart,cart-v2", FilterState::InStep),
            filter("b", "shop", "checkout", FilterState::Gone),
            filter("c", "*", "*", FilterState::InStep),
            filter("d", "edge", "cart", FilterState::InStep),
        ]
    }

    fn page(query: &str, all: Vec<Filter>) -> (String, Option<String>, usize) {
        let Page { filters, summary, next } = FilterQuery::read(Some(query)).unwrap().page(all);
        let nodes: Vec<_> = filters.iter().map(|filter| filter.node.as_str()).collect();
        (nodes.join(""), next, summary.in_step)
    }

    #[test]
    fn some_filters_are_chosen_and_counted() {
        for (query, nodes, in_step) in [
            ("", "abcd", 3),
            ("state=gone", "b", 3),
            ("namespace=shop", "abc", 2),
            ("namespace=shop&service=cart-v2", "ac", 2),
            ("service=cart&state=in_step", "acd", 3),
            ("namespace=%2A", "c", 1),
            ("namespace=none&state=gone", "", 1),
        ] {
            assert_eq!(page(query, all()), (nodes.to_owned(), None, in_step), "{query}");
        }
    }

    #[test]
    fn a_wrong_value_is_answered_with_the_right_ones() {
        for (query, told) in [
            ("state=lost", "`state` must be one of in_step, lagging, gone, unknown"),
            ("state=", "in_step"),
            ("limit=0", "from 1 to 1000"),
            ("limit=1001", "from 1 to 1000"),
            ("limit=-1", "from 1 to 1000"),
            ("cursor=", "`next`"),
            ("cursor=0", "`next`"),
            ("cursor=0x", "`next`"),
            ("cursor=%2B1", "`next`"),
            ("namespace=", "`namespace` must be a name"),
            ("service=a%20b", "`service` must be a name"),
            ("own=1", "`own` must be `true` or `false`"),
            ("sate=gone", "known here: own, state, namespace, service, limit, cursor"),
            ("limit=1&limit=2", "twice"),
        ] {
            let problem = FilterQuery::read(Some(query)).unwrap_err();
            assert!(format!("{problem:?}").contains(told), "{query}: {problem:?}");
        }
    }

    proptest! {
        #[test]
        fn pages_have_every_filter_that_stays_once(
            nodes in prop::collection::btree_map("[a-z~.0-9]{1,6}", any::<[bool; 2]>(), 0..30), limit in 1..=8_usize,
        ) {
            let (mut seen, mut next, mut is_first) = (Vec::new(), None, true);
            while is_first || next.is_some() {
                let query = next.take().map_or_else(String::new, |next| format!("&cursor={next}"));
                // Some filters come, and some go, after the first page.
                let there = nodes.iter().filter(|(_, there)| there[usize::from(!is_first)]);
                let all = there.map(|(node, _)| filter(node, "shop", "cart", FilterState::InStep)).collect();
                let page = FilterQuery::read(Some(&format!("limit={limit}{query}"))).unwrap().page(all);
                prop_assert!(page.filters.len() <= limit);
                seen.extend(page.filters.into_iter().map(|filter| filter.node.as_str().to_owned()));
                (next, is_first) = (page.next, false);
            }
            prop_assert!(seen.is_sorted() && seen.windows(2).all(|two| two[0] != two[1]));
            let stays = nodes.iter().filter(|(_, there)| **there == [true; 2]).map(|(node, _)| node);
            prop_assert!(stays.into_iter().all(|node| seen.contains(node)));
        }

        #[test]
        fn no_query_makes_it_panic(query in "\\PC{0,60}|cursor=\\PC{0,20}|limit=[0-9]{0,30}") {
            let _ = FilterQuery::read(Some(&query));
        }

        #[test]
        fn a_cursor_is_read_as_it_was_written(node in "[a-zA-Z0-9._~-]{1,253}") {
            prop_assert_eq!(read_cursor(&cursor(&node)).unwrap(), node.into_bytes());
        }
    }

    #[test]
    fn without_a_limit_all_are_in_one_answer() {
        let all = (0..=MAX_LIMIT).map(|at| filter(&format!("{at:05}"), "shop", "cart", FilterState::InStep));
        let (nodes, next, _) = page("", all.collect());
        assert_eq!((nodes.len(), next), (5 * (MAX_LIMIT + 1), None));
    }
}
