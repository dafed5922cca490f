//! Browsers send what any page makes them send: what changes something must come from a page of this server.

use reqwest::Method;
use serde_json::Value;

use crate::support::{
    client,
    halting::{Files, STOPS},
    policy,
    process::Process,
    writing::{ALICE, process, repository},
};

const REASON: &str = r#"{"reason": "r"}"#;

async fn world(others: &[(&str, &str)]) -> (Files, Process) {
    let files = Files::new(&format!("stop {STOPS}\n"));
    let hfi = files.start(others).await;
    hfi.until_ready(|_| true).await;
    (files, hfi)
}

async fn sent(hfi: &Process, method: Method, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let request =
        client().request(method, format!("{}{path}", hfi.url)).header("content-type", "application/json");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let response = request.body(REASON).send().await.unwrap();
    (response.status().as_u16(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}

#[tokio::test]
async fn no_other_page_changes_anything_whatever_token_it_makes_a_browser_send() {
    let (_files, hfi) = world(&[]).await;
    let bearer = format!("Bearer {STOPS}");
    let document = hfi.json("/openapi.json").await;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys().filter(|method| *method != "get") {
            let concrete = path.replace("{name}", "a").replace("{forge}", "github");
            for foreign in
                [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
            {
                let method: Method = method.to_uppercase().parse().unwrap();
                let (status, problem) =
                    sent(&hfi, method, &concrete, &[foreign, ("authorization", bearer.as_str())]).await;
                assert_eq!(status, 403, "{path}: {problem}");
                assert!(problem["detail"].as_str().unwrap().contains("a page of this server"), "{problem}");
            }
        }
    }
    assert_eq!(hfi.json("/v1/halt").await["halted"], false);
}

#[tokio::test]
async fn a_browser_that_is_refused_is_told_in_the_log_and_counted() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let files = tempfile::tempdir().unwrap();
    let hfi = process(&repository.bare().display().to_string(), files.path(), &[]).await;
    hfi.until_ready(|_| true).await;
    let bearer = format!("Bearer {ALICE}");
    for path in ["/v1/policies", "/v1/halt"] {
        let headers = [("origin", "https://evil.example"), ("authorization", bearer.as_str())];
        assert_eq!(sent(&hfi, Method::POST, path, &headers).await.0, 403);
    }
    let told = hfi.all_said("a request was refused");
    let shown = |line: &Value| {
        ["from", "method", "path", "status"].map(|field| line[field].to_string().replace('"', ""))
    };
    let expected = ["/v1/policies", "/v1/halt"].map(|path| ["127.0.0.1", "POST", path, "403"]);
    assert_eq!(told.iter().map(shown).collect::<Vec<_>>(), expected);
    assert!(told[0]["reason"].as_str().unwrap().contains("a page of this server"), "{told:?}");
    assert!(!hfi.log().contains(ALICE), "{}", hfi.log());
    assert_eq!(hfi.metric(r#"hfi_requests_refused_total{result="forbidden"}"#).await, Some(2.0));
    assert_eq!(hfi.metric(r#"hfi_writes_total{result="forbidden"}"#).await, Some(1.0), "a halt is no write");
}

#[tokio::test]
async fn our_own_page_changes_things_with_a_token_that_no_browser_sends_by_itself() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let (_files, hfi) = world(&[("HFI_PUBLIC_URL", "https://hfi.example/")]).await;
    let (bearer, basic) =
        (format!("Bearer {STOPS}"), format!("Basic {}", STANDARD.encode(format!("me:{STOPS}"))));
    for origin in [hfi.url.as_str(), "https://hfi.example"] {
        let from = ("origin", origin);
        let (status, problem) =
            sent(&hfi, Method::POST, "/v1/halt", &[from, ("authorization", &basic)]).await;
        assert_eq!(status, 403, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("Bearer"), "{problem}");
        assert_eq!(sent(&hfi, Method::POST, "/v1/halt", &[from]).await.0, 403);
        assert_eq!(hfi.json("/v1/halt").await["halted"], false);
    }
    for origin in [hfi.url.as_str(), "https://hfi.example"] {
        let headers =
            [("origin", origin), ("sec-fetch-site", "same-origin"), ("authorization", bearer.as_str())];
        assert_eq!(sent(&hfi, Method::POST, "/v1/halt", &headers).await.0, 200, "{origin}");
    }
    let read = hfi.get("/v1/halt", &[("origin", "https://evil.example"), ("authorization", &basic)]).await;
    assert_eq!(read.status, 200, "a page of others cannot read the answer");
}

#[test]
fn a_public_url_with_a_path_ends_the_start() {
    let (code, said) =
        Process::refused(&[("HFI_DIR", "/tmp"), ("HFI_PUBLIC_URL", "https://hfi.example/hfi")]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--public-url must be an http or https URL without a path"), "{said}");
}
