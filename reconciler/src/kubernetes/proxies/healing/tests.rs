use std::{collections::HashMap, time::Duration};

use proptest::{collection::vec, prelude::*};
use tokio::time::Instant;

use super::{
    Healer, LastSent, Name, Need, SilentPod,
    tries::{IN_A_ROW, MOST, REGAIN, SPACING},
};

fn name(name: &str) -> Name {
    Name { namespace: "demo".into(), name: name.into() }
}

fn need(plugin: &str, silent: &[&str]) -> Need {
    let silent =
        silent.iter().map(|uid| SilentPod { uid: (*uid).to_owned(), tried: 0, is_ready: true }).collect();
    Need { plugin: name(plugin), sent: None, can_be_fetched: true, silent }
}

/// The seconds at which a plugin is sent, of a day in which it is looked at every ten seconds.
fn sent(mut needs: impl FnMut(u64) -> (Need, u64)) -> Vec<u64> {
    let (begin, mut healer) = (Instant::now(), Healer::default());
    let is_sent = |second: &u64| {
        let ((need, unknown), now) = (needs(*second), begin + Duration::from_secs(*second));
        let due = healer.step(now, &[need], unknown);
        due.iter().for_each(|(plugin, _)| healer.sent(plugin, now));
        !due.is_empty()
    };
    (0..86_400).step_by(10).filter(is_sent).collect()
}

#[test]
fn a_proxy_that_nothing_helps_is_given_up() {
    assert_eq!(sent(|_| (need("a", &["1"]), 0)), [0, 60, 180, 420, 900]);
}

#[test]
fn a_proxy_that_nothing_helps_is_given_up_also_if_its_readiness_comes_and_goes() {
    let flapping = |second: u64| {
        let mut need = need("a", &["1"]);
        need.silent.iter_mut().for_each(|pod| pod.is_ready = (second / 120).is_multiple_of(2));
        need
    };
    let sent = sent(|second| (flapping(second), 0));
    assert_eq!(sent.len(), MOST as usize, "{sent:?}");
    assert!(sent.iter().all(|second| (second / 120).is_multiple_of(2)), "only while it is ready: {sent:?}");
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
        for (plugin, _) in healer.step(now, &[need("a", &["1"])], 0) {
            attempts.push(second);
            if second >= 600 {
                healer.sent(&plugin, now);
            }
        }
    }
    assert_eq!(attempts[..11], [0, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600]);
    assert_eq!(attempts[11..], [660, 780, 1_020, 1_500], "five times in all");
}

#[test]
fn the_next_leader_goes_on_where_the_former_stopped() {
    for term in [30, 70, 100, 1_000] {
        let (begin, mut healer) = (Instant::now(), Healer::default());
        // What the plugin says.
        let mut annotation: Option<(Instant, u32)> = None;
        let mut sent = Vec::new();
        for second in (0..86_400_u64).step_by(10) {
            let now = begin + Duration::from_secs(second);
            if second % term == 0 {
                healer = Healer::default();
            }
            let last = annotation.map(|(at, count)| LastSent { ago: now - at, count });
            let silent = vec![SilentPod {
                uid: "1".to_owned(),
                tried: if last.is_some() { MOST } else { 0 },
                is_ready: true,
            }];
            for (plugin, count) in healer.step(now, &[Need { sent: last, silent, ..need("a", &[]) }], 0) {
                healer.sent(&plugin, now);
                annotation = Some((now, count));
                sent.push(second);
            }
        }
        assert_eq!(sent, [0, 60, 180, 420, 900], "another one leads every {term} s");
    }
}

#[test]
fn the_next_leader_helps_a_proxy_that_fell_silent_since() {
    let now = Instant::now();
    let last = Some(LastSent { ago: Duration::from_secs(3_600), count: MOST });
    let silent = vec![SilentPod { uid: "1".to_owned(), tried: 0, is_ready: true }];
    let due = Healer::default().step(now, &[Need { sent: last, silent, ..need("a", &[]) }], 0);
    assert_eq!(due, [(name("a"), 1)], "it has rested");
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
    /// Another replica leads, and knows only what the plugins say.
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
const PODS: [(&str, &[usize]); 5] = [("a", &[0]), ("b", &[0, 1]), ("c", &[1]), ("d", &[0, 1]), ("e", &[0])];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn whatever_happens_a_plugin_is_sent_when_it_is_needed_and_not_more(
        history in vec((1..120_u64, happens()), 1..80)
    ) {
        let mut healer = Healer::default();
        let mut now = Instant::now();
        // What each plugin says: when it was sent, and how often in a row.
        let mut sent: HashMap<usize, (Instant, u32)> = HashMap::new();
        let mut silent_since = [None::<Instant>; PODS.len()];
        let mut is_there = [true; PLUGINS.len()];
        // Whether a plugin was sent for a pod since that fell silent.
        let mut was_helped = [[false; PODS.len()]; PLUGINS.len()];
        // When a plugin was sent, whoever led, and when it may be sent as often again.
        let mut times = [const { Vec::<Instant>::new() }; PLUGINS.len()];
        let mut rested = [now; PLUGINS.len()];
        let mut unknown = 0;
        for (seconds, happens) in history {
            now += Duration::from_secs(seconds);
            match happens {
                Happens::Silence { pod, is_silent: silent } => {
                    silent_since[pod] = silent.then(|| silent_since[pod].unwrap_or(now));
                    was_helped.iter_mut().for_each(|helped| helped[pod] &= silent);
                }
                Happens::Module { plugin, is_there: there } => is_there[plugin] = there,
                Happens::UnknownModule => unknown += 1,
                Happens::Leader => {
                    healer = Healer::default();
                    for (plugin, (at, count)) in &sent {
                        // It may be more careful than the former one, which knew more.
                        rested[*plugin] = *at + REGAIN * *count;
                    }
                }
                Happens::Nothing => {}
            }
            let silent = |plugin: usize| {
                let pods = PODS.iter().enumerate();
                pods.filter(|(pod, (_, plugins))| silent_since[*pod].is_some() && plugins.contains(&plugin)).collect::<Vec<_>>()
            };
            let needs: Vec<_> = PLUGINS.iter().enumerate().map(|(plugin, known)| Need {
                plugin: name(known),
                sent: sent.get(&plugin).map(|(at, count)| LastSent { ago: now - *at, count: *count }),
                can_be_fetched: is_there[plugin],
                silent: silent(plugin).iter().map(|(pod, (uid, _))| SilentPod {
                    uid: (*uid).to_owned(),
                    is_ready: true,
                    tried: match sent.get(&plugin) {
                        Some((at, _)) if silent_since[*pod].unwrap() <= *at => MOST,
                        _ => 0,
                    },
                }).collect(),
            }).collect();
            let chosen = healer.step(now, &needs, unknown);
            chosen.iter().for_each(|(plugin, _)| healer.sent(plugin, now));
            for (plugin, known) in PLUGINS.iter().enumerate() {
                let pods = silent(plugin);
                let last = sent.get(&plugin).map(|(at, _)| *at);
                let is_spaced = last.is_none_or(|last| now - last >= SPACING);
                let is_needed = is_there[plugin] && pods.iter().any(|(pod, _)| !was_helped[plugin][*pod]);
                let is_rested = rested[plugin].saturating_duration_since(now) <= REGAIN * (IN_A_ROW - 1);
                if let Some((_, count)) = chosen.iter().find(|(chosen, _)| *chosen == name(known)) {
                    prop_assert!(is_spaced, "{known} is sent too often");
                    prop_assert!(is_there[plugin] && !pods.is_empty(), "{known} is sent without need");
                    prop_assert!((1..=IN_A_ROW).contains(count));
                    sent.insert(plugin, (now, *count));
                    times[plugin].push(now);
                    rested[plugin] = rested[plugin].max(now) + REGAIN;
                    let since = now - times[plugin][0];
                    let most = IN_A_ROW as f64 + since.as_secs_f64() / REGAIN.as_secs_f64();
                    prop_assert!(times[plugin].len() as f64 <= most, "{known} is sent in a loop");
                    pods.iter().for_each(|(pod, _)| was_helped[plugin][*pod] = true);
                } else {
                    prop_assert!(!(is_needed && is_spaced && is_rested), "{known} is not sent in time");
                }
            }
            let mut tries = healer.plugins.values().flat_map(|tries| tries.by_pod.values());
            prop_assert!(tries.all(|tried| tried.times <= MOST));
        }
    }
}
