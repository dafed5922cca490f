//! Of a proxy that runs one of its two plugins, and polls by it.

use policies::Timestamp;
use reconciler::{
    api::filters::Filter,
    doctor::{
        covered, findings,
        inventory::{Extension, Inventory, Plugin, Runs},
    },
};
use serde_json::json;

use super::{error, healthy, name, plugin};

type Spoil = fn(&mut Inventory);

const POD: &str = "Pod demo/cart-1";

/// A second plugin, for what the pods of `demo` send, that was written at that time.
fn outbound(changed: &str) -> Plugin {
    let mut plugin = plugin("demo", &json!({"match": [{"mode": "CLIENT"}]}));
    plugin.metadata.name = "hfi-outbound".into();
    plugin.changed = Some(changed.to_owned().try_into().unwrap());
    plugin
}

/// What a replica says of the filter of `cart-1`, whose last poll began at the minute, and named these plugins.
fn polls(minute: u8, plugins: Option<&[&str]>) -> Filter {
    polls_from("10.0.0.1", minute, plugins)
}

fn polls_from(address: &str, minute: u8, plugins: Option<&[&str]>) -> Filter {
    serde_json::from_value(json!({
        "node": format!("sidecar~{address}~cart-1.demo~demo.svc.cluster.local"),
        "state": "in_step",
        "lastContact": format!("2026-11-21T00:{minute:02}:00Z"),
        "plugins": plugins,
    }))
    .unwrap()
}

const INBOUND: Option<&[&str]> = Some(&["demo/hfi"]);
const BOTH: Option<&[&str]> = Some(&["demo/hfi", "demo/hfi-outbound"]);

/// Two plugins for `demo`, of the minute 0; `cart-1` has started then. Each replica says this of its filter.
fn told(o: &mut Inventory, said: [Vec<Filter>; 2]) {
    o.plugins.push(outbound("2026-11-21T00:00:00Z"));
    o.pods[0].started = Some(Timestamp::parse("2026-11-21T00:00:00Z").unwrap());
    o.pods[0].addresses = vec!["10.0.0.1".into()];
    for (replica, said) in o.replicas.iter_mut().zip(said) {
        let filters = &mut replica.answer.as_mut().unwrap().filters;
        filters.retain(|filter| !filter.node.contains("cart"));
        filters.extend(said);
    }
}

/// The plugin for what is sent is lost, by polls of the minute 9.
fn lost(o: &mut Inventory) {
    told(o, [vec![polls(9, INBOUND)], Vec::new()]);
}

fn runs(o: &mut Inventory, runs: Runs, since: &str) {
    let extension = |name| Extension { plugin: super::name("demo", name), runs, since: Some(since.into()) };
    let mut inbound = extension("hfi");
    inbound.runs = Runs::Module;
    o.pods[0].extensions = Some(vec![inbound, extension("hfi-outbound")]);
}

#[test]
fn it_is_an_error_with_what_brings_the_filter_back() {
    let message = "does not run the filter of WasmPlugin demo/hfi-outbound: it polls by another plugin";
    let again = "kubectl --namespace demo annotate wasmplugin hfi-outbound --overwrite";
    error([POD, message, again], lost);
    error([POD, message, again], |o| {
        lost(o);
        runs(o, Runs::Module, "2026-11-21T00:01:00Z");
    });
    error([POD, message, "Istio has not given it the plugin: `istioctl proxy-status cart-1.demo`"], |o| {
        lost(o);
        o.pods[0].extensions = Some(Vec::new());
    });
    error([POD, "Istio's agent could not fetch the module", again], |o| {
        lost(o);
        runs(o, Runs::Nothing, "2026-11-21T00:01:00Z");
    });
}

#[test]
fn the_leader_knows_since_when_each_plugin_is_lost() {
    let message = "does not run the filter of WasmPlugin demo/hfi-outbound since 2026-11-21T00:00:09Z";
    error([POD, message, "annotate wasmplugin hfi-outbound"], |o| {
        // It has looked longer than this poll is old.
        told(o, [vec![polls(0, INBOUND)], Vec::new()]);
        let silent = json!({
            "namespace": "demo", "pod": "cart-1", "plugins": ["demo/gone", "demo/hfi-outbound"],
            "since": "2026-11-21T00:00:01Z",
            "sinceByPlugin": {"demo/gone": "2026-11-21T00:00:01Z", "demo/hfi-outbound": "2026-11-21T00:00:09Z"},
        });
        let known = json!({"connected": true, "proxies": {"covered": 3, "silent": [silent]}});
        let status = &mut o.replicas[1].answer.as_mut().unwrap().status;
        status.kubernetes = serde_json::from_value(known).unwrap();
    });
}

#[test]
fn it_is_not_named_while_the_plugin_may_run() {
    let (old, new) = ("2026-11-21T00:00:00Z", "2026-11-21T00:08:30Z");
    let cases: [(&str, Spoil); 8] = [
        ("its polls name both", |o| told(o, [vec![polls(9, BOTH)], Vec::new()])),
        ("its first polls name none", |o| told(o, [vec![polls(9, None)], Vec::new()])),
        ("another replica has heard of both", |o| told(o, [vec![polls(9, INBOUND)], vec![polls(8, BOTH)]])),
        ("an older filter polls too", |o| told(o, [vec![polls(9, INBOUND)], vec![polls(8, None)]])),
        ("it has just started", |o| {
            lost(o);
            o.pods[0].started = Some(Timestamp::parse("2026-11-21T00:08:30Z").unwrap());
        }),
        ("its container does not run", |o| {
            lost(o);
            o.pods[0].started = None;
        }),
        ("the plugin is new", |o| {
            lost(o);
            o.plugins.pop();
            o.plugins.push(outbound("2026-11-21T00:08:30Z"));
        }),
        ("another replica cannot be asked", |o| {
            lost(o);
            o.replicas[1].answer = Err("no answer within 5 s".into());
        }),
    ];
    for (why, spoil) in cases {
        let mut observed = healthy();
        spoil(&mut observed);
        let found = findings(&observed);
        assert!(found.iter().all(|finding| finding.subject != POD), "{why}: {found:#?}");
    }
    for (since, is_named) in [(old, true), (new, false)] {
        let mut observed = healthy();
        lost(&mut observed);
        runs(&mut observed, Runs::Module, since);
        assert_eq!(!findings(&observed).is_empty(), is_named, "the proxy has the filter since {since}");
    }
}

#[test]
fn polls_of_a_former_pod_of_its_name_are_not_its() {
    let mut observed = healthy();
    told(&mut observed, [vec![polls(9, BOTH), polls_from("10.0.0.7", 9, INBOUND)], Vec::new()]);
    assert_eq!(findings(&observed), []);
    error([POD, "demo/hfi-outbound", "annotate"], |o| {
        told(o, [vec![polls(9, INBOUND), polls_from("10.0.0.7", 9, BOTH)], Vec::new()]);
    });
}

#[test]
fn it_is_among_the_first_that_are_asked() {
    let asked = |o: &Inventory| {
        let asked = covered(o).into_iter();
        asked.map(|covered| (covered.pod.name, covered.is_suspect)).collect::<Vec<_>>()
    };
    let all = |order: [(&str, bool); 3]| order.map(|(pod, is_suspect)| (pod.to_owned(), is_suspect)).to_vec();
    let mut observed = healthy();
    assert_eq!(asked(&observed), all([("cart-1", false), ("front-1", false), ("waypoint-1", false)]));
    lost(&mut observed);
    observed.pods.rotate_left(1);
    assert_eq!(asked(&observed), all([("cart-1", true), ("front-1", false), ("waypoint-1", false)]));
    for replica in &mut observed.replicas {
        replica.answer.as_mut().unwrap().filters.retain(|filter| !filter.node.contains("front-1"));
    }
    observed.pods.rotate_left(1);
    assert_eq!(asked(&observed), all([("cart-1", true), ("front-1", true), ("waypoint-1", false)]));
    assert_eq!(name("demo", "cart-1"), covered(&observed)[0].pod);
}

#[test]
fn a_plugin_changes_whenever_somebody_writes_it() {
    let read = |metadata: serde_json::Value| {
        let plugin: Plugin = serde_json::from_value(json!({"metadata": metadata, "spec": {}})).unwrap();
        plugin.changed.map(String::from)
    };
    let fields = json!([{"manager": "kubectl", "time": "2026-11-21T00:02:00Z"}, {"manager": "hfi"}]);
    let created = "2026-11-21T00:01:00Z";
    assert_eq!(read(json!({"namespace": "demo", "name": "hfi"})), None);
    assert_eq!(
        read(json!({"namespace": "demo", "name": "hfi", "creationTimestamp": created})).as_deref(),
        Some(created)
    );
    let written =
        json!({"namespace": "demo", "name": "hfi", "creationTimestamp": created, "managedFields": fields});
    assert_eq!(read(written).as_deref(), Some("2026-11-21T00:02:00Z"));
}
