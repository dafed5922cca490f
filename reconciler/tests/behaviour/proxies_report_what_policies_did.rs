//! `x-hfi-faults`: what policies did in proxies is shown, of each policy and of each proxy.

use std::{fs, net::IpAddr};

use serde_json::{Value, json};

use crate::support::{Server, policy};

const CHECKOUT: &str = "namespace=demo&service=checkout";

async fn server() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        fs::write(folder.path().join(format!("{name}.yaml")), policy(name, "checkout", 503)).unwrap();
    }
    let server = Server::of_folder(folder.path()).await;
    (folder, server)
}

async fn report(server: &Server, node: &str, report: &str) {
    let headers = [("x-hfi-node", node), ("x-hfi-faults", report)];
    assert_eq!(server.snapshot(CHECKOUT, &headers).await.status, 200, "{report}");
}

/// What is measured of `a` and of `b`.
async fn measured(server: &Server) -> [Value; 2] {
    let mut status = server.json("/v1/policies/status").await;
    [0, 1].map(|place| status["policies"][place]["measured"].take())
}

#[tokio::test]
async fn the_counts_of_all_proxies_are_added_and_each_is_shown_with_its_own() {
    let (_folder, server) = server().await;
    assert_eq!(measured(&server).await, [Value::Null, Value::Null]);
    report(&server, "n1", "e1;a=100.30.20.10.0.0;b=5.0.0.0.0.0").await;
    report(&server, "n2", "e1;a=100.20.0.0.19.1").await;
    // Late, again, and another life of the proxy.
    for late in ["e1;a=90.25.15.10.0.0", "e1;a=100.30.20.10.0.0", "e2;a=50.10.10.0.0.0.7.8"] {
        report(&server, "n1", late).await;
    }
    let [a, b] = measured(&server).await;
    for (count, value) in [("matched", 250), ("chosen", 60), ("aborts", 30), ("delays", 10), ("shadow", 19)] {
        assert_eq!(a[count], value, "{count}");
    }
    assert_eq!((&a["overflow"], &a["share"]), (&json!(1), &json!(0.24)));
    assert_eq!((&a["filters"], &a["partial"], &a["perSecond"]), (&json!(2), &json!(false), &json!(0.0)));
    assert_eq!((&b["matched"], &b["share"], &b["filters"]), (&json!(5), &json!(0.0), &json!(1)));

    let listed = server.json("/v1/filters").await;
    assert_eq!(a["since"], listed["since"]);
    let matched = |place: usize| listed["filters"][place]["measured"]["matched"].as_u64();
    assert_eq!((matched(0), matched(1)), (Some(155), Some(100)));
    assert_eq!(server.metric("hfi_measured_share{policy=\"a\"}").await, Some(0.24));
    let of_a = "hfi_measured_requests{policy=\"a\",counted=\"matched\"}";
    assert_eq!(server.metric(of_a).await, Some(250.0));
}

#[tokio::test]
async fn what_cannot_be_is_left_out_and_counted() {
    let (_folder, server) = server().await;
    report(&server, "n1", "e1;a=10.0.0.0.0.0").await;
    let long = format!("e1;a=1.1.1.1.1.1{}", ".1".repeat(600));
    for bad in ["", "e1;", "E1;a=99.0.0.0.0.0", "e1;a=99", "e1;a=9007199254740992.0.0.0.0.0", &long] {
        report(&server, "n1", bad).await;
    }
    report(&server, "n1", "e1;a=9007199254740991.0.0.0.0.0;b=3.0.0.0.0.0;nobody=4.0.0.0.0.0").await;
    let [a, b] = measured(&server).await;
    assert_eq!((&a["matched"], &b["matched"]), (&json!(10), &json!(3)));
    for (reason, count) in [("unreadable", 6.0), ("implausible", 1.0), ("unknown", 1.0)] {
        let name = format!("hfi_reports_left_out_total{{reason=\"{reason}\"}}");
        assert_eq!(server.metric(&name).await, Some(count), "{reason}");
    }
}

#[tokio::test]
async fn only_the_client_that_is_believed_reports_for_a_proxy() {
    let (_folder, server) = server().await;
    let own = "sidecar~127.0.0.1~checkout-1.demo~x";
    report(&server, own, "e1;a=10.0.0.0.0.0").await;
    assert_eq!(server.snapshot(CHECKOUT, &[("x-hfi-faults", "e1;a=50.0.0.0.0.0")]).await.status, 200);
    let elsewhere = harness::http_client().unwrap().local_address(IpAddr::from([127, 0, 0, 2]));
    let elsewhere = elsewhere.build().unwrap();
    let poll = elsewhere.get(format!("{}/v1/snapshot?{CHECKOUT}", server.url));
    let poll = poll.header("x-hfi-node", own).header("x-hfi-faults", "e1;a=90.0.0.0.0.0;b=1.0.0.0.0.0");
    assert_eq!(poll.send().await.unwrap().status(), 200);
    assert_eq!(measured(&server).await[0]["matched"], 10, "a poll without a node reports of none");
    let unbelieved = server.metric("hfi_reports_left_out_total{reason=\"unbelieved\"}").await;
    assert_eq!(unbelieved, Some(3.0), "what is left out is counted");
}

#[tokio::test]
async fn the_counts_of_a_policy_that_has_gone_are_not_lost_when_it_comes_back() {
    let (folder, server) = server().await;
    report(&server, "n1", "e1;a=100.30.30.0.0.0").await;
    let etag = server.snapshot(CHECKOUT, &[]).await.etag;
    fs::remove_file(folder.path().join("a.yaml")).unwrap();
    let next = server.next(CHECKOUT, &etag).await;
    assert_eq!(server.json("/v1/policies/status").await["policies"].as_array().unwrap().len(), 1);
    report(&server, "n1", "e1;a=110.33.33.0.0.0").await;
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    server.next(CHECKOUT, &next.etag).await;
    assert_eq!(measured(&server).await[0]["matched"], 110);
}
