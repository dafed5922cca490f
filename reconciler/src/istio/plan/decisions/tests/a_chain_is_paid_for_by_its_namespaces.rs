//! A long chain, of which each link stays because of the one before it, takes few turns and takes nobody else along.

use std::time::{Duration, Instant};

use super::{TURNS, World};
use crate::istio::{guarded::Guarded, plan::Plan};

/// Applications that each take over the Gateway of one that goes, with the host of the namespace before. The first one only
/// goes. Nobody agrees to that, so it stays, and keeps its host from the next one, without which the one before it there
/// would go as well, and so on.
struct Chain(usize);

impl Chain {
    fn gateway(host: usize) -> String {
        format!("{{gateway: {{resourceName: gw, hosts: [h{host}.example.com], tls: {{secret: NAME}}}}}}")
    }

    fn before(&self) -> Vec<(String, String)> {
        (0..self.0).map(|link| (format!("evil{link:03}/a"), Self::gateway(link))).collect()
    }

    fn after(&self) -> Vec<(String, String)> {
        (1..self.0).map(|link| (format!("evil{link:03}/b"), Self::gateway(link - 1))).collect()
    }
}

fn owned(documents: &[(&str, &str)]) -> Vec<(String, String)> {
    documents.iter().map(|(name, spec)| ((*name).to_owned(), (*spec).to_owned())).collect()
}

/// A Guardrail by which each removal needs consent.
fn no_removals() -> Guarded {
    let guardrail = policies::File::read(b"kind: Guardrail\nspec: {istio: {maxRemovals: 0}}\n");
    Guarded::of([("", &guardrail)].into_iter())
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.frozen.keys().map(String::as_str).collect()
}

impl World {
    /// Commits two lists of documents after one another, and returns the plans for the second one.
    fn change(
        &mut self,
        before: Vec<(String, String)>,
        after: Vec<(String, String)>,
    ) -> super::Namespaces<Plan> {
        let [before, after] = [&before, &after].map(|documents| {
            documents.iter().map(|(name, spec)| (name.as_str(), spec.as_str())).collect::<Vec<_>>()
        });
        let plans = self.commit(&before, 0);
        assert!(plans.values().all(|plan| plan.frozen.is_empty()), "{plans:?}");
        self.commit(&after, 0)
    }
}

const OLD: &str = "{peerAuthentication: {}}";
const NEW: &str = "{peerAuthentication: {mtls: permissive}}";

#[test]
fn a_namespace_that_a_long_chain_comes_to_stays_only_as_far_as_it_depends_on_it() {
    let chain = Chain(6);
    let before = [chain.before(), owned(&[("shop/a", &Chain::gateway(100)), ("bank/cart", OLD)])].concat();
    let of_shop = owned(&[("shop/b", &Chain::gateway(5)), ("shop/cart", NEW), ("bank/cart", NEW)]);
    let plans = World::default().change(before, [chain.after(), of_shop].concat());
    assert_eq!(TURNS.get(), 8);
    assert_eq!(names(&plans["evil005"]), ["a", "b"]);
    assert_eq!(names(&plans["shop"]), ["a", "b"], "{:?}", plans["shop"].frozen);
    assert!(plans["bank"].frozen.is_empty());
}

#[test]
fn a_chain_through_many_namespaces_takes_few_turns_and_not_those_beside_it() {
    let chain = Chain(60);
    // Something of the bank stays for want of consent as well, and has nothing to do with it.
    let of_bank = owned(&[("bank/old", &Chain::gateway(200)), ("bank/cart", OLD)]);
    let before = [chain.before(), owned(&[("shop/web", &Chain::gateway(100))]), of_bank].concat();
    let of_shop = owned(&[("shop/web", &Chain::gateway(59)), ("shop/cart", NEW), ("bank/cart", NEW)]);
    let mut world = World { guarded: no_removals(), ..World::default() };
    let plans = world.change(before, [chain.after(), of_shop].concat());
    assert_eq!(TURNS.get(), 17);
    assert_eq!(names(&plans["evil059"]), ["a", "b"]);
    // It needs the host, and loses no object.
    assert_eq!(names(&plans["shop"]), ["web"], "{:?}", plans["shop"].frozen);
    assert_eq!(names(&plans["bank"]), ["old"], "{:?}", plans["bank"].frozen);
    assert_eq!(plans["bank"].current, 1);
}

#[test]
fn a_chain_of_one_namespace_takes_no_other_along() {
    let both = |link: usize, entry: usize| {
        let one = format!("{{name: one, resourceName: r{link}, hosts: [r{link}.example.com], ports: [80]}}");
        let other =
            format!("{{name: other, resourceName: s{entry}, hosts: [s{entry}.example.com], ports: [80]}}");
        format!("{{serviceEntry: [{one}, {other}]}}")
    };
    // Beyond some length it takes along what has nothing to do with it, of its own namespace alone.
    for (links, frozen, is_new_frozen) in [(200, 399, false), (300, 600, true)] {
        let before = (0..links).map(|link| (format!("evil/a{link:03}"), both(link, link)));
        let after = (1..links).map(|link| (format!("evil/b{link:03}"), both(link, link - 1)));
        let before = before.chain(owned(&[("bank/cart", OLD)])).collect();
        let after = after.chain(owned(&[("evil/new", NEW), ("bank/cart", NEW)])).collect();
        let mut world = World { guarded: no_removals(), ..World::default() };
        let began = Instant::now();
        let plans = world.change(before, after);
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
        assert!(TURNS.get() <= 3, "{}", TURNS.get());
        assert_eq!(plans["evil"].frozen.len(), frozen);
        assert_eq!(plans["evil"].frozen.contains_key("new"), is_new_frozen);
        assert!(plans["bank"].frozen.is_empty());
        assert_eq!(plans["bank"].current, 1);
    }
}
