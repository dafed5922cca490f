//! `GET /v1/filters`: who polls, what each runs, and whether that is the newest.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Server, policy};

const CHECKOUT: &str = "namespace=demo&service=checkout";

async fn filters(server: &Server) -> Vec<Value> {
    let mut list = server.json("/v1/filters").await["filters"].take();
    list.as_array_mut().unwrap().iter_mut().map(Value::take).collect()
}

#[tokio::test]
async fn a_filter_lags_until_it_polls_with_the_newest_digest() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let server = Server::of_folder(folder.path()).await;
    let node = ("x-hfi-node", "sidecar~10.0.0.1~checkout-1.demo~demo.svc.cluster.local");

    let first = server.snapshot(CHECKOUT, &[node]).await;
    let [known] = &filters(&server).await[..] else { panic!("one poll is one filter") };
    assert_eq!(
        (&known["node"], &known["namespace"], &known["service"]),
        (&json!(node.1), &json!("demo"), &json!("checkout"))
    );
    assert_eq!(
        (&known["digest"], &known["newest"], &known["state"]),
        (&Value::Null, &json!(false), &json!("lagging"))
    );
    assert!(known["lastContact"].as_str().unwrap().ends_with('Z'));

    server.snapshot(CHECKOUT, &[node, ("if-none-match", &first.etag)]).await;
    let [known] = &filters(&server).await[..] else { panic!("two polls are one filter") };
    assert_eq!(known["digest"], first.etag.trim_matches('"'));
    assert_eq!((&known["newest"], &known["state"]), (&json!(true), &json!("in_step")));
    assert_eq!(server.metric("hfi_filters{state=\"in_step\"}").await, Some(1.0));

    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 500)).unwrap();
    let second = server.next(CHECKOUT, &first.etag).await;
    assert_eq!(filters(&server).await[0]["state"], "lagging");
    assert_eq!(server.metric("hfi_filters{state=\"lagging\"}").await, Some(1.0));
    server.snapshot(CHECKOUT, &[node, ("if-none-match", &second.etag)]).await;
    assert_eq!(filters(&server).await[0]["state"], "in_step");
    assert_eq!(server.json("/v1/filters").await["summary"], json!({"in_step": 1, "lagging": 0, "gone": 0}));
}

#[tokio::test]
async fn what_is_no_id_or_no_digest_is_not_taken_and_hurts_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let long = "x".repeat(254);
    for bad in ["", "<script>", "a b", "a/b", long.as_str()] {
        assert_eq!(server.snapshot(CHECKOUT, &[("x-hfi-node", bad)]).await.status, 200, "{bad}");
    }
    assert!(filters(&server).await.is_empty());
    for (i, etag) in ["*", "\"a\"", "W/\"sha256:0\"", "nonsense"].into_iter().enumerate() {
        let node = format!("n{i}");
        server.snapshot(CHECKOUT, &[("x-hfi-node", &node), ("if-none-match", etag)]).await;
    }
    let known = filters(&server).await;
    assert!(known.len() == 4 && known.iter().all(|filter| filter["digest"].is_null()), "{known:?}");
}

#[tokio::test]
async fn a_filter_names_the_plugins_of_its_proxy_or_says_nothing_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let many: Vec<_> = (0..17).map(|number| format!("demo/p{number}")).collect();
    let (many, long) = (many.join(","), format!("demo/{}", "n".repeat(600)));
    for (at, (named, known)) in [
        (Some("demo/hfi-outbound, demo/hfi-inbound"), json!(["demo/hfi-inbound", "demo/hfi-outbound"])),
        (None, Value::Null),
        (Some(""), Value::Null),
        (Some("demo/hfi,"), Value::Null),
        (Some("demo/<script>"), Value::Null),
        (Some("hfi"), Value::Null),
        (Some(many.as_str()), Value::Null),
        (Some(long.as_str()), Value::Null),
    ]
    .into_iter()
    .enumerate()
    {
        let node = format!("n{at}");
        let named = named.map(|named| ("x-hfi-plugins", named));
        let headers: Vec<_> = named.into_iter().chain([("x-hfi-node", node.as_str())]).collect();
        assert_eq!(server.snapshot(CHECKOUT, &headers).await.status, 200, "{named:?}");
        let filters = filters(&server).await;
        let filter = filters.iter().find(|filter| filter["node"] == node.as_str()).unwrap();
        assert_eq!(filter["plugins"], known, "{named:?}");
    }
}

#[tokio::test]
async fn filters_are_listed_in_pages_and_by_state_and_name() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let etag = server.snapshot(CHECKOUT, &[]).await.etag;
    for node in ["n1", "n2", "n3", "n4", "n5"] {
        server.snapshot(CHECKOUT, &[("x-hfi-node", node), ("if-none-match", &etag)]).await;
    }
    server.snapshot("namespace=demo&service=cart", &[("x-hfi-node", "n0")]).await;
    let listed = async |query: &str| {
        let mut answer = server.json(&format!("/v1/filters?{query}")).await;
        let filters = answer["filters"].as_array().unwrap().iter();
        let nodes: Vec<_> = filters.map(|filter| filter["node"].as_str().unwrap().to_owned()).collect();
        (nodes.join(" "), answer["next"].take())
    };
    assert_eq!(listed("").await, ("n0 n1 n2 n3 n4 n5".to_owned(), Value::Null));
    assert_eq!(listed("state=lagging").await.0, "n0");
    assert_eq!(listed("service=cart&namespace=demo").await.0, "n0");
    let (first, next) = listed("service=checkout&limit=2").await;
    assert_eq!(first, "n1 n2");
    // The last one of the page has moved to another service; another one has come before it.
    server.snapshot("namespace=demo&service=cart", &[("x-hfi-node", "n2")]).await;
    server.snapshot(CHECKOUT, &[("x-hfi-node", "n11")]).await;
    let (second, next) = listed(&format!("service=checkout&limit=2&cursor={}", next.as_str().unwrap())).await;
    assert_eq!(second, "n3 n4");
    let last = listed(&format!("service=checkout&limit=2&cursor={}", next.as_str().unwrap())).await;
    assert_eq!(last, ("n5".to_owned(), Value::Null));

    for (query, told) in
        [("state=lost", "in_step, lagging, gone"), ("limit=0", "1 to 1000"), ("sate=gone", "state")]
    {
        let answer = server.get(&format!("/v1/filters?{query}"), &[]).await;
        assert_eq!(answer.status().as_u16(), 400, "{query}");
        let detail = answer.text().await.unwrap();
        assert!(detail.contains(told), "{detail}");
    }
}
