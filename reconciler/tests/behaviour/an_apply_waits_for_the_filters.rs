//! `hfi policy apply --wait`, and `--expires-in`.

use std::time::{SystemTime, UNIX_EPOCH};

use policies::Timestamp;
use reconciler::api::time::Time;

use crate::support::{
    command::{hfi_at_a_terminal, hfi_interrupted},
    filter::{self, Filter},
    person::{World, prints, tells},
    policy,
    writing::{content, git},
};

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(since.as_millis().try_into().unwrap())
}

fn node(name: &str) -> String {
    filter::node("demo", name)
}

#[tokio::test]
async fn until_every_filter_that_it_reaches_runs_it() {
    let world = World::new().await;
    let file = world.write("b.yaml", &policy("b", "cart", 503));
    let alone = world.apply(&file, &["--wait=1s"]).await;
    assert_eq!(alone.stdout, "policy/b created\n", "the change is made: {alone:?}");
    prints(&alone, 1, "policy/b created\n");
    tells(&alone, &["error: policy/b: no filter polls for it after 1s\n", "\n  next: "]);

    let url = &world.replica.server.url;
    let _filters = ["cart-1", "cart-2"].map(|name| Filter::start(url, "demo", "cart", name));
    let _other = Filter::start(url, "demo", "web", "web-1");
    let changed = world.write("b.yaml", &policy("b", "cart", 504));
    let waited = world.apply(&changed, &["--wait=2m"]).await;
    prints(&waited, 0, "policy/b configured\n");
    assert_eq!(waited.stderr, "policy/b runs in 2 filters that poll this replica\n");
    let json = world.apply(&changed, &["--wait", "-o", "json"]).await;
    assert_eq!(json.code, 0, "{json:?}");
    assert!(serde_json::from_str::<serde_json::Value>(&json.stdout).is_ok(), "{json:?}");

    // One that has polled and not come back.
    world.replica.server.snapshot("namespace=demo&service=cart", &[("x-hfi-node", &node("cart-3"))]).await;
    let changed = world.write("b.yaml", &policy("b", "cart", 500));
    let waited = world.apply(&changed, &["--wait=1s"]).await;
    let told = format!("error: policy/b: after 1s, 1 of 3 filters do not run it: {}\n", node("cart-3"));
    prints(&waited, 1, "policy/b configured\n");
    tells(&waited, &[&told, "\n  next: `hfi filters`"]);
}

#[tokio::test]
async fn what_is_not_in_force_is_not_waited_for() {
    let world = World::new().await;
    let later = policy("b", "cart", 503).replace("spec: {", "spec: {startsAt: 2099-01-01T00:00:00Z, ");
    let later = world.write("b.yaml", &later);
    let scheduled = world.apply(&later, &["--wait"]).await;
    prints(&scheduled, 0, "policy/b created\n");
    assert_eq!(scheduled.stderr, "policy/b is scheduled: it starts at 2099-01-01T00:00:00Z\n");

    let off = world.write("c.yaml", &policy("c", "cart", 503).replace("spec: {", "spec: {suspend: true, "));
    let suspended = world.apply(&off, &["--wait"]).await;
    assert_eq!(
        (suspended.code, suspended.stderr.as_str()),
        (0, "policy/c is suspended at 0 filters that poll this replica\n")
    );

    let over = policy("d", "cart", 503).replace("spec: {", "spec: {expiresAt: 2020-01-01T00:00:00Z, ");
    let over = world.write("d.yaml", &over);
    let ended = world.apply(&over, &["--wait"]).await;
    prints(&ended, 1, "policy/d created\n");
    tells(&ended, &["error: policy/d: it has ended\n  next: "]);

    let both = world.apply(&over, &["--wait", "--dry-run"]).await;
    assert_eq!(both.code, 2, "{both:?}");
    for bad in ["--wait=0s", "--wait=1", "--wait=soon", "--expires-in=0s", "--expires-in=400days"] {
        assert_eq!(world.apply(&over, &[bad]).await.code, 2, "{bad}");
    }
}

#[tokio::test]
async fn an_interruption_says_that_the_commit_stands() {
    let world = World::new().await;
    let file = world.write("b.yaml", &policy("b", "cart", 503));
    let apply = ["policy", "apply", "-f", file.to_str().unwrap(), "--wait=10m"];
    let ended = hfi_interrupted(&apply, &world.variables()).await;
    let commit = git(&world.repository, &["rev-parse", "main"]);
    let told = format!("error: interrupted; the change stands, as commit {}\n  next: ", commit.trim());
    prints(&ended, 1, "policy/b created\n");
    tells(&ended, &[&told]);
    assert_eq!(content(&world.repository, "b.yaml").matches("503").count(), 1);
}

#[tokio::test]
async fn a_terminal_shows_how_far_it_is() {
    let world = World::new().await;
    let file = world.write("b.yaml", &policy("b", "cart", 503));
    let apply = ["policy", "apply", "-f", file.to_str().unwrap(), "--wait=1s"];
    let shown = hfi_at_a_terminal(&apply, &world.variables()).await;
    assert!(shown.contains("[--------------------] 0 of 0 filters run it, 0 s"), "{shown:?}");
    assert!(shown.contains("\u{1b}[Kerror: policy/b: no filter"), "the line is cleared: {shown:?}");
}

#[tokio::test]
async fn policies_end_when_they_are_to() {
    let world = World::new().await;
    let two = format!("# first\n{}---\n{}", policy("b", "cart", 503), policy("c", "web", 503));
    let file = world.write("b.yaml", &two);
    let applied = world.apply(&file, &["--expires-in", "10m"]).await;
    prints(&applied, 0, "policy/b created\npolicy/c created\n");
    let status = world.replica.server.json("/v1/policies/status").await;
    for name in ["b", "c"] {
        let known = status["policies"].as_array().unwrap().iter().find(|policy| policy["name"] == name);
        let Time(end) = serde_json::from_value(known.unwrap()["endsAt"].clone()).unwrap();
        let left = end.millis_since(now());
        assert!((500_000..=600_000).contains(&left), "{left}");
    }
    assert!(std::fs::read_to_string(&file).unwrap() == two, "the files of the user stay");

    // A mistake is told at the line of the file, not of what was sent.
    let wild = "metadata: {name: w}\nspec:\n  rules: [{fault: {percentage: 1, delay_ms: 5}}]\n";
    let first = wild.replace(": w", ": v").replace("  rules", "  selector: {namespace: demo}\n  rules");
    let bad = world.write("w.yaml", &format!("{first}---\n{wild}"));
    let refused = world.apply(&bad, &["--expires-in", "1h"]).await;
    prints(&refused, 1, "");
    tells(&refused, &["w.yaml:8:3: spec.selector"]);
}
