//! What one replica tells another of its filters, written and read.

use std::time::{Duration, Instant};

use policies::{
    Digest,
    wire::{
        Format, PluginNames,
        poll::{self, NodeId},
    },
};

use crate::{
    api::peers::{PeerFilter, PeerState},
    client::exchange::LONGEST_OF_REPLICA,
    fleet::{
        faults::{Faults, Reported},
        filters::Filters,
        sighting::Sighting,
    },
    serving::published::Variant,
};

/// The most bytes that the fields of a filter take beside their values.
const KEYS: usize = 128;

/// The bytes that are left for all that is told beside filters and reports.
const REST: usize = 128 * 1024;

/// The most bytes of what proxies reported, fewer if there are many filters: by those it is decided.
const REPORTS: usize = LONGEST_OF_REPLICA / 3;

/// What this replica tells others: the filters that it knows, and what proxies reported to it, as far as they fit, the
/// newest first. `is_known` as for [`Faults::told`].
pub fn told(filters: &Filters, faults: &Faults, is_known: impl Fn(&str) -> bool) -> PeerState {
    let (now, mut left) = (Instant::now(), LONGEST_OF_REPLICA - REST);
    let mut sightings = filters.sightings();
    sightings.sort_by_key(|sighting| std::cmp::Reverse(sighting.contact));
    let all = sightings.len();
    let fitting = sightings.iter().map(|sighting| told_of(sighting, now)).map_while(|filter| {
        left = left.checked_sub(size(&filter))?;
        Some(filter)
    });
    let fitting: Vec<_> = fitting.collect();
    let Reported { reports, is_complete: reports_complete } = faults.told(left.min(REPORTS), is_known);
    PeerState {
        complete: filters.is_complete() && fitting.len() == all,
        filters: fitting,
        listening_millis: millis(filters.listening()),
        longest_wait_millis: millis(filters.longest_wait()),
        reports,
        reports_complete: reports_complete && filters.is_complete(),
        ..PeerState::default()
    }
}

fn told_of(sighting: &Sighting, now: Instant) -> PeerFilter {
    let Sighting { node, variant, plugins, digest, contact, is_gone, is_own } = sighting;
    PeerFilter {
        digest: digest.map(|digest| digest.to_string()),
        format: variant.format.number(),
        gone: *is_gone,
        node: node.as_str().to_owned(),
        own: *is_own,
        plugins: plugins.as_ref().map(|names| names.as_str().to_owned()),
        scope: variant.scope.to_string(),
        silent_millis: millis(now.saturating_duration_since(*contact)),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn size(PeerFilter { digest, node, plugins, scope, .. }: &PeerFilter) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    KEYS + node.len() + scope.len() + optional(digest) + optional(plugins)
}

/// What others tell, and true if all of it can be read. A filter of a newer release may be left out.
pub(super) fn heard(filters: impl Iterator<Item = PeerFilter>) -> (Vec<Sighting>, bool) {
    let (now, mut all_read) = (Instant::now(), true);
    let heard = filters.filter_map(|filter| {
        let heard = heard_of(&filter, now);
        all_read &= heard.is_some();
        heard
    });
    (heard.collect(), all_read)
}

fn heard_of(filter: &PeerFilter, now: Instant) -> Option<Sighting> {
    let PeerFilter { digest, format, gone, node, own, plugins, scope, silent_millis } = filter;
    let scope = poll::scope(scope).ok()?;
    let format = Format::ALL.into_iter().find(|known| known.number() == *format)?;
    Some(Sighting {
        node: NodeId::parse(node)?,
        variant: Variant { scope, format },
        plugins: plugins.as_deref().and_then(PluginNames::parse),
        digest: digest.as_ref().and_then(|digest| Digest::from_etag(&format!("\"{digest}\""))),
        contact: now.checked_sub(Duration::from_millis(*silent_millis))?,
        is_gone: *gone,
        is_own: *own,
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use policies::{Digest, Scope, wire::FaultReport, wire::PluginNames, wire::poll::NodeId};
    use proptest::prelude::*;

    use super::{Faults, Filters, LONGEST_OF_REPLICA, Sighting, heard_of, told, told_of};
    use crate::{
        api::peers::{PeerAnswer, PeerState},
        clients::Prefixes,
        fleet::filters::{Origin, Poll},
    };

    #[test]
    fn what_is_told_is_what_is_heard_whatever_the_clocks_say() {
        let now = Instant::now();
        let contact = |now: Instant| now.checked_sub(Duration::from_secs(5)).unwrap();
        let sighting = Sighting {
            node: NodeId::parse("sidecar~10.0.0.1~a-1.demo~x").unwrap(),
            variant: Scope::new(["demo"], ["a", "a-v1"]).unwrap().into(),
            plugins: PluginNames::parse("demo/in,demo/out"),
            digest: Some(Digest::of(b"body")),
            contact: contact(now),
            is_gone: false,
            is_own: true,
        };
        let told = serde_json::to_vec(&told_of(&sighting, now)).unwrap();
        let later = now + Duration::from_secs(60);
        let heard = heard_of(&serde_json::from_slice(&told).unwrap(), later).unwrap();
        assert_eq!(heard, Sighting { contact: contact(later), ..sighting });
    }

    /// As many filters as a replica remembers, with nodes and services of these names.
    fn remembered(node: &str, service: &str) -> Filters {
        let filters = Filters::default();
        let client = Prefixes::default().client(std::net::Ipv4Addr::LOCALHOST.into());
        for at in 0..20_000 {
            let node = NodeId::parse(&format!("{node}{at:08}")).unwrap();
            let variant = Scope::new(["demo"], [format!("{service}{at:08}").as_str()]).unwrap().into();
            let digest = Some(Digest::of(b"body"));
            let poll = Poll { node, variant: &variant, digest, plugins: None, wait: Duration::ZERO };
            filters.polled(Origin { client, is_own: false }, poll);
        }
        filters
    }

    #[test]
    fn all_filters_with_usual_names_fit_whatever_they_report() {
        let faults = Faults::default();
        for at in 0..20_000 {
            let node = NodeId::parse(&format!("n{at:08}")).unwrap();
            let report = FaultReport::parse("e1;checkout-errors=100000.30000.30000.0.0.0").unwrap();
            faults.reported(
                Prefixes::default().client(std::net::Ipv4Addr::LOCALHOST.into()),
                &node,
                &report,
                |_| true,
            );
        }
        let state = told(
            &remembered("sidecar~10.0.0.1~checkout-7d8f9c-abcde.shop~shop.svc", "checkout"),
            &faults,
            |_| true,
        );
        assert_eq!((state.complete, state.filters.len()), (true, 20_000));
        assert!(!state.reports_complete && state.reports.len() > 5_000, "{}", state.reports.len());
        let answer = PeerAnswer { id: "a".repeat(16), name: "n".repeat(63), told: Some(state) };
        assert!(serde_json::to_vec(&answer).unwrap().len() <= LONGEST_OF_REPLICA);
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_that_is_told() {
        let names = ["n"; 200].join("");
        let state = told(&remembered(&names, &names), &Faults::default(), |_| true);
        assert!(!state.complete && state.filters.len() > 10_000, "{}", state.filters.len());
        let answer = PeerAnswer { id: "a".repeat(16), name: "n".repeat(63), told: Some(state) };
        let length = serde_json::to_vec(&answer).unwrap().len();
        assert!((LONGEST_OF_REPLICA / 2..=LONGEST_OF_REPLICA).contains(&length), "{length}");
    }

    #[test]
    fn what_a_newer_release_adds_is_ignored() {
        let answer = r#"{"id": "a", "name": "b", "new": 1, "told": {"complete": true, "more": [], "filters": [
            {"node": "n1", "format": 2, "scope": "", "silentMillis": 7, "colour": "red"},
            {"node": "n2", "format": 200, "scope": ""}, {"node": "n 3", "format": 2}, {}]}}"#;
        let answer: PeerAnswer<PeerState> = serde_json::from_str(answer).unwrap();
        let (heard, all_read) = super::heard(answer.told.unwrap().filters.into_iter());
        let nodes: Vec<_> = heard.iter().map(|sighting| sighting.node.as_str()).collect();
        assert_eq!((nodes, all_read), (vec!["n1"], false));
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(
            node in "[a-z~.]{1,20}|\\PC{0,20}", scope in "(namespace=[a-z]{1,5})?(&service=[a-z]{1,4})?|\\PC{0,30}",
            digest in "(sha256:)?[0-9a-f]{0,70}", format in 0..4_u8,
            plugins in "\\PC{0,20}", silent: u64, cut in 0..300_usize,
        ) {
            let filter = serde_json::json!({
                "node": node, "scope": scope, "digest": digest, "format": format, "plugins": plugins,
                "silentMillis": silent, "gone": false, "own": true,
            });
            let state = serde_json::json!({"complete": true, "filters": [filter], "listeningMillis": silent});
            let text = serde_json::json!({"id": "a", "name": node, "told": state}).to_string();
            let answer: PeerAnswer<PeerState> = serde_json::from_str(&text).unwrap();
            for filter in answer.told.unwrap().filters {
                let now = Instant::now();
                if let Some(sighting) = heard_of(&filter, now) {
                    prop_assert!(sighting.contact <= now);
                    prop_assert_eq!(sighting.node.as_str(), &filter.node);
                }
            }
            let cut = text.bytes().take(cut).collect::<Vec<_>>();
            let _ = serde_json::from_slice::<PeerAnswer<PeerState>>(&cut);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = serde_json::from_slice::<PeerAnswer<PeerState>>(&bytes);
        }
    }
}
