//! Of two that claim one thing, the one that has it in force stays. Where neither has, both are refused.

use crate::catalogs::{application, catalog, findings, in_force, names};
use istio_config::{InForce, Level};

/// What only one may have, in two applications: the spec of an owner, of a newcomer, and the rule.
const CLAIMS: [(&str, &str, &str); 11] = [
    (
        "{gateway: {hosts: [shop.example.com], tls: {secret: a}}}",
        "{gateway: {hosts: [shop.example.com], tls: {secret: b}}}",
        "X145",
    ),
    (
        "{virtualService: {spec: {hosts: [a.example.com], http: [{timeout: 1s, route: [{destination: {host: a}}]}]}}}",
        "{virtualService: {spec: {hosts: [a.example.com], http: [{timeout: 2s, route: [{destination: {host: a}}]}]}}}",
        "X109",
    ),
    (
        "{destinationRule: {host: nobody, trafficPolicy: {ejectionSettings: {}}}}",
        "{destinationRule: {host: nobody, trafficPolicy: {ejectionSettings: {}}}}",
        "H15",
    ),
    (
        "{telemetry: {logs: all, spec: {selector: {matchLabels: {app.kubernetes.io/name: null, tier: web}}}}}",
        "{telemetry: {logs: errors, spec: {selector: {matchLabels: {app.kubernetes.io/name: null, tier: web}}}}}",
        "X159",
    ),
    (
        "{peerAuthentication: {applyTo: namespace}}",
        "{peerAuthentication: {applyTo: namespace, mtls: permissive}}",
        "APP11",
    ),
    (
        "{peerAuthentication: {applyTo: namespace, spec: {selector: {}}}}",
        "{peerAuthentication: {applyTo: namespace, mtls: permissive}}",
        "APP11",
    ),
    (
        "{peerAuthentication: {spec: {mtls: {mode: STRICT}}}}",
        "{peerAuthentication: {spec: {mtls: {mode: DISABLE}}}}",
        "H16",
    ),
    (
        "{virtualService: {spec: {hosts: [nobody], http: [{timeout: 2s, route: [{destination: {host: nobody}}]}]}}}",
        "{virtualService: {render: httpRoute, port: 80, timeout: 2s, spec: {parentRefs: [{group: '', kind: Service, name: nobody, port: 80}]}}}",
        "H34",
    ),
    (
        "{virtualService: {render: httpRoute, port: 80, timeout: 1s, spec: {parentRefs: [{group: '', kind: Service, name: nobody, port: 80}]}}}",
        "{virtualService: {spec: {hosts: [nobody], http: [{timeout: 2s, route: [{destination: {host: nobody}}]}]}}}",
        "H34",
    ),
    (
        "{virtualService: {render: httpRoute, port: 80, timeout: 1s, spec: {parentRefs: [{group: '', kind: Service, name: nobody, port: 80}]}}}",
        "{virtualService: {render: httpRoute, port: 80, timeout: 2s, spec: {parentRefs: [{group: '', kind: Service, name: nobody, port: 80}]}}}",
        "H36",
    ),
    ("{peerAuthentication: {resourceName: one}}", "{peerAuthentication: {resourceName: one}}", "APP04"),
];

#[test]
fn a_newcomer_never_throws_out_an_owner() {
    for (owner, newcomer, rule) in CLAIMS {
        let owner = ("o.yaml", application("shop/reviews", owner));
        let before = in_force(std::slice::from_ref(&owner));
        // Whichever comes first by name and file.
        for (path, name) in [("a.yaml", "shop/a"), ("z.yaml", "shop/z")] {
            let after = catalog(&[owner.clone(), (path, application(name, newcomer))], &before);
            let errors = after.findings().iter().filter(|found| found.finding.level == Level::Error);
            let errors: Vec<_> = errors.map(|found| (&*found.file, found.finding.rule)).collect();
            assert!(errors.contains(&(path, rule)), "{rule}: {:?}", findings(&after));
            assert!(!errors.iter().any(|(file, _)| *file == "o.yaml"), "{rule}: {:?}", findings(&after));
            assert_eq!(after.to_be_in_force(), before, "{rule}");
        }
    }
}

#[test]
fn of_two_newcomers_neither_is_known_to_be_meant() {
    for (one, other, rule) in CLAIMS {
        let files = [("a.yaml", application("shop/reviews", one)), ("b.yaml", application("shop/b", other))];
        let catalog = catalog(&files, &InForce::default());
        for file in ["a.yaml", "b.yaml"] {
            let is_told =
                catalog.findings().iter().any(|found| &*found.file == file && found.finding.rule == rule);
            assert!(is_told, "{rule} {file}: {:?}", findings(&catalog));
        }
        assert_eq!(names(&catalog.to_be_in_force()), [""; 0]);
    }
}

#[test]
fn a_claim_is_in_force_also_of_an_application_that_changes() {
    for (owner, newcomer, rule) in CLAIMS {
        let before = in_force(&[("o.yaml", application("shop/reviews", owner))]);
        let changed = owner.replacen('{', "{environment: dev, ", 1);
        let after = catalog(
            &[("o.yaml", application("shop/reviews", &changed)), ("a.yaml", application("shop/a", newcomer))],
            &before,
        );
        assert_eq!(names(&after.to_be_in_force()), names(&before), "{rule}: {:?}", findings(&after));
        assert_ne!(after.to_be_in_force(), before, "{rule}");
    }
}

#[test]
fn an_owner_that_is_wrong_keeps_its_claims() {
    for (owner, newcomer, rule) in CLAIMS {
        let before = in_force(&[("o.yaml", application("shop/reviews", owner))]);
        let wrong = owner.replacen('{', "{enviroment: dev, ", 1);
        let after = catalog(
            &[("o.yaml", application("shop/reviews", &wrong)), ("a.yaml", application("shop/a", newcomer))],
            &before,
        );
        assert_eq!(after.to_be_in_force(), before, "{rule}: {:?}", findings(&after));
    }
}

#[test]
fn an_owner_that_lets_go_makes_room() {
    for (owner, newcomer, rule) in CLAIMS {
        let before = in_force(&[("o.yaml", application("shop/reviews", owner))]);
        let gone = application("shop/reviews", "{remove: true}");
        let after = catalog(&[("o.yaml", gone), ("a.yaml", application("shop/a", newcomer))], &before);
        assert!(after.is_valid(), "{rule}: {:?}", findings(&after));
        assert_eq!(after.to_be_in_force().of("shop", "a").len(), 1, "{rule}");
    }
}

#[test]
fn it_is_the_claim_that_counts_and_not_its_object() {
    let gateway = |hosts: &str| format!("{{gateway: {{hosts: [{hosts}], tls: {{secret: NAME}}}}}}");
    let document =
        |name: &str, hosts: &str| application(name, &gateway(hosts).replace("NAME", &name.replace('/', "-")));
    let owner = ("o.yaml", document("shop/reviews", "x.example.com"));
    let before = in_force(&[owner.clone(), ("a.yaml", document("test/a", "y.example.com"))]);
    // Both Gateways are in force. The host is so in one of them.
    let after =
        catalog(&[owner.clone(), ("a.yaml", document("test/a", "y.example.com, x.example.com"))], &before);
    assert!(findings(&after).iter().all(|found| found.starts_with("a.yaml")), "{:?}", findings(&after));
    assert_eq!(after.to_be_in_force(), before);
    // The owner may rename its entry meanwhile.
    let renamed = owner.1.replace("{gateway: {", "{gateway: {name: front, ");
    let after = catalog(&[("o.yaml", renamed), ("a.yaml", document("test/a", "x.example.com"))], &before);
    assert!(findings(&after).iter().all(|found| found.starts_with("a.yaml")), "{:?}", findings(&after));
    assert_eq!(names(&after.to_be_in_force()), ["shop/reviews-front-gateway", "test/a-gateway"]);
}

#[test]
fn what_is_written_by_hand_is_there() {
    let by_hand = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: z, namespace: shop}\nspec: {host: reviews, trafficPolicy: {}, subsets: [{name: v1}]}\n";
    let spec = "{destinationRule: {host: reviews, subsets: [{name: v1, labels: {version: v1}}]}}";
    let after = catalog(
        &[("a.yaml", application("shop/a", spec)), ("z.yaml", by_hand.to_owned())],
        &InForce::default(),
    );
    let told = findings(&after);
    assert!(told.len() == 1 && told[0].contains("is dropped, since shop/z has `v1`"), "{told:?}");
}

#[test]
fn what_is_in_force_stays_beside_what_is_written_by_hand() {
    let by_hand = "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: z, namespace: shop}\nspec: {mtls: {mode: DISABLE}}\n";
    let owner = ("a.yaml", application("shop/a", "{peerAuthentication: {spec: {mtls: {mode: STRICT}}}}"));
    let before = in_force(std::slice::from_ref(&owner));
    let files = [owner, ("z.yaml", by_hand.to_owned())];
    let after = catalog(&files, &before);
    assert!(after.is_valid(), "{:?}", findings(&after));
    assert!(!catalog(&files, &InForce::default()).is_valid());
}
