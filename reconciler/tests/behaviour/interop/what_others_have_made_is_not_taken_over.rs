//! With `--istio-artifacts` and the rights of `k8s/components/istio-adoption`, an object of the cluster that others have
//! made freezes the application that would take it over.

use std::collections::BTreeSet;

use istio_config::Kind;
use kube::api::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::support::{
    artifacts::{World, pairs, ready},
    cluster::{define, start_by},
    flux::{MERGE, manifests},
    lossy::Lossy,
    process::text,
};

const RULES: &str = "/apis/networking.istio.io/v1/namespaces/shop/destinationrules";
const HFI: &str = "system:serviceaccount:boifi:hfi-control-plane";

/// A cluster where somebody has made the rule of `reviews`, and hfi has the rights of these components.
async fn world(components: &[&str]) -> World {
    let world = World::start().await;
    world.api.create_namespace("shop").await.unwrap();
    define(&world.api, "networking.istio.io", "v1", "DestinationRule").await;
    for component in components {
        let rights = manifests(&format!("k8s/components/{component}/rbac.yaml"));
        assert!(world.api.apply(&rights).await.unwrap().is_empty());
    }
    let by_hand = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
        "metadata": {
            "name": "reviews-destination-rule", "namespace": "shop",
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
        },
        "spec": {"host": "reviews"},
    });
    assert!(world.api.apply(&[by_hand]).await.unwrap().is_empty());
    world.write("reviews", "{host: reviews}");
    world.write("ratings", "{host: ratings}");
    world.push("Add two, one of which is there").await;
    world
}

/// The requests of hfi for rules: verb and name.
fn asked(world: &World) -> Vec<(String, String)> {
    let requests = world.api.requests_of(HFI).unwrap();
    let word = |request: &Value, path: &str| request.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let of_rules = requests.iter().filter(|request| {
        let is = |path, word: &str| request.pointer(path).is_some_and(|found| found == word);
        is("/stage", "RequestReceived") && is("/objectRef/resource", "destinationrules")
    });
    of_rules
        .filter_map(|request| Some((word(request, "/verb")?, word(request, "/objectRef/name")?)))
        .collect()
}

#[tokio::test]
async fn an_object_of_others_freezes_its_application_until_the_entry_adopts_it() {
    let world = world(&["istio-artifacts", "istio-adoption"]).await;
    let hfi = world.serve_as("hfi", &[]).await;
    let status = world.artifact("the freeze", &hfi, |status| ready(status).0 == "False").await;
    let message = ready(&status).1;
    let reason = "spec.destinationRule: renders to the DestinationRule `reviews-destination-rule`, which is in the cluster \
                  and not from hfi; write `adopt: true` if hfi is to take it over";
    assert!(message.contains(reason) && message.ends_with(", 1 others current"), "{message}");
    assert_eq!(world.hosts(&status, &hfi).await, pairs(&[("ratings", "ratings")]));

    world.write("reviews", "{host: reviews, adopt: true}");
    world.push("Take it over").await;
    let status = world.artifact("the adoption", &hfi, |status| ready(status).0 == "True").await;
    assert_eq!(world.hosts(&status, &hfi).await, pairs(&[("ratings", "ratings"), ("reviews", "reviews")]));

    // A usual commit asks nothing, nor does one without the line once it is done.
    let before = asked(&world);
    let expected = ["ratings-destination-rule", "reviews-destination-rule"]
        .map(|name| ("get".to_owned(), name.to_owned()));
    assert!(expected.iter().all(|get| before.contains(get)), "{before:?}");
    assert!(before.iter().all(|get| expected.contains(get)), "{before:?}");
    world.write("reviews", "{host: scores}");
    let change = world.push("Change it").await;
    let changed =
        |status: &Value| status["artifact"]["metadata"]["org.opencontainers.image.revision"] == change;
    let status = world.artifact("the change", &hfi, changed).await;
    assert_eq!(world.hosts(&status, &hfi).await, pairs(&[("ratings", "ratings"), ("reviews", "scores")]));
    assert_eq!(asked(&world), before);
}

#[tokio::test]
async fn an_object_that_becomes_one_of_hfi_freezes_nothing_any_more() {
    let world = world(&["istio-artifacts", "istio-adoption"]).await;
    let hfi = world.serve_as("hfi", &[]).await;
    world.artifact("the freeze", &hfi, |status| ready(status).0 == "False").await;
    // One that hfi has rendered is not of others.
    let ours = json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "hfi"}}}).to_string();
    let rule = format!("{RULES}/reviews-destination-rule");
    world.api.ask("PATCH", &rule, &MERGE, &ours).await.unwrap();
    let status = world.artifact("the end of the freeze", &hfi, |status| ready(status).0 == "True").await;
    assert_eq!(world.hosts(&status, &hfi).await.len(), 2);
}

#[tokio::test]
async fn without_the_right_nothing_is_seen_and_nothing_is_frozen() {
    let world = world(&["istio-artifacts"]).await;
    let hfi = world.serve_as("hfi", &[]).await;
    let status = world.artifact("an artifact", &hfi, |status| ready(status).0 == "True").await;
    assert_eq!(world.hosts(&status, &hfi).await.len(), 2);
    assert_eq!(asked(&world).len(), 1, "the first refusal is enough");
}

#[tokio::test]
async fn an_object_that_nobody_can_see_freezes_its_application_alone_and_is_asked_for_again() {
    let world = world(&["istio-artifacts", "istio-adoption"]).await;
    let rule = format!("{RULES}/reviews-destination-rule");
    world.api.ask("DELETE", &rule, &[], "").await.unwrap();
    let lossy = Lossy::before(&world.api.kubeconfig("hfi", &world.api.url()).unwrap()).await;
    lossy.lose(Some("/destinationrules/reviews"));
    let repository = world.repository.bare();
    let environment =
        [("HFI_REPO", text(&repository)), ("HFI_BRANCH", "main"), ("HFI_ISTIO_ARTIFACTS", "true")];
    let hfi = start_by(world.api.kubeconfig("hfi", &lossy.url).unwrap(), &environment).await;
    let status = world.artifact("the freeze", &hfi, |status| ready(status).0 == "False").await;
    let message = ready(&status).1;
    assert!(message.contains("no answer within 5 s; hfi looks again"), "{message}");
    assert_eq!(world.hosts(&status, &hfi).await, pairs(&[("ratings", "ratings")]));
    lossy.lose(None);
    let status = world.artifact("the end of the freeze", &hfi, |status| ready(status).0 == "True").await;
    assert_eq!(world.hosts(&status, &hfi).await.len(), 2);
}

/// Where a right is missing hfi sees nothing, and says nothing.
#[test]
fn the_component_has_the_rights_for_each_kind_that_hfi_renders() {
    let rules = manifests("k8s/components/istio-adoption/rbac.yaml").remove(0)["rules"].clone();
    let words = |rule: &Value, key: &str| -> Vec<String> {
        rule[key].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let granted = rules.as_array().unwrap().iter().flat_map(|rule| {
        assert_eq!(words(rule, "verbs"), ["get"]);
        let resources = words(rule, "resources");
        words(rule, "apiGroups").into_iter().flat_map(move |group| {
            resources.clone().into_iter().map(move |resource| (group.clone(), resource))
        })
    });
    let kinds = Kind::ALL.into_iter().chain(Kind::GATEWAY_API).map(|kind| {
        let (group, version) = kind.api_version().split_once('/').unwrap();
        let kind = GroupVersionKind::gvk(group, version, kind.name());
        (group.to_owned(), ApiResource::from_gvk(&kind).plural)
    });
    assert_eq!(granted.collect::<BTreeSet<_>>(), kinds.collect());
}
