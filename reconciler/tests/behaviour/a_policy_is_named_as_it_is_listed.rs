//! What `hfi policy list -o name` prints is a name for every command; and what is no name of a policy that is nowhere is
//! never taken as deleted.

use crate::support::{
    command::hfi,
    person::{World, is_told, prints},
    policy,
    writing::{git, repository},
};

#[tokio::test]
async fn by_every_command() {
    let world = World::new().await;
    let listed = world.policy(&["list", "-o", "name"]).await;
    prints(&listed, 0, "policy/a\n");
    let name = listed.stdout.trim();
    for command in ["get", "describe", "history"] {
        assert_eq!(world.policy(&[command, name]).await.code, 0, "{command}");
    }
    prints(&world.policy(&["suspend", name]).await, 0, "policy/a configured\n");
    prints(&world.policy(&["resume", name]).await, 0, "policy/a restarted\n");
    prints(&world.policy(&["rollback", name]).await, 0, "policy/a configured\n");
    prints(&world.policy(&["delete", name, "--ignore-not-found"]).await, 0, "policy/a deleted\n");
    assert_eq!(world.subjects().len(), 5);
}

#[tokio::test]
async fn what_is_no_name_is_wrong_use() {
    let world = World::new().await;
    for name in ["filter/a", "policy/policy/a", "../status", "A"] {
        for command in ["get", "describe", "history", "suspend", "resume", "rollback"] {
            is_told(&world.policy(&[command, name]).await, 2, &["RFC 1123 label"]);
        }
        is_told(&world.policy(&["delete", name, "--ignore-not-found"]).await, 2, &["RFC 1123 label"]);
    }
}

#[tokio::test]
async fn one_that_stands_elsewhere_is_not_taken_as_deleted() {
    let world = World::new().await;
    let missed = world.policy(&["delete", "a", "--file", "shop/a.yml", "--ignore-not-found"]).await;
    is_told(&missed, 1, &["there is no policy `a` in `shop/a.yml`"]);
    let nowhere = world.policy(&["delete", "b", "--file", "shop/a.yml", "--ignore-not-found"]).await;
    prints(&nowhere, 0, "");
    // Not even hfi is at this address.
    let server = format!("{}/wrong-prefix", world.replica.server.url);
    let elsewhere = ["policy", "delete", "a", "--ignore-not-found", "--server", &server];
    let missed = hfi(&elsewhere, &world.variables()).await;
    is_told(&missed, 1, &["there is nothing at /wrong-prefix/v1/policies/a"]);
    assert_eq!(world.replica.server.names().await, ["a"]);
}

#[tokio::test]
async fn with_the_last_commits_that_changed_it() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 500))]).await;
    let world = World::of(repository).await;
    for status in [501, 502, 503, 504] {
        let file = world.write("a.yaml", &policy("a", "checkout", status));
        assert_eq!(world.apply(&file, &["--message", &format!("Now {status}")]).await.code, 0);
    }
    let described = world.policy(&["describe", "a"]).await;
    let (_, commits) = described.stdout.split_once("\nCommits:\n").unwrap();
    let (commits, _) = commits.split_once("\nWarnings:").unwrap();
    let lines: Vec<_> = commits.lines().collect();
    assert_eq!(lines.len(), 3, "{described:?}");
    let newest = git(&world.repository, &["rev-parse", "main"]);
    assert!(lines[0].ends_with(&format!(" ago by alice: Now 504 ({})", &newest[..12])), "{commits}");
    assert!(lines[2].contains(": Now 502 ("), "{commits}");
}
