//! `hfi halt` and `hfi resume`, with the answers that a server may give.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::Request,
    http::{Method, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{
    command::{Ended, hfi},
    person::{is_told, prints, tells},
};

/// A server that answers `/v1/halt` with these, the last one again and again.
struct Halting {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Halting {
    async fn start(answers: &[(u16, Value)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (noted, answers) = (Arc::clone(&requests), Arc::new(Mutex::new(answers.to_vec())));
        let router = Router::new().fallback(move |request: Request| {
            let (noted, answers) = (Arc::clone(&noted), Arc::clone(&answers));
            async move { answer(request, &noted, &answers).await }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, requests }
    }

    async fn hfi(&self, arguments: &[&str]) -> Ended {
        hfi(&[arguments, &["--server", &self.url]].concat(), &[]).await
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn answer(
    request: Request,
    noted: &Mutex<Vec<String>>,
    answers: &Mutex<Vec<(u16, Value)>>,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1_024).await.unwrap();
    if parts.uri.path() == "/v1/policies/status" {
        return Json(status()).into_response();
    }
    if parts.method != Method::GET {
        let body = String::from_utf8(body.to_vec()).unwrap();
        noted.lock().unwrap().push(format!("{} {} {body}", parts.method, parts.uri.path()));
    }
    let mut answers = answers.lock().unwrap();
    let (status, body) = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
    let media_type = match (status, &body) {
        (200, _) => "application/json",
        (_, Value::String(_)) => "text/html",
        _ => "application/problem+json",
    };
    (StatusCode::from_u16(status).unwrap(), [("content-type", media_type)], body.to_string()).into_response()
}

fn status() -> Value {
    let policy = |name: &str, state: &str| {
        json!({
            "endsAt": null, "file": "a.yaml", "line": 1, "name": name, "noProxy": null, "startsAt": null,
            "state": state, "warnings": [], "fault_types": ["abort"], "rules_count": 1,
            "targets": {"selector": {"service": "cart", "namespace": "shop"}, "direction": "inbound", "destination": null},
        })
    };
    let mut elsewhere = policy("of-a-halted-directory", "halted");
    elsewhere["haltedBy"] = json!(["teams/halt.yaml:3"]);
    let policies = [
        policy("comes-back", "active"),
        policy("held-in-git", "halted"),
        policy("stays-off", "suspended"),
        elsewhere,
    ];
    json!({"digest": "", "halted": true, "kubernetes": null, "revision": "main@sha1:1", "withdrawn": null, "policies": policies})
}

fn state(durable: &str, more: &Value) -> (u16, Value) {
    let mut state = json!({
        "by": "alice", "complete": true, "durable": durable, "filters": {"stopped": 3, "waiting": 0}, "halted": true,
        "id": "1", "reason": "Pager", "since": "2026-01-01T00:00:00Z", "standing": [], "trouble": null,
        "replicas": [{"name": "hfi-0", "halted": true, "error": null}, {"name": "hfi-1", "halted": true, "error": null}],
    });
    state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    (200, state)
}

fn nothing() -> (u16, Value) {
    (200, json!({"halted": false, "replicas": [], "standing": []}))
}

fn problem(status: u16, detail: &str) -> (u16, Value) {
    (status, json!({"status": status, "detail": detail}))
}

#[tokio::test]
async fn it_is_done_when_it_is_in_git_and_at_every_replica() {
    let missing =
        json!({"complete": false, "replicas": [{"name": "hfi-1", "halted": false, "error": "late"}]});
    let answers = [state("pending", &json!({})), state("git", &missing), state("git", &json!({}))];
    let server = Halting::start(&answers).await;
    let ended = server.hfi(&["halt", "-m", "Pager"]).await;
    prints(&ended, 0, "everything is halted, and kept in Git; 3 filters have stopped\n");
    assert!(ended.stderr.starts_with("halted by alice since 2026-01-01T00:00:00Z: Pager\n"), "{ended:?}");
    tells(&ended, &["until its max_staleness_seconds are over"]);
    let nobody = state("git", &json!({"filters": {"stopped": 0, "waiting": 0}}));
    tells(&Halting::start(&[nobody]).await.hfi(&["halt"]).await, &["warning: no filter has polled"]);
    assert_eq!(server.requests(), [r#"POST /v1/halt {"reason":"Pager"}"#]);
    // Where replicas do not know each other, none is missing.
    let alone = Halting::start(&[state("git", &json!({"complete": null}))]).await;
    let ended = alone.hfi(&["halt"]).await;
    assert_eq!(ended.code, 0);
    tells(&ended, &["warning: this replica does not ask the others", "once they have read Git"]);
}

#[tokio::test]
async fn it_says_what_may_still_inject_and_what_a_restart_undoes() {
    let trouble = json!({
        "complete": false, "filters": {"stopped": 1, "waiting": 2}, "trouble": "protected branch",
        "replicas": [{"name": "hfi-0", "halted": true, "error": null}, {"name": "hfi-1", "halted": false, "error": "refuses connections"}],
    });
    let server = Halting::start(&[state("memory", &trouble)]).await;
    let ended = server.hfi(&["halt", "--wait=1s"]).await;
    is_told(
        &ended,
        1,
        &[
            "warning: 2 filters have not confirmed that they stopped, and may still inject\n",
            "error: the filters of replica hfi-1 may still inject: refuses connections\n",
            "error: it is in memory only: a restart undoes it (protected branch)\n",
            "\n  next: ",
        ],
    );
    for (durable, undone) in [("pending", "not in Git yet"), ("disk", "a replica that is replaced")] {
        let server = Halting::start(&[state(durable, &json!({}))]).await;
        is_told(&server.hfi(&["halt", "--wait=1s"]).await, 1, &[undone]);
    }
    let server = Halting::start(&[state("pending", &json!({})), nothing()]).await;
    is_told(&server.hfi(&["halt"]).await, 1, &["ended by somebody else"]);
}

#[tokio::test]
async fn a_replica_that_answers_in_place_of_the_first_one_is_missing_until_it_is_halted() {
    let of = |name: &str, halted: bool| json!([{"name": name, "halted": halted, "error": null}]);
    let first = state("git", &json!({"complete": null, "replicas": of("hfi-0", true), "durable": "pending"}));
    let safe = state("git", &json!({"complete": null, "replicas": of("hfi-0", true)}));
    let behind = (200, json!({"halted": false, "replicas": of("hfi-1", false), "standing": []}));
    let followed = state("git", &json!({"complete": null, "replicas": of("hfi-1", true)}));
    let server = Halting::start(&[first.clone(), behind.clone(), safe.clone(), followed]).await;
    assert_eq!(server.hfi(&["halt"]).await.code, 0);
    let server = Halting::start(&[first.clone(), behind, safe]).await;
    let ended = server.hfi(&["halt", "--wait=2s"]).await;
    is_told(
        &ended,
        1,
        &["error: the filters of replica hfi-1 may still inject: it has not read the halt yet"],
    );
    // The one that was halted is not any more: somebody has ended it.
    let over = (200, json!({"halted": false, "replicas": of("hfi-0", false), "standing": []}));
    let server = Halting::start(&[first, over]).await;
    is_told(&server.hfi(&["halt"]).await, 1, &["ended by somebody else"]);
}

#[tokio::test]
async fn a_refusal_ends_with_its_exit_code() {
    for (status, code) in [(400, 2), (401, 1), (403, 1), (405, 1), (503, 3)] {
        let server = Halting::start(&[problem(status, "so it is")]).await;
        for command in ["halt", "resume"] {
            is_told(&server.hfi(&[command]).await, code, &["error: so it is", "\n  next: "]);
        }
    }
    for bad in ["--wait=0s", "--wait=1h"] {
        assert_eq!(hfi(&["halt", bad], &[]).await.code, 2, "{bad}");
    }
}

#[tokio::test]
async fn what_comes_back_is_shown_before_it_does() {
    let server = Halting::start(&[state("git", &json!({})), nothing()]).await;
    let ended = server.hfi(&["resume", "--yes"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stdout.contains("\ncomes-back   active ") && !ended.stdout.contains("stays-off"),
        "{ended:?}"
    );
    tells(&ended, &["teams/halt.yaml:3 keeps its directory halted; policies there: 1\n"]);
    assert!(ended.stdout.contains("\nheld-in-git  halted "), "{ended:?}");
    assert!(ended.stdout.ends_with("resumed; policies that come into force again: 2\n"), "{ended:?}");
    assert_eq!(server.requests(), ["DELETE /v1/halt "]);

    let server = Halting::start(&[state("git", &json!({}))]).await;
    let unasked = server.hfi(&["resume"]).await;
    assert_eq!(unasked.code, 2, "{unasked:?}");
    tells(&unasked, &["add --yes"]);
    assert!(server.requests().is_empty(), "nothing was resumed");

    let server = Halting::start(&[nothing()]).await;
    prints(&server.hfi(&["resume"]).await, 0, "nothing is halted\n");
    // Another replica may be halted, and a load balancer leads to any of them.
    let replicas = json!([{"name": "hfi-1", "halted": false, "error": null}]);
    let server =
        Halting::start(&[(200, json!({"halted": false, "replicas": replicas, "complete": null}))]).await;
    prints(&server.hfi(&["resume"]).await, 0, "nothing is halted at replica hfi-1\n");
    let replicas = json!([{"name": "hfi-1", "halted": false}, {"name": "hfi-0", "halted": true}]);
    let behind = (200, json!({"halted": false, "replicas": replicas, "complete": false}));
    let server = Halting::start(&[behind.clone(), nothing()]).await;
    let ended = server.hfi(&["resume", "--yes"]).await;
    assert!(ended.code == 0 && !ended.stderr.contains("still halted"), "{ended:?}");
    assert_eq!(server.requests(), ["DELETE /v1/halt "], "a peer is halted");
    let ended = Halting::start(&[behind]).await.hfi(&["resume", "--yes"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    tells(
        &ended,
        &[
            "warning: replica hfi-0 is still halted; it goes on when it has read the commit",
            "GET /v1/halt there",
        ],
    );
    assert!(!ended.stderr.contains("replica hfi-1"), "{ended:?}");
}

#[tokio::test]
async fn what_stays_halted_is_told() {
    let standing = state("git", &json!({"standing": ["shop/halt.yaml"]}));
    let server = Halting::start(&[standing]).await;
    let ended = server.hfi(&["resume", "--yes"]).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    tells(&ended, &["this halt stays", "shop/halt.yaml", "still halts everything", "\n  next: "]);
    assert_eq!(ended.stdout, "", "nothing comes back");
    let off = problem(405, "halts by HTTP are off; switch them on with --halt-token-file");
    let server = Halting::start(&[state("git", &json!({})), off]).await;
    tells(&server.hfi(&["resume", "--yes"]).await, &["next: end the halt where it stands"]);
    let server = Halting::start(&[state("git", &json!({})), (504, json!("<html>"))]).await;
    tells(&server.hfi(&["resume", "--yes"]).await, &["did not tell", "next: run `hfi resume` again"]);

    let server =
        Halting::start(&[state("git", &json!({})), problem(409, "a commit stands in the way")]).await;
    let ended = server.hfi(&["resume", "--yes"]).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    tells(&ended, &["error: a commit stands in the way"]);
}

#[tokio::test]
async fn a_proxy_that_answers_in_between_ends_no_waiting() {
    let answers = [state("pending", &json!({})), (503, json!("<html>")), state("git", &json!({}))];
    let server = Halting::start(&answers).await;
    assert_eq!(server.hfi(&["halt"]).await.code, 0);
}
