//! Every failure to reach a server ends with an exit code, the cause, and the next step.

use std::fs;

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

use crate::support::command::{Ended, hfi};

const SECRET: &str = "secret-secret-secret";

/// A server that answers everything with these bytes, and the requests that it got.
async fn answering(answer: &str) -> (String, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (requests, got) = unbounded_channel();
    let answer = answer.to_owned();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let byte = stream.read_u8().await.unwrap();
                request.push(byte);
            }
            let request = String::from_utf8(request).unwrap();
            // What is left unread when the connection closes would take the answer with it.
            let length = request.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            stream.read_exact(&mut vec![0; length.unwrap_or(0)]).await.unwrap();
            let _ = requests.send(request);
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, got)
}

fn answer(status: &str, more: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{more}content-length: {}\r\n\r\n{body}", body.len())
}

fn problem(status: &str, more: &str, detail: &str) -> String {
    let body = format!("{{\"status\":{},\"detail\":\"{detail}\"}}", &status[..3]);
    answer(status, &format!("content-type: application/problem+json\r\n{more}"), &body)
}

/// A file with a token in it.
fn token(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (folder, file)
}

async fn list(arguments: &[&str]) -> Ended {
    hfi(&[&["policy", "list"], arguments].concat(), &[]).await
}

#[track_caller]
fn ends(ended: &Ended, code: i32, cause: &str, next: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{ended:?}");
    let (error, step) = ended.stderr.split_once("\n  next: ").unwrap_or((&ended.stderr, ""));
    assert!(error.starts_with("error: ") && error.contains(cause), "{ended:?}");
    assert!(step.contains(next), "{ended:?}");
    assert!(!ended.stderr.contains('\u{1b}') && !ended.stderr.contains(SECRET), "{ended:?}");
}

#[tokio::test]
async fn a_server_that_refuses_says_why() {
    for (answer, code, cause, next) in [
        (
            problem("503 Service Unavailable", "retry-after: 7\r\n", "not yet"),
            3,
            "not yet",
            "try again in 7 s",
        ),
        (problem("429 Too Many Requests", "", "too fast"), 3, "too fast", "try again"),
        (problem("401 Unauthorized", "", "who are you"), 1, "who are you", "--token-file"),
        (problem("403 Forbidden", "", "no right `write`"), 1, "no right `write`", "use a token"),
        (problem("400 Bad Request", "", "`x` is wrong"), 2, "`x` is wrong", "correct the request"),
        (
            problem("404 Not Found", "", "nothing\\u001b[2J here"),
            1,
            "nothing\\u001b[2J here",
            "hfi policy list",
        ),
        (answer("404 Not Found", "", "<html>"), 3, "not as hfi does: 404 Not Found <html>", "leads to hfi"),
        (answer("200 OK", "", "<html>"), 3, "not as hfi does", "leads to hfi"),
        // What a proxy says while the server is away, or slow.
        (
            answer("502 Bad Gateway", "", "<html>"),
            3,
            "not reached, or does not answer itself: 502",
            "try again",
        ),
        (answer("503 Service Unavailable", "", ""), 3, "itself: 503 Service Unavailable", "that hfi runs"),
        (answer("504 Gateway Timeout", "", "upstream request timeout"), 3, "upstream request", "try again"),
        (
            answer("307 Temporary Redirect", "location: https://elsewhere.example/\r\n", ""),
            3,
            "redirects to https://elsewhere.example/, which is not followed",
            "answers by itself",
        ),
        ("SSH-2.0-OpenSSH\r\n".to_owned(), 3, "does not answer with HTTP", "--server"),
    ] {
        let (url, _got) = answering(&answer).await;
        ends(&list(&["--server", &url]).await, code, cause, next);
    }
}

#[tokio::test]
async fn a_change_that_a_proxy_answers_may_have_been_made() {
    let unknown = "did not tell whether the change was made: 504 Gateway Timeout <html>";
    for (command, next) in [
        (&["policy", "delete", "a"][..], "again with --ignore-not-found"),
        (&["halt"], "run `hfi halt` again"),
    ] {
        let (url, _got) = answering(&answer("504 Gateway Timeout", "", "<html>")).await;
        ends(&hfi(&[command, &["--server", &url]].concat(), &[]).await, 3, unknown, next);
    }
}

#[tokio::test]
async fn one_policy_is_refused_without_waiting_for_the_server() {
    let slow = problem("429 Too Many Requests", "retry-after: 7\r\n", "too fast");
    for command in ["delete", "suspend"] {
        let (url, _got) = answering(&slow).await;
        ends(&hfi(&["policy", command, "a", "--server", &url], &[]).await, 3, "too fast", "try again in 7 s");
    }
}

#[tokio::test]
async fn a_refusal_that_no_other_token_mends_names_another_step() {
    for (status, detail, step) in [
        ("403 Forbidden", "the repository refuses the push: protected branch", "--write-branch"),
        ("403 Forbidden", "no token may write a `Halt`: it is for those who commit", "with git"),
        ("403 Forbidden", "the file of --write-token-file needs a line `a serviceaccount:b/a`", "line added"),
        (
            "405 Method Not Allowed",
            "changes by HTTP are off; switch them on with --write-token-file",
            "this option",
        ),
        (
            "405 Method Not Allowed",
            "halts by HTTP are off; switch them on with --halt-token-file",
            "hfi-halt",
        ),
        ("405 Method Not Allowed", "/v1/policies/status does not take this method", "correct the request"),
        ("409 Conflict", "stands in a and in b; remove one (DELETE with `file` in the query)", "--file PATH"),
        ("409 Conflict", "is there; name another directory by `folder` in the query", "--folder"),
    ] {
        let (url, _got) = answering(&problem(status, "", detail)).await;
        ends(&hfi(&["policy", "delete", "a", "--server", &url], &[]).await, 1, detail, step);
    }
}

/// Every command that asks a server.
const COMMANDS: [&[&str]; 16] = [
    &["policy", "list"],
    &["policy", "get"],
    &["policy", "get", "a", "-o", "yaml"],
    &["policy", "describe", "a"],
    &["policy", "history", "a"],
    &["policy", "delete", "a"],
    &["policy", "suspend", "a"],
    &["policy", "resume", "a"],
    &["policy", "rollback", "a"],
    &["policy", "apply", "-f", "FILE"],
    &["policy", "diff", "-f", "FILE"],
    &["filters"],
    &["watch"],
    &["halt"],
    &["resume"],
    &["explain", "--namespace", "demo", "--service", "checkout"],
];

#[tokio::test]
async fn every_command_ends_with_the_code_of_its_failure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    fs::write(&file, crate::support::policy("a", "checkout", 503)).unwrap();
    let mut servers = Vec::new();
    for (status, code) in [
        ("400 Bad Request", 2),
        ("401 Unauthorized", 1),
        ("403 Forbidden", 1),
        ("415 Unsupported Media Type", 2),
        ("429 Too Many Requests", 3),
        ("503 Service Unavailable", 3),
        ("504 Gateway Timeout", 3),
    ] {
        servers.push((answering(&problem(status, "", "so it is")).await, "so it is", code));
    }
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    servers.push(((format!("http://{free}"), unbounded_channel().1), "refuses connections", 3));
    for ((url, _), cause, code) in &servers {
        for command in COMMANDS {
            let file = file.to_str().unwrap();
            let command = command.iter().map(|part| if *part == "FILE" { file } else { part });
            let command: Vec<_> = command.chain(["--server", url]).collect();
            let ended = hfi(&command, &[]).await;
            // A difference is 1 already, so every failure of `diff` is more.
            let code = if command[1] == "diff" { (*code).max(2) } else { *code };
            assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{command:?}: {ended:?}");
            let told = ended.stderr.starts_with("error: ") && ended.stderr.contains(cause);
            assert!(told && ended.stderr.contains("\n  next: "), "{command:?}: {ended:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let ended = list(&["--server", &format!("http://{free}")]).await;
    ends(
        &ended,
        3,
        &format!("cannot reach http://{free}: {free} refuses connections"),
        "--server (HFI_SERVER)",
    );
    let watch = hfi(&["watch"], &[("HFI_SERVER", &format!("http://{free}"))]).await;
    ends(&watch, 3, "refuses connections", "--server (HFI_SERVER)");
}

#[tokio::test]
async fn wrong_options_are_told_before_anything_is_sent() {
    let (_folder, good) = token(&format!("\u{feff}{SECRET}\r\n"));
    let (_empty, empty) = token("\n");
    let (_two, two) = token("alice secret-secret-secret");
    for (arguments, cause) in [
        (&["--server", "faults.example"][..], "--server (HFI_SERVER) must be a URL such as"),
        (&["--server", "https://me:secret-secret-secret@faults.example"], "must not hold credentials"),
        (&["--token-file", "/nowhere/token"], "the token file /nowhere/token cannot be read"),
        (&["--token-file", &empty], "is empty"),
        (&["--token-file", &two], "on one line"),
        (&["--token-file", &good, "--server", "http://faults.example"], "in clear text"),
        (
            &["--ca-file", "/nowhere/ca.pem", "--server", "https://faults.example"],
            "/nowhere/ca.pem cannot be read",
        ),
        (&["--watch", "-o", "json"], "--watch has lines of a table only"),
    ] {
        let ended = list(arguments).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        assert!(ended.stderr.contains(cause) && !ended.stderr.contains(SECRET), "{ended:?}");
    }
}

#[tokio::test]
async fn a_token_goes_to_its_server_and_to_no_other() {
    let (_folder, file) = token(&format!("\u{feff}{SECRET}\n"));
    let (other, mut redirected) = answering(&problem("401 Unauthorized", "", "")).await;
    let to_other = answer("302 Found", &format!("location: {other}\r\n"), "");
    let (url, mut got) = answering(&to_other).await;
    // A proxy of the environment would read what is for this machine.
    let (proxy, mut proxied) = answering(&problem("502 Bad Gateway", "", "")).await;
    let variables =
        [("HFI_TOKEN_FILE", file.as_str()), ("http_proxy", &proxy), ("HFI_SERVER", &url), ("no_proxy", "")];
    let ended = hfi(&["policy", "list"], &variables).await;
    ends(&ended, 3, "which is not followed", "answers by itself");
    let request = got.recv().await.unwrap().to_lowercase();
    assert!(request.contains(&format!("authorization: bearer {SECRET}\r\n")), "{request}");
    assert!(redirected.try_recv().is_err() && proxied.try_recv().is_err());
}

#[tokio::test]
async fn an_empty_variable_counts_as_not_set() {
    let (url, mut got) = answering(&problem("503 Service Unavailable", "", "")).await;
    let ended =
        hfi(&["policy", "list", "--server", &url], &[("HFI_TOKEN_FILE", ""), ("HFI_SERVER", "")]).await;
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(!got.recv().await.unwrap().to_lowercase().contains("authorization"));
}
