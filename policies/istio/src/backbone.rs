//! The fields of Istio's kinds, and of the routes of the Gateway API that it takes, as the CRDs of the oldest and the
//! newest supported Istio have them.

mod check;
mod mistake;
mod node;
mod pattern;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::Deserialize;

use self::{check::mistakes, mistake::Mistake, node::Node};
use crate::{field::Field, finding::Finding, resource::Resource};

/// The oldest Istio whose fields are known.
pub const OLDEST: &str = "1.27";
/// The newest Istio whose fields are known.
pub const NEWEST: &str = "1.30";

/// The ids of what it finds.
pub(crate) const RULES: [&str; 8] =
    ["META01", "META02", "META03", "META04", "META05", "DUR01", "DUR02", "DUR03"];

/// All nodes, and for each kind the number of its spec's.
#[derive(Debug, Default, Deserialize)]
struct Schema {
    oldest: BTreeMap<String, usize>,
    newest: BTreeMap<String, usize>,
    nodes: Vec<Node>,
}

/// Written by `scripts/istio-schema`. A test reads it, so it is never the default.
static SCHEMA: LazyLock<Schema> =
    LazyLock::new(|| serde_json::from_str(include_str!("backbone/schema.json")).unwrap_or_default());

/// Checks a spec against the fields of both versions. A mistake in one of them only is a warning.
pub fn check(resource: &Resource) -> Vec<Finding> {
    let kind = resource.kind.name();
    let spec = Field::root("spec", &resource.spec);
    let of = |specs: &BTreeMap<String, usize>| {
        specs.get(kind).map(|&spec_node| mistakes(&SCHEMA.nodes, spec_node, &spec)).unwrap_or_default()
    };
    let (oldest, newest) = (of(&SCHEMA.oldest), of(&SCHEMA.newest));
    let [in_oldest, in_newest] = [&oldest, &newest].map(|found| found.iter().map(Mistake::id).collect());
    let in_both = newest.iter().filter(|mistake| BTreeSet::contains(&in_oldest, &mistake.id()));
    let mut found: Vec<_> = in_both.map(Mistake::finding).collect();
    let only = |mistakes: &[Mistake], others: &BTreeSet<_>, version, other| {
        let alone = mistakes.iter().filter(|mistake| !others.contains(&mistake.id()));
        alone.map(|mistake| mistake.in_one_version(version, other)).collect::<Vec<_>>()
    };
    found.extend(only(&oldest, &in_newest, OLDEST, NEWEST));
    found.extend(only(&newest, &in_oldest, NEWEST, OLDEST));
    found
}

#[cfg(test)]
mod tests {
    use super::{SCHEMA, pattern::is_known};
    use crate::resource::Kind;

    #[test]
    fn every_kind_has_fields_in_both_versions() {
        for kind in Kind::ALL.into_iter().chain(Kind::GATEWAY_API) {
            for specs in [&SCHEMA.oldest, &SCHEMA.newest] {
                assert!(specs.get(kind.name()).is_some_and(|&spec| spec < SCHEMA.nodes.len()), "{kind:?}");
            }
        }
    }

    #[test]
    fn every_pattern_is_known() {
        let patterns = SCHEMA.nodes.iter().filter_map(|node| node.pattern.as_deref());
        let unknown: Vec<_> = patterns.filter(|pattern| !is_known(pattern)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
