//! Services and pods belong to the application that is named after them, or that says so. Objects of another one are
//! refused, unless they are in force.

use crate::catalogs::{application, catalog, findings, in_force};
use istio_config::{InForce, Level};

const OWNER: &str =
    "{service: reviews, destinationRule: {host: reviews, trafficPolicy: {ejectionSettings: {}}}}";

/// Specs of another application that take the service, or the pods, of `reviews`.
const TAKEN: [&str; 17] = [
    "{service: reviews, virtualService: {routes: [{to: [{service: evil}]}]}}",
    "{virtualService: {spec: {hosts: [reviews], http: [{route: [{destination: {host: evil}}]}]}}}",
    "{virtualService: {spec: {hosts: [Reviews], http: [{route: [{destination: {host: evil}}]}]}}}",
    "{virtualService: {spec: {hosts: [reviews.shop], http: [{route: [{destination: {host: evil}}]}]}}}",
    "{virtualService: {spec: {hosts: [reviews.shop.svc], http: [{route: [{destination: {host: evil}}]}]}}}",
    "{virtualService: {spec: {hosts: [reviews.shop.svc.cluster.local], http: [{route: [{destination: {host: evil}}]}]}}}",
    "{virtualService: {spec: {hosts: [Reviews.shop.svc.cluster.local], http: [{route: [{destination: {host: evil}}]}]}}}",
    "{virtualService: {spec: {hosts: [reviews.shop.svc.cluster.local.], http: [{route: [{destination: {host: evil}}]}]}}}",
    "{virtualService: {spec: {hosts: [\"*.shop.svc.cluster.local\"], http: [{route: [{destination: {host: evil}}]}]}}}",
    "{virtualService: {spec: {hosts: [\"*eviews.shop.svc.cluster.local\"], http: [{route: [{destination: {host: evil}}]}]}}}",
    "{serviceEntry: {hosts: [reviews.shop.svc.cluster.local], namespaces: [\"*\"], ports: [80], endpoints: [10.0.0.66]}}",
    "{destinationRule: {host: reviews, trafficPolicy: {connectionPoolSettings: {tcpSettings: {maxTcpConnections: 1}}}}}",
    "{workload: {labels: {app.kubernetes.io/name: reviews}}, authorizationPolicy: {allow: [{from: [\"*\"]}]}}",
    "{workload: {labels: {app.kubernetes.io/name: reviews, version: v1}}, peerAuthentication: {mtls: disable}}",
    "{authorizationPolicy: {spec: {selector: {matchLabels: {app.kubernetes.io/name: reviews}}, rules: [{}]}}}",
    "{telemetry: {spec: {targetRefs: [{group: \"\", kind: Service, name: reviews}]}}}",
    "{authorizationPolicy: {spec: {targetRef: {group: \"\", kind: Service, name: reviews}, rules: [{}]}}}",
];

/// The files and lines of what is refused.
fn refused<T: AsRef<str>>(files: &[(&str, T)], before: &InForce) -> Vec<(String, u32)> {
    let catalog = catalog(files, before);
    let errors = catalog.findings().iter().filter(|found| found.finding.rule == "APP22");
    errors.map(|found| (found.file.to_string(), found.finding.at.line)).collect()
}

#[test]
fn another_application_takes_neither_the_service_nor_the_pods() {
    for taken in TAKEN {
        let owner = ("o.yaml", application("shop/reviews", OWNER));
        for before in [InForce::default(), in_force(std::slice::from_ref(&owner))] {
            for path in ["a.yaml", "z.yaml"] {
                let files = [owner.clone(), (path, application("shop/evil", taken))];
                assert_eq!(refused(&files, &before), [(path.to_owned(), 4)], "{taken}");
            }
        }
    }
}

#[test]
fn an_owner_whose_document_is_refused_or_unreadable_still_has_them() {
    let before = in_force(&[("o.yaml", application("shop/reviews", OWNER))]);
    for owner in
        [application("shop/reviews", "{destinationRule: 1}"), "kind: AppConfiguration\n\t".to_owned()]
    {
        for taken in TAKEN {
            let after =
                catalog(&[("o.yaml", owner.clone()), ("a.yaml", application("shop/evil", taken))], &before);
            let found = after
                .findings()
                .iter()
                .any(|found| &*found.file == "a.yaml" && found.finding.rule == "APP22");
            assert!(found, "{taken}: {:?}", findings(&after));
        }
    }
}

#[test]
fn what_is_in_force_stays_and_a_newcomer_of_the_name_is_told() {
    for taken in TAKEN {
        let taker = ("a.yaml", application("shop/web", taken));
        let before = in_force(std::slice::from_ref(&taker));
        let named = application("shop/reviews", "{peerAuthentication: {}, virtualService: {timeout: 1s}}");
        let files = [taker, ("o.yaml", named)];
        let after = catalog(&files, &before);
        let errors = after.findings().iter().filter(|found| found.finding.level == Level::Error);
        let errors: Vec<_> = errors.map(|found| &*found.file).collect();
        assert!(!errors.contains(&"a.yaml"), "{taken}: {:?}", findings(&after));
        // An application that says that all of it is its own keeps newcomers out.
        let is_said = ["{service: reviews", "{workload: {labels: {app.kubernetes.io/name: reviews"];
        let is_said = is_said.iter().any(|said| taken.starts_with(said));
        assert_eq!(!refused(&files, &before).is_empty(), is_said, "{taken}: {:?}", findings(&after));
    }
}

#[test]
fn documents_of_one_file_and_other_services_and_pods_are_left_alone() {
    let owner = application("shop/reviews", OWNER);
    for taken in TAKEN {
        let one = format!("{owner}---\n{}", application("shop/canary", taken));
        assert_eq!(refused(&[("o.yaml", one)], &InForce::default()), [], "{taken}");
        let elsewhere = [("o.yaml", owner.clone()), ("a.yaml", application("bank/evil", taken))];
        assert_eq!(refused(&elsewhere, &InForce::default()), [], "{taken}");
    }
    for near in [
        "{destinationRule: {host: reviews, namespaces: [\".\"], subsets: [{name: v1, labels: {version: v1}}]}}",
        "{virtualService: {routes: [{to: [{service: reviews}]}]}}",
        "{service: reviews, peerAuthentication: {}}",
        "{workload: {labels: {app: reviews}}, peerAuthentication: {}}",
        "{sidecar: {calls: [reviews]}}",
        "{virtualService: {spec: {hosts: [\"*.shop.svc.cluster.local\"], gateways: [edge/front], http: [{route: [{destination: {host: b}}]}]}}}",
        "{virtualService: {spec: {hosts: [\"*cart.shop.svc.cluster.local\"], http: [{route: [{destination: {host: b}}]}]}}}",
        "{serviceEntry: {hosts: [reviews.example.com], ports: [443]}}",
        "{service: web, workload: {labels: {app.kubernetes.io/name: web, version: v1}}, virtualService: {timeout: 1s}, peerAuthentication: {}}",
    ] {
        let files = [("o.yaml", owner.clone()), ("a.yaml", application("shop/b", near))];
        assert_eq!(refused(&files, &InForce::default()), [], "{near}");
    }
}

#[test]
fn of_two_that_say_it_neither_is_known_to_be_meant() {
    let both = "{workload: {labels: {app: web}}, peerAuthentication: {}}";
    let files = [("a.yaml", application("shop/a", both)), ("b.yaml", application("shop/b", both))];
    let found = refused(&files, &InForce::default());
    assert_eq!(found, [("a.yaml".to_owned(), 4), ("b.yaml".to_owned(), 4)]);
    let one = in_force(&files[..1]);
    assert_eq!(refused(&files, &one), [("b.yaml".to_owned(), 4)]);
}
