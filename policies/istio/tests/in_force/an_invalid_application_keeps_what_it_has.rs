//! An application that is wrong keeps the objects that it has in force, and the others go on.

use crate::catalogs::{application, catalog, findings, in_force, names};
use istio_config::{File, InForce};

const SUBSETS: &str = "{destinationRule: {host: a, subsets: [{name: v1, labels: {version: v1}}]}}";
const NONE: &str = "{peerAuthentication: {}}";
const SPLIT: &str = "{virtualService: {routes: [{to: [{service: a, subset: v1}]}]}}";

#[test]
fn a_typo_does_not_spread() {
    let before =
        in_force(&[("a.yaml", application("shop/a", SUBSETS)), ("b.yaml", application("shop/b", SPLIT))]);
    let typo = SUBSETS.replace("host", "hots");
    let after = catalog(
        &[
            ("a.yaml", application("shop/a", &typo)),
            ("b.yaml", application("shop/b", &SPLIT.replace("[{to", "[{timeout: 1s, to"))),
        ],
        &before,
    );
    assert!(findings(&after).iter().all(|found| found.starts_with("a.yaml")), "{:?}", findings(&after));
    let frozen: Vec<_> = after.frozen().keys().map(|(_, name)| name.as_str()).collect();
    assert_eq!(frozen, ["a"]);
    let now = after.to_be_in_force();
    assert_eq!(names(&now), names(&before));
    assert_eq!(now.of("shop", "a"), before.of("shop", "a"));
    assert_ne!(now.of("shop", "b"), before.of("shop", "b"));
}

#[test]
fn what_others_need_of_an_application_that_is_refused_late_is_there_no_more() {
    // `b` needs the subset of `a`, and `a` is refused for the host that `c` has.
    let gateway = |name: &str| {
        format!("{{gateway: {{name: {name}, hosts: [x.example.com], tls: {{secret: {name}}}}}}}")
    };
    let both = format!("{}, {}", SUBSETS.trim_end_matches('}'), gateway("front").trim_start_matches('{'));
    let both = both.replace("v1}}]", "v1}}]}");
    let before = in_force(&[("c.yaml", application("shop/c", &gateway("c")))]);
    let after = catalog(
        &[
            ("a.yaml", application("shop/a", &both)),
            ("b.yaml", application("shop/b", SPLIT)),
            ("c.yaml", application("shop/c", &gateway("c"))),
        ],
        &before,
    );
    let rules: Vec<_> = after.findings().iter().map(|found| (&*found.file, found.finding.rule)).collect();
    assert!(
        rules.contains(&("a.yaml", "X145")) && rules.contains(&("b.yaml", "X101d")),
        "{:?}",
        findings(&after)
    );
    assert_eq!(names(&after.to_be_in_force()), names(&before));
}

#[test]
fn a_removal_that_clashes_removes_nothing() {
    let before = in_force(&[("a.yaml", application("shop/a", NONE))]);
    let files =
        [("a.yaml", application("shop/a", NONE)), ("other.yaml", application("shop/a", "{remove: true}"))];
    let after = catalog(&files, &before);
    assert!(after.removals().is_empty());
    assert_eq!(after.to_be_in_force(), before);
    let alone = catalog(&files[1..], &before);
    assert_eq!(alone.removals(), [("shop".to_owned(), "a".to_owned())]);
    assert_eq!(alone.to_be_in_force(), InForce::default());
}

#[test]
fn a_document_without_a_name_or_a_file_that_cannot_be_read_may_be_of_anybody() {
    let before =
        in_force(&[("a.yaml", application("shop/a", NONE)), ("b.yaml", application("shop/b", NONE))]);
    let b = ("b.yaml", application("shop/b", NONE));
    for (text, is_kept) in [
        ("kind: AppConfiguration\nmetadata: {namespace: shop}\n", true),
        ("kind: AppConfiguration\nmetadata: {name: [a\n", true),
        ("{{ template }}\n", true),
        ("apiVersion: hfi.dev/v1\nkind: AppConfigurations\nmetadata: {name: a, namespace: shop}\n", true),
        ("{apiVersion: hfi.dev/v1, kind: AppConfigration, metadata: {name: a, namespace: shop}}\n", true),
        ("apiVersion: example.com/v1\nkind: AppConfigurations\ndata: {{ template }}\n", false),
        ("apiVersion: v1\nkind: ConfigMap\ndata: {a: hfi.dev/v1, b: {{ template }}}\n", false),
        ("kind: ConfigMap\ndata: {{ template }}\n", false),
        ("", false),
    ] {
        assert_eq!(File::read(text.as_bytes()).is_unreadable(), is_kept, "{text}");
        let after = catalog(&[b.clone(), ("a.yaml", text.to_owned())], &before);
        assert_eq!(after.to_be_in_force() == before, is_kept, "{text}");
        assert_eq!(after.frozen().len(), usize::from(is_kept), "{text}");
    }
}

#[test]
fn a_kind_of_hfi_that_policies_have_is_none_of_an_application() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../../schema.json")).unwrap();
    let kinds = schema["definitions"].as_object().unwrap().values();
    let kinds: Vec<_> = kinds.filter_map(|kind| kind.pointer("/properties/kind/const")?.as_str()).collect();
    assert!(kinds.len() > 3, "{kinds:?}");
    // What is nearly one of them was not meant as an application, and a backup may have what hfi reports.
    let others = ["FaultPolices", "Guardrial", "PolicySource"];
    for kind in kinds.into_iter().filter(|kind| *kind != "AppConfiguration").chain(others) {
        for text in [
            format!("apiVersion: hfi.dev/v1\nkind: {kind}\nspec: {{}}\n"),
            format!("{{apiVersion: hfi.dev/v1, kind: {kind}}}\n"),
        ] {
            assert!(!File::read(text.as_bytes()).is_unreadable(), "{text}");
        }
    }
}

#[test]
fn a_namespace_stays_as_it_is_where_what_stays_would_break() {
    // `b` is wrong and keeps its split, for which `a` no longer has the subset.
    let before = in_force(&[
        ("a.yaml", application("shop/a", SUBSETS)),
        ("b.yaml", application("shop/b", SPLIT)),
        ("c.yaml", application("test/c", NONE)),
    ]);
    let c = ("c.yaml", application("test/c", "{peerAuthentication: {mtls: permissive}}"));
    let wrong = ("b.yaml", application("shop/b", "{virtualService: {hsots: []}}"));
    let after = catalog(&[("a.yaml", application("shop/a", NONE)), wrong.clone(), c.clone()], &before);
    let told = findings(&after);
    assert!(told[0].starts_with("a.yaml:1:1: is not in force: all of shop stays as it is"), "{told:?}");
    assert!(told[0].ends_with("correct b.yaml:4 [APP20]"), "{told:?}");
    let now = after.to_be_in_force();
    for name in ["a", "b"] {
        assert_eq!(now.of("shop", name), before.of("shop", name));
    }
    assert_ne!(now.of("test", "c"), before.of("test", "c"));
    // The same where the document of `a` takes it away, or there is none any more.
    for files in [vec![("a.yaml", application("shop/a", "{remove: true}")), wrong.clone()], vec![wrong]] {
        let after = catalog(&files, &before);
        assert!(after.removals().is_empty());
        assert_eq!(after.to_be_in_force().of("shop", "a"), before.of("shop", "a"));
    }
}

#[test]
fn a_namespace_that_stays_names_the_file_of_what_would_break() {
    let before = in_force(&[
        ("0.yaml", application("shop/a0", NONE)),
        ("a.yaml", application("shop/a", SUBSETS)),
        ("b.yaml", application("shop/b", SPLIT)),
    ]);
    let wrong = application("shop/a0", "{peerAuthentication: 1}");
    let files = [
        // The first one that is frozen has nothing to do with it.
        ("0.yaml", wrong),
        ("a.yaml", application("shop/a", NONE)),
        ("b.yaml", application("shop/b", "{virtualService: {hsots: []}}")),
    ];
    let told = findings(&catalog(&files, &before));
    let stays = told.iter().find(|found| found.ends_with("[APP20]")).unwrap();
    assert!(stays.ends_with("correct b.yaml:4 [APP20]"), "{told:?}");
}

#[test]
fn what_was_broken_before_freezes_nobody_else() {
    // A rule that is new: what is in force breaks it already.
    let gateway = |name: &str| {
        application(name, "{gateway: {hosts: [x.example.com], tls: {secret: x}, selector: {istio: x}}}")
    };
    let one = |name: &str| in_force(&[("x.yaml", gateway(name))]);
    let before = catalog(&[("c.yaml", application("shop/c", NONE))], &InForce::default()).to_be_in_force();
    let [a, b] = ["shop/a", "shop/b"].map(one);
    let all = before.applications().chain(a.applications()).chain(b.applications());
    let before: InForce = all.map(|(id, resources)| (id.clone(), resources.to_vec())).collect();
    let c = application("shop/c", "{peerAuthentication: {mtls: permissive}}");
    let [a, b] = ["shop/a", "shop/b"].map(gateway);
    let after = catalog(&[("a.yaml", a), ("b.yaml", b), ("c.yaml", c)], &before);
    assert_eq!(after.frozen().len(), 2, "{:?}", findings(&after));
    assert_eq!(after.to_be_in_force().of("shop", "b"), before.of("shop", "b"));
    assert_ne!(after.to_be_in_force().of("shop", "c"), before.of("shop", "c"));
}

#[test]
fn a_long_chain_of_refusals_comes_to_an_end() {
    // Each needs the subset of the next, and the last one is wrong.
    let spec = |number: usize, subset: &str| {
        let next = number + 1;
        format!(
            "{{destinationRule: {{host: a{number}, {subset}: [{{name: v1, labels: {{version: v1}}}}]}}, virtualService: {{routes: [{{to: [{{service: a{next}, subset: v1}}]}}]}}}}"
        )
    };
    let files: Vec<_> = (0..100)
        .map(|number| {
            let subset = if number == 99 { "subsetz" } else { "subsets" };
            (format!("{number}.yaml"), application(&format!("shop/a{number}"), &spec(number, subset)))
        })
        .chain([("z.yaml".to_owned(), application("test/z", NONE))])
        .collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text)).collect();
    let catalog = catalog(&files, &InForce::default());
    assert_eq!(names(&catalog.to_be_in_force()), ["test/z-peer-authentication"]);
    assert_eq!(catalog.frozen().len(), 100);
    let told = findings(&catalog);
    let last = "this one may depend on shop/a95, which stays as it is; correct 95.yaml:4 [APP21]";
    assert!(told.iter().any(|found| found.starts_with("0.yaml") && found.ends_with(last)), "{told:?}");
}

#[test]
fn a_removal_waits_for_a_file_that_cannot_be_read() {
    let before = [("a.yaml", application("shop/a", NONE))];
    let in_force = in_force(&before);
    let remove = application("shop/a", "{remove: true}");
    let damaged = catalog(&[("a.yaml", "{".to_owned()), ("b.yaml", remove.clone())], &in_force);
    assert!(damaged.removals().is_empty(), "it may be the file of the owner");
    assert_eq!(names(&damaged.to_be_in_force()).len(), 1);
    assert_eq!(catalog(&[("b.yaml", remove)], &in_force).removals().len(), 1);
}

#[test]
fn what_one_namespace_mends_by_staying_freezes_no_other() {
    let web = "{virtualService: {routes: [{to: [{service: a.evil, subset: v1}]}]}}";
    let web = ("web.yaml", application("shop/web", web));
    let cart = |spec: &str| ("cart.yaml", application("shop/cart", spec));
    let before = in_force(&[
        web.clone(),
        cart(NONE),
        ("a.yaml", application("evil/a", SUBSETS)),
        ("b.yaml", application("evil/b", SPLIT)),
    ]);
    let files = [
        web,
        cart("{peerAuthentication: {mtls: permissive}}"),
        ("a.yaml", application("evil/a", NONE)),
        ("b.yaml", application("evil/b", "{virtualService: {hsots: []}}")),
    ];
    let after = catalog(&files, &before);
    let told = findings(&after);
    assert!(told.iter().any(|found| found.starts_with("web.yaml") && found.ends_with("[X101d]")), "{told:?}");
    assert!(!after.frozen().contains_key(&("shop".to_owned(), "cart".to_owned())), "{told:?}");
}

#[test]
fn what_a_namespace_breaks_of_its_own_freezes_it_whatever_others_break_beside() {
    let to =
        |host: &str| format!("{{match: {{path_prefix: /{host}}}, to: [{{service: {host}, subset: v1}}]}}");
    let web = format!("{{virtualService: {{routes: [{}, {}]}}}}", to("a"), to("pay.evil"));
    let rule = |host: &str, name: &str| {
        format!(
            "{{destinationRule: {{host: {host}, subsets: [{{name: {name}, labels: {{version: {name}}}}}]}}}}"
        )
    };
    let files = |own: &str, theirs: &str, cart: &str| {
        [
            ("web.yaml", application("shop/web", &web)),
            ("a.yaml", application("shop/a", &rule("a", own))),
            ("cart.yaml", application("shop/cart", cart)),
            ("pay.yaml", application("evil/pay", &rule("pay", theirs))),
        ]
    };
    let other = "{peerAuthentication: {mtls: permissive}}";
    let before = in_force(&files("v1", "v1", NONE));
    // Theirs breaks in the same commit, or before it.
    let broken = catalog(&files("v1", "v2", NONE), &before).to_be_in_force();
    assert_ne!(broken, before);
    for (theirs, before) in [("v1", &before), ("v2", &before), ("v2", &broken)] {
        let after = catalog(&files("v2", theirs, other), before);
        let now = after.to_be_in_force();
        for name in ["web", "a", "cart"] {
            assert_eq!(now.of("shop", name), before.of("shop", name), "{name}: {:?}", findings(&after));
        }
    }
}
