//! `GET /` shows what is happening to whoever opens it, and its form stops everything, without a script.

use std::fs;

use reqwest::{Response, redirect};
use serde_json::json;

use crate::support::{
    Server, client,
    halting::{Files, STOPS, is_empty},
    process::{Process, text},
};

/// All that is sent for the page, in bytes.
const BUDGET: usize = 24 * 1024;
const PATHS: [&str; 5] = ["/", "/halt", "/page.css", "/page.js", "/page.svg"];
const FORM: &str = "application/x-www-form-urlencoded";

async fn world(others: &[(&str, &str)]) -> (Files, Process) {
    let files = Files::new(&format!("stop {STOPS}\n"));
    let hfi = files.start(others).await;
    hfi.until_ready(|_| true).await;
    (files, hfi)
}

/// Sends the form as a browser does that runs no script.
async fn submit(hfi: &Process, body: String, headers: &[(&str, &str)]) -> Response {
    let browser = harness::http_client().unwrap().redirect(redirect::Policy::none()).build().unwrap();
    let request = browser.post(format!("{}/halt", hfi.url)).body(body);
    let is_typed = headers.iter().any(|(name, _)| *name == "content-type");
    let request = if is_typed { request } else { request.header("content-type", FORM) };
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

fn filled(token: &str, reason: &str) -> String {
    format!("token={token}&reason={reason}")
}

async fn read(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    (status, String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap())
}

async fn page(hfi: &Process) -> String {
    let answer = hfi.get("/", &[]).await;
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.body).unwrap()
}

#[tokio::test]
async fn it_loads_nothing_from_elsewhere_and_runs_nothing_that_is_in_its_markup() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let mut size = 0;
    for (path, media_type) in
        PATHS.into_iter().zip(["text/html", "text/html", "text/css", "text/javascript", "image/svg+xml"])
    {
        let head = client().head(format!("{}{path}", server.url)).send().await.unwrap();
        let answer = server.get(path, &[]).await;
        assert_eq!((head.status().as_u16(), answer.status().as_u16()), (200, 200), "{path}");
        for headers in [head.headers(), answer.headers()] {
            let header = |name: &str| headers[name].to_str().unwrap();
            assert!(header("content-type").starts_with(media_type), "{path}");
            let policy: Vec<_> = header("content-security-policy").split("; ").collect();
            assert_eq!(
                policy,
                [
                    "default-src 'none'",
                    "script-src 'self'",
                    "style-src 'self'",
                    "img-src 'self'",
                    "connect-src 'self'",
                    "form-action 'self'",
                    "frame-ancestors 'none'",
                    "base-uri 'none'"
                ]
            );
            assert_eq!(header("referrer-policy"), "same-origin");
            let caching = if media_type == "text/html" { "no-store" } else { "no-cache" };
            assert_eq!(header("cache-control"), caching, "{path}");
        }
        let etag = answer.headers().get("etag").map(|etag| etag.to_str().unwrap().to_owned());
        size += answer.bytes().await.unwrap().len();
        assert_eq!(head.bytes().await.unwrap().len(), 0);
        if let Some(etag) = etag {
            assert_eq!(server.get(path, &[("if-none-match", &etag)]).await.status(), 304, "{path}");
        }
    }
    assert!(size <= BUDGET, "{size}");
}

#[tokio::test]
async fn it_tells_what_is_in_force_and_what_is_wrong() {
    let (files, hfi) = world(&[]).await;
    let hostile = ["<img src=x onerror=alert(1)>.yaml", "\u{202e}lmay.yaml"];
    for name in hostile {
        fs::write(files.path("policies").join(name), "kind: <script>alert(1)</script>\n").unwrap();
    }
    let node = "n".repeat(253);
    hfi.until_ready(|_| true).await;
    let told = async {
        loop {
            hfi.get("/v1/snapshot?namespace=demo&service=checkout", &[("x-hfi-node", &node)]).await;
            let html = page(&hfi).await;
            if html.contains("lmay.yaml") && html.contains(&node) {
                return html;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let html = tokio::time::timeout(crate::support::PATIENCE, told).await.expect("it tells nothing of them");
    assert!(html.contains("<bdi>a</bdi>") && html.contains("<bdi>checkout.demo</bdi>"), "{html}");
    assert!(
        html.contains("&lt;img src=x onerror=alert(1)&gt;.yaml") && html.contains("\\u202elmay.yaml"),
        "{html}"
    );
    assert!(!html.contains("<img") && !html.contains("<script>") && !html.contains('\u{202e}'), "{html}");
}

#[tokio::test]
async fn its_form_stops_everything_and_leads_back_to_what_is_so_then() {
    let (_files, hfi) = world(&[]).await;
    assert!(!page(&hfi).await.contains("HALTED"));
    // A browser that has a password for this server sends it with everything.
    let own = [
        ("origin", hfi.url.as_str()),
        ("sec-fetch-site", "same-origin"),
        ("authorization", "Basic bWU6cGFzcw=="),
    ];
    let stopped = submit(&hfi, filled(STOPS, "checkout+is+%3Cdown%3E"), &own).await;
    assert_eq!((stopped.status().as_u16(), stopped.headers()["location"].to_str().unwrap()), (303, "/"));
    let html = page(&hfi).await;
    assert!(html.contains("HALTED by stop ") && html.contains("checkout is &lt;down&gt;"), "{html}");
    assert!(is_empty(&hfi).await);
    let halt = hfi.json("/v1/halt").await;
    assert_eq!((&halt["by"], &halt["reason"]), (&json!("stop"), &json!("checkout is <down>")));
    let said = hfi.said("a request to halt everything").unwrap();
    assert_eq!((&said["user"], &said["from"]), (&json!("stop"), &json!("127.0.0.1")));
}

#[tokio::test]
async fn a_halt_is_shown_also_before_anything_was_read() {
    let files = Files::new(&format!("stop {STOPS}\n"));
    fs::remove_dir_all(files.path("policies")).unwrap();
    let hfi = files.start(&[]).await;
    assert_eq!(submit(&hfi, filled(STOPS, "r"), &[]).await.status().as_u16(), 303);
    assert!(page(&hfi).await.contains("HALTED by stop "));
    assert_eq!(hfi.json("/v1/halt").await["halted"], json!(true));
}

#[tokio::test]
async fn what_is_refused_is_told_on_a_page_that_keeps_the_reason() {
    let (_files, hfi) = world(&[]).await;
    let (wrong, long) = ("wrong-0123456789abcdef", "r".repeat(201));
    for (body, status, words) in [
        (filled(wrong, "a%22%3Eb"), 401, "the token is not valid"),
        (filled("", "a%22%3Eb"), 401, "the token is not valid"),
        (filled(STOPS, ""), 400, "one line of 1 to 200"),
        (filled(STOPS, &long), 400, "one line of 1 to 200"),
        (format!("{}&user=me", filled(STOPS, "r")), 400, "`user` is not a field"),
    ] {
        let refused = submit(&hfi, body, &[("origin", &hfi.url)]).await;
        assert!(refused.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        assert!(refused.headers().contains_key("content-security-policy"));
        let (actual, html) = read(refused).await;
        assert_eq!(actual, status, "{html}");
        let told = html.replace("&#39;", "'").replace("&#96;", "`");
        assert!(told.contains("Nothing was stopped") && told.contains(words), "{html}");
        assert!(status != 401 || html.contains("value=\"a&quot;&gt;b\""), "{html}");
        assert!(!html.contains(STOPS) && !html.contains(wrong), "no token is sent back");
    }
    let json = submit(&hfi, "{}".to_owned(), &[("content-type", "application/json")]).await;
    assert_eq!(json.status().as_u16(), 415);
    for foreign in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "same-site")] {
        let (status, problem) = read(submit(&hfi, filled(STOPS, "r"), &[foreign]).await).await;
        assert!(status == 403 && problem.contains("a page of this server"), "{problem}");
    }
    assert!(!is_empty(&hfi).await);
    let told = hfi.all_said("a request was refused");
    let of_form = told.iter().filter(|told| told["path"] == "/halt" && told["from"] == "127.0.0.1");
    assert_eq!(
        of_form.map(|told| told["status"].as_u64().unwrap()).collect::<Vec<_>>(),
        [401, 401, 403, 403, 403]
    );
    let mut last = 0;
    for _ in 0..40 {
        last = submit(&hfi, filled(wrong, "r"), &[]).await.status().as_u16();
    }
    assert_eq!(last, 429, "guesses have to wait");
}

#[tokio::test]
async fn where_nobody_may_halt_the_form_says_how_to_allow_it() {
    let files = Files::new("");
    let hfi = Process::start(&[("HFI_DIR", text(&files.path("policies")))]).await;
    let (status, html) = read(submit(&hfi, filled(STOPS, "r"), &[]).await).await;
    assert!(status == 405 && html.contains("--halt-token-file"), "{html}");
}

#[tokio::test]
async fn it_can_be_off() {
    let (_files, hfi) = world(&[("HFI_NO_UI", "true")]).await;
    for path in PATHS {
        let answer = hfi.get(path, &[]).await;
        let problem = String::from_utf8(answer.body).unwrap();
        assert!(answer.status == 404 && problem.contains("--no-ui"), "{path}: {problem}");
    }
    let (status, problem) = read(submit(&hfi, filled(STOPS, "r"), &[]).await).await;
    assert!(status == 404 && problem.contains("--no-ui"), "{problem}");
    assert!(!is_empty(&hfi).await);
}

#[tokio::test]
async fn where_reads_are_closed_a_browser_is_asked_for_a_token() {
    let files = Files::new("viewer views-0123456789abcdef\n");
    let tokens = files.path("tokens");
    let hfi = files.start(&[("HFI_VIEW_TOKEN_FILE", text(&tokens))]).await;
    for path in PATHS {
        let url = format!("{}{path}", hfi.url);
        let closed = client().get(&url).send().await.unwrap();
        let challenges = closed.headers().get_all("www-authenticate").iter();
        assert!(challenges.into_iter().any(|value| value.to_str().unwrap().starts_with("Basic ")), "{path}");
        assert_eq!(closed.status().as_u16(), 401, "{path}");
        let opened =
            client().get(&url).basic_auth("me", Some("views-0123456789abcdef")).send().await.unwrap();
        assert_eq!(opened.status().as_u16(), 200, "{path}");
    }
}
