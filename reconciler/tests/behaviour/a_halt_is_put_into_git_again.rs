//! A halt that was pushed and is not read is put into Git again, unless somebody has removed it there.

use std::{fs, process::Command};

use tempfile::TempDir;
use tokio::time::{Duration, sleep, timeout};

use crate::support::{
    PATIENCE,
    halting::{RESUMES, post},
    held_pushes::until,
    process::{Process, text},
    replicas,
    writing::{CHECKOUT, content, git, path, process, repository},
};

/// What a process leaves that is killed directly after it has pushed the halt `h1` in this commit.
fn stored(directory: &TempDir, commit: &str) -> String {
    let state = directory.path().join("state");
    fs::create_dir(&state).unwrap();
    let halt = r#"{"since": "2026-01-01T00:00:00Z", "id": "h1", "by": "alice", "reason": "r"}"#;
    let ledger = format!(r#"{{"halts": {{"h1": {halt}}}, "ended": {{}}}}"#);
    let in_git = format!(r#"{{"commits": {{"h1": "{commit}"}}, "read": []}}"#);
    let stored = format!(r#"{{"version": 1, "ledger": {ledger}, "in_git": {in_git}}}"#);
    fs::write(state.join("halts.json"), stored).unwrap();
    text(&state).to_owned()
}

async fn until_halted_in(hfi: &Process, durable: &str) {
    let wanted = async {
        while hfi.json("/v1/halt").await["durable"] != durable {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, wanted).await.unwrap_or_else(|_| panic!("{}", hfi.log()));
}

#[tokio::test]
async fn one_whose_commit_was_forced_off_the_branch_before_it_was_read_is_committed_again() {
    let repository = repository(&[("a.yaml", CHECKOUT)]).await;
    let directory = tempfile::tempdir().unwrap();
    let state = stored(&directory, &"a".repeat(40));
    let hfi = process(&path(&repository), directory.path(), &[("HFI_STATE_DIR", &state)]).await;
    until_halted_in(&hfi, "git").await;
    assert!(content(&repository, "hfi-halt.yaml").contains("\"h1\""));
}

#[tokio::test]
async fn one_that_somebody_has_removed_is_not_even_where_the_mirror_that_is_read_lags() {
    let repository = repository(&[("a.yaml", CHECKOUT)]).await;
    let directory = tempfile::tempdir().unwrap();
    let mirror = directory.path().join("mirror.git");
    let mut clone = Command::new("git");
    clone.args(["clone", "--quiet", "--mirror"]).arg(repository.bare()).arg(&mirror);
    assert!(clone.status().unwrap().success());
    let document = "kind: Halt\nmetadata: {annotations: {hfi.dev/halt-id: h1}}\nspec: {reason: r}\n";
    repository.write("hfi-halt.yaml", document).unwrap();
    repository.push("Halt everything: r").await.unwrap();
    let halted = git(&repository, &["rev-parse", "main"]);
    repository.remove("hfi-halt.yaml").unwrap();
    repository.push("Go on").await.unwrap();
    let removed = git(&repository, &["rev-parse", "main"]);

    let state = stored(&directory, halted.trim());
    let push = path(&repository);
    let more = [("HFI_STATE_DIR", state.as_str()), ("HFI_PUSH_URL", &push)];
    let hfi = process(text(&mirror), directory.path(), &more).await;
    let told = until(|| hfi.said("was removed from Git meanwhile").is_some());
    timeout(PATIENCE, told).await.unwrap_or_else(|_| panic!("{}", hfi.log()));
    assert_eq!(git(&repository, &["rev-parse", "main"]), removed);
    assert_eq!(hfi.json("/v1/halt").await["halted"], true, "until the removal is read");
    let fetch = ["fetch", "--quiet"];
    assert!(Command::new("git").arg("-C").arg(&mirror).args(fetch).status().unwrap().success());
    let resumed = async {
        while hfi.json("/v1/halt").await["halted"] == true {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, resumed).await.unwrap_or_else(|_| panic!("{}", hfi.log()));
}

#[tokio::test]
async fn one_with_which_nobody_could_read_the_file_is_told_and_not_put_there() {
    let (note, longest) = ("# A note.\n", 1024 * 1024);
    let notes = note.repeat(longest / note.len());
    let repository = repository(&[("a.yaml", CHECKOUT), ("hfi-halt.yaml", &notes)]).await;
    let directory = tempfile::tempdir().unwrap();
    let hfi = process(&path(&repository), directory.path(), &[]).await;
    hfi.until_ready(|_| true).await;
    let head = git(&repository, &["ls-remote", &path(&repository), "main"]);
    let (status, _) = post(&hfi, RESUMES).await;
    assert_eq!(status, 200);
    let state = replicas::until(&hfi, "/v1/halt", |state| state["trouble"].is_string()).await;
    assert!(state["trouble"].as_str().unwrap().contains("would be longer than 1048576 bytes"), "{state}");
    assert!(state["halted"] == true && state["durable"] == "memory", "{state}");
    assert_eq!(git(&repository, &["ls-remote", &path(&repository), "main"]), head);
}
