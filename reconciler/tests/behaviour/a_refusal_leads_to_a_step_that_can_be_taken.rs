//! What a server refuses is told with its policy, and the next step is one that the command takes.

use std::fs;

use crate::support::{
    command::hfi,
    person::{World, is_told, prints},
    policy,
    writing::{content, repository},
};

#[tokio::test]
async fn to_write_a_document_anew_that_cannot_be_edited() {
    let directive = format!("%YAML 1.2\n---\n{}", policy("a", "checkout", 503));
    let repository = repository(&[("shop/a.yaml", &directive)]).await;
    let world = World::of(repository).await;
    is_told(&world.policy(&["suspend", "a"]).await, 1, &["shop/a.yaml:1:", "is the option --rewrite"]);
    prints(&world.policy(&["suspend", "a", "--rewrite"]).await, 0, "policy/a configured\n");
    assert!(content(&world.repository, "shop/a.yaml").contains("suspend: true"));
}

#[tokio::test]
async fn of_one_policy_among_many() {
    let world = World::new().await;
    world.write("tree/1.yaml", &policy("b", "cart", 503));
    world.write("tree/2.yaml", "# All of us\nkind: Guardrail\nspec: {maxPercentage: 50}\n");
    let tree = world.files.path().join("tree");
    let told = ["no token may write a `Guardrail`, as in line ", "\n  next: commit this document with git"];
    is_told(&world.apply(&tree, &[]).await, 1, &told);

    let token = world.write("token", "shop-0123456789abcdef");
    fs::write(tree.join("2.yaml"), policy("c", "cart", 503)).unwrap();
    fs::write(tree.join("1.yaml"), policy("b", "cart", 503).replace("demo", "shop")).unwrap();
    let apply = ["policy", "apply", "-f", tree.to_str().unwrap(), "--token-file", token.to_str().unwrap()];
    let told =
        ["policy `c`: `shop` has no right to the namespace `demo`", "\n  next: use a token with this right"];
    is_told(&hfi(&apply, &world.variables()).await, 1, &told);
    assert_eq!(world.subjects().len(), 1);
}
