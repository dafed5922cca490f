//! Of proxies that should run the filter, and of workloads without one.

use reconciler::doctor::{
    covered, findings,
    inventory::{Extension, Inventory, Runs, Sidecar},
};
use serde_json::json;

use super::{error, filter, healthy, plugin, warning};

#[test]
fn a_proxy_that_should_run_the_filter_and_does_not() {
    let silence = |o: &mut Inventory| {
        for replica in &mut o.replicas {
            let filters = &mut replica.answer.as_mut().unwrap().filters;
            filters.retain(|filter| !filter.node.contains("cart"));
        }
    };
    let subject = "Pod demo/cart-1";
    error([subject, "WasmPlugin demo/hfi", "istioctl proxy-config cluster cart-1.demo"], silence);
    error([subject, "does not", "failed to load Wasm module: bad magic"], |o| {
        silence(o);
        o.pods[0].complaint = Some("failed to load Wasm module: bad magic".into());
    });
    error([subject, "does not", "runs no Wasm module: `kubectl --namespace demo annotate"], |o| {
        silence(o);
        o.pods[0].modules = Some(0);
    });
    error([subject, "does not", "which cannot poll: `istioctl proxy-config cluster"], |o| {
        silence(o);
        o.pods[0].modules = Some(2);
    });
    error([subject, "does not since 2026-11-21T00:00:09Z", "annotate"], |o| {
        silence(o);
        let silent = json!({
            "namespace": "demo", "pod": "cart-1", "plugins": ["demo/hfi"], "since": "2026-11-21T00:00:09Z",
        });
        let known = json!({"connected": true, "proxies": {"covered": 3, "silent": [silent]}});
        let status = &mut o.replicas[1].answer.as_mut().unwrap().status;
        status.kubernetes = serde_json::from_value(known).unwrap();
    });
    let says = |runs| {
        let plugin = super::name("demo", "hfi");
        Some(vec![Extension { plugin, runs, since: Some("2026-11-21T00:00:00Z".into()) }])
    };
    error([subject, "does not", "runs the module, which cannot poll: `istioctl proxy-config cluster"], |o| {
        silence(o);
        o.pods[0].extensions = says(Runs::Module);
    });
    error(
        [subject, "does not", "Istio has not given it the plugin: `istioctl proxy-status cart-1.demo`"],
        |o| {
            silence(o);
            o.pods[0].extensions = Some(Vec::new());
        },
    );
    let lost = "does not run the filter of WasmPlugin demo/hfi since 2026-11-21T00:00:00Z";
    error([subject, lost, "kubectl --namespace demo annotate wasmplugin hfi --overwrite"], |o| {
        silence(o);
        o.pods[0].extensions = says(Runs::Nothing);
    });
    // It still polls, by another plugin.
    error([subject, lost, "kubectl --namespace demo annotate wasmplugin hfi --overwrite"], |o| {
        o.pods[0].extensions = says(Runs::Nothing);
    });
    // Istio's agent fetches a module once.
    error([subject, "does not", "kubectl --namespace demo annotate wasmplugin hfi --overwrite"], silence);
    let hide = |o: &mut Inventory| {
        let sidecar = json!({"metadata": {"namespace": "demo", "name": "default"}, "spec": {"egress": [{"hosts": ["./*", "istio-system/*"]}]}});
        o.sidecars = vec![serde_json::from_value::<Sidecar>(sidecar).unwrap()];
    };
    error([subject, "does not", "Sidecar demo/default hides"], |o| {
        silence(o);
        hide(o);
    });
    error([subject, "has not polled since 2026-11-21T00:00:00Z", "istioctl"], |o| {
        silence(o);
        o.replicas[0].answer.as_mut().unwrap().filters.push(filter("cart-1.demo", "gone"));
    });
    warning([subject, "newest", "run the doctor again"], |o| {
        silence(o);
        o.replicas[0].answer.as_mut().unwrap().filters.push(filter("cart-1.demo", "lagging"));
    });
    // However far it is: it will not get there.
    error([subject, "cannot ask", "Sidecar demo/default hides"], |o| {
        silence(o);
        o.replicas[0].answer.as_mut().unwrap().filters.push(filter("cart-1.demo", "lagging"));
        hide(o);
    });
    error([subject, "policy cart-errors, and no WasmPlugin", "selector"], |o| {
        silence(o);
        o.plugins[0] = plugin("demo", &json!({"selector": {"matchLabels": {"app": "front"}}}));
    });
}

#[test]
fn no_proxy_is_accused_while_a_replica_cannot_be_asked() {
    let mut observed = healthy();
    for replica in &mut observed.replicas {
        replica.answer = Err("no answer within 5 s".into());
    }
    let found = findings(&observed);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().all(|finding| finding.next.contains("NetworkPolicy")), "{found:#?}");
    assert!(covered(&observed).iter().all(|covered| !covered.is_suspect));

    // The one that answers has heard of none.
    error(["Pod boifi/hfi-b", "no answer", "NetworkPolicy"], |o| {
        o.replicas[0].answer.as_mut().unwrap().filters.clear();
        o.replicas[1].answer = Err("no answer within 5 s".into());
    });
    error(["Deployment", "does not exist", "--namespace"], |o| {
        o.deployment = None;
        o.replicas.clear();
    });
}

#[test]
fn a_workload_without_a_proxy() {
    let bare = |labels: &[(&str, &str)]| {
        let labels = labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        move |o: &mut Inventory| {
            o.namespaces.insert("demo".into(), labels);
            o.pods[0].has_proxy = false;
        }
    };
    let words = |next| ["Pod demo/cart-1", "has no proxy", next];
    error(words("delete pod cart-1"), bare(&[("istio-injection", "enabled")]));
    error(words("waypoint apply"), bare(&[("istio.io/dataplane-mode", "ambient")]));
    error(words("label namespace demo"), bare(&[]));
}
