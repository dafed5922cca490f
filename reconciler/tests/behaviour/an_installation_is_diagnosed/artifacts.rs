//! The Kustomizations of Flux that apply what hfi renders.

use reconciler::doctor::{
    findings,
    inventory::{Inventory, Link},
};
use serde_json::json;

use super::healthy;

fn link(account: Option<&str>, source: &str) -> Link {
    let spec =
        json!({"serviceAccountName": account, "sourceRef": {"kind": "ExternalArtifact", "name": source}});
    serde_json::from_value(json!({"metadata": {"namespace": "hfi-istio", "name": "shop"}, "spec": spec}))
        .unwrap()
}

fn found(links: Vec<Link>, arguments: &[&str]) -> Vec<String> {
    let applier = Some(arguments.iter().map(|argument| (*argument).to_owned()).collect());
    let inventory = Inventory { links, applier, ..healthy() };
    findings(&inventory)
        .into_iter()
        .map(|finding| format!("{}: {}", finding.subject, finding.message))
        .collect()
}

#[test]
fn one_without_an_account_of_its_own_has_too_many_rights() {
    let all = ["--no-cross-namespace-refs=true", "--default-service-account=default"];
    assert!(found(vec![link(Some("hfi-istio-shop"), "hfi-istio-shop")], &all).is_empty());
    let unbound =
        "Kustomization hfi-istio/shop: applies hfi-istio-shop with the rights of kustomize-controller";
    for account in [None, Some("")] {
        assert_eq!(found(vec![link(account, "hfi-istio-shop")], &all), [unbound]);
    }
    assert!(found(vec![link(None, "of-somebody-else")], &[]).is_empty(), "it is not ours");
    let both = found(vec![link(Some("hfi-istio-shop"), "hfi-istio-shop")], &["--log-level=info"]);
    assert_eq!(both.len(), 2, "{both:?}");
    let plain = ["--no-cross-namespace-refs", "--default-service-account=default"];
    assert!(found(vec![link(Some("a"), "hfi-istio-shop")], &plain).is_empty());
}

#[test]
fn what_others_have_made_should_be_seen() {
    let found = |unseen: &[&str]| {
        let unseen = unseen.iter().map(|name| (*name).to_owned()).collect();
        findings(&Inventory { unseen, ..healthy() })
    };
    assert_eq!(found(&[]), []);
    let [warning] = &found(&["shop", "bank"])[..] else { panic!("one warning") };
    assert_eq!(warning.subject, "ServiceAccount boifi/hfi-control-plane");
    assert!(warning.message.contains("have made in bank, shop: Flux takes"), "{}", warning.message);
    assert!(warning.next.contains("istio-adoption"), "{}", warning.next);
    let [warning] = &found(&["a", "b", "c", "d", "e", "f", "g"])[..] else { panic!("one warning") };
    assert!(warning.message.contains("a, b, c, d, e and 2 more"), "{}", warning.message);
}
