//! What is to be known of a plugin to decide whether it is sent again, and what an Event says of it.

use std::time::Duration;

use policies::Timestamp;

use super::{
    healing::{LastSent, MOST, Need, SilentPod},
    judge::Silent,
    plugins::OurPlugin,
};
use crate::{doctor::inventory::Name, fleet::gathered::Gathered};

/// The most pods that an Event names.
const MOST_NAMED: usize = 5;

pub(super) fn need(known: &OurPlugin, silent: &[Silent], gathered: &Gathered, now: Timestamp) -> Need {
    let OurPlugin { plugin, sent, count } = known;
    let digest = plugin.spec.url.rsplit_once("/filter/").and_then(|(_, file)| file.strip_suffix(".wasm"));
    // Replicas hand it out in capitals too.
    let digest = digest.map(str::to_ascii_lowercase);
    // A time to come says nothing: the clock of the replica that wrote it was wrong.
    let sent = sent.filter(|sent| *sent <= now);
    let pod = |silent: &Silent| {
        let missing = silent.lacks(&plugin.metadata)?;
        let tried = match sent {
            Some(sent) if missing.since <= sent => MOST,
            // A leader that is new learns of a loss later than it was. It may be wrong, and so one try is left.
            Some(sent) if silent.started <= sent && !missing.has_run => MOST - 1,
            _ => 0,
        };
        Some(SilentPod { uid: silent.uid.clone(), tried, is_ready: silent.is_ready })
    };
    Need {
        plugin: plugin.metadata.clone(),
        sent: sent.map(|sent| LastSent { ago: Duration::from_millis(now.millis_since(sent)), count: *count }),
        // Modules of a registry are always there.
        can_be_fetched: digest.is_none_or(|digest| gathered.modules.contains(&digest)),
        silent: silent.iter().filter_map(pod).collect(),
    }
}

pub(super) fn note(plugin: &Name, silent: &[Silent]) -> String {
    let ready = silent.iter().filter(|silent| silent.is_ready);
    let lacking = ready.filter_map(|silent| Some((&silent.pod, silent.lacks(plugin)?.since)));
    let pods: Vec<_> = lacking.map(|(pod, since)| format!("{pod} since {}", since.to_rfc3339())).collect();
    let named = pods.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = match pods.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("WasmPlugin {plugin} is sent again, since proxies that should run it do not: Pod {named}{more}")
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;

    use serde_json::json;

    use super::{Gathered, MOST, Name, OurPlugin, Silent, need, note};
    use crate::kubernetes::proxies::coverage::Missing;

    #[test]
    fn a_module_can_be_fetched_if_every_replica_has_it_or_it_is_in_a_registry() {
        let gathered = |digest: &str| {
            let answer =
                json!({"filters": [], "since": "1970-01-01T00:00:00Z", "modules": {"digests": [digest]}});
            Gathered::of(&[serde_json::from_value(answer).unwrap()]).unwrap()
        };
        for (url, digest, is_there) in [
            ("http://hfi-control-plane.boifi:8080/filter/1e5d.wasm", "1e5d", true),
            ("http://hfi-control-plane.boifi:8080/filter/1E5D.wasm", "1e5d", true),
            ("http://hfi-control-plane.boifi:8080/filter/1e5d.wasm", "aaaa", false),
            ("http://hfi-control-plane.boifi:8080/filter.wasm", "aaaa", true),
            ("oci://registry.example/hfi", "aaaa", true),
        ] {
            let plugin = json!({"metadata": {"namespace": "demo", "name": "hfi"}, "spec": {"url": url}});
            let plugin = OurPlugin { plugin: serde_json::from_value(plugin).unwrap(), sent: None, count: 0 };
            let need = need(&plugin, &[], &gathered(digest), Timestamp::from_millis(0));
            assert_eq!(need.can_be_fetched, is_there, "{url} {digest}");
        }
    }

    #[test]
    fn an_event_names_the_first_pods() {
        let plugin = Name { namespace: "demo".into(), name: "hfi".into() };
        let silent = |number: u8| Silent {
            uid: String::new(),
            pod: Name { namespace: "demo".into(), name: format!("cart-{number}") },
            started: Timestamp::from_millis(0),
            is_ready: true,
            missing: vec![Missing {
                plugin: plugin.clone(),
                since: Timestamp::from_millis(0),
                has_run: false,
            }],
        };
        let note = note(&plugin, &(0..8).map(silent).collect::<Vec<_>>());
        assert!(
            note.contains("demo/cart-4 since 1970-01-01T00:00:00Z and 3 more") && !note.contains("cart-5"),
            "{note}"
        );
    }

    #[test]
    fn a_pod_is_known_to_have_been_silent_when_the_plugin_was_sent() {
        let plugin = json!({"metadata": {"namespace": "demo", "name": "hfi"}, "spec": {}});
        let plugin: crate::doctor::inventory::Plugin = serde_json::from_value(plugin).unwrap();
        let at = Timestamp::from_millis;
        let other = Name { namespace: "demo".into(), name: "lost-before".into() };
        let silent = |since: u64| Silent {
            uid: String::new(),
            pod: Name { namespace: "demo".into(), name: "cart".into() },
            started: at(0),
            is_ready: true,
            missing: vec![
                Missing { plugin: other.clone(), since: at(0), has_run: true },
                Missing { plugin: plugin.metadata.clone(), since: at(since), has_run: true },
            ],
        };
        let answer = json!({"filters": [], "since": "1970-01-01T00:00:00Z"});
        let gathered = Gathered::of(&[serde_json::from_value(answer).unwrap()]).unwrap();
        let pods = [silent(100), silent(101)];
        for (sent, expected) in [(None, [0, 0]), (Some(at(100)), [MOST, 0]), (Some(at(900)), [0, 0])] {
            let known = OurPlugin { plugin: plugin.clone(), sent, count: 3 };
            let need = need(&known, &pods, &gathered, at(500));
            assert_eq!(need.silent.iter().map(|pod| pod.tried).collect::<Vec<_>>(), expected, "{sent:?}");
            assert_eq!(need.sent.is_some(), sent == Some(at(100)), "a time to come says nothing");
        }
    }
}
