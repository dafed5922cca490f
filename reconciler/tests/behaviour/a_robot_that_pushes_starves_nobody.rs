//! A robot such as Flux's ImageUpdateAutomation, which pushes again and again: writers get their turn, and the comments
//! by which the robot finds its fields stay.

use std::{sync::Arc, time::Duration};

use harness::Repository;
use reqwest::Method;
use tokio::{task::JoinSet, time::sleep};

use crate::support::{
    remote::SOON,
    writer::over_http,
    writing::{ALICE, Change, Replica, git},
};

const WRITERS: usize = 3;
const CHANGES: u32 = 4;
const MARKER: &str = r#"# {"$imagepolicy": "shop:web:tag"}"#;

/// A file with a policy that the robot changes, and one of each writer.
fn file() -> String {
    let policy = |name: &str| {
        format!(
            "metadata:\n  name: {name}\n  labels:\n    version: v0 {MARKER}\nspec:\n  selector: {{service: web, namespace: demo}}\n  \
             rules:\n  - fault: {{percentage: 1, delay_ms: 10}} # of the drill\n"
        )
    };
    let writers = (0..WRITERS).map(|writer| policy(&format!("w-{writer}")));
    [policy("image")].into_iter().chain(writers).collect::<Vec<_>>().join("---\n")
}

/// Sets the version of the first policy, as the robot does: by the line with the marker.
async fn bump(repository: &Repository, version: u32) {
    loop {
        repository.git(&["fetch", "--quiet", "origin", "main"]).await.unwrap();
        repository.git(&["reset", "--quiet", "--hard", "FETCH_HEAD"]).await.unwrap();
        let text = std::fs::read_to_string(repository.work().join("all.yaml")).unwrap();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let line = lines.iter_mut().find(|line| line.contains(MARKER)).expect("the marker is there");
        *line = format!("    version: v{version} {MARKER}");
        repository.write("all.yaml", &(lines.join("\n") + "\n")).unwrap();
        repository.git(&["commit", "--quiet", "--all", "--message", "Bump"]).await.unwrap();
        if repository.git(&["push", "--quiet", "origin", "HEAD:main"]).await.is_ok() {
            return;
        }
    }
}

/// Changes the delay of a policy as `kubectl edit` would: reads it, and puts it back on condition that it is the same.
async fn change(replica: &Replica, name: &str, delay: u32) {
    let (mut policy, tag) = replica.policy(name).await;
    policy["spec"]["rules"][0]["fault"]["delay_ms"] = delay.into();
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("if-match", tag),
        ("prefer", "wait=20".to_owned()),
    ];
    let (path, body) = (format!("/v1/policies/{name}"), policy.to_string());
    let answer = replica.send(Change { method: Method::PUT, path, token: ALICE, headers, body }).await;
    answer.is(200, &[&format!("{name} configured")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_get_their_turn_and_the_markers_stay() {
    let (repository, server) = over_http().await;
    repository.write("all.yaml", &file()).unwrap();
    repository.push("Add all").await.unwrap();
    let replica = Replica::with(&server.url("policies.git"), SOON, |_| {}).await;
    let replica = Arc::new(replica);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let replica = Arc::clone(&replica);
        writers.spawn(async move {
            for round in 1..=CHANGES {
                change(&replica, &format!("w-{writer}"), 10 + round).await;
            }
        });
    }
    let robot = async {
        let mut version = 0;
        loop {
            version += 1;
            bump(&repository, version).await;
            sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::select! {
        _ = writers.join_all() => {}
        () = robot => {}
    }
    let bumps = git(&repository, &["log", "--format=%s", "main"]).matches("Bump").count();
    assert!(bumps >= 1, "the robot pushed meanwhile");
    for commit in git(&repository, &["rev-list", "--max-count=200", "main", "--", "all.yaml"]).lines() {
        let text = git(&repository, &["show", &format!("{commit}:all.yaml")]);
        assert_eq!(text.matches(MARKER).count(), 1 + WRITERS, "{commit}: {text}");
        assert_eq!(text.matches("# of the drill").count(), 1 + WRITERS, "{commit}: {text}");
    }
    let text = git(&repository, &["show", "main:all.yaml"]);
    assert_eq!(text.matches(&format!("delay_ms: {}", 10 + CHANGES)).count(), WRITERS, "{text}");
}
