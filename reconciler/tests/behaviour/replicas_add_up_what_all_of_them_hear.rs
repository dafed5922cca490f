//! `--peers`: each replica shows the sum of what proxies reported to any of them, and nothing twice.

use std::fs;

use crate::support::{
    policy,
    process::Process,
    replicas::{Replicas, until},
};

const CART: &str = "/v1/snapshot?namespace=demo&service=cart";

async fn report(replica: &Process, node: &str, report: &str) {
    let answer = replica.get(CART, &[("x-hfi-node", node), ("x-hfi-faults", report)]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Waits until the replica shows so many matched requests, and returns what it has measured.
async fn measured(replica: &Process, matched: u64) -> serde_json::Value {
    let is_there = |status: &serde_json::Value| status["policies"][0]["measured"]["matched"] == matched;
    let mut status = until(replica, "/v1/policies/status", is_there).await;
    status["policies"][0]["measured"].take()
}

#[tokio::test]
async fn a_proxy_that_reports_to_several_replicas_counts_once() {
    let replicas = Replicas::new(3);
    fs::write(replicas.path("policies/a.yaml"), policy("a", "cart", 503)).unwrap();
    let [one, two, three] = [replicas.start(0).await, replicas.start(1).await, replicas.start(2).await];
    report(&one, "cart-1", "e1;a=100.30.30.0.0.0").await;
    report(&two, "cart-1", "e1;a=150.45.45.0.0.0").await;
    report(&two, "cart-2", "e1;a=50.15.15.0.0.0").await;
    report(&one, "cart-1", "e1;a=100.30.30.0.0.0").await;
    for replica in [&one, &two, &three] {
        let all = measured(replica, 200).await;
        assert_eq!((&all["chosen"], &all["share"], &all["filters"]), (&60.into(), &0.3.into(), &2.into()));
        assert_eq!(all["partial"], false);
        let filters = until(replica, "/v1/filters", |answer| answer["replicas"] == "3 of 3").await;
        let of = |place: usize| filters["filters"][place]["measured"]["matched"].as_u64();
        assert_eq!((of(0), of(1)), (Some(150), Some(50)));
        let name = "hfi_measured_requests{policy=\"a\",counted=\"matched\"} 200.0";
        let metrics = String::from_utf8(replica.get("/metrics", &[]).await.body).unwrap();
        assert!(metrics.lines().any(|line| line == name), "{metrics}");
    }
}

#[tokio::test]
async fn what_a_replica_has_told_stays_when_it_goes_and_that_it_is_missing_is_said() {
    let replicas = Replicas::new(2);
    fs::write(replicas.path("policies/a.yaml"), policy("a", "cart", 503)).unwrap();
    let [one, two] = [replicas.start(0).await, replicas.start(1).await];
    report(&one, "cart-1", "e1;a=100.0.0.0.0.0").await;
    report(&two, "cart-2", "e1;a=50.0.0.0.0.0").await;
    measured(&one, 150).await;
    drop(two);
    until(&one, "/v1/policies/status", |status| status["replicas"] == "1 of 2").await;
    assert_eq!(measured(&one, 150).await["partial"], true);

    let two = replicas.start(1).await;
    report(&two, "cart-2", "e1;a=60.0.0.0.0.0").await;
    for replica in [&one, &two] {
        measured(replica, 160).await;
    }
}
