//! `--peers`: whatever another replica answers, or does not, halts are told in time, and by whom is not made up.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Duration, Instant, sleep},
};

use crate::support::{
    client,
    halting::{RESUMES, STOPS, post, request},
    process::{Process, text},
    replicas::{Replicas, until},
    stranger::{http, stranger},
    writing::{CHECKOUT, TOKENS, git, path, repository, send},
};

fn two() -> Replicas {
    let replicas = Replicas::new(2);
    fs::write(replicas.path("policies/a.yaml"), CHECKOUT).unwrap();
    fs::write(replicas.path("stop"), format!("stop {STOPS}\n")).unwrap();
    replicas
}

/// The first replica, on the directory, with its state.
async fn start(replicas: &Replicas) -> Process {
    start_at(replicas, 0).await
}

async fn start_at(replicas: &Replicas, at: usize) -> Process {
    let (policies, stop) = (replicas.path("policies"), replicas.path("stop"));
    let state = replicas.path(&format!("state-{at}"));
    let variables = [("HFI_DIR", &policies), ("HFI_HALT_TOKEN_FILE", &stop), ("HFI_STATE_DIR", &state)];
    replicas.start_with(at, "tokens", &variables.map(|(name, path)| (name, text(path)))).await
}

#[tokio::test]
async fn one_that_always_has_news_is_asked_with_pauses() {
    let (replicas, asked) = (two(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    let news = move |_| {
        let id = count.fetch_add(1, Ordering::SeqCst);
        let ended = json!([{"at": "2999-01-01T00:00:00Z", "id": format!("e{id}")}]);
        let told = json!({"ended": ended, "halted": false, "halts": []});
        http("200 OK", "", &json!({"id": "0123456789abcdef", "name": "hfi-2", "told": told}).to_string())
    };
    stranger(&replicas.addresses[1], news).await;
    let one = start(&replicas).await;
    one.until_ready(|_| true).await;
    let (begun, before) = (Instant::now(), asked.load(Ordering::SeqCst));
    sleep(Duration::from_secs(2)).await;
    let (took, asked) = (begun.elapsed(), asked.load(Ordering::SeqCst) - before);
    assert!(asked >= 2, "there is news");
    assert!(asked as f64 <= took.as_secs_f64() * 5.0 + 2.0, "{asked} exchanges in {took:?}");
}

#[tokio::test]
async fn before_the_others_were_asked_nobody_says_that_all_hold() {
    let replicas = two();
    let mut one = start(&replicas).await;
    post(&one, STOPS).await;
    until(&one, "/v1/halt", |state| state["durable"] == "disk").await;
    one.child.kill().unwrap();
    one.child.wait().unwrap();
    let hangs_at_halts = |request: String| match request.starts_with("GET ") {
        true => http("503 Service Unavailable", "", ""),
        false => Vec::new(),
    };
    stranger(&replicas.addresses[1], hangs_at_halts).await;
    let one = start(&replicas).await;
    let state = one.json("/v1/halt").await;
    assert_eq!((&state["complete"], &state["replicas"][1]), (&json!(false), &Value::Null), "{state}");
    let state = until(&one, "/v1/halt", |state| state["replicas"][1].is_object()).await;
    assert_eq!(state["complete"], false, "{state}");
}

#[tokio::test]
async fn the_time_for_the_answer_counts_from_the_request_on() {
    let replicas = two();
    stranger(&replicas.addresses[1], |_| Vec::new()).await;
    let one = start(&replicas).await;
    one.until_ready(|_| true).await;
    let body = r#"{"reason": "slow"}"#;
    let head = format!(
        "POST /v1/halt HTTP/1.1\r\nhost: hfi\r\nauthorization: Bearer {STOPS}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let (begun, mut stream) = (Instant::now(), TcpStream::connect(&replicas.addresses[0]).await.unwrap());
    stream.write_all(head.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(1_500)).await;
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""complete":false"#), "{answer}");
    assert!(begun.elapsed() < Duration::from_millis(2_500), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn bodies_of_strangers_that_take_long_keep_no_halt_out() {
    let replicas = two();
    let [one, other] = [start(&replicas).await, start_at(&replicas, 1).await];
    one.until_ready(|_| true).await;
    other.until_ready(|_| true).await;
    let head = "POST /halt HTTP/1.1\r\nhost: hfi\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                content-length: 100\r\nexpect: 100-continue\r\n\r\n";
    let mut strangers = Vec::new();
    for _ in 0..16 {
        let mut stream = TcpStream::connect(&replicas.addresses[0]).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // Its body is being read then.
        let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut go_on).await.unwrap();
        assert!(go_on.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&go_on));
        strangers.push(stream);
    }
    let (status, state) = post(&other, STOPS).await;
    assert_eq!((status, &state["complete"]), (200, &json!(true)), "it is told: {state}");
    let (status, state) = post(&one, STOPS).await;
    assert_eq!((status, &state["complete"]), (200, &json!(true)), "{state}");
    drop(strangers);
}

#[tokio::test]
async fn who_halted_elsewhere_is_no_author_here() {
    let (replicas, repository) = (two(), repository(&[("a.yaml", CHECKOUT)]).await);
    let (writers, stop, repo) = (replicas.path("writers"), replicas.path("stop"), path(&repository));
    fs::write(&writers, TOKENS).unwrap();
    let common = [("HFI_REPO", repo.as_str()), ("HFI_INTERVAL", "1s")];
    let halting = [&common[..], &[("HFI_HALT_TOKEN_FILE", text(&stop))]].concat();
    let writing = [&common[..], &[("HFI_WRITE_TOKEN_FILE", text(&writers))]].concat();
    let one = replicas.start_with(0, "tokens", &halting).await;
    let other = replicas.start_with(1, "tokens", &writing).await;
    one.until_ready(|_| true).await;
    other.until_ready(|_| true).await;
    let log = || git(&repository, &["--git-dir", &repo, "log", "-1", "--format=%an %B", "main"]);
    for (replica, token, user) in [(&one, STOPS, "hfi"), (&other, RESUMES, "wild")] {
        post(replica, token).await;
        for replica in [&one, &other] {
            until(replica, "/v1/halt", |state| state["durable"] == "git").await;
        }
        let said = log();
        assert!(said.starts_with(&format!("{user} Halt everything")), "{said}");
        assert!(said.contains(&format!("Hfi-User: {user}\n")), "{said}");
        let resumed = send(&client(), &other.url, request(Method::DELETE, RESUMES, "")).await.unwrap();
        assert_eq!(resumed.status, 200, "{resumed:?}");
        for replica in [&one, &other] {
            until(replica, "/v1/halt", |state| state["halted"] == false).await;
        }
    }
}
