//! What holds now, in a word and a sentence.

use policies::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{halts::Durable, time::Time};

/// Something that holds now. The page and the command line show its sentence as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Banner {
    /// The state in plain English.
    pub sentence: String,
    pub state: State,
}

/// What can hold, with its figures. The order is that of urgency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[schemars(inline)]
pub enum State {
    /// Something may happen that is not known here.
    NotSure {
        /// False if more filters poll than are known.
        complete: bool,
        /// The replicas that do not answer.
        missing: usize,
        /// Policies that inject and are in force, where no filter is known to have them. Counted only where nothing else
        /// is in doubt, and no filter injects.
        #[serde(default)]
        no_filter: usize,
        /// All replicas that are known, this one among them.
        replicas: usize,
        /// Proxies that should run the filter, and of which no replica hears.
        #[serde(default)]
        silent: usize,
        /// There may be other replicas, and they were not asked.
        #[serde(default)]
        unasked: bool,
        /// Clients poll that do not say what they run, and a policy that injects is in force or was a short time ago.
        #[serde(default)]
        unreported: bool,
    },
    /// The source cannot be read: what is served may be out of date.
    Stale {
        /// The source is a Git repository, not a directory.
        git: bool,
        /// The last error.
        reason: String,
        /// The last time that the source was read; null if this process never did.
        since: Option<Time>,
    },
    /// Somebody has stopped everything.
    Halted {
        /// The user; null where that is not known.
        by: Option<String>,
        /// True if every replica is halted; null without `--peers`.
        complete: Option<bool>,
        /// The place where it is kept, and so what ends it; null where that is not known.
        durable: Option<Durable>,
        /// The number of other halts beside it: what holds goes on until each of them has ended.
        #[serde(default)]
        more: usize,
        /// The reason; null where none was given.
        reason: Option<String>,
        /// Null where that is not known.
        since: Option<Time>,
        /// The last reason why it is not in Git or on disk yet, or was not ended; null if there was none.
        trouble: Option<String>,
    },
    /// No policy is in force, because a signer of the revision lost permission to sign.
    Withdrawn { reason: String },
    /// Filters run a snapshot that is not served any more, and have not confirmed the newest one.
    MayStillInject { filters: usize },
    /// Filters run policies that inject.
    Injecting {
        /// Faults a second of all services; null if that is not measured.
        per_second: Option<f64>,
        /// The workloads whose filters run them.
        services: usize,
    },
    /// Replicas started or ended so short a time ago that not every filter has polled since.
    Listening {
        /// The seconds after which each filter that reaches a replica has polled.
        seconds: u64,
    },
    /// Every replica has answered, and no filter that reached one runs a policy that injects.
    NothingIsInjected,
    /// A state of a newer server.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl Banner {
    pub fn new(state: State, now: Timestamp) -> Self {
        let sentence = state.sentence(now);
        Self { state, sentence }
    }
}

impl State {
    /// True if `hfi status` ends with 1 because of it.
    pub fn is_wrong(&self) -> bool {
        match self {
            Self::NotSure { .. }
            | Self::Stale { .. }
            | Self::Withdrawn { .. }
            | Self::MayStillInject { .. }
            | Self::Unknown => true,
            Self::Halted { .. }
            | Self::Injecting { .. }
            | Self::Listening { .. }
            | Self::NothingIsInjected => false,
        }
    }

    /// What is said beside the sentence, in smaller letters.
    pub fn note(&self) -> Option<String> {
        match self {
            Self::Stale { reason, .. } => Some(reason.clone()),
            Self::Halted { complete, durable, trouble, .. } => {
                let kept = durable.and_then(|durable| match durable {
                    Durable::Pending => Some("not in Git yet"),
                    Durable::Disk => Some("not in Git, only on the disk of this replica"),
                    Durable::Memory => Some("not in Git: a restart of hfi ends it"),
                    Durable::Git | Durable::Unknown => None,
                });
                let others = (*complete == Some(false)).then_some("not every replica is known to hold");
                let parts: Vec<_> = kept.into_iter().chain(others).chain(trouble.as_deref()).collect();
                (!parts.is_empty()).then(|| parts.join("; "))
            }
            _ => None,
        }
    }

    fn sentence(&self, now: Timestamp) -> String {
        match self {
            Self::NotSure { complete, missing, no_filter, replicas, silent, unasked, unreported } => {
                let mut doubts = Vec::new();
                match missing {
                    0 => {}
                    1 => doubts.push(format!("1 of {} does not answer", counted(*replicas, "replica"))),
                    _ => doubts.push(format!("{missing} of {} do not answer", counted(*replicas, "replica"))),
                }
                if *unasked {
                    doubts.push("only this replica was asked; with --peers it asks all".to_owned());
                }
                if *missing == 0 && !complete {
                    doubts.push("more filters poll than are remembered".to_owned());
                }
                match silent {
                    0 => {}
                    1 => doubts.push("1 proxy that should run the filter is not heard of".to_owned()),
                    _ => doubts.push(format!("{silent} proxies that should run the filter are not heard of")),
                }
                if *unreported {
                    doubts.push("clients poll that do not say what they run".to_owned());
                }
                match no_filter {
                    0 => {}
                    1 => doubts.push(
                        "1 policy that injects is in force, and no filter is known to have it".to_owned(),
                    ),
                    _ => doubts.push(format!(
                        "{no_filter} policies that inject are in force, and no filter is known to have them"
                    )),
                }
                format!("NOT SURE: {}", doubts.join("; "))
            }
            Self::Stale { since, git, .. } => {
                let source = if *git { "Git" } else { "the directory" };
                match since {
                    Some(Time(since)) => {
                        format!("STALE: {source} not read for {}", length(now.millis_since(*since)))
                    }
                    None => format!("STALE: {source} not read yet"),
                }
            }
            Self::Halted { by, more, reason, since, .. } => {
                let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                let since = since.map(|Time(since)| format!(" {}", clock(since, now))).unwrap_or_default();
                let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let more = match more {
                    0 => String::new(),
                    more => format!(" (and {})", counted(*more, "more halt")),
                };
                format!("HALTED{by}{since}{reason}{more}")
            }
            Self::Withdrawn { reason } => format!("WITHDRAWN: {reason}"),
            Self::MayStillInject { filters: 1 } => "MAY STILL INJECT: 1 filter has not confirmed".to_owned(),
            Self::MayStillInject { filters } => {
                format!("MAY STILL INJECT: {filters} filters have not confirmed")
            }
            Self::Injecting { per_second, services } => {
                let rate = per_second.map(|rate| format!(": {}", faults(rate)));
                format!("INJECTING into {}{}", counted(*services, "service"), rate.unwrap_or_default())
            }
            Self::Listening { seconds } => {
                format!(
                    "LISTENING: a replica has just started or ended; each filter that reaches hfi polls within {seconds} s"
                )
            }
            Self::NothingIsInjected => "Nothing is injected".to_owned(),
            Self::Unknown => "SOMETHING ELSE: this hfi is older than its server".to_owned(),
        }
    }
}

fn counted(number: usize, thing: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{end}")
}

/// A rate in words; below 10 with one decimal, so that one that is small is not zero.
pub fn faults(per_second: f64) -> String {
    let tenths = (per_second * 10.0).round() / 10.0;
    if per_second > 0.0 && tenths < 0.1 {
        "less than 0.1 faults/s".to_owned()
    } else if tenths == 1.0 {
        "1 fault/s".to_owned()
    } else if tenths < 10.0 {
        format!("{tenths} faults/s")
    } else {
        format!("{per_second:.0} faults/s")
    }
}

/// A length of time in its largest unit, rounded down.
fn length(millis: u64) -> String {
    match millis / 1_000 {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// The time of the day; with its date, unless that is today's.
fn clock(time: Timestamp, now: Timestamp) -> String {
    let (text, today) = (time.to_rfc3339(), now.to_rfc3339());
    let (date, time) = text.split_once('T').unwrap_or(("", &text));
    let minutes = time.get(..5).unwrap_or(time);
    if today.starts_with(date) { format!("{minutes} UTC") } else { format!("{date} {minutes} UTC") }
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;

    use super::{Banner, Durable, State, Time};

    const NOW: &str = "2026-11-28T12:10:00Z";

    #[track_caller]
    fn says(state: State, sentence: &str) {
        assert_eq!(Banner::new(state, Timestamp::parse(NOW).unwrap()).sentence, sentence);
    }

    fn time(text: &str) -> Option<Time> {
        Some(Timestamp::parse(text).unwrap().into())
    }

    #[test]
    fn what_is_not_known_is_said() {
        let not_sure = |complete, missing, replicas, unasked| State::NotSure {
            complete,
            missing,
            no_filter: 0,
            replicas,
            silent: 0,
            unasked,
            unreported: false,
        };
        says(not_sure(false, 1, 2, false), "NOT SURE: 1 of 2 replicas does not answer");
        says(not_sure(false, 2, 3, false), "NOT SURE: 2 of 3 replicas do not answer");
        says(not_sure(false, 0, 1, false), "NOT SURE: more filters poll than are remembered");
        says(not_sure(true, 0, 2, true), "NOT SURE: only this replica was asked; with --peers it asks all");
        let of_clients = |no_filter, silent, unreported| State::NotSure {
            complete: true,
            missing: 0,
            no_filter,
            replicas: 1,
            silent,
            unasked: false,
            unreported,
        };
        says(of_clients(0, 1, false), "NOT SURE: 1 proxy that should run the filter is not heard of");
        says(
            of_clients(0, 3, true),
            "NOT SURE: 3 proxies that should run the filter are not heard of; clients poll that do not say what they run",
        );
        says(
            of_clients(1, 0, false),
            "NOT SURE: 1 policy that injects is in force, and no filter is known to have it",
        );
        let stale = |git, since| State::Stale { git, reason: "refused".to_owned(), since };
        says(stale(true, time("2026-11-28T12:05:31Z")), "STALE: Git not read for 4 min");
        says(stale(true, time("2026-11-28T12:09:31Z")), "STALE: Git not read for 29 s");
        says(stale(true, time("2026-11-28T09:05:31Z")), "STALE: Git not read for 3 h");
        says(stale(false, time("2026-11-25T09:05:31Z")), "STALE: the directory not read for 3 days");
        says(stale(true, None), "STALE: Git not read yet");
        says(
            State::Listening { seconds: 12 },
            "LISTENING: a replica has just started or ended; each filter that reaches hfi polls within 12 s",
        );
    }

    #[test]
    fn who_stopped_it_is_said() {
        let halted = |by: Option<&str>, since, reason: Option<&str>| State::Halted {
            by: by.map(str::to_owned),
            complete: None,
            durable: None,
            more: 0,
            reason: reason.map(str::to_owned),
            since,
            trouble: None,
        };
        let today = halted(Some("alice"), time("2026-11-28T12:03:59Z"), Some("payments are down"));
        says(today, "HALTED by alice 12:03 UTC: payments are down");
        let before = halted(Some("alice"), time("2026-11-27T23:59:00Z"), None);
        says(before, "HALTED by alice 2026-11-27 23:59 UTC");
        says(halted(None, None, Some("a freeze")), "HALTED: a freeze");
        says(halted(None, None, None), "HALTED");
        says(State::Withdrawn { reason: "unsigned".to_owned() }, "WITHDRAWN: unsigned");
    }

    #[test]
    fn a_halt_says_whether_it_is_kept_and_whether_others_stand_beside_it() {
        let halted = |durable, complete, trouble: Option<&str>, more| State::Halted {
            by: None,
            complete,
            durable,
            more,
            reason: Some("a freeze".to_owned()),
            since: None,
            trouble: trouble.map(str::to_owned),
        };
        says(halted(None, None, None, 1), "HALTED: a freeze (and 1 more halt)");
        says(halted(None, None, None, 2), "HALTED: a freeze (and 2 more halts)");
        let note = |durable, complete, trouble| halted(durable, complete, trouble, 0).note();
        assert_eq!(note(Some(Durable::Git), Some(true), None), None);
        assert_eq!(note(None, None, None), None);
        for (durable, words) in [
            (Durable::Pending, "not in Git yet"),
            (Durable::Disk, "not in Git, only on the disk of this replica"),
            (Durable::Memory, "not in Git: a restart of hfi ends it"),
        ] {
            assert_eq!(note(Some(durable), Some(true), None).as_deref(), Some(words));
        }
        assert_eq!(
            note(Some(Durable::Pending), Some(false), Some("the push was refused")).unwrap(),
            "not in Git yet; not every replica is known to hold; the push was refused"
        );
    }

    #[test]
    fn what_is_injected_is_said() {
        says(State::MayStillInject { filters: 14 }, "MAY STILL INJECT: 14 filters have not confirmed");
        says(State::MayStillInject { filters: 1 }, "MAY STILL INJECT: 1 filter has not confirmed");
        let injecting = |services, per_second| State::Injecting { per_second, services };
        says(injecting(2, Some(14.4)), "INJECTING into 2 services: 14 faults/s");
        says(injecting(1, Some(1.04)), "INJECTING into 1 service: 1 fault/s");
        says(injecting(1, Some(0.26)), "INJECTING into 1 service: 0.3 faults/s");
        says(injecting(1, Some(0.01)), "INJECTING into 1 service: less than 0.1 faults/s");
        says(injecting(1, Some(0.0)), "INJECTING into 1 service: 0 faults/s");
        says(injecting(3, None), "INJECTING into 3 services");
        says(State::NothingIsInjected, "Nothing is injected");
    }
}
