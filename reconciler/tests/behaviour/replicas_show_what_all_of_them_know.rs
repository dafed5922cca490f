//! `--peers`: each replica shows the filters that any of them knows, and says so where one does not answer.

use std::fs;

use crate::support::{
    command::hfi,
    person::{prints, tells},
    policy,
    process::{Process, text},
    replicas::{Replicas, TOKEN, until},
    writing::{ALICE, CHECKOUT, TOKENS, path, repository},
};

const CART: &str = "/v1/snapshot?namespace=demo&service=cart";

/// Polls in the name of a filter, which runs the snapshot with this entity tag, and returns the one of the answer.
async fn poll(replica: &Process, node: &str, etag: &str) -> String {
    let answer = replica.get(CART, &[("x-hfi-node", node), ("if-none-match", etag)]).await;
    assert!(matches!(answer.status, 200 | 304), "{answer:?}");
    answer.etag
}

/// The nodes and the states of the filters of an answer.
fn states(answer: &serde_json::Value) -> Vec<(&str, &str)> {
    let filters = answer["filters"].as_array().unwrap().iter();
    filters.map(|filter| (filter["node"].as_str().unwrap(), filter["state"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_filter_is_shown_by_every_replica_as_the_newest_poll_has_it() {
    let replicas = Replicas::new(3);
    fs::write(replicas.path("policies/a.yaml"), policy("a", "cart", 503)).unwrap();
    let [one, two, three] = [replicas.start(0).await, replicas.start(1).await, replicas.start(2).await];
    let etag = poll(&one, "cart-1", "").await;
    poll(&two, "cart-2", "").await;
    for replica in [&one, &two, &three] {
        let both = [("cart-1", "lagging"), ("cart-2", "lagging")];
        let answer = until(replica, "/v1/filters", |answer| states(answer) == both).await;
        assert_eq!((&answer["replicas"], &answer["missing"]), (&"3 of 3".into(), &serde_json::json!([])));
        assert_eq!(answer["complete"], true);
        assert_eq!(answer["filters"][0]["service"], "cart");
    }

    poll(&three, "cart-1", &etag).await;
    for replica in [&one, &two, &three] {
        let moved = [("cart-1", "in_step"), ("cart-2", "lagging")];
        let answer = until(replica, "/v1/filters", |answer| states(answer) == moved).await;
        assert_eq!(answer["summary"]["in_step"], 1);
    }
    // The third one has told it what the filter runs.
    assert_eq!(states(&one.json("/v1/filters?own=true").await), [("cart-1", "in_step")]);
    // The sum over all has each filter once.
    for (replica, in_step, lagging) in [(&one, 0.0, 0.0), (&two, 0.0, 1.0), (&three, 1.0, 0.0)] {
        for (state, filters) in [("in_step", in_step), ("lagging", lagging)] {
            let metric = format!("hfi_filters{{state=\"{state}\"}}");
            assert_eq!(replica.metric(&metric).await, Some(filters), "{state}");
        }
    }
    let status = until(&one, "/v1/policies/status", |status| status["replicas"] == "3 of 3").await;
    assert_eq!(status["missing"], serde_json::json!([]));
}

#[tokio::test]
async fn a_replica_that_does_not_answer_is_named_and_told_once_in_the_log() {
    let replicas = Replicas::new(2);
    let [one, two] = [replicas.start(0).await, replicas.start(1).await];
    let name = two.json("/v1/halt").await["replicas"][0]["name"].clone();
    until(&one, "/v1/filters", |answer| answer["replicas"] == "2 of 2").await;
    // It was alone for a moment.
    let (silent, back) =
        (one.all_said("a peer does not answer").len(), one.all_said("the peer answers again").len());
    drop(two);
    for _ in 0..2 {
        let answer = until(&one, "/v1/filters", |answer| answer["replicas"] == "1 of 2").await;
        assert_eq!((&answer["missing"][0]["name"], &answer["complete"]), (&name, &false.into()));
        let status = until(&one, "/v1/policies/status", |status| status["replicas"] == "1 of 2").await;
        assert_eq!(status["missing"][0]["name"], name);
        // Beyond the second for which an answer holds.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    }
    let filters = hfi(&["filters"], &[("HFI_SERVER", &one.url)]).await;
    tells(&filters, &["warning: the replica ", " does not answer, so this may lack what it knows: "]);
    assert_eq!(one.all_said("a peer does not answer").len(), silent + 1, "{}", one.log());

    let _two = replicas.start(1).await;
    until(&one, "/v1/filters", |answer| answer["replicas"] == "2 of 2").await;
    assert_eq!(one.all_said("the peer answers again").len(), back + 1, "{}", one.log());
}

#[tokio::test]
async fn without_peers_nothing_is_said_of_replicas() {
    let replicas = Replicas::new(1);
    let alone = Process::start(&[("HFI_DIR", text(&replicas.path("policies")))]).await;
    for path in ["/v1/filters", "/v1/policies/status"] {
        let answer = alone.json(path).await;
        assert_eq!((&answer["replicas"], &answer["missing"]), (&().into(), &serde_json::json!([])), "{path}");
    }
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(alone.get("/v1/peer/state", &[("authorization", &bearer)]).await.status, 404);
}

#[tokio::test]
async fn an_apply_waits_for_the_filters_of_all_replicas() {
    let (replicas, repository) = (Replicas::new(2), repository(&[("a.yaml", CHECKOUT)]).await);
    let (writers, repo) = (replicas.path("writers"), path(&repository));
    fs::write(&writers, TOKENS).unwrap();
    let variables =
        [("HFI_REPO", repo.as_str()), ("HFI_WRITE_TOKEN_FILE", text(&writers)), ("HFI_INTERVAL", "1s")];
    let one = replicas.start_with(0, "tokens", &variables).await;
    let two = replicas.start_with(1, "tokens", &variables).await;
    for replica in [&one, &two] {
        replica.until_ready(|_| true).await;
    }
    let (file, token) = (replicas.path("b.yaml"), replicas.path("alice"));
    fs::write(&token, ALICE).unwrap();
    let apply = async |status: u16, wait: &str| {
        fs::write(&file, policy("b", "cart", status)).unwrap();
        let variables = [("HFI_SERVER", one.url.as_str()), ("HFI_TOKEN_FILE", text(&token))];
        hfi(&["policy", "apply", "-f", text(&file), wait], &variables).await
    };

    // It polls the other replica alone.
    let filter = async {
        let mut etag = String::new();
        loop {
            etag = poll(&two, "cart-1", &etag).await;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let waited = tokio::select! {
        waited = apply(503, "--wait=2m") => waited,
        () = filter => unreachable!(),
    };
    prints(&waited, 0, "policy/b created\n");
    assert_eq!(waited.stderr, "policy/b runs in 1 filter that polls the replicas (2 of 2)\n");

    // It runs another one by now, for all that is known.
    poll(&one, "cart-1", &poll(&one, "cart-1", "").await).await;
    drop(two);
    until(&one, "/v1/filters", |answer| answer["replicas"] == "1 of 2").await;
    let lacking = apply(503, "--wait=3s").await;
    prints(&lacking, 1, "policy/b unchanged\n");
    tells(
        &lacking,
        &[
            "error: policy/b: after 3s, it is not known to run: a replica does not answer",
            "error: the replica ",
        ],
    );
}
