//! `hfi status`, and the measured figures of `hfi watch`, `hfi filters` and `hfi policy describe`.

use std::fs;

use serde_json::Value;
use tokio::time::timeout;

use crate::support::{
    PATIENCE, Server,
    command::{Ongoing, hfi},
    policy,
    process::{Process, text},
};

const SCOPE: &str = "namespace=demo&service=checkout";
const NODE: &str = "sidecar~10.0.0.1~checkout-1.demo~demo.svc.cluster.local";

/// A filter that runs the newest snapshot, and reports this.
async fn poll(server: &Server, report: &str) {
    let etag = server.snapshot(SCOPE, &[]).await.etag;
    let headers = [("x-hfi-node", NODE), ("if-none-match", etag.as_str()), ("x-hfi-faults", report)];
    assert_eq!(server.snapshot(SCOPE, &headers).await.status, 304);
}

#[tokio::test]
async fn the_exit_code_tells_whether_something_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let server = Server::of_folder(folder.path()).await;
    poll(&server, "").await;
    let variables = [("HFI_SERVER", server.url.as_str())];
    let right = hfi(&["status"], &variables).await;
    assert_eq!((right.code, right.stderr.as_str()), (0, ""), "{right:?}");
    assert!(right.stdout.starts_with("INJECTING into 1 service\nLISTENING: "), "{}", right.stdout);
    assert!(right.stdout.contains("\nIn force: 1\nNAME  TARGET "), "{}", right.stdout);
    assert!(right.stdout.contains("\na     checkout.demo  100% "), "{}", right.stdout);

    fs::write(folder.path().join("b.yaml"), "spec: {colour: red}\n").unwrap();
    let mut wrong = hfi(&["status"], &variables).await;
    let is_told = async {
        while wrong.code == 0 {
            wrong = hfi(&["status"], &variables).await;
        }
    };
    let is_in_time = timeout(PATIENCE, is_told).await.is_ok();
    assert!(is_in_time && wrong.code == 1, "{wrong:?}");
    assert!(wrong.stdout.contains("\nrejected  b.yaml:1  "), "{}", wrong.stdout);
    for format in ["json", "yaml"] {
        let ended = hfi(&["status", "-o", format], &variables).await;
        assert_eq!(ended.code, 1, "{ended:?}");
        let overview: Value = serde_yaml::from_str(&ended.stdout).unwrap();
        assert_eq!(overview["trouble"]["rejected"]["items"][0]["file"], "b.yaml", "{format}");
    }
    let away = hfi(&["status"], &[("HFI_SERVER", "http://127.0.0.1:9")]).await;
    assert_eq!((away.code, away.stdout.as_str()), (3, ""), "{away:?}");
    assert_eq!(hfi(&["status", "-o", "name"], &variables).await.code, 2);
}

#[tokio::test]
async fn it_goes_on_with_each_change() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let mut status = Ongoing::start(&["status", "--watch", "--server", &server.url]);
    assert!(status.line().await.starts_with("as of "));
    assert!(status.line().await.starts_with("LISTENING: "));
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let is_told = async { while status.line().await != "In force: 1\n" {} };
    timeout(PATIENCE, is_told).await.expect("it is not told");
    let mut json = Ongoing::start(&["status", "--watch", "-o", "json", "--server", &server.url]);
    let overview: Value = serde_json::from_str(&json.line().await).unwrap();
    assert_eq!(overview["inForce"]["total"], 1);
}

#[tokio::test]
async fn a_server_that_is_gone_leaves_no_banner() {
    let folder = tempfile::tempdir().unwrap();
    let mut hfi = Process::start(&[("HFI_DIR", text(folder.path()))]).await;
    let mut status = Ongoing::start(&["status", "--watch", "--server", &hfi.url]);
    while status.line().await != "\n" {}
    hfi.child.kill().unwrap();
    hfi.ended(PATIENCE).await;
    let mut line = status.line().await;
    while !line.starts_with("NO ANSWER since ") {
        line = status.line().await;
    }
    let after = [status.line().await, status.line().await];
    assert!(after[0].starts_with("as of ") && after[1].starts_with("Revision: "), "{after:?}");
}

#[tokio::test]
async fn at_a_terminal_its_times_go_on_while_the_server_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let hfi = Process::start(&[("HFI_DIR", text(folder.path()))]).await;
    let mut status = Ongoing::at_a_terminal(&["status", "--watch", "--server", &hfi.url]);
    while !status.line().await.contains("LISTENING: ") {}
    hfi.stop();
    let mut ages = Vec::new();
    while ages.len() < 3 {
        let line = status.line().await;
        let age = line.split_once(" UTC (").and_then(|(_, rest)| rest.split_once("s ago)"));
        ages.extend(age.map(|(age, _)| age.parse::<u32>().unwrap()));
    }
    assert!(ages.is_sorted_by(|one, next| one < next), "{ages:?}");
    hfi.signal("CONT");
}

#[tokio::test]
async fn measured_figures_are_the_same_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let server = Server::of_folder(folder.path()).await;
    poll(&server, "e1;a=200.60.50.10.0.0").await;
    let variables = [("HFI_SERVER", server.url.as_str())];
    let screen = hfi(&["status"], &variables).await.stdout;
    assert!(screen.contains("  100%   30% of 200  0 "), "{screen}");
    let described = hfi(&["policy", "describe", "a"], &variables).await.stdout;
    let measured =
        "Measured:  30% of 200 requests, 0 faults/s, 50 aborts, 10 delays; reported by 1 filter since ";
    assert!(described.contains(measured), "{described}");
    let filters = hfi(&["filters", "-o", "wide"], &variables).await.stdout;
    assert!(filters.contains("  0         30% of 200  sha256:"), "{filters}");

    let mut watch = Ongoing::start(&["watch", "--rates", "--server", &server.url]);
    let lines = [watch.line().await, watch.line().await];
    assert!(lines.iter().any(|line| line.ends_with("  1 active\n")), "{lines:?}");
    assert!(lines.iter().any(|line| line.ends_with("Z  rates  a 0 faults/s (30% of 200)\n")), "{lines:?}");
    poll(&server, "e1;a=300.150.140.10.0.0").await;
    let line = watch.line().await;
    assert!(line.contains("  rates  a ") && line.ends_with(" faults/s (50% of 300)\n"), "{line}");
}
