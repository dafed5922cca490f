//! What one replica tells another of its filters, written and read.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use policies::{
    Digest,
    wire::{
        Format, PluginNames,
        poll::{self, NodeId},
    },
};

use super::digests::{self, Digests};
use crate::{
    api::peers::{PeerFilter, PeerGiven, PeerState},
    client::exchange::LONGEST_OF_REPLICA,
    fleet::{
        faults::{Faults, Reported},
        filters::Filters,
        sighting::{Given, Sighting},
    },
    serving::published::Variant,
};

/// The most bytes that a filter takes beside its names and times.
const KEYS: usize = concat!(
    r#"{"digest":32767,"format":255,"gone":false,"node":"","own":false,"#,
    r#""plugins":null,"scope":"","silentMillis":},"#,
)
.len();

/// The same of a snapshot that a filter was given.
const GIVEN: usize = r#""given":[32767,],"#.len();

/// The bytes that are left for all that is told beside filters, their digests and reports. Two digests of the first filter
/// that does not fit are told, too.
const REST: usize = 128 * 1024;

/// The most bytes of what proxies reported, fewer if there are many filters: by those it is decided.
const REPORTS: usize = LONGEST_OF_REPLICA / 3;

/// What this replica tells others: the filters that it knows, and what proxies reported to it, as far as they fit, the
/// newest first. `is_known` as for [`Faults::told`].
pub fn told(filters: &Filters, faults: &Faults, is_known: impl Fn(&str) -> bool) -> PeerState {
    let (now, most) = (Instant::now(), LONGEST_OF_REPLICA - REST);
    let (mut digests, mut taken) = (Digests::default(), 0);
    let mut sightings = filters.sightings();
    sightings.sort_by_key(|sighting| std::cmp::Reverse(sighting.contact));
    let all = sightings.len();
    let fitting = sightings.iter().map_while(|sighting| {
        let filter = told_of(sighting, &mut digests, now)?;
        taken += size(&filter);
        (taken + digests.size() <= most).then_some(filter)
    });
    let fitting: Vec<_> = fitting.collect();
    let left = most.saturating_sub(taken + digests.size());
    let Reported { reports, is_complete: reports_complete } = faults.told(left.min(REPORTS), is_known);
    PeerState {
        complete: filters.is_complete() && fitting.len() == all,
        digests: digests.told(),
        filters: fitting,
        listening_millis: millis(filters.listening()),
        longest_wait_millis: millis(filters.longest_wait()),
        reports,
        reports_complete: reports_complete && filters.is_complete(),
        ..PeerState::default()
    }
}

/// `None` if there are too many digests.
fn told_of(sighting: &Sighting, digests: &mut Digests, now: Instant) -> Option<PeerFilter> {
    let Sighting { node, variant, plugins, digest, given, contact, is_gone, is_own } = sighting;
    let digest = match digest {
        Some(digest) => Some(digests.place(*digest)?),
        None => None,
    };
    let given = match given {
        Some(given) => {
            Some(PeerGiven(digests.place(given.digest)?, millis(now.saturating_duration_since(given.at))))
        }
        None => None,
    };
    Some(PeerFilter {
        digest,
        format: variant.format.number(),
        given,
        gone: *is_gone,
        node: node.as_str().to_owned(),
        own: *is_own,
        plugins: plugins.as_ref().map(|names| names.as_str().to_owned()),
        scope: variant.scope.to_string(),
        silent_millis: millis(now.saturating_duration_since(*contact)),
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn size(PeerFilter { given, node, plugins, scope, silent_millis, .. }: &PeerFilter) -> usize {
    let digits = |millis: u64| millis.checked_ilog10().unwrap_or(0) as usize + 1;
    let given = given.as_ref().map_or(0, |PeerGiven(_, past_millis)| GIVEN + digits(*past_millis));
    let plugins = plugins.as_ref().map_or(0, String::len);
    KEYS + node.len() + scope.len() + plugins + digits(*silent_millis) + given
}

/// What others tell, as it arrived at this time, and true if all of it can be read. A filter of a newer release may be left
/// out.
pub(super) fn heard(states: impl Iterator<Item = PeerState>, arrived: Instant) -> (Vec<Sighting>, bool) {
    let mut all_read = true;
    let heard = states.flat_map(|PeerState { digests, filters, .. }| {
        let digests = digests::heard(&digests);
        filters.into_iter().map(move |filter| heard_of(&filter, &digests, arrived))
    });
    let heard = heard.filter_map(|heard| {
        all_read &= heard.is_some();
        heard
    });
    (heard.collect(), all_read)
}

fn heard_of(filter: &PeerFilter, digests: &[Option<Digest>], arrived: Instant) -> Option<Sighting> {
    let PeerFilter { digest, format, given, gone, node, own, plugins, scope, silent_millis } = filter;
    let before = |millis: u64| arrived.checked_sub(Duration::from_millis(millis));
    let at = |place: usize| digests.get(place).copied().flatten();
    let digest = match digest {
        Some(place) => Some(at(*place)?),
        None => None,
    };
    let given = match given {
        Some(PeerGiven(place, past_millis)) => Some(Given { digest: at(*place)?, at: before(*past_millis)? }),
        None => None,
    };
    let scope = poll::scope(scope).ok()?;
    let format = Format::ALL.into_iter().find(|known| known.number() == *format)?;
    Some(Sighting {
        node: NodeId::parse(node)?,
        variant: Arc::new(Variant { scope, format }),
        plugins: plugins.as_deref().and_then(PluginNames::parse),
        digest,
        given,
        contact: before(*silent_millis)?,
        is_gone: *gone,
        is_own: *own,
    })
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, Instant},
    };

    use policies::{Digest, Scope, wire::FaultReport, wire::PluginNames, wire::poll::NodeId};
    use proptest::prelude::*;

    use super::{
        Digests, Faults, Filters, Given, LONGEST_OF_REPLICA, Sighting, digests, heard_of, told, told_of,
    };
    use crate::{
        api::peers::{PeerAnswer, PeerState},
        clients::Prefixes,
        fleet::filters::{Origin, Poll},
    };

    #[test]
    fn what_is_told_is_what_is_heard_whatever_the_clocks_say() {
        let now = Instant::now();
        let before = |now: Instant, seconds: u64| now.checked_sub(Duration::from_secs(seconds)).unwrap();
        let sighting = Sighting {
            node: NodeId::parse("sidecar~10.0.0.1~a-1.demo~x").unwrap(),
            variant: Arc::new(Scope::new(["demo"], ["a", "a-v1"]).unwrap().into()),
            plugins: PluginNames::parse("demo/in,demo/out"),
            digest: Some(Digest::of(b"body")),
            given: Some(Given { digest: Digest::of(b"given"), at: before(now, 2) }),
            contact: before(now, 5),
            is_gone: false,
            is_own: true,
        };
        let mut told = Digests::default();
        let filter = serde_json::to_vec(&told_of(&sighting, &mut told, now).unwrap()).unwrap();
        let later = now + Duration::from_secs(60);
        let digests = digests::heard(&told.told());
        let heard = heard_of(&serde_json::from_slice(&filter).unwrap(), &digests, later).unwrap();
        let given = sighting.given.map(|given| Given { at: before(later, 2), ..given });
        assert_eq!(heard, Sighting { contact: before(later, 5), given, ..sighting });
    }

    /// As many filters as a replica remembers, with nodes and services of these names, each of which runs one of so many
    /// snapshots and was given one of so many others.
    fn remembered(node: &str, service: &str, snapshots: u32) -> Filters {
        let filters = Filters::default();
        let client = Prefixes::default().client(std::net::Ipv4Addr::LOCALHOST.into());
        for at in 0..20_000_u32 {
            let node = NodeId::parse(&format!("{node}{at:08}")).unwrap();
            let services = ["", "-v1"].map(|version| format!("{service}{at:08}{version}"));
            let scope = Scope::new(["shop"], services.iter().map(String::as_str)).unwrap();
            let variant = Arc::new(scope.into());
            let [digest, given] =
                [b'r', b'g'].map(|kind| Digest::of_parts([&[kind][..], &(at % snapshots).to_le_bytes()]));
            let plugins = PluginNames::parse("shop/hfi-inbound,shop/hfi-outbound");
            let poll = Poll { node, variant: &variant, digest: Some(digest), plugins, wait: Duration::ZERO };
            let recorded = filters.polled(Origin { client, is_own: false }, poll, Arc::clone).unwrap();
            filters.was_given(recorded, client, given);
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
        let node =
            "sidecar~10.100.200.100~checkout-7d8f9cb6d5-abcde.storefront~storefront.svc.cluster.local.";
        let state = told(&remembered(node, "checkout-server", 100), &faults, |_| true);
        assert_eq!((state.complete, state.filters.len()), (true, 20_000));
        assert!(!state.reports_complete && state.reports.len() > 5_000, "{}", state.reports.len());
        let answer = PeerAnswer { id: "a".repeat(16), name: "n".repeat(63), told: Some(state) };
        assert!(serde_json::to_vec(&answer).unwrap().len() <= LONGEST_OF_REPLICA);
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_that_is_told() {
        let long = ["n"; 150].join("");
        for (names, snapshots, least) in [(long.as_str(), 1, 10_000), ("n", u32::MAX, 16_000)] {
            let state = told(&remembered(names, names, snapshots), &Faults::default(), |_| true);
            assert!(!state.complete && state.filters.len() > least, "{}", state.filters.len());
            let answer = PeerAnswer { id: "a".repeat(16), name: "n".repeat(253), told: Some(state) };
            let bytes = serde_json::to_vec(&answer).unwrap();
            let length = bytes.len();
            assert!((LONGEST_OF_REPLICA / 2..=LONGEST_OF_REPLICA).contains(&length), "{length}");
            let read: PeerAnswer<PeerState> = serde_json::from_slice(&bytes).unwrap();
            let (told, heard) = (answer.told.unwrap(), super::heard(read.told.into_iter(), Instant::now()));
            assert_eq!((heard.0.len(), heard.1), (told.filters.len(), true));
        }
    }

    #[test]
    fn a_filter_whose_snapshot_is_not_told_cannot_be_read() {
        let answer = r#"{"id": "a", "name": "b", "told": {"complete": true, "digests": ["D", "sha256:1"], "filters": [
            {"node": "n1", "format": 2, "digest": 0, "given": [0, 5]}, {"node": "n2", "format": 2},
            {"node": "n3", "format": 2, "digest": 1}, {"node": "n4", "format": 2, "digest": 2},
            {"node": "n5", "format": 2, "given": [1, 5]}, {"node": "n6", "format": 2, "given": [2, 5]}]}}"#;
        let answer = answer.replace("D", &Digest::of(b"body").to_string());
        let answer: PeerAnswer<PeerState> = serde_json::from_str(&answer).unwrap();
        let (heard, all_read) = super::heard(answer.told.into_iter(), Instant::now());
        let heard: Vec<_> = heard.iter().map(|one| (one.node.as_str(), one.digest)).collect();
        assert_eq!((heard, all_read), (vec![("n1", Some(Digest::of(b"body"))), ("n2", None)], false));
    }

    #[test]
    fn what_a_newer_release_adds_is_ignored() {
        let answer = r#"{"id": "a", "name": "b", "new": 1, "told": {"complete": true, "more": [], "filters": [
            {"node": "n1", "format": 2, "scope": "", "silentMillis": 7, "colour": "red"},
            {"node": "n2", "format": 200, "scope": ""}, {"node": "n 3", "format": 2}, {}]}}"#;
        let answer: PeerAnswer<PeerState> = serde_json::from_str(answer).unwrap();
        let (heard, all_read) = super::heard(answer.told.into_iter(), Instant::now());
        let nodes: Vec<_> = heard.iter().map(|sighting| sighting.node.as_str()).collect();
        assert_eq!((nodes, all_read), (vec!["n1"], false));
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(
            node in "[a-z~.]{1,20}|\\PC{0,20}", scope in "(namespace=[a-z]{1,5})?(&service=[a-z]{1,4})?|\\PC{0,30}",
            digest in "(sha256:)?[0-9a-f]{0,70}", format in 0..4_u8,
            plugins in "\\PC{0,20}", silent: u64, place in prop_oneof![0..3_usize, any::<usize>()], cut in 0..300_usize,
        ) {
            let filter = serde_json::json!({
                "node": node, "scope": scope, "digest": place, "format": format, "plugins": plugins,
                "given": [place, silent], "silentMillis": silent, "gone": false, "own": true,
            });
            let state = serde_json::json!({
                "complete": true, "digests": [digest, Digest::of(b"a").to_string()], "filters": [filter],
                "listeningMillis": silent,
            });
            let text = serde_json::json!({"id": "a", "name": node, "told": state}).to_string();
            let answer: PeerAnswer<PeerState> = serde_json::from_str(&text).unwrap();
            let now = Instant::now();
            for sighting in super::heard(answer.told.into_iter(), now).0 {
                prop_assert!(sighting.contact <= now);
                prop_assert_eq!(sighting.node.as_str(), &node);
                prop_assert!(sighting.digest.is_some() && sighting.given.is_some());
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
