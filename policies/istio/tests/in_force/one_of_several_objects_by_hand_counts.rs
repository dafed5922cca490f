//! Of objects by hand with one kind, namespace and name one counts: that of the file whose namespaces the fewest Guardrails
//! limit, and of several the first by its path.

use crate::catalogs::{application, findings, guarded};
use istio_config::{Catalog, InForce, Limits, Setting};
use policies::File as PolicyFile;

const RULE: &str =
    "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: z, namespace: shop}\n";

/// What an application says, what the platform has by hand, what a team has of the same name, and the kind and name.
const SAID: [(&str, &str, &str, &str); 3] = [
    (
        "{dataplane: ambient, authorizationPolicy: {allow: [{from: [web], methods: [GET]}]}}",
        "apiVersion: v1\nkind: Service\nmetadata: {name: reviews, namespace: shop, labels: {istio.io/use-waypoint: web}}\nspec: {ports: [{port: 80}]}\n",
        "apiVersion: v1\nkind: Service\nmetadata: {name: reviews, namespace: shop, labels: {istio.io/use-waypoint: evil}}\nspec: {ports: [{port: 80}]}\n",
        "Service `reviews` of shop",
    ),
    (
        "{sidecar: {calls: [reviews]}, virtualService: {timeout: 1s}}",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}\n",
        "Namespace `shop`",
    ),
    (
        "{virtualService: {routes: [{to: [{service: reviews, subset: v1}]}]}}",
        "spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}]}\n",
        "spec: {host: nobody}\n",
        "DestinationRule `z` of shop",
    ),
];

/// The text of an object, of which the table has the spec of some alone.
fn object(text: &str) -> String {
    if text.starts_with("spec") { format!("{RULE}{text}") } else { text.to_owned() }
}

/// The catalog of files, where a Guardrail lets those of `team/` speak of `shop` alone.
fn catalog(files: &[(&str, String)]) -> Catalog {
    below("", "", files)
}

/// The same, where other Guardrails list namespaces for all files and for all others.
fn below(all: &str, platform: &str, files: &[(&str, String)]) -> Catalog {
    let read = |namespaces: &str| {
        let text = format!("kind: Guardrail\nspec: {{istio: {{namespaces: [{namespaces}]}}}}\n");
        let file = (!namespaces.is_empty()).then(|| PolicyFile::read(text.as_bytes()));
        file.iter()
            .flat_map(|file| file.guardrails().unwrap())
            .map(|own| own.istio.clone())
            .collect::<Vec<_>>()
    };
    let (all, platform, team) = (read(all), read(platform), read("shop"));
    guarded(files, &InForce::default(), |path: &str, setting: Setting| {
        let own = if path.starts_with("team/") { &team } else { &platform };
        setting.within(Limits::of(&all.iter().chain(own).collect::<Vec<_>>()))
    })
}

#[test]
fn what_a_team_writes_replaces_nothing_of_the_platform() {
    for (said, platform, team, what) in SAID {
        let application = ("shop.yaml", application("shop/reviews", said));
        // Whichever comes first by its path.
        for path in ["platform/a.yaml", "z/a.yaml"] {
            let platform = (path, format!("---\n{}", object(platform)));
            let alone = catalog(&[application.clone(), platform.clone()]);
            assert!(alone.is_valid(), "{:?}", findings(&alone));
            let both = [application.clone(), platform, ("team/b.yaml", object(team))];
            let beside = catalog(&both);
            assert_eq!(beside.to_be_in_force(), alone.to_be_in_force(), "{what}: {:?}", findings(&beside));
            let [told] = &*findings(&beside) else { panic!("{what}: {:?}", findings(&beside)) };
            assert_eq!(
                *told,
                format!(
                    "team/b.yaml:1:1: metadata.name: the {what} is also in {path}:2, which is not the same: that one counts, and this one does not; take one out, or write the same in both [APP25]"
                )
            );
            assert!(beside.is_valid(), "it is a warning");
            // A Guardrail above both makes no difference, and one for every namespace is no limit.
            for (all, platform) in [("'*'", ""), ("istio-system, shop, bank", ""), ("", "bank, '*'")] {
                let beside = below(all, platform, &both);
                assert_eq!(beside.to_be_in_force(), alone.to_be_in_force(), "{all}: {:?}", findings(&beside));
            }
            // It would have mattered.
            let instead = catalog(&[application.clone(), ("team/b.yaml", object(team))]);
            assert_ne!(instead.to_be_in_force(), alone.to_be_in_force(), "{what}");
        }
    }
}

#[test]
fn of_two_files_with_one_right_the_first_by_its_path_counts_in_whatever_order_they_come() {
    for (said, first, second, what) in SAID {
        let application = ("shop.yaml", application("shop/reviews", said));
        for [one, other] in [["a.yaml", "b.yaml"], ["team/a.yaml", "team/b.yaml"]] {
            let alone = catalog(&[application.clone(), (one, object(first))]).to_be_in_force();
            let mut files = [(other, object(second)), application.clone(), (one, object(first))];
            for _ in 0..2 {
                let both = catalog(&files);
                assert_eq!(both.to_be_in_force(), alone, "{what}: {:?}", findings(&both));
                let told = findings(&both);
                assert!(told.len() == 1 && told[0].starts_with(&format!("{other}:1:1: ")), "{told:?}");
                files.reverse();
            }
            // The same twice is nothing to tell.
            let same = catalog(&[application.clone(), (one, object(first)), (other, object(first))]);
            assert!(same.findings().is_empty() && same.to_be_in_force() == alone, "{:?}", findings(&same));
        }
    }
}

#[test]
fn what_hfi_is_said_to_have_rendered_replaces_nothing() {
    let (said, by_hand, other, what) = SAID[2];
    let application = ("shop.yaml", application("shop/reviews", said));
    let alone = catalog(&[application.clone(), ("b.yaml", object(by_hand))]).to_be_in_force();
    let labels = ", labels: {app.kubernetes.io/managed-by: hfi, app.kubernetes.io/name: a}}";
    let rendered = object(other).replacen('}', labels, 1);
    let both = catalog(&[application, ("a.yaml", rendered), ("b.yaml", object(by_hand))]);
    assert_eq!(both.to_be_in_force(), alone, "{what}: {:?}", findings(&both));
    assert!(findings(&both)[0].starts_with("a.yaml:1:1: "), "{:?}", findings(&both));
}
