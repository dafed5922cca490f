//! `hfi explain` without `--dir`: the rule that decides with what a server serves now.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Server, command::hfi, policy};

const ASK: [&str; 6] = ["explain", "--namespace", "demo", "--service", "checkout", "-o"];

#[tokio::test]
async fn with_the_same_words_as_of_its_directory() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "a.yaml",
        "metadata: {name: a}\nspec: {selector: {service: checkout, namespace: demo}, rules: [{match: {path: {regex: '/api/.*'}}, fault: {percentage: 10, abort: {httpStatus: 503}}}, {fault: {percentage: 1, delay_ms: 5}}]}",
    );
    write("cart.yaml", &policy("cart", "cart", 503));
    write("host.yaml", &policy("host", "cart", 503).replace("service: cart", "host: '*.partner.example'"));
    write("off.yaml", &policy("off", "checkout", 503).replace("spec: {", "spec: {suspend: true, "));
    write("out.yaml", &policy("out", "checkout", 503).replace("spec: {", "spec: {direction: outbound, "));
    write(
        "later.yaml",
        &policy("later", "checkout", 503).replace("spec: {", "spec: {startsAt: '2999-01-01T00:00:00Z', "),
    );
    let server = Server::of_folder(folder.path()).await;
    for more in
        [&["--path", "/api/x"][..], &["--path", "/"], &["--direction", "outbound"], &["--direction", "both"]]
    {
        let of_server = hfi(&[&ASK[..], &["json", "--server", &server.url], more].concat(), &[]).await;
        let dir = folder.path().to_str().unwrap();
        let of_dir = hfi(&[&ASK[..], &["json", "--dir", dir], more].concat(), &[]).await;
        assert_eq!((of_server.code, of_dir.code), (0, 0), "{of_server:?} {of_dir:?}");
        let read = |text: &str| {
            let mut answer: Value = serde_json::from_str(text).unwrap();
            let rules = answer["rules"].as_array_mut().unwrap();
            rules.sort_by_key(|rule| (rule["policy"].to_string(), rule["rule"].as_u64()));
            answer
        };
        assert_eq!(read(&of_server.stdout), read(&of_dir.stdout), "{more:?}");
    }
    let host = ["explain", "--namespace", "demo", "--host", "api.partner.example", "-o", "json"];
    let explained = hfi(&host, &[("HFI_SERVER", &server.url)]).await;
    let answer: Value = serde_json::from_str(&explained.stdout).unwrap();
    assert_eq!(answer["decides"], json!({"policy": "host", "rule": 0}), "{explained:?}");
}

#[tokio::test]
async fn a_directory_goes_before_the_server_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let explained = hfi(&[&ASK[..], &["table", "--dir", dir]].concat(), &[("HFI_SERVER", "nonsense")]).await;
    assert_eq!(explained.code, 0, "{explained:?}");
    assert!(explained.stdout.contains("No rule applies"), "{explained:?}");
    let nowhere = hfi(&[&ASK[..], &["table"]].concat(), &[("HFI_SERVER", "http://127.0.0.1:9")]).await;
    assert_eq!(nowhere.code, 3, "{nowhere:?}");
    let at = hfi(&[&ASK[..], &["table", "--at", "2026-11-21T00:00:00Z"]].concat(), &[]).await;
    assert_eq!(at.code, 2, "a server answers for now: {at:?}");
}
