//! `hfi policy rollback`, and `GET /v1/policies/{name}?all=true&commit=ID`.

use harness::GitHttp;
use serde_json::Value;

use crate::support::{
    client,
    command::hfi,
    person::{World, is_told, prints, tells},
    policy,
    way::way,
    writing::{CHECKOUT as A, Replica, apply, content, git, send},
};

/// The id of a commit of the branch.
fn commit(world: &World, name: &str) -> String {
    git(&world.repository, &["rev-parse", name]).trim().to_owned()
}

#[tokio::test]
async fn to_the_version_before_the_present_one() {
    let world = World::new().await;
    let alone = world.policy(&["rollback", "a"]).await;
    is_told(&alone, 1, &["`a` has no version before the present one\n  next: `hfi policy history a`"]);
    let first = commit(&world, "main");
    let changed = world.write("a.yaml", &policy("a", "checkout", 500));
    prints(&world.apply(&changed, &[]).await, 0, "policy/a configured\n");
    let other = world.write("b.yaml", &policy("b", "cart", 503));
    prints(&world.apply(&other, &[]).await, 0, "policy/b created\n");

    let dry = world.policy(&["rollback", "a", "--dry-run"]).await;
    prints(&dry, 0, "policy/a configured (dry run)\n");
    let back = world.policy(&["rollback", "a"]).await;
    prints(&back, 0, "policy/a configured\n");
    tells(
        &back,
        &[&format!("putting policy/a back as it was at commit {} (", &first[..12]), ": Add policies)\n"],
    );
    assert_eq!(content(&world.repository, "shop/a.yaml"), A, "with its comments");
    assert_eq!(world.subjects()[0], format!("Roll back a to {}", &first[..12]));
    assert!(content(&world.repository, "b.yaml").contains("name: b"), "nothing else goes back");

    // Back and forth.
    prints(&world.policy(&["rollback", "a", "-m", "Again"]).await, 0, "policy/a configured\n");
    assert!(content(&world.repository, "shop/a.yaml").contains("500"));
    assert_eq!(world.subjects()[0], "Again");
}

#[tokio::test]
async fn to_a_commit_of_the_branch() {
    let world = World::new().await;
    let first = commit(&world, "main");
    for status in [500, 501] {
        let changed = world.write("a.yaml", &policy("a", "checkout", status));
        prints(&world.apply(&changed, &[]).await, 0, "policy/a configured\n");
    }
    prints(&world.policy(&["rollback", "a", "--to", &first[..7]]).await, 0, "policy/a configured\n");
    assert_eq!(content(&world.repository, "shop/a.yaml"), A);
    prints(&world.policy(&["rollback", "a", "--to", &first]).await, 0, "policy/a unchanged\n");
    let begin = commit(&world, "main~4");
    is_told(&world.policy(&["rollback", "a", "--to", &begin]).await, 1, &["there was no valid policy `a`"]);
    for (to, code, reason) in [
        ("main", 2, "--to must be the id of a commit"),
        ("ffffffff", 2, "`ffffffff` is none of the commits that changed `a`"),
        (&"f".repeat(40), 1, "is none of the last 1,000 first-parent commits"),
    ] {
        let refused = world.policy(&["rollback", "a", "--to", to]).await;
        is_told(&refused, code, &[reason, "\n  next: `hfi policy history a`"]);
    }
    is_told(&world.policy(&["rollback", "nobody"]).await, 1, &["`nobody`"]);
}

#[tokio::test]
async fn what_was_deleted_comes_back() {
    let world = World::new().await;
    prints(&world.policy(&["delete", "a"]).await, 0, "policy/a deleted\n");
    let refused = world.policy(&["rollback", "a"]).await;
    is_told(
        &refused,
        1,
        &["there is no valid policy `a` now", "\n  next: if that is what you want, add --restart\n"],
    );
    let dry = world.policy(&["rollback", "a", "--restart", "--dry-run"]).await;
    prints(&dry, 0, "policy/a created (dry run)\n");
    let back = world.policy(&["rollback", "a", "--restart"]).await;
    prints(&back, 0, "policy/a created\n");
    tells(&back, &["putting policy/a back into the directory shop as it was at commit "]);
    assert_eq!(world.replica.server.names().await, ["a"]);
    assert!(content(&world.repository, "shop/a.yaml").contains("checkout"));
    // The version before is none.
    is_told(&world.policy(&["rollback", "a"]).await, 1, &["there was no valid policy `a` at commit"]);

    prints(&world.policy(&["delete", "a"]).await, 0, "policy/a deleted\n");
    let back = world.policy(&["rollback", "a", "--folder", "teams/shop", "--restart"]).await;
    prints(&back, 0, "policy/a created\n");
    assert!(content(&world.repository, "teams/shop/a.yaml").contains("checkout"));
}

#[tokio::test]
async fn what_is_not_valid_any_more_is_valid_again_where_it_stands() {
    let world = World::new().await;
    let first = commit(&world, "main");
    world.repository.write("shop/a.yaml", &A.replace("percentage: 100", "percentage: 101")).unwrap();
    world.repository.push("Break a").await.unwrap();
    // A change by HTTP has the server read the branch.
    let other = world.write("b.yaml", &policy("b", "cart", 503));
    prints(&world.apply(&other, &[]).await, 0, "policy/b created\n");
    let refused = world.policy(&["rollback", "a", "--to", &first]).await;
    is_told(&refused, 1, &["there is no valid policy `a` now"]);
    let back = world.policy(&["rollback", "a", "--to", &first, "--restart"]).await;
    assert_eq!(back.code, 0, "{back:?}");
    assert!(content(&world.repository, "shop/a.yaml").contains("percentage: 100"));
}

#[tokio::test]
async fn what_somebody_makes_anew_meanwhile_stays() {
    let world = World::new().await;
    prints(&world.policy(&["delete", "a"]).await, 0, "policy/a deleted\n");
    let url = world.replica.server.url.clone();
    let meanwhile = way(&world.replica.server.url, move |sent, answer| {
        let url = url.clone();
        async move {
            if sent.head.contains("/history ") {
                let new = send(&client(), &url, apply("", &policy("a", "checkout", 500))).await;
                new.unwrap().is(201, &["a created"]);
            }
            answer
        }
    });
    let back = ["policy", "rollback", "a", "--restart", "--server", &meanwhile.await];
    let refused = hfi(&back, &world.variables()).await;
    is_told(&refused, 1, &["there is a policy `a` already", "if this version is still the right one"]);
    assert!(content(&world.repository, "a.yaml").contains("500"));
}

#[tokio::test]
async fn the_history_of_a_replica_that_is_behind_leads_to_no_wrong_version() {
    let world = World::new().await;
    let apply = async |status| {
        let changed = world.write("a.yaml", &policy("a", "checkout", status));
        prints(&world.apply(&changed, &[]).await, 0, "policy/a configured\n");
    };
    apply(500).await;
    // What is on this machine is watched, and a server is asked when somebody says so.
    let git = GitHttp::start(world.repository.folder()).await.unwrap();
    let behind = Replica::of(&git.url("policies.git")).await;
    apply(501).await;
    let behind_url = behind.server.url.clone();
    let mixed = way(&world.replica.server.url, move |sent, answer| {
        let behind = behind_url.clone();
        async move { if sent.head.contains("/history ") { sent.to(&behind).await } else { answer } }
    });
    let back = ["policy", "rollback", "a", "--server", &mixed.await];
    let refused = hfi(&back, &world.variables()).await;
    is_told(
        &refused,
        1,
        &["the policy `a` is no longer as it was", "if this version is still the right one"],
    );
    assert!(content(&world.repository, "shop/a.yaml").contains("501"));
}

#[tokio::test]
async fn what_that_starts_is_wished_for() {
    let world = World::new().await;
    prints(&world.policy(&["suspend", "a"]).await, 0, "policy/a configured\n");
    let refused = world.policy(&["rollback", "a"]).await;
    is_told(&refused, 1, &["is suspended", "by alice", "\n  next: `restart=true` is the option --restart"]);
    assert!(world.replica.server.names().await.is_empty());
    prints(&world.policy(&["rollback", "a", "--restart"]).await, 0, "policy/a restarted\n");
    assert_eq!(content(&world.repository, "shop/a.yaml"), A);
}

#[tokio::test]
async fn a_policy_is_read_as_it_was_at_a_commit() {
    let world = World::new().await;
    let first = commit(&world, "main");
    let side = git(&world.repository, &["commit-tree", "main^{tree}", "-p", "main", "-m", "Elsewhere"]);
    let changed = world.write("a.yaml", &policy("a", "checkout", 500));
    prints(&world.apply(&changed, &[]).await, 0, "policy/a configured\n");
    let server = &world.replica.server;
    let at = async |query: &str| {
        let response = server.get(&format!("/v1/policies/a?{query}"), &[]).await;
        let status = response.status().as_u16();
        let folder = response.headers().get("x-hfi-folder").map(|folder| folder.to_str().unwrap().to_owned());
        assert_eq!(
            folder.as_deref(),
            (status == 200 && query.contains("commit")).then_some("shop"),
            "{query}"
        );
        let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        (status, body)
    };
    let (status, document) = at(&format!("all=true&commit={first}")).await;
    assert_eq!((status, &document["spec"]["rules"][0]["fault"]["abort"]["httpStatus"]), (200, &503.into()));
    assert_eq!(at(&format!("all=true&commit={}", commit(&world, "main"))).await, at("all=true").await);
    for (query, status, reason) in [
        (format!("all=true&commit={}", side.trim()), 404, "is none of the last 1,000"),
        (format!("all=true&commit={}", commit(&world, "main~2")), 404, "no valid policy `a` at commit"),
        (format!("commit={first}"), 400, "`commit` needs `all=true`"),
        ("all=true&commit=main".to_owned(), 400, "40 hex digits"),
    ] {
        let (got, problem) = at(&query).await;
        assert_eq!(got, status, "{query}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(reason), "{query}: {problem}");
    }
}
