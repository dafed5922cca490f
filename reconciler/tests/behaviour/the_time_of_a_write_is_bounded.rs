//! `Prefer: wait=N` bounds all of a change, from its body on; what fails for now is said to.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use reconciler::source::access::Access;
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::support::{
    NEVER, PATIENCE, halting, policy, remote,
    writing::{ALICE, Change, Replica, apply, delete, git, path, repository},
};

#[tokio::test]
async fn a_body_gets_no_more_time_than_the_request() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let replica = Replica::of(&path(&repository)).await;
    let address = replica.server.url.strip_prefix("http://").unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/policies HTTP/1.1\r\nhost: hfi\r\nauthorization: Bearer {ALICE}\r\nprefer: wait=1\r\n\
         content-type: application/yaml\r\ncontent-length: 100\r\n\r\nmetadata:"
    );
    let began = Instant::now();
    client.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let length = timeout(PATIENCE, client.read(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("longer than 1 s"), "{answer}");
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
}

/// An `hfi` whose jobs of this kind die while a file is there.
fn failing(directory: &std::path::Path, job: &str) -> (Access, std::path::PathBuf) {
    let [program, fails] = ["failing", "fails"].map(|name| directory.join(name));
    let (hfi, flag) = (env!("CARGO_BIN_EXE_hfi"), fails.display());
    let script = format!(
        "#!/bin/bash\nread -r order\n\
         case $order in *'\"job\":{{\"{job}\"'*) [ -e {flag} ] && exit 1 ;; esac\n\
         exec {hfi} \"$1\" < <(printf '%s\\n' \"$order\"; cat)\n",
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (Access { program, ..remote::access() }, fails)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_for_now_is_no_fault_of_the_request() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let (access, fails) = failing(repository.folder(), "Copy");
    let url = path(&repository);
    let replica = Replica::start(remote::following(&url, &access), NEVER, |_| {}).await;
    let before = git(&repository, &["rev-parse", "main"]);
    fs::write(&fails, "").unwrap();
    let refused = replica.apply("", &policy("new", "web", 500)).await;
    refused.is_refused(503, "nothing was written");
    assert_eq!(git(&repository, &["rev-parse", "main"]), before);
    fs::remove_file(&fails).unwrap();
    replica.apply("", &policy("new", "web", 500)).await.is(201, &["new created"]);
}

#[tokio::test]
async fn the_time_that_was_granted_is_told_whatever_the_answer() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let replica = Replica::of(&path(&repository)).await;
    let new = policy("new", "web", 500);
    let post = || apply("?dryRun=true", &new);
    let put = || Change { method: Method::PUT, path: "/v1/policies/new".to_owned(), ..apply("", &new) };
    let resume = |token| Change { headers: Vec::new(), ..halting::request(Method::DELETE, token, "") };
    for (change, status) in [
        (post(), 200),
        (Change { token: "", ..post() }, 401),
        (put(), 201),
        (delete("new"), 200),
        (delete("new"), 404),
        (resume(halting::RESUMES), 200),
        (resume(ALICE), 403),
    ] {
        for (prefer, granted) in [
            ("wait=9", Some("wait=9")),
            ("respond-async, wait=600", Some("wait=60")),
            ("wait=soon", None),
            ("wait=0", None),
            ("", None),
        ] {
            let (answer, applied) = told(&replica, &change, prefer).await;
            assert_eq!(applied.as_deref(), granted, "{change:?} {prefer}");
            // What one has done, the next finds done.
            assert!(answer == status || granted != Some("wait=9"), "{change:?}: {answer}");
        }
    }
}

/// The status of an answer, and its `Preference-Applied`.
async fn told(replica: &Replica, change: &Change<'_>, prefer: &str) -> (u16, Option<String>) {
    let Change { method, path, token, headers, body } = change.clone();
    let request = replica.server.client.request(method, format!("{}{path}", replica.server.url));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    let request = if prefer.is_empty() { request } else { request.header("prefer", prefer) };
    let request = if token.is_empty() { request } else { request.bearer_auth(token) };
    let response = request.body(body).send().await.unwrap();
    let applied = response.headers().get("preference-applied");
    (response.status().as_u16(), applied.map(|value| value.to_str().unwrap().to_owned()))
}
