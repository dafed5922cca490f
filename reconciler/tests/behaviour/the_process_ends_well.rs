//! The `hfi` binary: its environment, its logs and its end.

use std::{fs, process::Command, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

use crate::{
    support::children::{child, ended, signal},
    support::process::{Process, text},
    support::{PATIENCE, client, policy},
};

#[tokio::test]
async fn the_log_names_the_source_as_a_person_would() {
    let folder = tempfile::tempdir().unwrap();
    let folder = text(folder.path());
    let repository = format!("https://127.0.0.1:9{folder}");
    for (variable, value, named) in [
        ("HFI_DIR", folder, format!("directory {folder}")),
        ("HFI_REPO", &repository, format!("{repository}, branch `main`")),
    ] {
        let hfi = Process::start(&[(variable, value)]).await;
        assert_eq!(hfi.said("starting").unwrap()["source"], named);
    }
}

#[tokio::test]
async fn sigterm_answers_held_polls_and_ends_with_0() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let temporary = temporary.path().to_str().unwrap();
    let mut hfi =
        Process::start(&[("HFI_DIR", folder.path().to_str().unwrap()), ("TMPDIR", temporary)]).await;
    let client = client();
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
    let log = hfi.log();
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
}

#[tokio::test]
async fn nothing_is_left_behind_of_a_clone() {
    let temporary = tempfile::tempdir().unwrap();
    let repository = harness::Repository::new().await.unwrap();
    let mut hfi = Process::start(&[
        ("HFI_REPO", repository.bare().to_str().unwrap()),
        ("HFI_BRANCH", "main"),
        ("HFI_INTERVAL", "1h"),
        ("TMPDIR", temporary.path().to_str().unwrap()),
    ])
    .await;
    let ready = format!("{}/ready", hfi.url);
    let until_ready = async {
        while client().get(&ready).send().await.unwrap().status() != 200 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, until_ready).await.unwrap();
    assert_eq!(
        fs::read_dir(temporary.path()).unwrap().count(),
        2,
        "the clone, and the home of the child process"
    );
    hfi.signal("INT");
    assert!(hfi.child.wait().unwrap().success());
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_fetch_that_hangs_is_left_behind_neither() {
    let temporary = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/policies.git", silent.local_addr().unwrap());
    let mut hfi =
        Process::start(&[("HFI_REPO", url.as_str()), ("TMPDIR", temporary.path().to_str().unwrap())]).await;
    let (mut client, _) = timeout(PATIENCE, silent.accept()).await.unwrap().unwrap();
    let begun = Instant::now();
    hfi.signal("TERM");
    assert!(hfi.child.wait().unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    timeout(PATIENCE, client.read_to_end(&mut Vec::new())).await.expect("the fetch goes on").unwrap();
}

#[tokio::test]
async fn a_fetch_that_hangs_ends_with_the_process_that_was_killed() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/policies.git", silent.local_addr().unwrap());
    let temporary = tempfile::tempdir().unwrap();
    let hfi =
        Process::start(&[("HFI_REPO", url.as_str()), ("TMPDIR", temporary.path().to_str().unwrap())]).await;
    let (mut client, _) = timeout(PATIENCE, silent.accept()).await.unwrap().unwrap();
    hfi.signal("KILL");
    timeout(PATIENCE, client.read_to_end(&mut Vec::new())).await.expect("the fetch goes on").unwrap();
}

#[tokio::test]
async fn the_process_for_the_next_job_may_die_and_ends_with_the_server() {
    let repository = harness::Repository::new().await.unwrap();
    let bare = repository.bare();
    let mut hfi = Process::start(&[("HFI_REPO", text(&bare)), ("HFI_INTERVAL", "1h")]).await;
    hfi.until_ready(|_| true).await;
    let first = child(&hfi, "fetch-for-serve", PATIENCE).await;
    signal(&first, "KILL");
    repository.write("a.yaml", &policy("a", "checkout", 503)).unwrap();
    repository.push("Add a").await.unwrap();
    let commit = repository.git(&["rev-parse", "HEAD"]).await.unwrap();
    hfi.until_ready(|ready| ready["revision"] == format!("main@sha1:{}", commit.trim())).await;
    let second = child(&hfi, "fetch-for-serve", PATIENCE).await;
    hfi.signal("KILL");
    hfi.child.wait().unwrap();
    ended(&second, PATIENCE).await;
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
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    fs::write(&tokens, "alice short\n").unwrap();
    let (code, message) = hfi(&["serve", "--dir", ".", "--halt-token-file", text(&tokens)]);
    assert!(code == Some(2) && message.contains("line 1"), "{message}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, message) = hfi(&["serve", "--dir", ".", "--listen", &address]);
    assert!(code == Some(1) && message.contains(&format!("cannot listen on {address}")), "{message}");
}

/// The longest that an end may take: Kubernetes asks, and kills some time later.
const END: Duration = Duration::from_secs(10);

#[tokio::test]
async fn many_held_polls_are_answered_at_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let mut hfi = Process::start(&[("HFI_DIR", text(folder.path()))]).await;
    hfi.until_ready(|_| true).await;
    let snapshot = "/v1/snapshot?namespace=demo&service=checkout";
    let etag = hfi.get(snapshot, &[]).await.etag;
    let address = hfi.url.strip_prefix("http://").unwrap();
    let mut polls = Vec::new();
    for _ in 0..500 {
        let mut poll = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "GET {snapshot} HTTP/1.1\r\nhost: hfi\r\nif-none-match: {etag}\r\nprefer: wait=300\r\n\r\n"
        );
        poll.write_all(head.as_bytes()).await.unwrap();
        polls.push(poll);
    }
    // The last one's connection is accepted: a later one is answered.
    assert_eq!(hfi.get("/health", &[]).await.status, 200);
    let begun = Instant::now();
    hfi.signal("TERM");
    for poll in &mut polls {
        let mut answer = String::new();
        timeout(END, poll.read_to_string(&mut answer)).await.expect("it is held").unwrap();
        assert!(answer.starts_with("HTTP/1.1 304"), "{answer}");
    }
    assert!(hfi.ended(END).await.success());
    // Nobody was waited for.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn neither_a_slow_reader_nor_a_fetch_that_hangs_keeps_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(60_000);
    for at in 0..250 {
        let policy = policy(&format!("p{at}"), "checkout", 503);
        let policy = policy.replace("httpStatus: 503", &format!("httpStatus: 503, body: {long}"));
        fs::write(folder.path().join(format!("{at}.yaml")), policy).unwrap();
    }
    let mut hfi = Process::start(&[("HFI_DIR", text(folder.path()))]).await;
    hfi.until_ready(|_| true).await;
    let snapshot = "/v1/snapshot?namespace=demo&service=checkout";
    let whole = hfi.get(snapshot, &[]).await.body.len();
    assert!(whole > 14_000_000, "{whole} bytes fit into the buffers between");
    let mut reader = TcpStream::connect(hfi.url.strip_prefix("http://").unwrap()).await.unwrap();
    reader.write_all(format!("GET {snapshot} HTTP/1.1\r\nhost: hfi\r\n\r\n").as_bytes()).await.unwrap();
    let mut first = [0; 15];
    reader.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");

    // Takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/policies.git", silent.local_addr().unwrap());
    let mut fetching = Process::start(&[("HFI_REPO", &url)]).await;
    let (_connection, _) = timeout(PATIENCE, silent.accept()).await.expect("it does not fetch").unwrap();

    let begun = Instant::now();
    hfi.signal("TERM");
    fetching.signal("TERM");
    assert!(fetching.ended(END).await.success());
    assert!(hfi.ended(END).await.success());
    assert!(begun.elapsed() < END, "{:?}", begun.elapsed());
}
