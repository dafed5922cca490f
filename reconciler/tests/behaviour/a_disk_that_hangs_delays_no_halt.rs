//! A halt needs no disk: it holds at once and is answered in time while the state directory hangs.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use serde_json::json;
use tokio::time::{Duration, sleep, timeout};

use crate::support::{
    PATIENCE,
    halting::{Files, SCOPE, STOPS, post},
    process::{Process, text},
};

/// The longest that an answer may take.
const ANSWER: Duration = Duration::from_secs(2);

/// A replica whose state directory hangs from now on: whoever opens this file to write waits until somebody reads.
async fn hanging(files: &Files) -> Process {
    let state = files.path("state");
    let hfi = files.start(&[("HFI_STATE_DIR", text(&state))]).await;
    hfi.until_ready(|_| true).await;
    let made = Command::new("mkfifo").arg(state.join("halts.json.new")).status();
    assert!(made.unwrap().success());
    hfi
}

/// Reads what waits to be written.
fn reader(file: &Path) -> Child {
    Command::new("cat").arg(file).stdout(Stdio::null()).spawn().unwrap()
}

#[tokio::test]
async fn it_holds_at_once_and_is_answered_within_2_s() {
    let files = Files::new(&format!("stop {STOPS}\n"));
    let hfi = hanging(&files).await;
    let etag = hfi.snapshot(SCOPE).await.etag;
    let begun = Instant::now();
    let mut answer = Box::pin(post(&hfi, STOPS));
    tokio::select! {
        biased;
        early = &mut answer => panic!("answered before the filters are told: {early:?}"),
        held = hfi.next(SCOPE, &etag) => assert_eq!(held.status, 200),
    }
    let (status, state) = answer.await;
    assert!(begun.elapsed() < ANSWER, "{:?}", begun.elapsed());
    assert_eq!(
        (status, &state["halted"], &state["durable"]),
        (200, &json!(true), &json!("memory")),
        "{state}"
    );
    assert!(state["trouble"].as_str().unwrap().contains("has not stored the halt yet"), "{state}");

    // Neither a look nor another halt waits for the first one.
    let begun = Instant::now();
    assert_eq!(hfi.json("/v1/halt").await["id"], state["id"]);
    assert!(begun.elapsed() < ANSWER, "{:?}", begun.elapsed());
    let begun = Instant::now();
    assert_eq!(post(&hfi, STOPS).await.0, 200);
    assert!(begun.elapsed() < ANSWER, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn it_is_stored_once_the_disk_answers() {
    let files = Files::new(&format!("stop {STOPS}\n"));
    let mut hfi = hanging(&files).await;
    let (_, halted) = post(&hfi, STOPS).await;
    assert_eq!(halted["durable"], "memory");
    // What is no regular file cannot be written for good: the first attempt fails, and the next one is another file.
    let new = files.path("state").join("halts.json.new");
    assert!(reader(&new).wait().unwrap().success());
    fs::remove_file(new).unwrap();
    let stored = async {
        loop {
            let state = hfi.json("/v1/halt").await;
            if state["durable"] == "disk" {
                return state;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let state = timeout(PATIENCE, stored).await.unwrap_or_else(|_| panic!("{}", hfi.log()));
    assert_eq!(state["trouble"], json!(null));
    hfi.child.kill().unwrap();
    hfi.child.wait().unwrap();
    let hfi = files.start(&[("HFI_STATE_DIR", text(&files.path("state")))]).await;
    assert_eq!(hfi.json("/v1/halt").await["id"], halted["id"]);
}

#[tokio::test]
async fn nor_does_it_keep_the_process() {
    let files = Files::new(&format!("stop {STOPS}\n"));
    let mut hfi = hanging(&files).await;
    assert_eq!(post(&hfi, STOPS).await.0, 200);
    let begun = Instant::now();
    hfi.signal("TERM");
    assert!(hfi.ended(PATIENCE).await.success());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
