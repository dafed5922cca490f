//! What one replica tells another of the reports that came to it, written and read.

use std::cmp::Reverse;

use policies::wire::{Count, CountedName, FaultCounts, FaultRow};

use super::{
    Faults, KEPT, Millis,
    key::{Key, LifeKey},
    life::is_over,
    lives::Copied,
    merge::Told,
};
use crate::api::peers::{MAX_TOLD, PeerReport};

/// The most bytes that a life takes beside its rows.
const KEYS: usize = 160;
/// The most rows of a life that are read. A filter names 256 policies.
const MOST_ROWS: usize = 1_000;

/// What proxies reported to a replica, as it tells it.
#[derive(Debug)]
pub struct Reported {
    /// The totals of each life of an Envoy, the newest first.
    pub reports: Vec<PeerReport>,
    /// False if that is not all that came within the last 16 minutes. What came before was told then.
    pub is_complete: bool,
}

impl Faults {
    /// What came to this replica, as far as it fits into so many bytes. Policies that are not `is_known` any more are
    /// forgotten after an hour.
    pub fn told(&self, bytes: usize, is_known: impl Fn(&str) -> bool) -> Reported {
        let (now, mut left) = (self.now(), bytes);
        let (mut newest, further, is_crowded) = {
            let mut table = self.lock();
            table.forget_policies(now, KEPT, &is_known);
            let (newest, further) = table.lives.newest(MAX_TOLD.min(bytes / KEYS));
            (newest, further, table.is_crowded(now))
        };
        // Polls do not wait for this.
        newest.sort_by_key(|life| Reverse(life.polled));
        let fitting = newest.iter().map(|life| told_of(life, now)).map_while(|report| {
            left = left.checked_sub(KEYS + report.counts.len())?;
            Some(report)
        });
        let reports: Vec<_> = fitting.collect();
        let left_out = newest.get(reports.len()).map(|life| life.polled).or(further);
        let has_all = left_out.is_none_or(|polled| is_over(polled, now));
        Reported { reports, is_complete: !is_crowded && has_all }
    }

    /// Takes over what other replicas tell. What cannot be read, as it is of a newer release, is left out; false if
    /// something was. Policies that neither `is_known` nor this replica remembers are left out, too: they are gone.
    pub fn heard<'r>(
        &self,
        reports: impl DoubleEndedIterator<Item = &'r PeerReport>,
        is_known: impl Fn(&str) -> bool,
    ) -> bool {
        let (now, mut is_complete) = (self.now(), true);
        // The newest one comes first, and is to be forgotten last.
        for report in reports.rev() {
            let Some((key, rows)) = read(report) else {
                is_complete = false;
                continue;
            };
            let rows = rows.iter().map(|row| (&row.name, row.counts.map(Count::get))).collect();
            let at = now.saturating_sub(report.silent_millis);
            self.lock().merge(&Told { key, at, client: None, rows }, now, &is_known);
        }
        is_complete
    }
}

fn told_of(Copied { key, polled, rows }: &Copied, now: Millis) -> PeerReport {
    let row = |(name, totals): &(CountedName, FaultCounts<u64>)| {
        FaultRow { name: name.clone(), counts: totals.map(Count::saturating) }.to_string()
    };
    let counts: String = rows.iter().map(row).collect();
    PeerReport {
        counts: counts.trim_start_matches(';').to_owned(),
        life: key.life.to_string(),
        node: key.node.to_string(),
        silent_millis: now.saturating_sub(*polled),
    }
}

fn read(report: &PeerReport) -> Option<(LifeKey, Vec<FaultRow>)> {
    let PeerReport { counts, life, node, silent_millis: _ } = report;
    let key = LifeKey { node: Key::parse(node)?, life: Key::parse(life)? };
    let rows = counts.split(';').filter(|row| !row.is_empty()).take(MOST_ROWS).map(FaultRow::parse);
    Some((key, rows.collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use policies::wire::{CountedName, FaultReport, poll::NodeId};

    use super::{super::sum::PolicySum, Faults, PeerReport};
    use crate::clients::Client;

    fn report(faults: &Faults, node: &str, report: &str) {
        let node = NodeId::parse(node).unwrap();
        faults.reported(Client::default(), &node, &FaultReport::parse(report).unwrap(), |_| true);
    }

    fn matched(faults: &Faults) -> u64 {
        let measured = |sum: PolicySum| sum.measured(policies::Timestamp::from_millis(0), true).matched;
        faults.policies(|_| true).remove(&CountedName::parse("a").unwrap()).map_or(0, measured)
    }

    #[test]
    fn what_two_replicas_heard_of_one_proxy_counts_once() {
        let [one, two] = [Faults::default(), Faults::default()];
        report(&one, "n1", "e1;a=100.0.0.0.0.0;b=1.0.0.0.0.0");
        report(&two, "n1", "e1;a=150.0.0.0.0.0");
        report(&two, "n2", "e1;a=7.0.0.0.0.0");
        report(&two, "n2", "e2");
        for _ in 0..2 {
            for (from, to) in [(&one, &two), (&two, &one)] {
                let told = from.told(10_000, |_| true);
                assert!(told.is_complete && to.heard(told.reports.iter(), |_| true));
            }
            assert_eq!((matched(&one), matched(&two)), (157, 157));
        }
        assert_eq!(one.told(10_000, |_| true).reports.len(), 1, "each replica tells what came to it");
        report(&one, "n2", "e1;a=8.0.0.0.0.0");
        assert_eq!((matched(&one), one.told(10_000, |_| true).reports.len()), (158, 2), "it polls here now");
    }

    #[test]
    fn a_silent_proxy_gets_silent_however_often_replicas_tell_each_other() {
        let mut replicas = [Faults::default(), Faults::default()];
        let mut heard = 0;
        report(&replicas[0], "n1", "e1;a=100.0.0.0.0.0");
        report(&replicas[1], "n1", "e1;a=100.0.0.0.0.0");
        for (from, to) in [(0, 1), (1, 0)].into_iter().cycle().take(100) {
            let told = replicas[from].told(10_000, |_| true);
            assert!(told.reports[0].silent_millis >= heard, "{}", told.reports[0].silent_millis);
            // It takes some time.
            for replica in &mut replicas {
                replica.started = replica.started.checked_sub(Duration::from_millis(500)).unwrap();
            }
            heard += 500;
            replicas[to].heard(told.reports.iter(), |_| true);
        }
    }

    #[test]
    fn a_policy_that_is_gone_does_not_come_back_from_another_replica() {
        let [one, two] = [Faults::default(), Faults::default()];
        report(&one, "n1", "e1;a=100.0.0.0.0.0");
        let told = one.told(10_000, |_| true);
        assert!(two.heard(told.reports.iter(), |_| false));
        assert_eq!(matched(&two), 0);
        report(&two, "n2", "e1;a=1.0.0.0.0.0");
        assert!(two.heard(told.reports.iter(), |_| false));
        assert_eq!(matched(&two), 101, "it is remembered here, too");
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_that_is_told() {
        let mut faults = Faults::default();
        for node in ["old", "new"] {
            report(&faults, node, "e1;a=100.0.0.0.0.0");
        }
        let told = faults.told(250, |_| true);
        assert_eq!((told.reports.len(), told.is_complete), (1, false));
        let other = Faults::default();
        assert!(other.heard(told.reports.iter(), |_| true));
        assert_eq!(matched(&other), 100);
        assert!(serde_json::to_vec(&told.reports).unwrap().len() <= 250);
        faults.started = faults.started.checked_sub(Duration::from_secs(961)).unwrap();
        let told = faults.told(250, |_| true);
        assert_eq!(
            (told.reports.len(), told.is_complete),
            (1, true),
            "those that are over were told while they lived"
        );
    }

    #[test]
    fn what_cannot_be_read_is_left_out_and_that_is_said() {
        let from = Faults::default();
        report(&from, "n1", "e1;a=100.0.0.0.0.0");
        let good = from.told(1_000, |_| true).reports.remove(0);
        let bad = |counts: &str| PeerReport { counts: counts.to_owned(), ..good.clone() };
        let node = PeerReport { node: "n1".to_owned(), ..good.clone() };
        for bad in [bad("a=1"), bad("A=1.1.1.1.1.1"), bad("\u{0}"), node] {
            let to = Faults::default();
            assert!(!to.heard([&bad, &good].into_iter(), |_| true), "{bad:?}");
            assert_eq!(matched(&to), 100);
        }
        let to = Faults::default();
        let newer = bad("a=1.1.1.1.1.1.7.8");
        assert!(to.heard([&newer].into_iter(), |_| true));
        assert_eq!(matched(&to), 1);
    }
}
