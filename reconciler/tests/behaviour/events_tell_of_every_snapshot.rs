//! `GET /v1/events`: server-sent events.

use std::{
    fs,
    time::{Duration, Instant},
};

use reqwest::Response;
use serde_json::Value;
use tokio::time::timeout;

use crate::support::{PATIENCE, Server, policy};

/// Reads a stream event by event.
struct Events {
    response: Response,
    read: Vec<u8>,
}

impl Events {
    async fn open(server: &Server, path: &str) -> Self {
        let response = server.get(path, &[("accept", "text/event-stream")]).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        Self { response, read: Vec::new() }
    }

    /// The data of the next event `snapshot`; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Value> {
        loop {
            let (name, data) = self.any().await?;
            if name == "snapshot" {
                return Some(data);
            }
        }
    }

    /// The name and the data of the next event; `None` at the end of the stream.
    async fn any(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(end) = self.read.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<_> = self.read.drain(..end + 2).collect();
                let event = String::from_utf8(event).unwrap();
                let Some((name, data)) = event.split_once('\n') else { panic!("{event}") };
                let name = name.strip_prefix("event: ").unwrap().to_owned();
                return Some((name, serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap()));
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("no event").unwrap();
            self.read.extend_from_slice(&chunk?);
        }
    }
}

#[tokio::test]
async fn what_is_so_comes_first_and_then_every_new_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    write("a.yaml", &policy("a", "checkout", 503));
    let server = Server::of_folder(folder.path()).await;
    for path in ["/v1/events", "/v1/config/stream"] {
        let mut events = Events::open(&server, path).await;
        let first = events.next().await.unwrap();
        let everything = server.snapshot("namespace=*&service=*", &[]).await;
        assert_eq!(first["revision"], everything.revision);
        assert_eq!(format!("\"{}\"", first["digest"].as_str().unwrap()), everything.etag);
        assert_eq!(first["summary"]["active"], 1);

        write("b.yaml", &policy("b", "cart", 500));
        let second = events.next().await.unwrap();
        assert_eq!(second["summary"]["active"], 2);
        assert_ne!((&second["revision"], &second["digest"]), (&first["revision"], &first["digest"]));

        // A commit that injects nothing new is a new snapshot too.
        write("c.yaml", "# nothing\n");
        let third = events.next().await.unwrap();
        assert_eq!(third["digest"], second["digest"]);
        assert_ne!(third["revision"], second["revision"]);
        for file in ["b.yaml", "c.yaml"] {
            fs::remove_file(folder.path().join(file)).unwrap();
        }
        while events.next().await.unwrap()["digest"] != first["digest"] {}
    }
}

/// The data of the next event of that name, and the names of those before it.
async fn until(events: &mut Events, wanted: &str) -> (Value, Vec<String>) {
    let mut before = Vec::new();
    loop {
        let (name, data) = events.any().await.unwrap();
        if name == wanted {
            return (data, before);
        }
        before.push(name);
    }
}

#[tokio::test]
async fn a_client_of_the_first_generation_is_told_the_policies_by_its_own_events() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    write("a.yaml", &policy("a", "checkout", 503));
    let server = Server::of_folder(folder.path()).await;
    let mut events = Events::open(&server, "/v1/config/stream").await;
    let (first, before) = until(&mut events, "full_config").await;
    assert_eq!((&first, before), (&server.json("/v1/policies").await["policies"], Vec::new()));
    assert_eq!(first[0]["metadata"]["name"], "a");

    // More than a connection takes at once.
    let many: String = (0..200).map(|i| policy(&format!("b{i}"), "cart", 500) + "---\n").collect();
    write("b.yaml", &many);
    let (second, before) = until(&mut events, "update").await;
    assert_eq!((second.as_array().unwrap().len(), before), (201, vec!["snapshot".to_owned()]));
    assert_eq!(second, server.json("/v1/policies").await["policies"]);

    // What its filters do not know tells them nothing; a rule that ends does, though no commit says so.
    write("c.yaml", &policy("c", "cart", 500).replace("spec: {", "spec: {mode: shadow, "));
    let ends = "metadata: {name: d}\nspec: {rules: [{fault: {percentage: 1, duration_seconds: 2, delay_ms: 1}}, {fault: {percentage: 2, delay_ms: 1}}]}\n";
    write("d.yaml", ends);
    let rules = async |events: &mut Events| {
        let (policies, _) = until(events, "update").await;
        let policies = policies.as_array().unwrap().clone();
        assert!(policies.iter().all(|policy| policy["metadata"]["name"] != "c"));
        let found = policies.iter().find(|policy| policy["metadata"]["name"] == "d").cloned();
        found.map(|policy| policy["spec"]["rules"].as_array().unwrap().len())
    };
    assert_eq!(rules(&mut events).await, Some(2));
    assert_eq!(rules(&mut events).await, Some(1));
}

#[tokio::test]
async fn streams_end_at_shutdown() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let mut events = Events::open(&server, "/v1/events").await;
    assert!(events.next().await.is_some());
    server.trigger.request();
    assert!(events.next().await.is_none());
    timeout(PATIENCE, server.serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn there_is_an_end_to_how_many_streams_are_open() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let mut open = Vec::new();
    for _ in 0..256 {
        open.push(Events::open(&server, "/v1/events").await);
    }
    assert_eq!(server.metric("hfi_event_streams").await, Some(256.0));
    let refused = server.get("/v1/events", &[]).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.text().await.unwrap().contains("256 streams are open"));
    open.pop();
    let again = async {
        while server.get("/v1/events", &[]).await.status() != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, again).await.expect("a stream that is closed stays counted");
}

#[tokio::test]
async fn who_looks_by_other_means_is_told_only_that_the_overview_changes() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let mut events = Events::open(&server, "/v1/events?overview=changed").await;
    for number in 0..2 {
        let (data, _) = until(&mut events, "overview").await;
        assert_eq!(data, serde_json::json!({}));
        fs::write(folder.path().join("a.yaml"), policy(&format!("a{number}"), "checkout", 503)).unwrap();
    }
}

#[tokio::test]
async fn an_overview_is_sent_to_all_who_want_it_when_it_changes_and_at_most_once_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| fs::write(folder.path().join("a.yaml"), text).unwrap();
    write(&policy("a", "checkout", 503));
    let server = Server::of_folder(folder.path()).await;
    assert_eq!(server.get("/v1/events?overview=maybe", &[]).await.status(), 400);
    let mut one = Events::open(&server, "/v1/events?overview=true").await;
    let (first, _) = until(&mut one, "overview").await;
    assert_eq!(first["inForce"]["items"][0]["name"], "a");
    let mut other = Events::open(&server, "/v1/events?overview=true").await;
    let (same, _) = until(&mut other, "overview").await;
    assert_eq!(same["inForce"], first["inForce"], "who comes later is told at once what is so");

    let begun = Instant::now();
    for status in 500..520 {
        write(&policy("b", "checkout", status));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    write(&policy("last", "checkout", 503));
    let mut told = 0;
    let last = loop {
        let (overview, _) = until(&mut one, "overview").await;
        told += 1;
        if overview["inForce"]["items"][0]["name"] == "last" {
            break overview;
        }
    };
    let seconds = begun.elapsed().as_secs_f64();
    assert!(f64::from(told) <= seconds + 2.0, "{told} in {seconds} s");
    let of_other = async {
        loop {
            let (overview, _) = until(&mut other, "overview").await;
            if overview["inForce"]["items"][0]["name"] == "last" {
                return overview;
            }
        }
    };
    let of_other = timeout(PATIENCE, of_other).await.expect("it is not told");
    assert_eq!(of_other, last, "it is made once for all");
}
