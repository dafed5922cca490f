//! The `hfi` binary: its environment, its logs and its end.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStderr, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::support::{PATIENCE, policy};

/// `hfi serve` on a free port, told everything by its environment.
struct Process {
    child: Child,
    stderr: BufReader<ChildStderr>,
    url: String,
}

impl Process {
    fn start(environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hfi"))
            .arg("serve")
            .envs(environment.iter().copied())
            .env("HFI_LISTEN", "127.0.0.1:0")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let url = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "hfi ended before it listened");
            let line: Value = serde_json::from_str(&line).expect("a line of the log is not JSON");
            if line["fields"]["message"] == "listening" {
                break format!("http://{}", line["fields"]["address"].as_str().unwrap());
            }
        };
        Self { child, stderr, url }
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn sigterm_answers_held_polls_and_ends_with_0() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let temporary = temporary.path().to_str().unwrap();
    let mut hfi = Process::start(&[("HFI_DIR", folder.path().to_str().unwrap()), ("TMPDIR", temporary)]);
    let client = reqwest::Client::new();
    let snapshot = format!("{}/v1/snapshot?namespace=demo&service=checkout", hfi.url);
    let first = timeout(PATIENCE, async {
        loop {
            let answer = client.get(&snapshot).send().await.unwrap();
            if answer.status() == 200 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    let etag = first.await.unwrap().headers()["etag"].to_str().unwrap().to_owned();
    let held = client.get(&snapshot).header("if-none-match", etag).header("prefer", "wait=60").send();
    let stop = async {
        // The poll is on its way first.
        tokio::time::sleep(Duration::from_millis(100)).await;
        hfi.signal("TERM");
    };
    let begun = Instant::now();
    let (answer, ()) = timeout(PATIENCE, async { tokio::join!(held, stop) }).await.unwrap();
    assert_eq!(answer.unwrap().status(), 304);
    drop(client);
    assert!(hfi.child.wait().unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let mut rest = String::new();
    hfi.stderr.read_to_string(&mut rest).unwrap();
    assert!(rest.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{rest}");
}

#[tokio::test]
async fn nothing_is_left_behind_of_a_clone() {
    let temporary = tempfile::tempdir().unwrap();
    let repository = mesh::Repository::new().await.unwrap();
    let mut hfi = Process::start(&[
        ("HFI_REPO", repository.bare().to_str().unwrap()),
        ("HFI_BRANCH", "main"),
        ("HFI_INTERVAL", "1h"),
        ("TMPDIR", temporary.path().to_str().unwrap()),
    ]);
    let ready = format!("{}/ready", hfi.url);
    let until_ready = async {
        while reqwest::get(&ready).await.unwrap().status() != 200 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, until_ready).await.unwrap();
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 1, "the clone");
    hfi.signal("INT");
    assert!(hfi.child.wait().unwrap().success());
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn wrong_use_ends_with_2_and_an_address_that_is_taken_with_1() {
    let hfi = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_hfi")).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, message) = hfi(&["serve"]);
    assert!(code == Some(2) && message.contains("--repo"), "{message}");
    let (code, message) = hfi(&["serve", "--dir", ".", "--log", "=="]);
    assert!(code == Some(2) && message.contains("--log"), "{message}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, message) = hfi(&["serve", "--dir", ".", "--listen", &address]);
    assert!(code == Some(1) && message.contains(&format!("cannot listen on {address}")), "{message}");
}
