//! With `--kubernetes`, a policy for a namespace that is not there is inactive, and stays stored.

use std::fs;

use harness::KubeApi;
use serde_json::Value;

use crate::{
    support::cluster::{PATIENCE, peer, shown, start, told, until},
    support::policy,
    support::process::{Process, text},
};

async fn state(hfi: &Process, name: &str) -> Value {
    let status = hfi.json("/v1/policies/status").await;
    let mut policies = status["policies"].as_array().unwrap().iter();
    policies.find(|policy| policy["name"] == name).unwrap().clone()
}

async fn until_state(hfi: &Process, name: &str, wanted: &str) -> Value {
    until(wanted, PATIENCE, async || Some(state(hfi, name).await).filter(|policy| policy["state"] == wanted))
        .await
}

#[tokio::test]
async fn a_policy_of_a_namespace_that_is_gone_is_inactive_and_comes_back_with_it() {
    let api = KubeApi::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let elsewhere = |name: &str, namespace: &str| {
        policy(name, "checkout", 503).replace("namespace: demo", &format!("namespace: {namespace:?}"))
    };
    for (name, namespace) in
        [("typo", "dmeo"), ("glob", "dem*"), ("other", "oth*"), ("all", "*"), ("system", "kube-system")]
    {
        fs::write(folder.path().join(format!("{name}.yaml")), elsewhere(name, namespace)).unwrap();
    }
    let later = elsewhere("later", "nowhere").replace("spec: {", "spec: {startsAt: 2999-01-01T00:00:00Z, ");
    fs::write(folder.path().join("later.yaml"), later).unwrap();
    let off = elsewhere("off", "nowhere").replace("spec: {", "spec: {suspend: true, ");
    fs::write(folder.path().join("off.yaml"), off).unwrap();
    let hfi = start(&api, "hfi", &[("HFI_DIR", text(folder.path()))]).await;
    peer(&hfi, "it is connected", |peer| peer["connected"] == true).await;
    for (name, wanted) in [
        ("a", "active"),
        ("typo", "inactive"),
        ("glob", "active"),
        ("other", "inactive"),
        ("all", "active"),
        ("system", "active"),
        ("later", "inactive"),
        ("off", "suspended"),
    ] {
        assert_eq!(state(&hfi, name).await["state"], wanted, "{name}");
    }
    let warnings = state(&hfi, "typo").await["warnings"].clone();
    let mut warnings = warnings.as_array().unwrap().iter();
    let warning = warnings.find(|warning| warning["field"] == "spec.selector.namespace").unwrap();
    assert_eq!(warning["message"], "`dmeo` is not a namespace of the cluster; did you mean `demo`?");
    assert_eq!(hfi.metric("hfi_policies{state=\"inactive\"}").await, Some(3.0));
    // Clients of the first generation know no inactive policies.
    let listed = hfi.json("/v1/policies").await;
    let listed: Vec<_> =
        listed["policies"].as_array().unwrap().iter().map(|policy| &policy["metadata"]["name"]).collect();
    assert_eq!(listed, ["a", "all", "system"]);
    let unlisted = hfi.json("/v1/policies/typo").await;
    assert!(unlisted["detail"].as_str().unwrap().contains("it is inactive"), "{unlisted}");
    // Namespaces change nothing that is served: a replica that knows of none has the same bytes.
    let before = hfi.snapshot("namespace=*&service=*").await;
    let alone = Process::start(&[("HFI_DIR", text(folder.path()))]).await;
    alone.until_ready(|_| true).await;
    assert_eq!(alone.snapshot("namespace=*&service=*").await, before);
    assert_eq!(alone.json("/v1/policies/status").await["kubernetes"], Value::Null);
    assert_eq!(state(&alone, "typo").await["state"], "active");

    shown(&api, &hfi, |status| status["summary"]["inactive"] == 3).await;
    api.delete_namespace("demo").await.unwrap();
    for name in ["a", "glob"] {
        until_state(&hfi, name, "inactive").await;
    }
    assert_eq!(hfi.metric("hfi_policies{state=\"inactive\"}").await, Some(5.0));
    assert_eq!(hfi.snapshot("namespace=*&service=*").await, before);
    let status = shown(&api, &hfi, |status| status["summary"]["inactive"] == 5).await;
    let inactive: Vec<_> = status["inactive"].as_array().unwrap().iter().map(|one| &one["policy"]).collect();
    assert_eq!(inactive, ["a", "glob", "later", "other", "typo"]);
    api.create_namespace("demo").await.unwrap();
    for name in ["a", "glob"] {
        let policy = until_state(&hfi, name, "active").await;
        let warnings = policy["warnings"].as_array().unwrap();
        assert!(warnings.iter().all(|warning| warning["field"] != "spec.selector.namespace"), "{policy}");
    }
    let events = told(&api, "PolicyNoLongerInactive").await;
    let times = |reason: &str, note: &str| {
        let fits = |event: &&(String, String, String)| event.1 == reason && event.2.starts_with(note);
        events.iter().filter(fits).count()
    };
    assert_eq!(times("PolicyInactive", "typo: `dmeo` is not a namespace"), 1, "{events:?}");
    assert_eq!(times("PolicyInactive", "a: `demo` is not a namespace"), 1, "{events:?}");
    assert_eq!(times("PolicyNoLongerInactive", "a"), 1, "{events:?}");
    assert_eq!(times("PolicyNoLongerInactive", "typo"), 0, "{events:?}");
}
