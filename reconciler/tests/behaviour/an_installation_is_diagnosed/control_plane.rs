//! Of the control plane, of Istio and of versions.

use reconciler::doctor::{
    findings,
    inventory::{Inventory, Silence},
    versions,
};
use serde_json::{Value, json};

use super::{answer, error, healthy, warning};

#[test]
fn a_control_plane_that_is_not_well() {
    let every = |observed: &mut Inventory, changed: Value| {
        observed.replicas.iter_mut().for_each(|replica| replica.answer = Ok(answer(&changed)));
    };
    error(["Deployment boifi/hfi-control-plane", "does not exist", "--namespace"], |o| o.deployment = None);
    error(["Deployment", "scaled to 0", "--replicas=2"], |o| {
        o.deployment = Some((0, 0));
        o.replicas.clear();
    });
    error(["Deployment", "1 of 2 replicas", "describe"], |o| o.deployment = Some((2, 1)));
    warning(["Deployment", "one replica", "replicas: 2"], |o| o.deployment = Some((1, 1)));
    error(["Pod boifi/hfi-b", "connection refused", "logs hfi-b"], |o| {
        o.replicas[1].answer = Err("connection refused".into());
    });
    error(["Pod boifi/hfi-b", "asks for a token (--view-token-file)", "--token-file FILE"], |o| {
        o.replicas[1].answer = Err(Silence::Closed);
    });
    error(["Pod boifi/hfi-b", "does not take the token", "the Secret hfi-view"], |o| {
        o.replicas[1].answer = Err(Silence::Refused("it answers 401: the token is not valid".into()));
    });
    error(["Deployment", "hfi-b: main@sha1:2 sha256:9988", "--interval"], |o| {
        o.replicas[1].answer = Ok(answer(&json!({"revision": "main@sha1:2", "digest": "sha256:9988"})));
    });
    warning(["Deployment", "halted", "halt file"], |o| every(o, json!({"halted": true})));
    // Its snapshots are empty, and so have other bytes.
    let halted = json!({"halted": true, "digest": "sha256:empty"});
    let words = ["Deployment", "is halted at hfi-a and not at hfi-b", "port-forward hfi-b 8080"];
    error(words, |o| o.replicas[0].answer = Ok(answer(&halted)));
    let mut observed = healthy();
    observed.replicas[0].answer = Ok(answer(&halted));
    observed.replicas[1].answer = Err("connection refused".into());
    let told: Vec<_> = findings(&observed).into_iter().map(|finding| finding.message).collect();
    assert!(
        told.iter().any(|told| told.contains("no answer from hfi-b, which may inject faults")),
        "{told:?}"
    );
    assert!(!told.iter().any(|told| told.contains("anywhere")), "{told:?}");
    error(["Deployment", "no route to host", "credentials"], |o| {
        every(
            o,
            json!({"source": {"failing": {"since": "2026-11-21T00:00:00Z", "reason": "no route to host"}}}),
        );
    });
    warning(["Deployment", "a.yaml", "hfi validate"], |o| {
        every(o, json!({"rejected": [{"file": "a.yaml", "errors": []}]}))
    });
    let withdrawn = json!({"withdrawn": "the key has expired"});
    error(["Deployment", "the key has expired", "signed"], |o| every(o, withdrawn.clone()));
    // Of whichever replica: it is told once.
    error(["Deployment", "the key has expired", "signed"], |o| o.replicas[1].answer = Ok(answer(&withdrawn)));
    let failing = json!({"connected": false, "failing": [{"duty": "lease", "since": "2026-11-21T00:00:00Z", "reason": "forbidden"}]});
    warning(["Deployment", "(lease): forbidden", "ClusterRole"], |o| {
        o.replicas[1].answer = Ok(answer(&json!({"kubernetes": failing})));
    });
    warning(["policy typo", "namespace dmeo", "correct"], |o| {
        let targets = json!({"selector": {"service": "cart", "namespace": "dmeo"}, "direction": "inbound"});
        every(o, json!({"policies": [{"name": "typo", "state": "inactive", "targets": targets}]}));
    });
}

#[test]
fn a_policy_that_no_proxy_polls_for() {
    let told = |service: &str, nearest: Value| {
        let targets = json!({"selector": {"service": service, "namespace": "demo"}, "direction": "inbound"});
        let policy = json!({"name": "typo", "state": "active", "targets": targets, "noProxy": nearest});
        answer(&json!({"policies": [policy]}))
    };
    let nearest = json!({"nearest": ["cart.demo"]});
    warning(["policy typo", "no proxy", "cart.demo"], |o| {
        o.replicas.iter_mut().for_each(|replica| replica.answer = Ok(told("crat", nearest.clone())));
    });
    warning(["policy typo", "no proxy", "WasmPlugin"], |o| {
        o.replicas.iter_mut().for_each(|replica| replica.answer = Ok(told("zzz", json!({"nearest": []}))));
    });
    // A replica hears it, or what is wrong with the pod says more.
    for (service, nearest) in [("crat", Value::Null), ("cart", nearest.clone())] {
        let mut observed = healthy();
        observed.replicas[0].answer = Ok(told(service, nearest.clone()));
        observed.replicas[1].answer = Ok(told(service, nearest));
        assert_eq!(findings(&observed), [], "{service}");
    }
}

#[test]
fn an_istio_that_cannot_do_it() {
    error(["Istio", "no istiod", "--istio-namespace"], |o| o.istio.version = None);
    error(["Istio 1.21.0", "targetRefs", "upgrade"], |o| o.istio.version = Some("1.21.0".into()));
    warning(["Istio 1.21.0", "older than 1.22", "upgrade"], |o| {
        o.istio.version = Some("1.21.0".into());
        o.plugins.pop();
        o.pods.pop();
    });
}

#[test]
fn a_version_that_is_too_old() {
    warning(["Kubernetes v1.26.15+k3s1", "older than 1.27", "upgrade"], |o| {
        o.kubernetes = Some("v1.26.15+k3s1".into());
    });
    warning(["Flux v2.8.6", "older than 2.9", "upgrade"], |o| o.flux = Some("v2.8.6".into()));
    for (kubernetes, flux) in
        [("v1.27.0", Some("v2.9.0-rc.1")), ("v2.0.0", Some("v3.0.0")), ("v0.0.0-master+1", None)]
    {
        let mut observed = healthy();
        (observed.kubernetes, observed.flux) = (Some(kubernetes.into()), flux.map(Into::into));
        assert_eq!(findings(&observed), [], "{kubernetes} {flux:?}");
    }
}

/// What the documents say of versions is what is checked.
#[test]
fn the_documents_state_the_least_versions() {
    let documents = [include_str!("../../../../README.md"), include_str!("../../../../k8s/README.md")];
    let versions =
        [("Kubernetes", versions::KUBERNETES), ("Istio", versions::ISTIO), ("Flux", versions::FLUX)];
    for (name, (major, minor)) in versions {
        let stated = format!("{name} {major}.{minor}");
        assert!(documents.iter().all(|document| document.contains(&stated)), "{stated} is not stated");
    }
}
