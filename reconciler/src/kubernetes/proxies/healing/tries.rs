//! How often one plugin was sent, and for which proxies.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::{LastSent, Need, SilentPod};

/// The shortest time between two times that a plugin is sent, whoever leads.
pub(super) const SPACING: Duration = Duration::from_secs(60);
/// The most times that a plugin is sent for a proxy that stays silent. It has another reason then.
pub(in super::super) const MOST: u32 = 5;
/// The most times that a plugin is sent in a row, whatever the number of its proxies: where each new pod is silent,
/// as behind a NetworkPolicy, pods come and go for ever.
pub(super) const IN_A_ROW: u32 = 5;
/// The time after which it may be sent once more.
pub(super) const REGAIN: Duration = Duration::from_secs(12 * 60);

#[derive(Debug)]
pub(super) struct Tries {
    /// The last time, or the last attempt.
    last: Option<Instant>,
    /// The time from which it may be sent [`IN_A_ROW`] times again.
    rested: Instant,
    /// By the uid of each pod that is silent.
    pub(super) by_pod: HashMap<String, Tried>,
}

/// How often a plugin was sent for a pod.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tried {
    pub(super) times: u32,
    /// It is ready now.
    is_ready: bool,
}

impl Tries {
    /// Goes on where the former leader stopped.
    pub(super) fn continued(need: &Need, now: Instant) -> Self {
        let LastSent { ago, count } = need.sent.unwrap_or(LastSent { ago: Duration::ZERO, count: 0 });
        let rested = now + (REGAIN * count.min(IN_A_ROW)).saturating_sub(ago);
        let tried = |pod: &SilentPod| Tried { times: count.min(pod.tried), is_ready: pod.is_ready };
        let by_pod = need.silent.iter().map(|pod| (pod.uid.clone(), tried(pod))).collect();
        Self { last: None, rested, by_pod }
    }

    /// Forgets the pods that run it again. Those that were given up get one more try if `again`.
    pub(super) fn keep(&mut self, silent: &[SilentPod], again: bool) {
        let known = std::mem::take(&mut self.by_pod);
        let most = if again { MOST - 1 } else { MOST };
        let times = |uid: &String| known.get(uid).map_or(0, |tried| tried.times).min(most);
        let tried = |pod: &SilentPod| Tried { times: times(&pod.uid), is_ready: pod.is_ready };
        self.by_pod = silent.iter().map(|pod| (pod.uid.clone(), tried(pod))).collect();
    }

    pub(super) fn is_due(&self, need: &Need, now: Instant) -> bool {
        let ready = self.by_pod.values().filter(|tried| tried.is_ready);
        let least = ready.map(|tried| tried.times).min();
        let Some(least) = least.filter(|least| *least < MOST) else { return false };
        let own = self.last.map(|last| now.saturating_duration_since(last));
        let since = own.into_iter().chain(need.sent.map(|sent| sent.ago)).min();
        let spacing = SPACING * 2_u32.pow(least.saturating_sub(1));
        need.can_be_fetched
            && since.is_none_or(|since| since >= spacing)
            && self.rested.saturating_duration_since(now) <= REGAIN * (IN_A_ROW - 1)
    }

    /// Begins an attempt; returns how often in a row the plugin will have been sent with it.
    pub(super) fn begin(&mut self, now: Instant) -> u32 {
        self.last = Some(now);
        let row = self.rested.saturating_duration_since(now).as_millis().div_ceil(REGAIN.as_millis());
        let row = u32::try_from(row).unwrap_or(IN_A_ROW);
        let most = self.by_pod.values().map(|tried| tried.times).max();
        (most.unwrap_or(0).max(row) + 1).min(IN_A_ROW)
    }

    pub(super) fn count(&mut self, now: Instant) {
        self.rested = self.rested.max(now) + REGAIN;
        let ready = self.by_pod.values_mut().filter(|tried| tried.is_ready);
        ready.for_each(|tried| tried.times = (tried.times + 1).min(MOST));
    }
}
