//! `--view-token-file`: every read needs a token, except those of proxies, probes and forges.

use std::{fs, path::Path};

use reqwest::{Response, StatusCode};
use serde_json::Value;
use tokio::time::{Duration, timeout};

use crate::support::{
    PATIENCE, client,
    halting::{Files, STOPS, VIEWS, closed_reads, post},
    policy,
    process::{Process, text},
};

/// What stays open: snapshots, modules, archives, health, readiness, metrics, notifications and what the first generation reads.
/// Replicas have a token of their own.
const OPEN: [&str; 13] = [
    "/filter.wasm",
    "/filter/{sha256}.wasm",
    "/health",
    "/metrics",
    "/ready",
    "/v1/health",
    "/v1/hooks/{forge}",
    "/v1/istio/{namespace}/{sha256}.tar.gz",
    "/v1/peer/halts",
    "/v1/peer/state",
    "/v1/policies",
    "/v1/ready",
    "/v1/snapshot",
];

async fn get(hfi: &Process, path: &str, authorization: &str) -> Response {
    let request = client().get(format!("{}{path}", hfi.url));
    let request =
        if authorization.is_empty() { request } else { request.header("authorization", authorization) };
    request.send().await.unwrap()
}

async fn status(hfi: &Process, path: &str, authorization: &str) -> StatusCode {
    get(hfi, path, authorization).await.status()
}

#[tokio::test]
async fn all_is_closed_but_what_has_no_token() {
    let (_files, hfi) = closed_reads().await;
    let document = get(&hfi, "/openapi.json", &format!("Bearer {VIEWS}")).await.bytes().await.unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    assert!(OPEN.iter().all(|open| paths.iter().any(|path| path == open)), "{paths:?}");
    // What is open is open under its one name only.
    let others = [
        "/",
        "/nowhere",
        "/v1/policies?all=true",
        "/v1/policies/",
        "/v1/snapshot/",
        "/metrics/",
        "//metrics",
    ];
    for path in paths.iter().map(String::as_str).chain(others) {
        let concrete =
            path.replace("{name}", "a").replace("{forge}", "github").replace("{sha256}", &"0".repeat(64));
        let is_closed = status(&hfi, &concrete, "").await == StatusCode::UNAUTHORIZED;
        // Replicas are asked for a token too, where there are some.
        assert_eq!(is_closed, !OPEN.contains(&path), "{path}");
        let head = client().head(format!("{}{concrete}", hfi.url)).send().await.unwrap();
        assert_eq!(head.status() == StatusCode::UNAUTHORIZED, is_closed, "HEAD {path}");
        let responses = &document["paths"][path]["get"]["responses"];
        if is_closed && responses.is_object() {
            let told = ["401", "403", "429"].map(|status| responses[status].is_object());
            assert_eq!(told, [true; 3], "{path}: {responses}");
        }
    }
}

#[tokio::test]
async fn a_token_reads_and_a_browser_is_asked_for_it() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let (_files, hfi) = closed_reads().await;
    let refused = get(&hfi, "/v1/policies/status", "").await;
    let challenges = refused.headers().get_all("www-authenticate").iter();
    let challenges: Vec<_> = challenges.map(|value| value.to_str().unwrap()).collect();
    assert_eq!(challenges, ["Bearer realm=\"hfi\"", "Basic realm=\"hfi\", charset=\"UTF-8\""]);
    let basic = STANDARD.encode(format!("anybody:{VIEWS}"));
    for authorization in [format!("Bearer {VIEWS}"), format!("Basic {basic}"), format!("Bearer {STOPS}")] {
        assert_eq!(status(&hfi, "/v1/policies/status", &authorization).await, 200, "{authorization}");
    }
    assert_eq!(post(&hfi, VIEWS).await.0, 401, "it only reads");
    assert_eq!(hfi.json("/v1/policies").await["policies"][0]["metadata"]["name"], "a");
}

#[tokio::test]
async fn a_token_that_is_removed_reads_nothing_and_guesses_have_to_wait() {
    let (files, hfi) = closed_reads().await;
    let viewer = format!("Bearer {VIEWS}");
    assert_eq!(status(&hfi, "/v1/filters", &viewer).await, 200);
    replace(&files.path("view"), "viewer another-0123456789abcdef\n");
    assert_eq!(status(&hfi, "/v1/filters", &viewer).await, 401);
    let mut last = StatusCode::OK;
    for guess in 0..40 {
        last = status(&hfi, "/v1/filters", &format!("Bearer guess-{guess}-0123456789abcdef")).await;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(status(&hfi, "/v1/ready", "").await, 200);
    assert_eq!(post(&hfi, "guess-0123456789abcdef").await.0, 429, "they count wherever they are sent");
}

/// A stream of events that has told of a snapshot.
async fn stream(hfi: &Process, path: &str, token: &str) -> Response {
    let mut stream = get(hfi, path, &format!("Bearer {token}")).await;
    let told = |text: &str| text.contains("event: snapshot") && text.ends_with("\n\n");
    until_told(&mut stream, told).await;
    stream
}

/// Replaces a file whole, as Kubernetes does with a Secret: nobody reads the half of it.
fn replace(path: &Path, text: impl AsRef<[u8]>) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

/// Reads until what was read is as wanted.
async fn until_told(stream: &mut Response, is_wanted: impl Fn(&str) -> bool) {
    let mut text = String::new();
    while !is_wanted(&text) {
        let piece = timeout(PATIENCE, stream.chunk()).await.expect("no event").unwrap();
        text += str::from_utf8(&piece.expect("an open stream")).unwrap();
    }
}

#[tokio::test]
async fn a_stream_tells_nothing_after_its_token_is_removed() {
    let (files, hfi) = closed_reads().await;
    let mut streams = Vec::new();
    for path in ["/v1/events", "/v1/events?overview=true", "/v1/config/stream"] {
        streams.push(stream(&hfi, path, VIEWS).await);
    }
    let mut of_another = stream(&hfi, "/v1/events", STOPS).await;
    // Where the line stands does not matter.
    replace(&files.path("view"), format!("new another-0123456789abcdef\nviewer {VIEWS}\n"));
    fs::write(files.path("policies/b.yaml"), policy("b", "cart", 503)).unwrap();
    for stream in streams.iter_mut().chain([&mut of_another]) {
        until_told(stream, |text| text.contains("event: snapshot") && text.contains("\"active\":2")).await;
    }
    replace(&files.path("view"), "new another-0123456789abcdef\n");
    fs::write(files.path("policies/c.yaml"), policy("c", "cart", 503)).unwrap();
    for mut stream in streams {
        let mut rest = Vec::new();
        while let Some(piece) = timeout(PATIENCE, stream.chunk()).await.expect("no end").unwrap() {
            rest.extend_from_slice(&piece);
        }
        let rest = String::from_utf8(rest).unwrap();
        assert!(!rest.contains("\"active\":3"), "{rest}");
    }
    until_told(&mut of_another, |text| text.contains("\"active\":3")).await;
}

#[tokio::test]
async fn a_stream_that_has_nothing_to_tell_ends_too() {
    let (files, hfi) = closed_reads().await;
    let mut stream = stream(&hfi, "/v1/events", VIEWS).await;
    replace(&files.path("view"), "new another-0123456789abcdef\n");
    // It is looked at whenever the stream would give a sign of life, every 15 s.
    let ends = async { while stream.chunk().await.unwrap().is_some() {} };
    timeout(Duration::from_secs(15) + PATIENCE, ends).await.expect("no end");
}

#[tokio::test]
async fn a_guess_is_told_in_the_log_and_a_browser_without_a_password_is_not() {
    let (_files, hfi) = closed_reads().await;
    assert_eq!(status(&hfi, "/v1/filters", "").await, 401);
    let guess = "guess-0123456789abcdef";
    assert_eq!(status(&hfi, "/v1/filters", &format!("Bearer {guess}")).await, 401);
    assert_eq!(post(&hfi, guess).await.0, 401);
    let told = hfi.all_said("a request was refused");
    let shown =
        |line: &Value| ["from", "method", "path"].map(|field| line[field].as_str().unwrap().to_owned());
    let expected = [["127.0.0.1", "GET", "/v1/filters"], ["127.0.0.1", "POST", "/v1/halt"]];
    assert_eq!(told.iter().map(shown).collect::<Vec<_>>(), expected);
    assert_eq!((&told[0]["status"], &told[0]["reason"]), (&401.into(), &"the token is not valid".into()));
    assert!(!hfi.log().contains(guess), "{}", hfi.log());
    assert_eq!(hfi.metric(r#"hfi_requests_refused_total{result="unauthorized"}"#).await, Some(2.0));
}

#[tokio::test]
async fn a_line_with_a_right_ends_the_start() {
    let files = Files::new(&format!("viewer {VIEWS} resume\n"));
    let (policies, tokens) = (files.path("policies"), files.path("tokens"));
    let (code, said) =
        Process::refused(&[("HFI_DIR", text(&policies)), ("HFI_VIEW_TOKEN_FILE", text(&tokens))]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--view-token-file line 1 has a right after the token"), "{said}");
}
