//! `--peers`: what a peer does that is none, or none of ours.

use std::{
    fs,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{
    client, policy,
    process::{Process, peak_memory, text},
    replicas::{Replicas, TOKEN, missing, until},
    stranger::{http, stranger},
};

#[tokio::test]
async fn whatever_it_answers_the_rest_is_shown_in_time() {
    let replicas = Replicas::new(2);
    fs::write(replicas.path("policies/a.yaml"), policy("a", "cart", 503)).unwrap();
    // What the stranger answers, and what it was asked.
    let (answer, asked) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::<Mutex<String>>::default());
    let (told, heard) = (Arc::clone(&answer), Arc::clone(&asked));
    let answering = move |request: String| {
        // It is told of halts, too.
        if request.starts_with("GET ") {
            *heard.lock().unwrap() = request;
        }
        told.lock().unwrap().clone()
    };
    stranger(&replicas.addresses[1], answering).await;
    let one = replicas.start(0).await;
    one.get("/v1/snapshot?namespace=demo&service=cart", &[("x-hfi-node", "cart-1")]).await;
    let problem =
        r#"{"title": "Internal Server Error", "status": 500, "detail": "the disk is full\u001b[31m"}"#;
    for (bytes, words) in [
        (Vec::new(), "does not answer within 2 s"),
        (b"\r\n".to_vec(), ""),
        (b"garbage\r\n\r\n".to_vec(), ""),
        (http("200 OK", "", "garbage"), "not as hfi does"),
        (http("200 OK", "", "{}"), "not as hfi does"),
        (http("200 OK", "", r#"{"id": "a", "name": "", "told": {}}"#), "its id is not one of a replica"),
        (http("200 OK", "", r#"{"id": "0123456789abcdef", "name": ""}"#), "answers nothing"),
        (http("200 OK", "", &"x".repeat(10 << 20)), "longer than 8388608 bytes"),
        (http("500 Internal Server Error", "", "out of order"), "500 Internal Server Error out of order"),
        (
            http("500 Internal Server Error", "content-type: application/problem+json\r\n", problem),
            "it answers 500: the disk is full\\u001b[31m",
        ),
        (http("302 Found", "location: http://127.0.0.1:9/\r\n", ""), "redirects to http://127.0.0.1:9/"),
    ] {
        *answer.lock().unwrap() = bytes;
        let shown = missing(&one, words).await;
        assert_eq!(
            (&shown["replicas"], &shown["missing"][0]["name"]),
            (&json!("1 of 2"), &json!(replicas.addresses[1]))
        );
        assert_eq!(shown["filters"][0]["node"], "cart-1");
        // What replicas said before holds for a second, and the next ones are asked with time to spare.
        let begun = Instant::now();
        one.json("/v1/filters").await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{words}");
    }
    let sent = asked.lock().unwrap().to_lowercase();
    assert!(sent.starts_with("get /v1/peer/state http/1.1\r\n"), "{sent}");
    assert!(
        sent.contains(&format!("authorization: bearer {TOKEN}\r\n")) && sent.contains("x-hfi-replica: "),
        "{sent}"
    );

    let newer = json!({
        "id": "0123456789abcdef", "name": "hfi-2", "region": "x", "told": {
            "complete": true, "listeningMillis": 60_000, "rates": [],
            "filters": [
                {"node": "cart-2", "format": 2, "scope": "namespace=demo&service=cart", "silentMillis": 5, "mood": "good"},
                {"node": "cart-3", "format": 250, "scope": ""},
                {"node": "no node", "format": 2, "scope": ""},
            ],
        },
    });
    *answer.lock().unwrap() = http("200 OK", "", &newer.to_string());
    let shown = until(&one, "/v1/filters", |shown| shown["replicas"] == "2 of 2").await;
    let nodes: Vec<_> = shown["filters"].as_array().unwrap().iter().map(|filter| &filter["node"]).collect();
    assert_eq!(nodes, ["cart-1", "cart-2"]);
    assert_eq!(shown["complete"], false, "some cannot be read");
}

/// The answer of a replica with this name.
fn told(name: &str, told: &str) -> Vec<u8> {
    let name = serde_json::to_string(name).unwrap();
    http("200 OK", "", &format!(r#"{{"id": "0123456789abcdef", "name": {name}, "told": {told}}}"#))
}

#[tokio::test]
async fn whatever_it_tells_memory_and_names_are_bounded() {
    let replicas = Replicas::new(2);
    let answer = Arc::new(Mutex::new(http("500 Internal Server Error", "", "")));
    let answering = Arc::clone(&answer);
    stranger(&replicas.addresses[1], move |_| answering.lock().unwrap().clone()).await;
    let one = replicas.start(0).await;
    missing(&one, "500").await;
    let before = peak_memory(&one);
    let rows = format!(r#"{{"complete": true, "filters": [{}{{}}]}}"#, "{},".repeat(2_700_000));
    *answer.lock().unwrap() = told("hfi-2", &rows);
    missing(&one, "a list is longer than 32768").await;
    let grown = (peak_memory(&one) - before) / 1024;
    assert!(grown < 64, "{grown} MiB more");

    *answer.lock().unwrap() = told(&"\u{1b}[31m".repeat(1 << 18), "null");
    let shown = missing(&one, "answers nothing").await;
    let name = shown["missing"][0]["name"].as_str().unwrap();
    assert!(name.starts_with("\\u001b[31m\\u001b[31m") && name.chars().count() == 253, "{name}");
}

#[tokio::test]
async fn whatever_it_tells_of_halts_memory_and_reasons_are_bounded() {
    let replicas = Replicas::new(2);
    let answer = Arc::new(Mutex::new(http("500 Internal Server Error", "", "")));
    let answering = Arc::clone(&answer);
    stranger(&replicas.addresses[1], move |_| answering.lock().unwrap().clone()).await;
    let one = replicas.start(0).await;
    let error = async |words: &str| {
        let shown = until(&one, "/v1/halt", |state| {
            state["replicas"][1]["error"].as_str().is_some_and(|error| error.contains(words))
        });
        shown.await["replicas"][1]["error"].as_str().unwrap().to_owned()
    };
    error("500").await;
    let before = peak_memory(&one);
    // In JSON this character is one byte, and six where it is shown.
    let id = "\u{7f}".repeat(8_000_000);
    let halt = format!(r#"{{"by": "", "id": "{id}", "reason": "", "since": "2026-01-01T00:00:00Z"}}"#);
    *answer.lock().unwrap() = told("hfi-2", &format!(r#"{{"halted": true, "halts": [{halt}]}}"#));
    let wrong = error("which is not the id of a halt").await;
    assert!(wrong.chars().count() <= 300, "{} characters", wrong.chars().count());
    let grown = (peak_memory(&one) - before) / 1024;
    assert!(grown < 64, "{grown} MiB more");

    let ends = vec![r#"{"at":"2026-01-01T00:00:00Z","id":"e"}"#; 6_000].join(",");
    *answer.lock().unwrap() = told("hfi-2", &format!(r#"{{"halted": true, "ended": [{ends}]}}"#));
    error("a list is longer than 5000").await;
}

#[tokio::test]
async fn who_leaves_while_it_hangs_delays_nobody() {
    let replicas = Replicas::new(2);
    stranger(&replicas.addresses[1], |_| Vec::new()).await;
    let one = replicas.start(0).await;
    let leaves = async || {
        let asked = client().get(format!("{}/v1/filters", one.url)).timeout(Duration::from_millis(1_900));
        assert!(asked.send().await.unwrap_err().is_timeout(), "it hangs");
    };
    let leaving = futures_util::future::join_all((0..5).map(|_| leaves()));
    let stays = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let begun = Instant::now();
        one.json("/v1/filters").await;
        begun.elapsed()
    };
    let (_, waited) = tokio::join!(leaving, stays);
    assert!(waited < Duration::from_secs(3), "{waited:?}");

    // Names at the press of a key do not wait for it.
    let begun = Instant::now();
    let status = one.json("/v1/policies/status?own=true").await;
    assert!(begun.elapsed() < Duration::from_secs(1) && status["replicas"].is_null(), "{status}");
}

#[tokio::test]
async fn replicas_with_different_tokens_are_missing_to_each_other() {
    let replicas = Replicas::new(2);
    fs::write(replicas.path("others"), "replicas another-0123456789abcdef\n").unwrap();
    let (one, variables) =
        (replicas.start(0).await, [("HFI_DIR", text(&replicas.path("policies")).to_owned())]);
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let two = replicas.start_with(1, "others", &variables).await;
    for replica in [&one, &two] {
        missing(replica, "it answers 401: the token is not one of --peer-token-file of this replica").await;
    }
    let said = two.said("a peer does not answer").unwrap();
    assert!(said["reason"].as_str().unwrap().contains("401"), "{said}");

    // The new token comes second to one of them, then first to both: nobody is missing at any time.
    fs::write(replicas.path("tokens"), format!("replicas {TOKEN}\nnext another-0123456789abcdef\n")).unwrap();
    fs::write(replicas.path("others"), format!("next another-0123456789abcdef\nreplicas {TOKEN}\n")).unwrap();
    for replica in [&one, &two] {
        until(replica, "/v1/filters", |answer| answer["replicas"] == "2 of 2").await;
    }
}

#[tokio::test]
async fn the_token_is_good_for_replicas_only_and_no_other_token_is() {
    let replicas = Replicas::new(1);
    let (writers, halters) = (replicas.path("writers"), replicas.path("halters"));
    fs::write(&writers, "alice alice-0123456789abcdef resume\n").unwrap();
    fs::write(&halters, "bob bob-0123456789abcdef\n").unwrap();
    let policies = replicas.path("policies");
    let variables = [("HFI_DIR", text(&policies)), ("HFI_HALT_TOKEN_FILE", text(&halters))];
    let one = replicas.start_with(0, "tokens", &variables).await;
    let state = async |token: &str| {
        let bearer = format!("Bearer {token}");
        one.get("/v1/peer/state", &[("authorization", &bearer)]).await.status
    };
    assert_eq!(one.get("/v1/peer/state", &[]).await.status, 401);
    assert_eq!(state("bob-0123456789abcdef").await, 401);
    assert_eq!(state(TOKEN).await, 200);
    let halt = client().post(format!("{}/v1/halt", one.url)).bearer_auth(TOKEN);
    let halt = halt.header("content-type", "application/json").body(r#"{"reason": "me"}"#);
    assert_eq!(halt.send().await.unwrap().status(), 401);

    // A browser has no business here, and who guesses has to wait.
    let foreign = client().post(format!("{}/v1/peer/halts", one.url)).bearer_auth(TOKEN);
    let foreign = foreign.header("content-type", "application/json").header("origin", "https://evil.example");
    assert_eq!(foreign.body("{}").send().await.unwrap().status(), 403);
    let mut last = 401;
    for _ in 0..40 {
        last = state("guess-0123456789abcdef").await;
    }
    assert_eq!(last, 429);
    assert_eq!(state(TOKEN).await, 200, "who was known here does not wait");
}

#[tokio::test]
async fn a_start_without_what_it_needs_ends_with_2() {
    let replicas = Replicas::new(1);
    let (policies, tokens, accounts) =
        (replicas.path("policies"), replicas.path("tokens"), replicas.path("accounts"));
    fs::write(&accounts, "replicas serviceaccount:boifi/hfi-control-plane\n").unwrap();
    for (variables, words) in [
        (&[("HFI_PEERS", "hfi-peers:8080")][..], "give --peer-token-file (HFI_PEER_TOKEN_FILE)"),
        (&[("HFI_PEER_TOKEN_FILE", text(&tokens))], "give --peers (HFI_PEERS)"),
        (
            &[("HFI_PEERS", "hfi-peers:8080"), ("HFI_PEER_TOKEN_FILE", text(&accounts))],
            "names a ServiceAccount; replicas know each other by a token",
        ),
    ] {
        let (code, said) = Process::refused(&[&[("HFI_DIR", text(&policies))], variables].concat());
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_told() {
    let replicas = Replicas::new(1);
    let (policies, tokens) = (replicas.path("policies"), replicas.path("tokens"));
    let one = Process::start(&[
        ("HFI_DIR", text(&policies)),
        ("HFI_PEERS", "hfi-peers.invalid:8080"),
        ("HFI_PEER_TOKEN_FILE", text(&tokens)),
    ])
    .await;
    let shown = until(&one, "/v1/filters", |answer| answer["replicas"] == "1 of 2").await;
    assert_eq!(shown["missing"][0]["name"], "hfi-peers.invalid:8080");
    assert_eq!(one.all_said("a name of the peers has no addresses").len(), 1);
}
