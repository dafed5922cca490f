//! A document that is refused anyway, and has nothing in force, keeps nothing from others that claim the same.

use crate::catalogs::{application, evil_keeps_to_itself, findings, guarded, in_force, names};
use istio_config::{Catalog, InForce};
use proptest::prelude::*;

/// The catalog of files, within the limits that hold without a Guardrail.
fn catalog(files: &[(&str, String)], in_force: &InForce) -> Catalog {
    guarded(files, in_force, evil_keeps_to_itself)
}

/// What is new of an owner, and what a squatter says that may not have it.
const SQUATTED: [(&str, &str); 6] = [
    // The Guardrails do not allow it.
    (
        "{peerAuthentication: {resourceName: one}}",
        "{peerAuthentication: {resourceName: one, applyTo: namespace}}",
    ),
    (
        "{gateway: {hosts: [a.example.com]}}",
        "{gateway: {resourceName: a-gateway, hosts: [b.example.com]}, envoyFilter: {localRateLimit: {requests: 1}}}",
    ),
    // The service and the pods are of another application.
    (
        "{virtualService: {timeout: 1s}}",
        "{virtualService: {resourceName: a-virtual-service, spec: {hosts: [a], http: [{route: [{destination: {host: evil}}]}]}}}",
    ),
    (
        "{peerAuthentication: {}}",
        "{peerAuthentication: {resourceName: a-peer-authentication, spec: {selector: {matchLabels: {app.kubernetes.io/name: a}}}}}",
    ),
    // It breaks a rule alone.
    (
        "{gateway: {hosts: [a.example.com]}}",
        "{gateway: {resourceName: a-gateway, spec: {selector: {istio: x}, servers: []}}}",
    ),
    // It breaks a rule over several resources, which nobody asks before.
    (
        "{virtualService: {timeout: 1s}, destinationRule: {host: a}}",
        "{virtualService: {resourceName: a-virtual-service, spec: {hosts: [evil], http: [{route: [{destination: {host: a, subset: v9}}]}]}}}",
    ),
];

#[test]
fn a_squatter_that_is_refused_keeps_no_object_from_its_owner() {
    for (new, squat) in SQUATTED {
        let (owner, squatter) = (application("shop/a", new), application("shop/evil", squat));
        let old = ("o.yaml", application("shop/a", "{destinationRule: {host: a}}"));
        for old in [&[][..], &[old]] {
            let before = in_force(old);
            for path in ["a.yaml", "z.yaml"] {
                let (owner, squatter) = (("o.yaml", owner.clone()), (path, squatter.clone()));
                let wanted = in_force(std::slice::from_ref(&owner));
                // In one commit.
                let both = catalog(&[owner.clone(), squatter.clone()], &before);
                assert_eq!(both.to_be_in_force(), wanted, "{squat}: {:?}", findings(&both));
                assert!(findings(&both).iter().any(|found| found.starts_with(path)), "{squat}");
                // The squatter first, beside what the owner had: alone it may be right.
                if !old.is_empty() {
                    let first =
                        catalog(&[old, std::slice::from_ref(&squatter)].concat(), &before).to_be_in_force();
                    assert_eq!(first, before, "{squat}");
                    let then = catalog(&[owner.clone(), squatter.clone()], &first);
                    assert_eq!(then.to_be_in_force(), wanted, "{squat}: {:?}", findings(&then));
                }
                // The owner first.
                let last = catalog(&[owner.clone(), squatter.clone()], &wanted);
                assert_eq!(last.to_be_in_force(), wanted, "{squat}");
            }
        }
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];

/// A document of an application, as far as the PeerAuthentication `one` is concerned.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Says {
    /// It names the object.
    One,
    /// It names the object, and is refused for something else.
    Refused,
    /// It cannot be read.
    Broken,
    Other,
    Remove,
}

const ALL: [Says; 5] = [Says::One, Says::Refused, Says::Broken, Says::Other, Says::Remove];

impl Says {
    fn spec(self) -> &'static str {
        match self {
            Self::One => "{peerAuthentication: {resourceName: one}}",
            Self::Refused => "{peerAuthentication: {resourceName: one, applyTo: namespace}}",
            Self::Broken => "{peerAuthentication: {resourceNames: one}}",
            Self::Other => "{telemetry: {logs: all}}",
            Self::Remove => "{remove: true}",
        }
    }
}

/// What each application has in force.
type Has = [Option<Says>; NAMES.len()];

/// What each has after a commit, as people would say it.
fn expected(has: Has, says: [Says; NAMES.len()]) -> Has {
    let is_refused = |says: Says| matches!(says, Says::Refused | Says::Broken);
    // The one that has it keeps it, unless its document lets it go.
    let keeps = |at: &usize| has[*at] == Some(Says::One) && (says[*at] == Says::One || is_refused(says[*at]));
    let wants: Vec<_> = (0..NAMES.len()).filter(|at| says[*at] == Says::One).collect();
    let owner = (0..NAMES.len()).find(keeps).or_else(|| <[usize; 1]>::try_from(wants).ok().map(|[at]| at));
    std::array::from_fn(|at| match says[at] {
        Says::One if owner != Some(at) => has[at],
        Says::Remove => None,
        Says::Refused | Says::Broken => has[at],
        says => Some(says),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_history_of_one_object_is_as_people_would_say_it(
        commits in prop::collection::vec(prop::array::uniform3(prop::sample::select(&ALL[..])), 1..6),
    ) {
        let (mut before, mut has) = (InForce::default(), Has::default());
        for says in commits {
            let files: Vec<_> = NAMES.iter().zip(says)
                .map(|(name, says)| (*name, application(&format!("shop/{name}"), says.spec())))
                .collect();
            let after = catalog(&files, &before);
            (before, has) = (after.to_be_in_force(), expected(has, says));
            for (name, has) in NAMES.iter().zip(has) {
                let objects: Vec<_> = before.of("shop", name).iter().map(|own| own.name.clone()).collect();
                let expected = match has {
                    None => vec![],
                    Some(Says::One) => vec!["one".to_owned()],
                    Some(_) => vec![format!("{name}-telemetry")],
                };
                prop_assert_eq!(objects, expected, "{}: {:?}: {:?}", name, says, findings(&after));
            }
        }
    }
}

#[test]
fn of_two_documents_of_one_application_the_refused_one_counts_only_beside_what_is_in_force() {
    let valid = ("b.yaml", application("shop/a", "{telemetry: {logs: all}}"));
    for (refused, rule) in
        [("{telemetry: {log: all}}", "APP01"), ("{peerAuthentication: {applyTo: namespace}}", "LIM05")]
    {
        for path in ["a.yaml", "z.yaml"] {
            let files = [valid.clone(), (path, application("shop/a", refused))];
            let new = catalog(&files, &InForce::default());
            let told = findings(&new);
            assert_eq!(names(&new.to_be_in_force()), ["shop/a-telemetry"], "{told:?}");
            assert!(new.frozen().is_empty() && told.iter().all(|found| found.starts_with(path)), "{told:?}");
            assert!(
                told.iter().any(|found| found.contains("APP05"))
                    && told.iter().any(|found| found.contains(rule)),
                "{told:?}"
            );
            // Of either file it may be in force.
            let before = in_force(&[("a.yaml", application("shop/a", "{telemetry: {logs: errors}}"))]);
            let old = catalog(&files, &before);
            assert_eq!(old.to_be_in_force(), before, "{:?}", findings(&old));
            assert_eq!(old.frozen().len(), 1);
        }
    }
}

#[test]
fn a_refused_document_of_another_name_keeps_neither_a_service_nor_pods() {
    let both = "{service: web, workload: {labels: {app: web}}, virtualService: {timeout: 1s}, peerAuthentication: {}}";
    let refused = both.replacen('{', "{envoyFilter: {localRateLimit: {requests: 1}}, ", 1);
    let owner = ("o.yaml", application("shop/a", both));
    for path in ["a.yaml", "z.yaml"] {
        let after = catalog(&[owner.clone(), (path, application("shop/b", &refused))], &InForce::default());
        assert_eq!(after.to_be_in_force(), in_force(std::slice::from_ref(&owner)), "{:?}", findings(&after));
        // One that is named after them keeps them.
        let named = application("shop/web", &refused);
        let after = catalog(&[owner.clone(), (path, named)], &InForce::default());
        assert_eq!(names(&after.to_be_in_force()), [""; 0], "{:?}", findings(&after));
    }
}

#[test]
fn documents_that_share_a_name_keep_no_service_from_others() {
    let both = "{service: web, virtualService: {timeout: 1s}}";
    let one = |name: &str| application(name, "{peerAuthentication: {resourceName: one}}");
    let files = [
        ("a.yaml", application("shop/a", both)),
        ("e1.yaml", application("shop/e", both)),
        ("e2.yaml", application("shop/e", both)),
        // What others contest changes nothing.
        ("x.yaml", one("evil/x")),
        ("y.yaml", one("evil/y")),
    ];
    for files in [&files[..3], &files] {
        let after = catalog(files, &InForce::default());
        assert_eq!(names(&after.to_be_in_force()), ["shop/a-virtual-service"], "{:?}", findings(&after));
    }
}
