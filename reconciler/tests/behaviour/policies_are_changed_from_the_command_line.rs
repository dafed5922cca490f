//! `hfi policy apply`, `delete`, `history`, `suspend` and `resume`: each change is a commit of the repository.

use std::{fs, path::Path};

use crate::support::{
    command::{hfi, hfi_reading},
    person::{World, is_told, prints},
    policy,
    writing::{CHECKOUT as A, content, git},
};

#[tokio::test]
async fn files_are_applied_as_one_commit() {
    let world = World::new().await;
    let changed = world.write("a.yaml", &policy("a", "checkout", 500));
    let new = world.write("b.yaml", &policy("b", "cart", 503));
    let both = ["-f", new.to_str().unwrap()];

    let dry = world.apply(&changed, &[&both[..], &["--dry-run"]].concat()).await;
    prints(&dry, 0, "policy/a configured (dry run)\npolicy/b created (dry run)\n");
    assert_eq!(world.subjects(), ["Add policies"]);

    let applied = world.apply(&changed, &[&both[..], &["--message", "Game day"]].concat()).await;
    prints(&applied, 0, "policy/a configured\npolicy/b created\n");
    assert_eq!(world.subjects(), ["Game day", "Add policies"]);
    let text = content(&world.repository, "shop/a.yaml");
    assert!(text.contains("# here") && text.contains("httpStatus: 500"), "{text}");
    assert!(world.replica.server.names().await.contains(&"b".to_owned()), "it is in force");

    prints(&world.apply(&changed, &both).await, 0, "policy/a unchanged\npolicy/b unchanged\n");
    let named = world.apply(&changed, &["-o", "name"]).await;
    prints(&named, 0, "policy/a\n");
    let json = world.apply(&changed, &["-o", "json"]).await;
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["policies"][0]["result"], "unchanged");
    assert_eq!(world.subjects().len(), 2, "what is the same makes no commit");
}

#[tokio::test]
async fn what_get_prints_is_applied_from_stdin() {
    let world = World::new().await;
    let printed = world.policy(&["get", "-o", "json"]).await.stdout;
    let more = printed.replace("503", "504");
    let variables = world.variables();
    for (text, told) in [(&printed, "policy/a unchanged\n"), (&more, "policy/a configured\n")] {
        prints(&hfi_reading(&["policy", "apply", "-f", "-"], &variables, text).await, 0, told);
    }
}

#[tokio::test]
async fn new_policies_keep_their_place_below_a_directory() {
    let world = World::new().await;
    world.write("tree/shop/a.yaml", &policy("a", "checkout", 501));
    world.write("tree/teams/cart/b.yaml", &policy("b", "cart", 503));
    let tree = world.files.path().join("tree");
    prints(&world.apply(&tree, &["--folder", "x"]).await, 0, "policy/a configured\npolicy/b created\n");
    assert!(content(&world.repository, "x/teams/cart/b.yaml").contains("name: b"));
    assert!(content(&world.repository, "shop/a.yaml").contains("501"), "it stays where it is");

    world.write("tree/shop/c.yaml", "%YAML 1.2\n---\nmetadata: {name: c}\nspec: {selector: {service: web, namespace: demo}, rules: [{fault: {percentage: 1, delay_ms: 5}}]}\n");
    world.write("tree/d.yaml", &policy("d", "web2", 503));
    world.write("tree/teams/cart/b.yaml", &policy("b", "cart", 504));
    let several = world.apply(&tree, &[]).await;
    prints(&several, 0, "policy/d created\npolicy/a unchanged\npolicy/c created\npolicy/b configured\n");
    assert_eq!(world.subjects().len(), 3, "one commit for all of it");
    assert!(content(&world.repository, "d.yaml").contains("name: d"));
    assert!(content(&world.repository, "shop/c.yaml").contains("name: c"));
    assert!(content(&world.repository, "x/teams/cart/b.yaml").contains("504"), "it stays where it is");
}

#[tokio::test]
async fn a_directory_that_cannot_be_is_told() {
    let world = World::new().await;
    world.write("tree/a/b.yaml", &policy("b", "cart", 503));
    let bad = world.write("tree/c.yaml", "metadata: {name: c}\nspec: {rules: [{fault: {percntage: 5}}]}\n");
    let tree = world.files.path().join("tree");
    let refused = world.apply(&tree, &[]).await;
    is_told(&refused, 1, &["c.yaml:2:", "did you mean `percentage`?"]);
    assert!(!refused.stderr.contains("b.yaml"), "{refused:?}");
    fs::remove_file(bad).unwrap();
    let refused = world.apply(&tree, &["--folder", ".git"]).await;
    is_told(&refused, 2, &["`folder` must be a directory"]);
    let long = format!("tree/{}/d.yaml", ["x"; 31].join("/"));
    world.write(&long, &policy("d", "web", 503));
    let refused = world.apply(&tree, &[]).await;
    is_told(&refused, 1, &["the directories of new policies: folders.x/", "must be a directory below"]);
    assert_eq!(world.subjects().len(), 1);
}

#[tokio::test]
async fn a_mistake_is_told_at_its_place_in_its_file() {
    let world = World::new().await;
    let good = world.write("1.yaml", &policy("b", "cart", 503));
    let bad = world.write("2.yaml", "# A comment\nmetadata: {name: c}\nspec:\n  selector: {namespace: demo}\n  rules: [{fault: {percntage: 5}}]\n");
    let refused = world.apply(&good, &["-f", bad.to_str().unwrap()]).await;
    is_told(&refused, 1, &["2.yaml:5:", "did you mean `percentage`?", "\n  next: "]);
    assert!(!refused.stderr.contains("1.yaml"), "{refused:?}");
    assert_eq!(world.subjects().len(), 1, "one that is refused refuses all");
}

#[tokio::test]
async fn what_gets_a_directory_or_an_end_is_understood_before_anything_is_sent() {
    let world = World::new().await;
    let good = world.write("tree/a.yaml", &policy("b", "cart", 503));
    // A newer server may know the field, and take the document that cannot be read for none.
    for (text, line) in [
        ("metadata: {name: c}\nspec:\n  rules: [{fault: {percentage: 5, delay_ms: 5, newer: 1}}]\n", 3),
        ("metadata: {name: c}\nspec: [\n", 2),
        (
            "metadata: {name: c}\nspec: {rules: [{fault: {percentage: 1, delay_ms: 5}}]}\n---\nkind: Newer\n",
            4,
        ),
    ] {
        let bad = world.write("tree/shop/c.yaml", text);
        let told = format!("c.yaml:{line}:");
        let tree = world.files.path().join("tree");
        let good = ["-f", good.to_str().unwrap()];
        for (path, more) in [
            (&tree, &[][..]),
            (&bad, &["--expires-in", "10m"]),
            (&bad, &["--expires-at", "2100-01-01T00:00:00Z"]),
            (&bad, &[&good[..], &["--expires-in", "10m"]].concat()),
        ] {
            // Nobody listens there: whoever asks ends with 3.
            let refused = world.apply(path, &[more, &["--server", "http://127.0.0.1:1"]].concat()).await;
            is_told(&refused, 2, &[&told, "\n  next: correct these files; nothing was sent"]);
            assert!(!refused.stderr.contains("a.yaml"), "{refused:?}");
        }
        // As it is, the server judges it.
        is_told(&world.apply(&bad, &["--server", "http://127.0.0.1:1"]).await, 3, &["cannot reach"]);
    }
    let list = world.write("list.json", "[\n  {\"metadata\": {\"name\": \"c\"}, \"spec\": {}}]");
    is_told(&world.apply(&list, &["--expires-in", "10m"]).await, 2, &["list.json:2:"]);
    assert_eq!(world.subjects().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_done_ends_with_its_exit_code() {
    let world = World::new().await;
    let file = world.write("a.yaml", &policy("a", "checkout", 500));
    is_told(&world.apply(Path::new("/nowhere"), &[]).await, 2, &["cannot read /nowhere"]);
    is_told(&world.apply(&file, &["--message", " "]).await, 2, &["`message`"]);
    let wild = world
        .write("w.yaml", "metadata: {name: w}\nspec: {rules: [{fault: {percentage: 1, delay_ms: 5}}]}\n");
    is_told(&world.apply(&wild, &[]).await, 1, &["w.yaml:"]);
    let nobody = &["policy", "apply", "-f", file.to_str().unwrap(), "--server", &world.replica.server.url];
    is_told(&hfi(nobody, &[]).await, 1, &["--token-file"]);
    let nothing = ["policy", "apply", "-f", file.to_str().unwrap(), "--server", "http://127.0.0.1:1"];
    is_told(&hfi(&nothing, &[]).await, 3, &["cannot reach http://127.0.0.1:1"]);
    assert_eq!(world.subjects().len(), 1);
}

#[tokio::test]
async fn a_policy_is_deleted_once() {
    let world = World::new().await;
    prints(&world.policy(&["delete", "a", "--dry-run"]).await, 0, "policy/a deleted (dry run)\n");
    prints(&world.policy(&["delete", "a"]).await, 0, "policy/a deleted\n");
    assert_eq!(world.subjects().len(), 2);
    is_told(&world.policy(&["delete", "a"]).await, 1, &["`a`"]);
    prints(&world.policy(&["delete", "a", "--ignore-not-found"]).await, 0, "");
    assert!(world.replica.server.names().await.is_empty());
}

#[tokio::test]
async fn a_policy_is_suspended_and_resumed_and_has_a_history() {
    let world = World::new().await;
    prints(&world.policy(&["suspend", "a"]).await, 0, "policy/a configured\n");
    assert!(world.replica.server.names().await.is_empty(), "it is out of force");
    let changed = git(&world.repository, &["diff", "--numstat", "main~1", "main"]);
    assert_eq!(changed.trim(), "1\t0\tshop/a.yaml", "nothing else is written");
    prints(&world.policy(&["suspend", "a"]).await, 0, "policy/a unchanged\n");

    let file = world.write("a.yaml", A);
    is_told(&world.apply(&file, &[]).await, 1, &["restart=true", "--restart"]);
    prints(&world.policy(&["resume", "a"]).await, 0, "policy/a restarted\n");
    assert_eq!(world.replica.server.names().await, ["a"]);
    assert_eq!(content(&world.repository, "shop/a.yaml"), A);
    assert_eq!(world.subjects(), ["Resume a", "Suspend a", "Add policies"]);

    let history = world.policy(&["history", "a"]).await;
    let lines: Vec<_> = history.stdout.lines().collect();
    assert_eq!((history.code, lines.len()), (0, 4), "{history:?}");
    assert!(lines[0].starts_with("COMMIT ") && lines[1].ends_with(" alice   Resume a"), "{history:?}");
    let newest = git(&world.repository, &["rev-parse", "main"]);
    assert_eq!(
        world.policy(&["history", "a", "-o", "name"]).await.stdout.lines().next(),
        Some(newest.trim())
    );
    is_told(&world.policy(&["history", "nobody"]).await, 1, &["`nobody`"]);
    is_told(&world.policy(&["suspend", "nobody"]).await, 1, &["`nobody`"]);
}
