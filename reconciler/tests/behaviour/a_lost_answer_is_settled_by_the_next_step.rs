//! A change whose answer is lost, or is that of a proxy: what the command line advises never undoes it.

use crate::support::{
    command::{Ended, hfi},
    person::{World, is_told, prints},
    policy,
    way::way,
    writing::{CHECKOUT as A, content, git},
};

/// Runs a command on a way that loses the answers to changes.
async fn losing(world: &World, arguments: &[&str]) -> Ended {
    answered_by_the_way(world, b"", arguments).await
}

/// What a proxy answers that waits no longer for its server.
const TIMEOUT: &[u8] =
    b"HTTP/1.1 504 Gateway Timeout\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: 6\r\n\r\n<html>";

/// The same on a way that answers changes in place of the server.
async fn answered_by_the_way(world: &World, instead: &'static [u8], arguments: &[&str]) -> Ended {
    let url =
        way(
            &world.replica.server.url,
            async |sent, answer| {
                if sent.head.starts_with("GET ") { answer } else { instead.to_vec() }
            },
        );
    hfi(&[&["policy"], arguments, &["--server", &url.await]].concat(), &world.variables()).await
}

/// The command between backquotes of the next step.
fn advised(ended: &Ended) -> Vec<String> {
    let (_, step) = ended.stderr.split_once("\n  next: ").unwrap();
    let command = step.split('`').nth(1).unwrap();
    command.split(' ').skip(2).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_rollback_goes_back_once() {
    for instead in [&b""[..], TIMEOUT] {
        goes_back_once(instead).await;
    }
}

async fn goes_back_once(instead: &'static [u8]) {
    let world = World::new().await;
    let changed = world.write("a.yaml", &policy("a", "checkout", 500));
    prints(&world.apply(&changed, &[]).await, 0, "policy/a configured\n");
    let first = git(&world.repository, &["rev-parse", "main~1"]);
    let lost = answered_by_the_way(&world, instead, &["rollback", "a"]).await;
    is_told(&lost, 3, &["did not tell whether the change was made", first.trim()]);
    assert_eq!(content(&world.repository, "shop/a.yaml"), A, "it was made");
    let advised = advised(&lost);
    let advised: Vec<_> = advised.iter().map(String::as_str).collect();
    prints(&world.policy(&advised).await, 0, "policy/a unchanged\n");
    assert_eq!(content(&world.repository, "shop/a.yaml"), A);
}

#[tokio::test]
async fn what_is_deleted_already_is_no_error() {
    let world = World::new().await;
    let lost = losing(&world, &["delete", "a"]).await;
    is_told(&lost, 3, &["did not tell whether the change was made", "again with --ignore-not-found"]);
    prints(&world.policy(&["delete", "a", "--ignore-not-found"]).await, 0, "");
}

#[tokio::test]
async fn an_end_is_not_moved() {
    let world = World::new().await;
    let file = world.write("b.yaml", &policy("b", "cart", 503));
    let lost = losing(&world, &["apply", "-f", file.to_str().unwrap(), "--expires-in", "10m"]).await;
    is_told(&lost, 3, &["did not tell whether the change was made", "in the place of --expires-in"]);
    let written = content(&world.repository, "b.yaml");
    let (_, end) = lost.stderr.split_once("--expires-at ").unwrap();
    let end = end.split(' ').next().unwrap();
    assert!(written.contains(end), "{end}: {written}");
    let count = world.subjects().len();
    for _ in 0..2 {
        assert_eq!(world.apply(&file, &["--expires-at", end]).await.code, 0);
    }
    assert_eq!((content(&world.repository, "b.yaml"), world.subjects().len()), (written, count));
    let both = world.apply(&file, &["--expires-at", end, "--expires-in", "10m"]).await;
    is_told(&both, 2, &["cannot be used with"]);
    // What moves nothing is repeated as it is.
    let lost = losing(&world, &["apply", "-f", file.to_str().unwrap(), "--expires-at", end]).await;
    is_told(&lost, 3, &["\n  next: run the same command again: "]);
}
