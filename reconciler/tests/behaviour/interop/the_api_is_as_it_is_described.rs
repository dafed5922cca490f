//! The whole API against its OpenAPI document, by schemathesis: requests as the document has them, and others.

use harness::paths;
use tokio::process::Command;

use crate::support::writing::{CHECKOUT, Replica, git, path, repository};

/// The token of one who may do everything, resume included.
const TOKEN: &str = "wild-0123456789abcdef";

/// The exceptions, with their reasons.
const SETTINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/behaviour/interop/schemathesis.toml");

#[tokio::test]
async fn requests_of_every_form_get_answers_that_are_described() {
    let repository = repository(&[("a.yaml", CHECKOUT)]).await;
    let replica = Replica::of(&path(&repository)).await;
    let report = tempfile::tempdir().unwrap();
    let mut schemathesis = Command::new(paths::schemathesis().unwrap());
    schemathesis
        .current_dir(report.path())
        .args(["--config-file", SETTINGS, "run", &format!("{}/openapi.json", replica.server.url)])
        .args(["--header", &format!("Authorization: Bearer {TOKEN}"), "--no-color", "--seed", "1"])
        // A stream of events does not end.
        .args(["--exclude-path", "/v1/events", "--max-examples", "6", "--request-timeout", "20"])
        .kill_on_drop(true);
    let output = schemathesis.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("generated") && !said.contains("0 generated"), "{said}");
    git(&repository, &["fsck", "--strict", "--no-dangling"]);
}
