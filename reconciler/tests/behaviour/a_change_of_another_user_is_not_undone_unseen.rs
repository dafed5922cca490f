//! Two users change one policy at two replicas, and the second replica has not read the first change: the second user is
//! told of it, and undoes nothing.

use std::fs;

use harness::{GitHttp, Repository};
use reconciler::{assembly::WriteOptions, source::writing::Author};
use tokio::time::{Duration, sleep, timeout};

use crate::support::{
    NEVER, PATIENCE,
    front::Front,
    policy,
    writer::{commit_of, hook, over_http},
    writing::{Answer, Change, Replica, apply, content, delete},
};

/// The token of another user than alice.
const WILD: &str = "wild-0123456789abcdef";

/// Two replicas, neither of which reads what the other pushes. `here` was alone for some changes.
struct World {
    repository: Repository,
    there: Replica,
    here: Replica,
    _server: GitHttp,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl Fn(&mut WriteOptions)) -> Self {
        let (repository, server) = over_http().await;
        let both = format!("{}---\n{}", policy("ours", "web", 500), policy("beside", "web", 500));
        repository.write("ours.yaml", &both).unwrap();
        repository.push("Two policies in one file").await.unwrap();
        let url = server.url("policies.git");
        let there = Replica::with(&url, NEVER, &change).await;
        let here = Replica::with(&url, NEVER, &change).await;
        for status in [501, 502, 503] {
            here.apply("", &policy("ours", "web", status)).await.is(200, &["ours configured"]);
        }
        Self { repository, there, here, _server: server }
    }

    /// The pushes of `here` that others were faster than.
    async fn lost(&self) -> Option<f64> {
        self.here.server.metric("hfi_push_retries_total").await
    }

    /// The status of the policy `ours` in the branch.
    #[track_caller]
    fn has(&self, status: &str) {
        let content = content(&self.repository, "ours.yaml");
        assert!(content.contains(status), "{status}: {content}");
    }
}

fn ours(status: u16) -> Change<'static> {
    apply("", &policy("ours", "web", status))
}

fn by_wild(change: Change<'static>) -> Change<'static> {
    Change { token: WILD, ..change }
}

#[track_caller]
fn tells_of(answer: &Answer, change: &Answer, user: &str) {
    let commit = change.commit();
    answer.is_refused(409, &format!("the policy `ours` was changed meanwhile by commit {commit} by {user};"));
}

#[tokio::test]
async fn the_second_user_is_told_of_the_first_one_and_sees_its_change() {
    let world = World::new().await;
    let first = world.there.send(by_wild(ours(418))).await;
    first.is(200, &["ours configured"]);
    let second = world.here.send(ours(504)).await;
    tells_of(&second, &first, "wild");
    world.has("418");
    let is_seen = async {
        while !world.here.policy("ours").await.0.to_string().contains("418") {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, is_seen).await.expect("the sender cannot look at it here");
    world.here.send(ours(504)).await.is(200, &["ours configured"]);
    world.has("504");
}

#[tokio::test]
async fn a_user_goes_on_at_another_replica() {
    let world = World::new().await;
    world.there.send(ours(418)).await.is(200, &["ours configured"]);
    world.here.send(ours(504)).await.is(200, &["ours configured"]);
    assert_eq!(world.lost().await, Some(1.0), "the push alone told of it");
    world.has("504");
}

#[tokio::test]
async fn the_newest_change_counts() {
    let world = World::new().await;
    world.there.send(by_wild(ours(418))).await.is(200, &["ours configured"]);
    world.there.send(ours(419)).await.is(200, &["ours configured"]);
    world.here.send(ours(504)).await.is(200, &["ours configured"]);
    let world = World::new().await;
    world.there.send(ours(418)).await.is(200, &["ours configured"]);
    let newest = world.there.send(by_wild(ours(419))).await;
    tells_of(&world.here.send(ours(504)).await, &newest, "wild");
}

#[tokio::test]
async fn the_user_counts_where_all_commits_have_one_author() {
    let one_author =
        |writes: &mut WriteOptions| writes.settings.author = Some(Author::new("bot", "bot@x").unwrap());
    let world = World::with(one_author).await;
    let first = world.there.send(by_wild(ours(418))).await;
    tells_of(&world.here.send(ours(504)).await, &first, "wild");
    let world = World::with(one_author).await;
    world.there.send(ours(418)).await.is(200, &["ours configured"]);
    world.here.send(ours(504)).await.is(200, &["ours configured"]);
}

#[tokio::test]
async fn another_policy_in_the_same_file_is_no_conflict() {
    let world = World::new().await;
    let beside = by_wild(apply("", &policy("beside", "web", 418)));
    world.there.send(beside).await.is(200, &["beside configured"]);
    world.here.send(ours(504)).await.is(200, &["ours configured"]);
    assert_eq!(world.lost().await, Some(1.0), "the push alone told of it");
    world.has("504");
    world.has("418");
}

#[tokio::test]
async fn a_policy_that_was_moved_to_another_file_is_no_conflict() {
    let world = World::new().await;
    world.repository.git(&["pull", "--quiet", "origin", "main"]).await.unwrap();
    world.repository.git(&["mv", "ours.yaml", "moved.yaml"]).await.unwrap();
    world.repository.push("Move both").await.unwrap();
    // The last change of the policy itself is one of another user.
    world.here.send(by_wild(ours(504))).await.is(200, &["ours configured"]);
    assert_eq!(world.lost().await, Some(1.0), "the push alone told of it");
    let moved = content(&world.repository, "moved.yaml");
    assert!(moved.contains("504"), "{moved}");
}

#[tokio::test]
async fn a_commit_with_a_message_over_the_limit_counts_as_a_change_of_another_user() {
    let world = World::new().await;
    let git = async |arguments: &[&str]| world.repository.git(arguments).await.unwrap();
    git(&["pull", "--quiet", "origin", "main"]).await;
    let both = content(&world.repository, "ours.yaml");
    let theirs = both.replace("503", "418");
    world.repository.write("ours.yaml", &theirs).unwrap();
    let message = world.repository.folder().join("message");
    fs::write(&message, format!("Long\n\n{}", "m".repeat(1 << 20))).unwrap();
    git(&["commit", "--quiet", "--all", "--file", message.to_str().unwrap()]).await;
    let long = git(&["rev-parse", "HEAD"]).await;
    // The sender is the user of the next commit, which leaves the policy alone.
    world.repository.write("ours.yaml", &theirs.replace("500", "505")).unwrap();
    world.repository.push("Beside\n\nHfi-User: alice\nHfi-Request: 1").await.unwrap();
    let answer = world.here.send(ours(504)).await;
    answer.is_refused(409, &format!("the policy `ours` was changed meanwhile by commit {} by ", long.trim()));
    world.has("418");
}

#[tokio::test]
async fn a_delete_and_a_put_do_not_undo_each_other() {
    let world = World::new().await;
    let first = world.there.send(by_wild(delete("ours"))).await;
    first.is(200, &["ours deleted"]);
    tells_of(&world.here.send(ours(504)).await, &first, "wild");
    let world = World::new().await;
    let first = world.there.send(by_wild(ours(418))).await;
    tells_of(&world.here.send(delete("ours")).await, &first, "wild");
    world.has("418");
}

#[tokio::test]
async fn what_both_want_is_no_conflict() {
    let world = World::new().await;
    world.there.send(by_wild(ours(504))).await.is(200, &["ours configured"]);
    world.here.send(ours(504)).await.is(200, &["ours unchanged"]);
    let world = World::new().await;
    let first = world.there.send(by_wild(delete("ours"))).await;
    world.here.send(delete("ours")).await.is_refused(404, &format!("commit {} by wild", first.commit()));
}

#[tokio::test]
async fn a_dry_run_and_a_condition_are_judged_by_the_newest_state() {
    let world = World::new().await;
    world.there.send(by_wild(ours(418))).await.is(200, &["ours configured"]);
    let dry = apply("?dryRun=true", &policy("ours", "web", 504));
    world.here.send(dry).await.is(200, &["ours configured"]);
    let world = World::new().await;
    world.there.send(by_wild(ours(418))).await.is(200, &["ours configured"]);
    let mut known = ours(504);
    known.headers.push(("if-match", world.there.policy("ours").await.1));
    world.here.send(known).await.is(200, &["ours configured"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_whose_end_is_not_known_at_first_undoes_nothing() {
    let (repository, server) = over_http().await;
    let front = Front::start(&server, |seen, answer| {
        let is_push = seen.method == "POST" && seen.target.ends_with("git-receive-pack");
        let is_lost = is_push && answer.body.windows(9).any(|text| text == b"ng refs/h");
        if is_lost { Vec::new() } else { answer.usual() }
    })
    .await;
    let here = Replica::with(&front.repository(), NEVER, |_| {}).await;
    here.apply("", &policy("ours", "web", 501)).await.is(201, &["ours created"]);
    here.send(ours(502)).await.is(200, &["ours configured"]);
    repository.git(&["pull", "--quiet", "origin", "main"]).await.unwrap();
    repository.write("ours.yaml", &policy("ours", "web", 418)).unwrap();
    repository.git(&["commit", "--quiet", "--all", "--message", "By hand"]).await.unwrap();
    repository.git(&["push", "--quiet", "origin", "HEAD:side"]).await.unwrap();
    let main = commit_of(&repository, "main").await;
    // While the push is under way, somebody else's gets in.
    let others =
        format!("env -u GIT_QUARANTINE_PATH git update-ref refs/heads/main refs/heads/side {main} || true");
    hook(&repository, "pre-receive", &others);
    let answer = here.send(ours(504)).await;
    let side = commit_of(&repository, "side").await;
    answer.is_refused(409, &format!("the policy `ours` was changed meanwhile by commit {side} by "));
    assert_eq!(commit_of(&repository, "main").await, side);
}
