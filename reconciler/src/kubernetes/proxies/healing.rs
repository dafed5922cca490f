//! Decides when a plugin is sent again: only while a proxy that it is for runs without the filter, seldom, and not
//! for ever.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use crate::doctor::inventory::Name;

/// The shortest time between two times that a plugin is sent, whoever leads.
const SPACING: Duration = Duration::from_secs(60);
/// The most times that a plugin is sent for a proxy that stays silent. It has another reason then.
const MOST: u32 = 5;
/// The most times that a plugin is sent in a row, whatever the number of its proxies: where each new pod is silent,
/// as behind a NetworkPolicy, pods come and go for ever.
const IN_A_ROW: u32 = 5;
/// The time after which it may be sent once more.
const REGAIN: Duration = Duration::from_secs(12 * 60);

/// A plugin, and the proxies that it is for and that are silent.
#[derive(Clone, Debug)]
pub(super) struct Need {
    pub(super) plugin: Name,
    /// The time since it was sent the last time, by this replica or another one.
    pub(super) sent: Option<Duration>,
    /// Every replica hands out its module.
    pub(super) can_be_fetched: bool,
    /// The uids of the pods.
    pub(super) silent: Vec<String>,
}

/// The state of the leader.
#[derive(Debug, Default)]
pub(super) struct Healer {
    plugins: HashMap<Name, Sent>,
    unknown_modules: u64,
}

/// The times that a plugin was sent.
#[derive(Debug, Default)]
struct Sent {
    /// The last time, or the last attempt.
    last: Option<Instant>,
    /// The time from which it may be sent [`IN_A_ROW`] times again.
    rested: Option<Instant>,
    /// By the uid of each pod that is silent, how often.
    tries: HashMap<String, u32>,
}

impl Healer {
    /// The plugins to be sent now; [`sent`](Self::sent) is told of each that was. `unknown_modules` counts the requests
    /// for modules that nobody had: proxies may have lost their filter since.
    pub(super) fn step(&mut self, now: Instant, needs: &[Need], unknown_modules: u64) -> Vec<Name> {
        let is_new = unknown_modules > self.unknown_modules;
        self.unknown_modules = unknown_modules;
        self.plugins.retain(|plugin, _| needs.iter().any(|need| need.plugin == *plugin));
        let due = needs.iter().filter(|need| {
            let sent = self.plugins.entry(need.plugin.clone()).or_default();
            sent.keep(&need.silent, is_new);
            sent.is_due(need, now)
        });
        let due: Vec<_> = due.map(|need| need.plugin.clone()).collect();
        for plugin in &due {
            if let Some(sent) = self.plugins.get_mut(plugin) {
                sent.last = Some(now);
            }
        }
        due
    }

    /// Counts that a plugin was sent. What the API server refused counts for nothing but the pause after it.
    pub(super) fn sent(&mut self, plugin: &Name, now: Instant) {
        if let Some(sent) = self.plugins.get_mut(plugin) {
            sent.count(now);
        }
    }
}

impl Sent {
    /// Forgets the pods that poll again. Those that were given up get one more try if `again`.
    fn keep(&mut self, silent: &[String], again: bool) {
        let known = std::mem::take(&mut self.tries);
        let most = if again { MOST - 1 } else { MOST };
        let tries = |uid: &String| known.get(uid).copied().unwrap_or(0).min(most);
        self.tries = silent.iter().map(|uid| (uid.clone(), tries(uid))).collect();
    }

    fn is_due(&self, need: &Need, now: Instant) -> bool {
        let Some(least) = self.tries.values().min().filter(|least| **least < MOST) else { return false };
        let own = self.last.map(|last| now.saturating_duration_since(last));
        let since = own.into_iter().chain(need.sent).min();
        let spacing = SPACING * 2_u32.pow(least.saturating_sub(1));
        let tired = self.rested.map(|rested| rested.saturating_duration_since(now));
        need.can_be_fetched
            && since.is_none_or(|since| since >= spacing)
            && tired.is_none_or(|tired| tired <= REGAIN * (IN_A_ROW - 1))
    }

    fn count(&mut self, now: Instant) {
        self.rested = Some(self.rested.map_or(now, |rested| rested.max(now)) + REGAIN);
        self.tries.values_mut().for_each(|tries| *tries = (*tries + 1).min(MOST));
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, time::Duration};

    use proptest::{collection::vec, prelude::*};
    use tokio::time::Instant;

    use super::{Healer, IN_A_ROW, MOST, Name, Need, REGAIN, SPACING};

    fn name(name: &str) -> Name {
        Name { namespace: "demo".into(), name: name.into() }
    }

    fn need(plugin: &str, silent: &[&str]) -> Need {
        let silent = silent.iter().map(|uid| (*uid).to_owned()).collect();
        Need { plugin: name(plugin), sent: None, can_be_fetched: true, silent }
    }

    /// The seconds at which a plugin is sent, of a day in which it is looked at every ten seconds.
    fn sent(mut needs: impl FnMut(u64) -> (Need, u64)) -> Vec<u64> {
        let (begin, mut healer) = (Instant::now(), Healer::default());
        let is_sent = |second: &u64| {
            let ((need, unknown), now) = (needs(*second), begin + Duration::from_secs(*second));
            let due = healer.step(now, &[need], unknown);
            due.iter().for_each(|plugin| healer.sent(plugin, now));
            !due.is_empty()
        };
        (0..86_400).step_by(10).filter(is_sent).collect()
    }

    #[test]
    fn a_proxy_that_nothing_helps_is_given_up() {
        assert_eq!(sent(|_| (need("a", &["1"]), 0)), [0, 60, 180, 420, 900]);
    }

    #[test]
    fn another_proxy_that_falls_silent_does_not_wait_for_it() {
        let more = |second| if second < 4_000 { &["1"][..] } else { &["1", "2"] };
        assert_eq!(sent(|second| (need("a", more(second)), 0))[5..7], [4_000, 4_060]);
    }

    #[test]
    fn where_each_new_pod_is_silent_a_plugin_is_sent_seldom() {
        let pods: Vec<_> = (0..86_400 / 120).map(|pod| pod.to_string()).collect();
        let sent = sent(|second| (need("a", &[&pods[second as usize / 120]]), 0));
        assert_eq!(sent[..6], [0, 60, 120, 180, 240, 720]);
        assert!(sent[5..].windows(2).all(|pair| pair[1] - pair[0] >= 720), "{sent:?}");
    }

    #[test]
    fn a_request_for_an_unknown_module_is_worth_one_more_try() {
        assert_eq!(sent(|second| (need("a", &["1"]), u64::from(second >= 5_000)))[5..], [5_000]);
    }

    #[test]
    fn a_module_that_is_not_there_is_not_sent_for() {
        let sent = sent(|second| (Need { can_be_fetched: second >= 300, ..need("a", &["1"]) }, 0));
        assert_eq!(sent.first(), Some(&300));
    }

    #[test]
    fn what_is_refused_is_tried_every_minute_and_is_no_try() {
        let (begin, mut healer, mut attempts) = (Instant::now(), Healer::default(), Vec::new());
        for second in (0..4_000).step_by(10) {
            let now = begin + Duration::from_secs(second);
            for plugin in healer.step(now, &[need("a", &["1"])], 0) {
                attempts.push(second);
                if second >= 600 {
                    healer.sent(&plugin, now);
                }
            }
        }
        assert_eq!(attempts[..11], [0, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600]);
        assert_eq!(attempts[11..], [660, 780, 1_020, 1_500], "five times in all");
    }

    /// A step of a history: some seconds pass, and then one thing happens.
    #[derive(Clone, Debug)]
    enum Happens {
        Silence {
            pod: usize,
            is_silent: bool,
        },
        Module {
            plugin: usize,
            is_there: bool,
        },
        UnknownModule,
        /// Another replica leads, and knows only when each plugin was sent.
        Leader,
        Nothing,
    }

    fn happens() -> impl Strategy<Value = Happens> {
        prop_oneof![
            4 => (0..PODS.len(), any::<bool>()).prop_map(|(pod, is_silent)| Happens::Silence { pod, is_silent }),
            2 => (0..PLUGINS.len(), any::<bool>()).prop_map(|(plugin, is_there)| Happens::Module { plugin, is_there }),
            1 => Just(Happens::UnknownModule),
            1 => Just(Happens::Leader),
            4 => Just(Happens::Nothing),
        ]
    }

    const PLUGINS: [&str; 2] = ["inbound", "outbound"];
    /// Each pod, and the plugins that are for it.
    const PODS: [(&str, &[usize]); 5] =
        [("a", &[0]), ("b", &[0, 1]), ("c", &[1]), ("d", &[0, 1]), ("e", &[0])];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        #[test]
        fn whatever_happens_a_plugin_is_sent_when_it_is_needed_and_not_more(
            history in vec((1..120_u64, happens()), 1..80)
        ) {
            let mut healer = Healer::default();
            let mut now = Instant::now();
            let mut sent: HashMap<usize, Instant> = HashMap::new();
            let mut is_silent = [false; PODS.len()];
            let mut is_there = [true; PLUGINS.len()];
            // Whether a plugin was sent for a pod since that fell silent, or another replica began to lead.
            let mut was_helped = [[false; PODS.len()]; PLUGINS.len()];
            // When a plugin was sent by this leader.
            let mut by_leader = [const { Vec::<Instant>::new() }; PLUGINS.len()];
            let mut unknown = 0;
            for (seconds, happens) in history {
                now += Duration::from_secs(seconds);
                match happens {
                    Happens::Silence { pod, is_silent: silent } => {
                        is_silent[pod] = silent;
                        was_helped.iter_mut().for_each(|helped| helped[pod] &= silent);
                    }
                    Happens::Module { plugin, is_there: there } => is_there[plugin] = there,
                    Happens::UnknownModule => unknown += 1,
                    Happens::Leader => {
                        healer = Healer::default();
                        by_leader.iter_mut().for_each(Vec::clear);
                    }
                    Happens::Nothing => {}
                }
                let silent = |plugin: usize| {
                    let pods = PODS.iter().enumerate();
                    pods.filter(|(pod, (_, plugins))| is_silent[*pod] && plugins.contains(&plugin)).collect::<Vec<_>>()
                };
                let needs: Vec<_> = PLUGINS.iter().enumerate().map(|(plugin, known)| Need {
                    plugin: name(known),
                    sent: sent.get(&plugin).map(|sent| now - *sent),
                    can_be_fetched: is_there[plugin],
                    silent: silent(plugin).iter().map(|(_, (uid, _))| (*uid).to_owned()).collect(),
                }).collect();
                let chosen = healer.step(now, &needs, unknown);
                chosen.iter().for_each(|plugin| healer.sent(plugin, now));
                for (plugin, known) in PLUGINS.iter().enumerate() {
                    let pods = silent(plugin);
                    let last = sent.get(&plugin).copied();
                    let is_spaced = last.is_none_or(|last| now - last >= SPACING);
                    let is_needed = is_there[plugin] && pods.iter().any(|(pod, _)| !was_helped[plugin][*pod]);
                    let lately = by_leader[plugin].iter().filter(|sent| now - **sent < REGAIN * IN_A_ROW).count();
                    let is_rested = lately < IN_A_ROW as usize;
                    if chosen.contains(&name(known)) {
                        prop_assert!(is_spaced, "{known} is sent too often");
                        prop_assert!(is_there[plugin] && !pods.is_empty(), "{known} is sent without need");
                        sent.insert(plugin, now);
                        by_leader[plugin].push(now);
                        let since = now - by_leader[plugin][0];
                        let most = IN_A_ROW as f64 + since.as_secs_f64() / REGAIN.as_secs_f64();
                        prop_assert!(by_leader[plugin].len() as f64 <= most, "{known} is sent in a loop");
                        pods.iter().for_each(|(pod, _)| was_helped[plugin][*pod] = true);
                    } else {
                        prop_assert!(!(is_needed && is_spaced && is_rested), "{known} is not sent in time");
                    }
                }
                let mut tries = healer.plugins.values().flat_map(|sent| sent.tries.values());
                prop_assert!(tries.all(|tries| *tries <= MOST));
            }
        }
    }
}
