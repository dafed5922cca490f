//! Where a resource goes, no rule says something else about another one that needs nothing of it: for all that the
//! tests of the rules have, and for what tenants have beside each other, be it in force or not.

use std::{collections::BTreeSet, fs};

use proptest::prelude::*;
use serde_json::Value;

use super::{Ties, ties};
use crate::{
    finding::Level, in_force::InForce, resource::Resource, rules::check_all, surroundings::Surroundings,
};

#[expect(dead_code, reason = "the tests of the rules use the rest")]
#[path = "../../../../tests/resources/mod.rs"]
mod resources;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rules");

/// The errors of each resource.
fn errors(
    resources: &[&Resource],
    in_force: &InForce,
    around: &Surroundings,
) -> Vec<BTreeSet<(&'static str, String)>> {
    let mut errors = vec![BTreeSet::new(); resources.len()];
    for (number, finding) in check_all(resources, in_force, around) {
        if finding.level == Level::Error {
            errors[number].insert((finding.rule, finding.field));
        }
    }
    errors
}

/// Each resource as that of an application of its own, and what is in force where those of these numbers are.
fn of_applications(resources: &[Resource], is_in_force: impl Fn(usize) -> bool) -> (Vec<Resource>, InForce) {
    let all: Vec<_> = resources.iter().cloned().enumerate().map(labelled).collect();
    let in_force = all.iter().enumerate().filter(|(number, _)| is_in_force(*number));
    let id = |number: usize, resource: &Resource| (resource.namespace.clone(), format!("a{number}"));
    let in_force =
        in_force.map(|(number, resource)| (id(number, resource), vec![resource.clone()])).collect();
    (all, in_force)
}

fn labelled((number, mut resource): (usize, Resource)) -> Resource {
    resource.labels.insert("app.kubernetes.io/managed-by".to_owned(), "hfi".to_owned());
    resource.labels.insert("app.kubernetes.io/name".to_owned(), format!("a{number}"));
    resource
}

fn are_tied(one: &Ties, gone: &Ties) -> bool {
    one.needs.iter().any(|tie| gone.gives.contains(tie))
}

/// The pairs of which one changes without the other one, though it needs nothing of it; and how many need nothing.
fn untied(resources: &[Resource], in_force: &InForce, around: &Surroundings) -> (Vec<(usize, usize)>, usize) {
    let all: Vec<_> = resources.iter().collect();
    let (ties, before) = (ties(&all, in_force, around), errors(&all, in_force, around));
    let (mut wrong, mut untied) = (Vec::new(), 0);
    for gone in 0..all.len() {
        let mut left = all.clone();
        left.remove(gone);
        let mut after = errors(&left, in_force, around);
        after.insert(gone, BTreeSet::new());
        let others =
            (0..all.len()).filter(|number| *number != gone && !are_tied(&ties[*number], &ties[gone]));
        for number in others {
            untied += 1;
            if before[number] != after[number] {
                wrong.push((number, gone));
            }
        }
    }
    (wrong, untied)
}

#[test]
fn what_needs_nothing_of_what_goes_is_as_right_or_wrong_as_before() {
    let (mut wrong, mut all_tied) = (Vec::new(), Vec::new());
    for file in fs::read_dir(CASES).unwrap().map(|file| file.unwrap().path()) {
        let cases: Value = serde_yaml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let all = ["bad", "near"].into_iter().flat_map(|list| cases[list].as_array().unwrap());
        let (mut pairs, mut all_untied) = (0, 0);
        for (case, (resources, around)) in all.filter_map(resources::several).enumerate() {
            let by_hand = (resources.clone(), InForce::default());
            let applications = [|_| false, |_| true, |number| number % 2 == 0, |number| number % 2 == 1];
            let applications = applications.map(|is_in_force| of_applications(&resources, is_in_force));
            for (way, (resources, in_force)) in [by_hand].into_iter().chain(applications).enumerate() {
                let other =
                    |one: &Resource| resources.iter().filter(|other| other.order() != one.order()).count();
                pairs += resources.iter().map(other).sum::<usize>();
                let (found, untied) = untied(&resources, &in_force, &around);
                all_untied += untied;
                let found = found.into_iter();
                wrong.extend(found.map(|pair| format!("{}, {case}, {way}: {pair:?}", file.display())));
            }
        }
        if pairs > 0 && all_untied == 0 {
            all_tied.push(file.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(all_tied.is_empty(), "too much is tied in all cases of {all_tied:?}");
}

/// What tenants have, as the tests of the rules write it.
const POOL: [&str; 27] = [
    "{kind: DestinationRule, spec: {host: pay.bank.svc.cluster.local, subsets: [{name: v1, labels: {v: '1'}}]}}",
    "{kind: DestinationRule, spec: {host: '*.bank.svc.cluster.local', subsets: [{name: v1, labels: {v: '1'}}], exportTo: [.]}}",
    "{kind: DestinationRule, spec: {host: api.example.com, subsets: [{name: v1, labels: {v: '1'}}]}}",
    "{kind: VirtualService, spec: {hosts: [web], http: [{route: [{destination: {host: pay.bank.svc.cluster.local, subset: v1}}]}]}}",
    "{kind: VirtualService, spec: {hosts: [web], exportTo: [bank], http: [{route: [{destination: {host: api.example.com, subset: v1}}]}]}}",
    "{kind: VirtualService, spec: {hosts: [web.example.com], gateways: [shop/public], http: [{route: [{destination: {host: api.example.com, subset: v1}}]}]}}",
    "{kind: ServiceEntry, spec: {hosts: [api.example.com], ports: [{number: 80, name: http, protocol: HTTP}]}}",
    "{kind: ServiceEntry, spec: {hosts: [api.example.com], exportTo: [.], ports: [{number: 443, name: tls, protocol: TLS}]}}",
    "{kind: ServiceEntry, spec: {hosts: ['*.example.com', '*.com'], ports: [{number: 443, name: tls, protocol: TLS}]}}",
    "{kind: ServiceEntry, spec: {hosts: [other.example.com], ports: [{number: 80, name: http, protocol: HTTP}]}}",
    "{kind: VirtualService, spec: {hosts: [web], http: [{route: [{destination: {host: api.example.com}}]}]}}",
    "{kind: VirtualService, spec: {hosts: [web], exportTo: [.], http: [{route: [{destination: {host: api.example.com, port: {number: 80}}}]}]}}",
    "{kind: VirtualService, spec: {hosts: [web.example.com], gateways: [shop/public], http: [{route: [{destination: {host: api.example.com}}]}]}}",
    "{kind: VirtualService, spec: {hosts: [web.example.com], gateways: [evil/public, shop/public], http: [{route: [{destination: {host: web}}]}]}}",
    "{kind: VirtualService, spec: {hosts: [api.example.com], http: [{route: [{destination: {host: web}}]}]}}",
    "{kind: VirtualService, spec: {hosts: ['*.example.com'], http: [{route: [{destination: {host: web}}]}]}}",
    "{kind: VirtualService, spec: {hosts: [pay.bank.svc.cluster.local], exportTo: [.], http: [{route: [{destination: {host: web}}]}]}}",
    "{kind: HTTPRoute, spec: {parentRefs: [{group: '', kind: Service, name: web}], rules: [{backendRefs: [{name: web, port: 80}]}]}}",
    "{kind: VirtualService, spec: {hosts: [shop.example.com], gateways: [shop/public], http: [{match: [{headers: {'@request.auth.claims.a': {exact: b}}}], route: [{destination: {host: web}}]}]}}",
    "{kind: Gateway, name: public, spec: {selector: {istio: x}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*/web.example.com', '*/shop.example.com']}]}}",
    "{kind: RequestAuthentication, spec: {jwtRules: [{issuer: 'https://id.example.com'}]}}",
    "{kind: RequestAuthentication, spec: {selector: {matchLabels: {istio: y}}, jwtRules: [{issuer: 'https://id.example.com'}]}}",
    "{kind: PeerAuthentication, spec: {mtls: {mode: STRICT}}}",
    "{kind: PeerAuthentication, spec: {selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}}}",
    "{kind: Telemetry, spec: {selector: {matchLabels: {app: web}}, tracing: [{randomSamplingPercentage: 1}]}}",
    "{kind: Sidecar, spec: {egress: [{hosts: ['*/*']}]}}",
    "{kind: DestinationRule, spec: {host: pay.bank.svc.cluster.local, trafficPolicy: {loadBalancer: {simple: RANDOM}}}}",
];

const NAMESPACES: [&str; 4] = ["shop", "bank", "evil", "istio-system"];

/// The resource of a text, in a namespace.
fn resource(text: &str, namespace: &str, name: &str) -> Resource {
    let mut case: Value = serde_yaml::from_str(text).unwrap();
    case["namespace"] = namespace.into();
    if case["name"].is_null() {
        case["name"] = name.into();
    }
    resources::resource(&case)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_a_rule_says_of_two_applications_ties_them(
        all in prop::collection::vec((0..POOL.len(), 0..NAMESPACES.len(), any::<bool>()), 2..8),
    ) {
        let read = |(number, (text, namespace, _)): (usize, &(usize, usize, bool))| {
            resource(POOL[*text], NAMESPACES[*namespace], &format!("x{number}"))
        };
        let resources: Vec<_> = all.iter().enumerate().map(read).collect();
        let (resources, in_force) = of_applications(&resources, |number| all[number].2);
        let (wrong, _) = untied(&resources, &in_force, &Surroundings::default());
        prop_assert!(wrong.is_empty(), "{wrong:?}");
    }
}

#[test]
fn what_no_rule_connects_is_not_tied() {
    let claims = "{kind: VirtualService, spec: {hosts: [shop.example.com], gateways: [shop/public], http: [{match: [{headers: {'@request.auth.claims.a': {exact: b}}}], route: [{destination: {host: web}}]}]}}";
    // A resource of `evil`, and what `shop` has. Neither of both holds up the other one.
    for (evil, shop) in [
        // Another rule of the caller defines the subset, and so would one of the root namespace.
        (POOL[0], vec![POOL[0], POOL[3]]),
        // The caller has an entry of its own.
        (POOL[6], vec![POOL[6], POOL[10]]),
        (POOL[8], vec![POOL[6], POOL[11]]),
        // Another Gateway.
        (
            "{kind: VirtualService, spec: {hosts: [web.example.com], gateways: [evil/public], http: [{route: [{destination: {host: web}}]}]}}",
            vec![POOL[12]],
        ),
        // A whole top-level domain is nobody's, and routes of HTTP take no calls of TLS.
        (
            "{kind: ServiceEntry, spec: {hosts: ['*.com'], ports: [{number: 80, name: http, protocol: HTTP}]}}",
            vec![POOL[14]],
        ),
        (
            "{kind: ServiceEntry, spec: {hosts: [api.example.com], ports: [{number: 443, name: tls, protocol: TLS}]}}",
            vec![POOL[14]],
        ),
        (
            "{kind: ServiceEntry, spec: {hosts: [api.example.com], ports: [{number: 443, name: tls, protocol: TLS}]}}",
            vec![POOL[15]],
        ),
        // Tokens are read at the Gateway.
        (POOL[20], vec![POOL[19], POOL[20], claims]),
        (POOL[22], vec![POOL[22]]),
    ] {
        let all = [resource(evil, "evil", "x")].into_iter();
        let own = shop.iter().enumerate().map(|(number, text)| resource(text, "shop", &format!("x{number}")));
        let all: Vec<_> = all.chain(own).collect();
        for is_in_force in [|_| false, |_| true, |number| number == 0] {
            let (all, in_force) = of_applications(&all, is_in_force);
            let ties = ties(&all.iter().collect::<Vec<_>>(), &in_force, &Surroundings::default());
            for own in &ties[1..] {
                assert!(!are_tied(own, &ties[0]) && !are_tied(&ties[0], own), "{evil} and {shop:?}");
            }
        }
    }
    // A Pod may have several of these.
    let same = [0, 1].map(|number| resource(POOL[23], "shop", &format!("x{number}")));
    let ties = ties(&same.iter().collect::<Vec<_>>(), &InForce::default(), &Surroundings::default());
    assert!(!are_tied(&ties[0], &ties[1]));
}
