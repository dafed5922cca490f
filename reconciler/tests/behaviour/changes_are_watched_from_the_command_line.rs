//! `hfi watch` and `hfi policy list --watch`: a line for each change, over interruptions.

use std::fs;

use serde_json::Value;

use crate::support::{
    Server,
    command::Ongoing,
    policy,
    process::{Process, text},
};

#[tokio::test]
async fn an_event_is_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let mut people = Ongoing::start(&["watch", "--server", &server.url]);
    let mut machines = Ongoing::start(&["watch", "-o", "json", "--server", &server.url]);
    let first = people.line().await;
    assert!(first.contains("Z  dir@sha256:") && first.ends_with("  0 active\n"), "{first}");
    machines.line().await;
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let second = people.line().await;
    assert!(second.ends_with("  1 active\n"), "{second}");
    let event: Value = serde_json::from_str(&machines.line().await).unwrap();
    assert_eq!(event["summary"]["active"], 1);
}

#[tokio::test]
async fn a_policy_that_comes_changes_or_goes_is_a_row_and_the_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    // Of another service each: two for one would warn of each other.
    let write = |name: &str, text: &str| fs::write(folder.path().join(format!("{name}.yaml")), text).unwrap();
    let brief = policy("brief", "cart", 503);
    write("steady", &policy("steady", "checkout", 503));
    let server = Server::of_folder(folder.path()).await;
    let mut list = Ongoing::start(&["policy", "list", "--watch", "--server", &server.url]);
    assert!(list.line().await.starts_with("NAME "));
    assert!(list.line().await.starts_with("steady  active "));
    write("brief", &brief);
    let row = list.line().await;
    assert!(row.starts_with("brief   active "), "{row}");
    write("brief", &brief.replace("spec: {", "spec: {suspend: true, "));
    let row = list.line().await;
    assert!(row.starts_with("brief   suspended "), "{row}");
    fs::remove_file(folder.path().join("brief.yaml")).unwrap();
    let row = list.line().await;
    assert!(row.starts_with("brief   deleted "), "{row}");
}

#[tokio::test]
async fn a_server_that_comes_back_is_followed_on() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let mut first = Process::start(&[("HFI_DIR", dir)]).await;
    let mut watch = Ongoing::start(&["watch", "--server", &first.url]);
    watch.line().await;
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let listen = first.url.trim_start_matches("http://").to_owned();
    let _second = Process::start(&[("HFI_DIR", dir), ("HFI_LISTEN", &listen)]).await;
    let line = watch.line().await;
    assert!(line.ends_with("  1 active\n"), "{line}");
}

#[tokio::test]
async fn a_token_that_is_replaced_is_replaced_here_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("policies")).unwrap();
    fs::write(path("view"), "viewer first-0123456789abcdef\n").unwrap();
    fs::write(path("token"), "first-0123456789abcdef").unwrap();
    let (policies, view, token) = (path("policies"), path("view"), path("token"));
    let hfi = Process::start(&[("HFI_DIR", text(&policies)), ("HFI_VIEW_TOKEN_FILE", text(&view))]).await;
    let mut watch = Ongoing::start(&["watch", "--server", &hfi.url, "--token-file", text(&token)]);
    assert!(watch.line().await.ends_with("  0 active\n"));
    fs::write(&token, "second-0123456789abcdef").unwrap();
    fs::write(&view, "viewer second-0123456789abcdef\n").unwrap();
    fs::write(path("policies/a.yaml"), policy("a", "checkout", 503)).unwrap();
    let line = watch.line().await;
    assert!(line.ends_with("  1 active\n"), "{line}");
}
