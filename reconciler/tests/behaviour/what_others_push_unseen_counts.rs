//! A replica that was alone takes the branch to be as it left it. What others push meanwhile counts all the same, also
//! where nothing tells the replica of it.

use harness::{GitHttp, Repository};

use crate::support::{
    NEVER, policy,
    writer::{commit_of, over_http},
    writing::{Change, Replica, apply, content},
};

/// A replica that was alone for some changes of the policy `ours`, and the repository that it is not told of.
struct World {
    repository: Repository,
    replica: Replica,
    _server: GitHttp,
}

impl World {
    async fn new() -> Self {
        let (repository, server) = over_http().await;
        let replica = Replica::with(&server.url("policies.git"), NEVER, |_| {}).await;
        for (status, result) in [(501, "ours created"), (502, "ours configured"), (503, "ours configured")] {
            let answer = replica.apply("", &policy("ours", "web", status)).await;
            assert_eq!(answer.results(), [result]);
        }
        Self { repository, replica, _server: server }
    }

    /// Pushes a policy by hand.
    async fn push(&self, name: &str, status: u16) {
        self.repository.git(&["pull", "--quiet", "--rebase", "origin", "main"]).await.unwrap();
        self.repository.write(&format!("{name}.yaml"), &policy(name, "web", status)).unwrap();
        self.repository.push("By hand").await.unwrap();
    }

    /// The pushes that others were faster than.
    async fn lost(&self) -> Option<f64> {
        self.replica.server.metric("hfi_push_retries_total").await
    }
}

fn on_condition(header: &'static str, value: &str, name: &str, status: u16) -> Change<'static> {
    let mut change = apply("", &policy(name, "web", status));
    change.headers.push((header, value.to_owned()));
    change
}

#[tokio::test]
async fn a_change_is_made_on_top_of_it() {
    let world = World::new().await;
    world.push("theirs", 418).await;
    world.replica.apply("", &policy("ours", "web", 504)).await.is(200, &["ours configured"]);
    assert_eq!(world.lost().await, Some(1.0), "the push alone told of it");
    assert!(content(&world.repository, "theirs.yaml").contains("418"));
    assert!(content(&world.repository, "ours.yaml").contains("504"));
    world.push("theirs", 419).await;
    world.replica.apply("", &policy("ours", "web", 505)).await.is(200, &["ours configured"]);
    assert_eq!(world.lost().await, Some(1.0), "it is no longer alone, and looks first");
}

#[tokio::test]
async fn a_change_of_the_same_policy_is_not_undone() {
    // The second one would have been no change.
    for status in [504, 503] {
        let world = World::new().await;
        world.push("ours", 418).await;
        let commit = commit_of(&world.repository, "main").await;
        let refused = world.replica.apply("", &policy("ours", "web", status)).await;
        refused.is_refused(409, &format!("the policy `ours` was changed meanwhile by commit {commit} by "));
        assert!(content(&world.repository, "ours.yaml").contains("418"));
        world.replica.apply("", &policy("ours", "web", status)).await.is(200, &["ours configured"]);
    }
}

#[tokio::test]
async fn what_was_not_there_is_found() {
    let world = World::new().await;
    world.push("theirs", 418).await;
    world.replica.delete("theirs").await.is(200, &["theirs deleted"]);
}

#[tokio::test]
async fn a_condition_is_judged_by_it() {
    let world = World::new().await;
    let (_, etag) = world.replica.policy("ours").await;
    world.push("ours", 418).await;
    let stale = world.replica.send(on_condition("if-match", &etag, "ours", 504)).await;
    stale.is_refused(412, "the last change of it is commit");
    let world = World::new().await;
    world.push("theirs", 418).await;
    let present = world.replica.send(on_condition("if-none-match", "*", "theirs", 504)).await;
    assert_eq!(present.status, 412, "{present:?}");
    assert!(content(&world.repository, "theirs.yaml").contains("418"));
}
