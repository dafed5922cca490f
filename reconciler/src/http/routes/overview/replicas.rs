//! The replicas whose filters an overview knows.

use crate::{
    fleet::{
        gathered::SETTLED,
        shared::{AllFilters, Others},
    },
    kubernetes::ClusterHealth,
    overview::facts::Replicas,
};

/// `others`: what the others know, if they are asked; `known`: that, and what this one knows.
pub(super) fn replicas(
    known: &AllFilters,
    others: Option<&Others>,
    cluster: Option<&ClusterHealth>,
) -> Replicas {
    let mut replicas = Replicas {
        count: others.map(|others| others.count.clone()),
        total: others.map_or(1, |others| others.total),
        missing: others.map(|others| others.missing.clone()).unwrap_or_default(),
        has_unasked: false,
        remember_all: known.is_complete,
        settled_in: SETTLED.saturating_sub(known.listening()),
    };
    if let (None, Some(cluster)) = (others, cluster) {
        replicas.has_unasked = !cluster.is_only_replica(known.since);
        if let Some(gathered) = &cluster.gathered {
            replicas.total = gathered.replicas;
            // Filters of a replica that has ended need time to find this one.
            replicas.settled_in = replicas.settled_in.max(SETTLED.saturating_sub(gathered.listening));
        }
    }
    replicas
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use policies::Timestamp;
    use serde_json::json;

    use super::{AllFilters, ClusterHealth, Others, Replicas, SETTLED};
    use crate::{
        api::filters::Filters as Answer,
        clock::now,
        fleet::{filters::Filters, gathered::Gathered},
        overview::{
            facts::{Facts, Source},
            made::made,
        },
    };

    const UNASKED: &str = "NOT SURE: only this replica was asked; with --peers it asks all";

    /// What a replica knows that has listened long enough, and has heard no filter.
    fn replicas(others: Option<&Others>, cluster: Option<&ClusterHealth>) -> Replicas {
        let since = Timestamp::parse(SINCE).unwrap();
        let known = AllFilters { listened: SETTLED, since, ..AllFilters::new(&Filters::default(), None) };
        super::replicas(&known, others, cluster)
    }

    /// The first banner.
    fn says(replicas: Replicas) -> String {
        let source = Source { read_at: Some(now()), ..Source::default() };
        let facts = Facts { replicas, source, ..Facts::default() };
        made(facts, now()).banners[0].sentence.clone()
    }

    /// The start of this replica.
    const SINCE: &str = "2026-11-29T00:00:00Z";

    /// A cluster where so many replicas answer, the same ones for some time.
    fn cluster(leader: bool, answers: usize, listening: Duration) -> ClusterHealth {
        cluster_since(SINCE, leader, answers, listening)
    }

    fn cluster_since(since: &str, leader: bool, answers: usize, listening: Duration) -> ClusterHealth {
        let answer = json!({"filters": [], "since": since});
        let answer: Answer = serde_json::from_value(answer).unwrap();
        let mut gathered = Gathered::of(&vec![answer; answers]);
        if let Some(gathered) = &mut gathered {
            gathered.listening = listening;
        }
        ClusterHealth { leader, gathered: gathered.map(Arc::new), ..ClusterHealth::default() }
    }

    #[test]
    fn without_peers_a_replica_of_a_cluster_is_sure_only_if_it_is_the_only_one() {
        for (leader, answers, expected) in [
            (true, 2, UNASKED),
            (false, 2, UNASKED),
            // Not known: one of them does not answer, or none was asked yet.
            (true, 0, UNASKED),
            // Another one leads, whatever the endpoints say.
            (false, 1, UNASKED),
            (true, 1, "Nothing is injected"),
        ] {
            let cluster = cluster(leader, answers, SETTLED);
            assert_eq!(says(replicas(None, Some(&cluster))), expected, "{leader} {answers}");
            assert_eq!(replicas(None, Some(&cluster)).total, answers.max(1));
        }
        // It is not ready, and the one that answers is another one.
        let other = cluster_since("2026-11-29T01:00:00Z", true, 1, SETTLED);
        assert_eq!(says(replicas(None, Some(&other))), UNASKED);
        assert_eq!(says(replicas(None, None)), "Nothing is injected", "there is no cluster");
        let others = Others { is_complete: true, total: 2, ..Others::default() };
        let asked = replicas(Some(&others), Some(&cluster(false, 2, SETTLED)));
        assert_eq!(says(asked), "Nothing is injected", "it asks them");
    }

    #[test]
    fn the_only_replica_that_is_left_waits_for_the_filters_of_the_others() {
        let cluster = cluster(true, 1, SETTLED.saturating_sub(Duration::from_secs(12)));
        let said = says(replicas(None, Some(&cluster)));
        assert!(said.starts_with("LISTENING") && said.ends_with("within 12 s"), "{said}");
    }
}
