//! A commit or a file that a wrong clock has dated in the future: its durations wait, and a warning says so.

use std::{
    fs::{self, File},
    time::{Duration, SystemTime},
};

use harness::Repository;
use serde_json::{Value, json};

use crate::support::process::{Process, text};

const GUARDRAIL: &str = "kind: Guardrail\nspec: {requireExpiry: true, maxDurationSeconds: 300}\n";
const POLICY: &str = "metadata: {name: p}\nspec:\n  selector: {service: web, namespace: shop}\n  rules:\n    - fault: {percentage: 100, duration_seconds: 300, abort: {httpStatus: 503}}\n";
const WEB: &str = "namespace=shop&service=web";
const YEAR: Duration = Duration::from_secs(365 * 86_400);

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// The state of the policy and its warnings.
async fn told(hfi: &Process) -> (Value, Vec<String>) {
    let status = hfi.json("/v1/policies/status").await;
    let policy = &status["policies"][0];
    assert_eq!((&policy["name"], &status["rejected"]), (&json!("p"), &json!([])), "{status}");
    let warnings = policy["warnings"].as_array().unwrap().iter();
    let messages = warnings.map(|warning| warning["message"].as_str().unwrap().to_owned());
    (policy["state"].clone(), messages.collect())
}

async fn is_waiting(hfi: &Process) {
    let (state, warnings) = told(hfi).await;
    assert_eq!(state, "scheduled");
    assert!(matches!(&warnings[..], [warning] if warning.starts_with("is out of force: it counts from ")));
    assert!(policies::Snapshot::decode(&hfi.snapshot(WEB).await.body).unwrap().policies.is_empty());
    let logged = hfi.said("is out of force: it counts from ").expect("it is not logged");
    assert_eq!((&logged["file"], &logged["line"]), (&json!("p.yaml"), &json!(5)), "{logged}");
}

#[tokio::test]
async fn of_a_commit() {
    let repository = Repository::new().await.unwrap();
    repository.write("guard.yaml", GUARDRAIL).unwrap();
    repository.write("p.yaml", POLICY).unwrap();
    repository.git(&["add", "--all"]).await.unwrap();
    let now = SystemTime::now();
    repository.git_at(seconds(now + YEAR), &["commit", "--quiet", "--message", "Add p"]).await.unwrap();
    repository.git(&["push", "--quiet", "origin", "main"]).await.unwrap();
    let replica = || async {
        let bare = repository.bare();
        let hfi = Process::start(&[("HFI_REPO", text(&bare))]).await;
        hfi.until_ready(|_| true).await;
        hfi
    };
    let hfi = replica().await;
    is_waiting(&hfi).await;
    // A commit with the right date proves that the other one is older than it says.
    let revision = hfi.json("/v1/ready").await["revision"].clone();
    repository.write("unrelated.yaml", "").unwrap();
    repository.git(&["add", "--all"]).await.unwrap();
    repository.git_at(seconds(now), &["commit", "--quiet", "--message", "Go on"]).await.unwrap();
    repository.git(&["push", "--quiet", "origin", "main"]).await.unwrap();
    hfi.until_ready(|ready| ready["revision"] != revision).await;
    for replica in [hfi, replica().await] {
        let (state, warnings) = told(&replica).await;
        assert_eq!(state, "active");
        assert!(matches!(&warnings[..], [warning] if warning.contains("the time of a later commit")));
        let status = replica.json("/v1/policies/status").await;
        let ends = policies::Timestamp::parse(status["policies"][0]["endsAt"].as_str().unwrap()).unwrap();
        assert_eq!(ends.as_millis(), 1_000 * (seconds(now) + 300));
    }
}

#[tokio::test]
async fn of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("guard.yaml"), GUARDRAIL).unwrap();
    let path = folder.path().join("p.yaml");
    fs::write(&path, POLICY).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(SystemTime::now() + YEAR).unwrap();
    let hfi = Process::start(&[("HFI_DIR", text(folder.path()))]).await;
    hfi.until_ready(|_| true).await;
    is_waiting(&hfi).await;
    // Before the epoch there is no date: in doubt it is over.
    let revision = hfi.json("/v1/ready").await["revision"].clone();
    let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    File::options().write(true).open(&path).unwrap().set_modified(early).unwrap();
    hfi.until_ready(|ready| ready["revision"] != revision).await;
    assert_eq!(told(&hfi).await, (json!("expired"), Vec::new()));
}
