//! A filter that was given a policy, and has not polled since, may inject it. It does not count as stopped once the
//! policy is deleted.

use std::{fs, net::SocketAddr};

use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    time::{Duration, sleep, timeout},
};

use crate::support::{PATIENCE, Server, policy, replicas::Replicas};

const SCOPE: &str = "namespace=demo&service=checkout";
const NODES: [&str; 2] = ["checkout-1", "checkout-2"];

/// Sends a poll that is held, and reads no answer.
async fn hold(address: SocketAddr, node: &str, etag: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    let poll = format!(
        "GET /v1/snapshot?{SCOPE} HTTP/1.1\r\nhost: hfi\r\nx-hfi-node: {node}\r\nif-none-match: {etag}\r\n\
         prefer: wait=60\r\n\r\n"
    );
    client.write_all(poll.as_bytes()).await.unwrap();
    client
}

/// Polls where its held poll was: the router knows no address, and a node is believed from one client.
async fn poll(server: &Server, address: SocketAddr, node: &str, etag: &str) {
    let request = server.client.get(format!("http://{address}/v1/snapshot?{SCOPE}"));
    request.header("x-hfi-node", node).header("if-none-match", etag).send().await.unwrap();
}

/// The number of filters that are in step, and that of those that lag.
async fn told(server: &Server) -> [Value; 2] {
    let mut summary = server.json("/v1/filters").await["summary"].take();
    [summary["in_step"].take(), summary["lagging"].take()]
}

/// Waits until a field of an answer is this.
async fn until(server: &Server, path: &str, field: &str, expected: Value) {
    let mut last = Value::Null;
    let wanted = async {
        while last != expected {
            sleep(Duration::from_millis(20)).await;
            last = server.json(path).await[field].take();
        }
    };
    let is_in_time = timeout(PATIENCE, wanted).await.is_ok();
    assert!(is_in_time, "{last:?} instead of {expected:?}");
}

#[tokio::test]
async fn a_filter_that_does_not_poll_after_it_was_given_a_policy_may_inject_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    fs::write(&file, "").unwrap();
    let server = Server::of_folder(folder.path()).await;
    let empty = server.snapshot(SCOPE, &[]).await.etag;
    // Plain polls are answered apart from all other requests, and the router knows them too.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let routed = listener.local_addr().unwrap();
    let router = server.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let plain: SocketAddr = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let held = [hold(plain, NODES[0], &empty).await, hold(routed, NODES[1], &empty).await];
    until(&server, "/v1/filters", "summary", json!({"in_step": 2, "lagging": 0, "gone": 0})).await;

    fs::write(&file, policy("a", "checkout", 503)).unwrap();
    for client in &held {
        timeout(PATIENCE, client.peek(&mut [0])).await.expect("no answer").unwrap();
    }
    let policy = server.next(SCOPE, &empty).await.etag;
    fs::write(&file, "").unwrap();
    assert_eq!(server.next(SCOPE, &policy).await.etag, empty);
    assert_eq!(told(&server).await, [json!(0), json!(2)]);
    // It is not the first one, since clients without a name poll, too.
    let overview = server.json("/v1/overview").await;
    let mut banners = overview["banners"].as_array().unwrap().iter();
    let expected = "MAY STILL INJECT: 2 filters have not confirmed";
    assert!(banners.any(|banner| banner["sentence"] == expected), "{overview}");
    let halt = "kind: Halt\nspec: {reason: checkout is down}\n";
    fs::write(folder.path().join("halt.yaml"), halt).unwrap();
    until(&server, "/v1/halt", "filters", json!({"stopped": 0, "waiting": 2})).await;

    for ((node, address), lagging) in NODES.into_iter().zip([plain, routed]).zip([1, 0]) {
        // It runs the policy, and is given the empty snapshot.
        poll(&server, address, node, &policy).await;
        assert_eq!(told(&server).await[1], json!(lagging + 1));
        poll(&server, address, node, &empty).await;
        assert_eq!(told(&server).await[1], json!(lagging));
    }
    assert_eq!(told(&server).await, [json!(2), json!(0)]);
    assert_eq!(server.json("/v1/halt").await["filters"], json!({"stopped": 2, "waiting": 0}));
}

#[tokio::test]
async fn what_a_filter_says_later_to_another_replica_settles_what_it_was_given() {
    let replicas = Replicas::new(2);
    let file = replicas.path("policies/a.yaml");
    fs::write(&file, "").unwrap();
    let [one, two] = [replicas.start(0).await, replicas.start(1).await];
    let path = format!("/v1/snapshot?{SCOPE}");
    let empty = one.snapshot(SCOPE).await.etag;
    let says = [("x-hfi-node", NODES[0]), ("if-none-match", empty.as_str())];
    fs::write(&file, policy("a", "checkout", 503)).unwrap();
    let policy = one.next(SCOPE, &empty).await.etag;
    assert_eq!(one.get(&path, &says).await.etag, policy);
    fs::write(&file, "").unwrap();
    assert_eq!(one.next(SCOPE, &policy).await.etag, empty);

    let own = async || one.json("/v1/filters?own=true").await["filters"][0]["state"].take();
    assert_eq!(own().await, "lagging");
    let settled = async {
        while own().await != "in_step" {
            two.get(&path, &says).await;
            // It asks the other replica, at most once a second.
            one.json("/v1/filters").await;
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, settled).await.expect("it is not settled");
}
