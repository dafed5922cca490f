//! A new application that is refused may be one that no document speaks of any more: that one stays.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use istio_config::File;

use super::{RULE, World, application, world};
use crate::istio::{
    applications::Applications,
    consent::Consent,
    guarded::Guarded,
    objects::Objects,
    successors::{Doubtful, LastDocument},
};

const WRONG: &str = "{destinationRule: {host: reviews, wrong: 1}}";

/// The last document of `shop/a`, or of another one, beside others.
fn last(id: (&str, &str), file: &str, beside: &[&str]) -> BTreeMap<(String, String), LastDocument> {
    let beside = beside.iter().map(|name| (*name).to_owned()).collect();
    let document = LastDocument { file: file.into(), beside: Arc::new(beside) };
    [((id.0.to_owned(), id.1.to_owned()), document)].into()
}

fn renamed(file: &str, beside: &[&str]) -> World {
    World { last: Some(last(("shop", "a"), file, beside)), ..world() }
}

#[test]
fn until_the_new_name_is_right() {
    for refused in [WRONG, "{destinationRule: {host: reviews, resourceName: b-destination-rule}}"] {
        let mut world = renamed("a.yaml", &["a", "b"]);
        world.files.insert("a.yaml", application("c", refused));
        let plan = world.commit(Consent::default());
        assert_eq!(world.objects(), ["a-destination-rule", "b-destination-rule"], "{refused}");
        let why = &plan.frozen["a"];
        assert!(why.contains("the new application `c` of a.yaml:1 is refused"), "{why}");
        assert!(why.contains("Hfi-Removals: 1"), "{why}");
        assert_eq!(plan.frozen.len(), 2, "{:?}", plan.frozen);
        world.files.insert("a.yaml", application("c", RULE));
        assert_eq!(world.commit(Consent::default()).frozen, BTreeMap::new());
        assert_eq!(world.objects(), ["b-destination-rule", "c-destination-rule"]);
    }
}

#[test]
fn what_is_refused_elsewhere_or_was_there_before_keeps_nothing() {
    for (new, file, beside, is_kept) in [
        ("a.yaml", "a.yaml", &["a", "b"][..], true),
        ("c.yaml", "a.yaml", &["a", "b"], true),
        ("team/c.yaml", "team/a.yaml", &["a", "b"], true),
        ("a.yaml", "a.yaml", &["a", "b", "c"], false),
        ("c.yaml", "a.yaml", &["a", "b", "c"], false),
        ("team/c.yaml", "a.yaml", &["a", "b"], false),
        ("c.yaml", "team/a.yaml", &["a", "b"], false),
        ("team/deep/c.yaml", "team/a.yaml", &["a", "b"], false),
        // This file is there.
        ("c.yaml", "b.yaml", &["a", "b"], false),
    ] {
        let mut world = renamed(file, beside);
        world.files.remove("a.yaml");
        world.files.insert(new, application("c", WRONG));
        let plan = world.commit(Consent::default());
        assert_eq!(world.objects().len(), 1 + usize::from(is_kept), "{new} {file}: {:?}", plan.frozen);
    }
}

#[test]
fn where_the_last_document_is_not_known_any_new_one_may_be_it() {
    let mut world = World { last: Some(BTreeMap::new()), ..world() };
    world.files.remove("a.yaml");
    world.files.insert("team/c.yaml", application("c", WRONG));
    assert!(world.commit(Consent::default()).frozen["a"].contains("team/c.yaml"));
    // Nothing new is refused.
    world.files.insert("team/c.yaml", application("c", "{remove: true}"));
    assert_eq!(world.commit(Consent::default()).frozen, BTreeMap::new());
    assert_eq!(world.objects(), ["b-destination-rule"]);
}

#[test]
fn though_another_document_has_the_new_name() {
    // A document that is refused keeps the name from no other one.
    for (other, new, is_kept) in
        [(RULE, WRONG, true), (RULE, RULE, true), (WRONG, WRONG, true), (WRONG, RULE, false)]
    {
        let mut world = renamed("team/a.yaml", &["a", "b"]);
        world.files.remove("a.yaml");
        world.files.insert("other.yaml", application("c", other));
        world.files.insert("team/c.yaml", application("c", new));
        let plan = world.commit(Consent::default());
        let kept = world.in_force["shop"].of("a").len();
        assert_eq!(kept, usize::from(is_kept), "{other} {new}: {:?}", plan.frozen);
    }
}

#[test]
fn also_where_the_new_name_is_refused_since_another_rename_was() {
    let gateway = |namespace: &str, name: &str, host: &str| {
        let spec = format!("{{gateway: {{hosts: [{host}], tls: {{secret: {namespace}-{name}}}}}}}");
        application(name, &spec).replace("namespace: shop", &format!("namespace: {namespace}"))
    };
    let mut world = World::default();
    world.files.insert("shop/a.yaml", gateway("shop", "a", "one.example.com"));
    world.files.insert("shop/other.yaml", gateway("shop", "other", "other.example.com"));
    world.files.insert("bank/x.yaml", gateway("bank", "x", "two.example.com"));
    world.files.insert("bank/other.yaml", gateway("bank", "other", "bank.example.com"));
    assert_eq!(world.commit(Consent::default()).frozen, BTreeMap::new());
    let mut both = last(("shop", "a"), "shop/a.yaml", &["a", "other"]);
    both.extend(last(("bank", "x"), "bank/x.yaml", &["x", "other"]));
    world.last = Some(both);
    // The host that `y` is to get stays with `a`.
    world.files.insert("shop/a.yaml", application("c", WRONG));
    world.files.insert("bank/x.yaml", gateway("bank", "y", "one.example.com"));
    world.commit(Consent::default());
    assert_eq!(world.in_force["shop"].of("a").len(), 1);
    assert_eq!(world.in_force["bank"].of("x").len(), 1);
}

#[test]
fn for_an_application_that_was_in_force_already_nothing_stays() {
    let mut world = World { last: Some(BTreeMap::new()), ..world() };
    world.files.insert("b.yaml", application("b", WRONG));
    world.files.remove("a.yaml");
    let plan = world.commit(Consent::default());
    assert_eq!(world.objects(), ["b-destination-rule"], "{:?}", plan.frozen);
}

#[test]
fn what_a_file_may_not_speak_of_keeps_nothing_that_its_owner_takes_out() {
    let mut world = World { last: Some(BTreeMap::new()), ..world() };
    world.files.insert("evil/c.yaml", application("c", RULE));
    let guardrail = "kind: Guardrail\nspec: {istio: {namespaces: [evil]}}\n".to_owned();
    world.files.insert("evil/guardrail.yaml", guardrail);
    world.files.remove("a.yaml");
    let plan = world.commit(Consent::default());
    assert_eq!(world.objects(), ["b-destination-rule"], "{:?}", plan.frozen);
}

#[test]
fn also_where_all_documents_are_on_one_line() {
    let mut world = World { last: Some(last(("shop", "a"), "all.yaml", &["a", "b"])), ..World::default() };
    let on_one_line = |documents: [(&str, &str); 2]| {
        let item = |(name, spec)| {
            format!(
                "{{apiVersion: hfi.dev/v1, kind: AppConfiguration, metadata: {{name: {name}, namespace: shop}}, spec: {spec}}}"
            )
        };
        format!("{{apiVersion: v1, kind: List, items: [{}]}}\n", documents.map(item).join(", "))
    };
    world.files.insert("all.yaml", on_one_line([("a", RULE), ("b", RULE)]));
    assert_eq!(world.commit(Consent::default()).frozen, BTreeMap::new());
    world.files.insert("all.yaml", on_one_line([("c", WRONG), ("b", RULE)]));
    let plan = world.commit(Consent::default());
    assert_eq!(world.objects(), ["a-destination-rule", "b-destination-rule"], "{:?}", plan.frozen);
}

/// Thousands of applications go, wherever the last documents of them were, beside thousands that are refused and were before.
#[test]
fn thousands_that_go_beside_thousands_that_are_refused_are_compared_in_time() {
    let rule = world().in_force["shop"].of("a").to_vec();
    let mut objects = Objects::default();
    let missed: Vec<_> = (0..5_000).map(|number| format!("a{number}")).collect();
    missed.iter().for_each(|name| objects.set(name, rule.clone()));
    let refused: Vec<_> = (0..10_000).map(|number| format!("b{number}")).collect();
    let document = |name: &String| {
        format!("---\n{{kind: AppConfiguration, metadata: {{name: {name}, namespace: shop}}}}\n")
    };
    let text: String = refused.iter().map(document).collect();
    let file = Arc::new(File::read(text.as_bytes()));
    let now = Applications { files: vec![("team/b.yaml".into(), file)], guarded: Guarded::default() };
    let doubtful = Doubtful::of(&[("shop".to_owned(), objects)].into(), &now);
    assert_eq!(doubtful.missed().len(), missed.len());
    let beside: Arc<BTreeSet<_>> = Arc::new(refused.into_iter().collect());
    let old: [&dyn Fn(&str) -> String; 3] =
        [&|_| "team/b.yaml".to_owned(), &|_| "team/a.yaml".to_owned(), &|name| format!("team/{name}/a.yaml")];
    for file in old {
        let last = missed.iter().map(|name| {
            let document = LastDocument { file: file(name).into(), beside: Arc::clone(&beside) };
            (("shop".to_owned(), name.clone()), document)
        });
        let successors = doubtful.clone().successors(last.collect(), &now);
        let began = Instant::now();
        assert_eq!(successors.refused("shop", |_, _| false), BTreeMap::new());
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
}
