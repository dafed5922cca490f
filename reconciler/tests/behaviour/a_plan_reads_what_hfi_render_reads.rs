//! The process that plans and `hfi render` agree on what a commit has, whatever odd files are in it.

use std::{collections::BTreeSet, os::unix::fs::symlink};

use harness::Repository;
use reconciler::istio::plan::InForce;
use serde_json::Value;

use crate::support::{
    hfi,
    plans::{Plans, application},
};

type Names = BTreeSet<(String, String)>;

/// The valid objects by `hfi render --keep-going`; and whether anything is wrong.
fn rendered(repository: &Repository) -> (Names, bool) {
    let (code, list) = hfi(&repository.work(), &["render", "policies", "--keep-going", "-o", "json"]);
    let list: Value = serde_json::from_str(&list).unwrap_or_default();
    let items = list["items"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let name = |object: &Value| (text(&object["kind"]), text(&object["metadata"]["name"]));
    (items.iter().map(name).collect(), code != 0)
}

#[tokio::test]
async fn odd_files_are_read_alike() {
    let b = application("b");
    let gone = "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {name: z, namespace: shop}\nspec: {remove: true}\n";
    let too_long = format!("{b}# {}\n", "x".repeat(1 << 20));
    let kinds = |kinds: &str| format!("kind: Guardrail\nspec: {{istio: {{kinds: [{kinds}]}}}}\n");
    let cases: [(&str, &str, &str, bool); 14] = [
        ("another application", "policies/b.yaml", &b, false),
        ("other text", "policies/notes.txt", &b, false),
        ("an application that is wrong", "policies/b.yaml", &b.replace("host: b", "hosts: b"), true),
        ("a file that is too long", "policies/b.yaml", &too_long, true),
        ("a file that is not YAML", "policies/b.yaml", "kind: [AppConfiguration\n", true),
        ("a file that is not text", "policies/b.yaml", "kind: \u{0}\n", true),
        ("an ending in upper case", "policies/b.YAML", &b, true),
        (
            "an ending in upper case of something else",
            "policies/b.YAML",
            "apiVersion: v1\nkind: Secret\n",
            false,
        ),
        (
            "a guardrail that is wrong",
            "policies/guardrail.yaml",
            "kind: Guardrail\nspec: {istio: {wrong: 1}}\n",
            true,
        ),
        ("a guardrail that forbids", "policies/guardrail.yaml", &kinds("Sidecar"), true),
        ("a guardrail above that forbids", "guardrail.yaml", &kinds("Sidecar"), true),
        ("a guardrail elsewhere", "policies/bank/guardrail.yaml", &kinds("Sidecar"), false),
        ("a guardrail above that is not YAML", "guardrail.yaml", "kind: [Guardrail\n", true),
        ("an application above", "b.yaml", &b, false),
    ];
    for (what, path, text, is_wrong) in cases {
        let (repository, before) = leaving(gone).await;
        repository.write(path, text).unwrap();
        assert_agree(what, &repository, before, is_wrong).await;
    }
    for (what, target, is_wrong) in
        [("a link to a file", "../elsewhere.yaml", true), ("a link to nothing", "nothing", true)]
    {
        let (repository, before) = leaving(gone).await;
        repository.write("elsewhere.yaml", &b).unwrap();
        symlink(target, repository.work().join("policies/b.yaml")).unwrap();
        assert_agree(what, &repository, before, is_wrong).await;
    }
}

async fn assert_agree(what: &str, repository: &Repository, before: InForce, is_wrong: bool) {
    repository.push("Add files").await.unwrap();
    let mut plans = Plans::of(repository, "policies", "", |_| ());
    let plan = plans.shop(repository).await.unwrap();
    let objects = plan.next.iter().flat_map(|next| next.artifact.objects().unwrap().keys());
    let planned: Names = objects.map(|(kind, name)| (format!("{kind:?}"), name)).collect();
    assert_eq!((planned, is_wrong), rendered(repository), "{what}: {plan:?}");

    // The owner of an application takes it away: that waits while the file of another one may not be read.
    plans.planner.forget();
    let known = [("shop".to_owned(), Ok(before))].into();
    let all = plans.all(repository, &known).await.unwrap();
    assert_eq!(!all["shop"].frozen.is_empty(), is_wrong, "{what}: {all:?}");
}

/// A repository where `a` stays and `z` leaves with the next commit; and what is in force before that.
async fn leaving(gone: &str) -> (Repository, InForce) {
    let repository = Repository::new().await.unwrap();
    for name in ["a", "z"] {
        repository.write(&format!("policies/{name}.yaml"), &application(name)).unwrap();
    }
    repository.push("Add two").await.unwrap();
    let plan = Plans::of(&repository, "policies", "", |_| ()).shop(&repository).await.unwrap();
    repository.write("policies/z.yaml", gone).unwrap();
    (repository, plan.next.unwrap())
}
