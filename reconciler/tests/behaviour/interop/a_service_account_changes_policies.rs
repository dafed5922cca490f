//! Changes with the token of a ServiceAccount, which a real API server issues and reviews.

use std::{fs, path::PathBuf, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use harness::{KubeApi, Repository, paths};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    client,
    cluster::{create, start, until},
    policy,
    process::{Process, text},
    writer,
};

const HFI: &str = "system:serviceaccount:boifi:hfi-control-plane";

/// An API server, a repository, and a replica whose file of tokens names the ServiceAccount demo/alice.
struct World {
    api: KubeApi,
    repository: Repository,
    hfi: Process,
    _tokens: TempDir,
}

impl World {
    async fn start(components: &[&str]) -> Self {
        let api = KubeApi::start().await.unwrap();
        for component in components {
            let rights = paths::workspace().join(format!("k8s/components/{component}/rbac.yaml"));
            let rights: Vec<Value> = serde_yaml::from_multiple(&fs::read_to_string(rights).unwrap()).unwrap();
            assert!(api.apply(&rights).await.unwrap().is_empty());
        }
        for account in ["alice", "bob.builder"] {
            let account = json!({"metadata": {"name": account}});
            create(&api, "/api/v1/namespaces/demo/serviceaccounts", account).await;
        }
        let repository = Repository::new().await.unwrap();
        repository.write("a.yaml", &policy("a", "checkout", 503)).unwrap();
        repository.push("Add a").await.unwrap();
        let tokens = tempfile::tempdir().unwrap();
        let file = tokens.path().join("tokens");
        fs::write(&file, "alice serviceaccount:demo/alice namespaces=demo\n").unwrap();
        let bare: PathBuf = repository.bare();
        let environment = [("HFI_REPO", text(&bare)), ("HFI_WRITE_TOKEN_FILE", text(&file))];
        let hfi = start(&api, "hfi", &environment).await;
        Self { api, repository, hfi, _tokens: tokens }
    }

    /// A token of an account in the namespace demo.
    async fn token(&self, account: &str, audience: &str) -> String {
        let path = format!("/api/v1/namespaces/demo/serviceaccounts/{account}/token");
        let spec = json!({"audiences": [audience], "expirationSeconds": 600});
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec});
        let issued = self.api.ask("POST", &path, &[], &request.to_string()).await.unwrap();
        issued["status"]["token"].as_str().unwrap().to_owned()
    }

    /// The status and the detail of the answer to a change of the policy `a`.
    async fn change(&self, token: &str, status: u16) -> (u16, String) {
        let request = client().put(format!("{}/v1/policies/a", self.hfi.url)).bearer_auth(token);
        let request =
            request.header("content-type", "application/yaml").body(policy("a", "checkout", status));
        let answer = request.send().await.unwrap();
        let code = answer.status().as_u16();
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        (code, body["detail"].as_str().unwrap_or_default().to_owned())
    }

    /// The reviews that hfi asked for.
    fn reviews(&self) -> usize {
        let requests = self.api.requests_of(HFI).unwrap();
        let is_review = |request: &&Value| {
            request["objectRef"]["resource"] == "tokenreviews" && request["stage"] == "RequestReceived"
        };
        requests.iter().filter(is_review).count()
    }
}

/// A token that says the same as this one, with another signature.
fn forged(token: &str, number: usize) -> String {
    let (said, _) = token.rsplit_once('.').unwrap();
    format!("{said}.{}", URL_SAFE_NO_PAD.encode(number.to_be_bytes().repeat(32)))
}

#[tokio::test]
async fn with_the_rights_of_its_line() {
    let world = World::start(&["writes"]).await;
    let alice = world.token("alice", "hfi").await;
    assert_eq!(world.change(&alice, 500).await.0, 200);
    let author = writer::bare_git(
        &world.repository,
        &["log", "-1", "--format=%an %(trailers:key=Hfi-User,valueonly)", "main"],
    );
    assert_eq!(author.await, "alice alice");
    let reviews = world.reviews();
    assert_eq!(reviews, 1);
    assert_eq!(world.change(&alice, 501).await.0, 200);
    assert_eq!(world.reviews(), reviews, "a valid token is remembered for a moment");

    let (code, detail) = world.change(&world.token("bob.builder", "hfi").await, 500).await;
    assert_eq!(code, 403, "{detail}");
    assert!(
        detail.contains("`demo-bob-builder serviceaccount:demo/bob.builder namespaces=demo`"),
        "{detail}"
    );

    let before = world.reviews();
    let (code, detail) = world.change(&world.token("alice", "vault").await, 500).await;
    assert_eq!((code, detail.as_str()), (401, "the token is not for the audience `hfi`"));
    assert_eq!(world.reviews(), before, "this can be seen without the API server");

    let path = "/api/v1/namespaces/demo/serviceaccounts/alice";
    world.api.ask("DELETE", path, &[], "").await.unwrap();
    // Its token is remembered for 10 s.
    let is_refused = async || (world.change(&alice, 501).await.0 == 401).then_some(());
    until("the token of an account that is gone is refused", Duration::from_secs(20), is_refused).await;
}

#[tokio::test]
async fn a_flood_of_tokens_that_are_not_valid_does_not_reach_the_api_server() {
    let world = World::start(&["writes"]).await;
    let alice = world.token("alice", "hfi").await;
    let floods = (0..300).map(|number| {
        let token = forged(&alice, number);
        let world = &world;
        async move { world.change(&token, 500).await.0 }
    });
    let codes = join_all(floods).await;
    assert!(codes.iter().all(|code| [401, 429, 503].contains(code)), "{codes:?}");
    let reviews = world.reviews();
    assert!((1..=40).contains(&reviews), "{reviews} reviews of 300 tokens");
}

#[tokio::test]
async fn without_the_right_to_review_it_is_said_and_nothing_is_written() {
    let world = World::start(&[]).await;
    let (code, detail) = world.change(&world.token("alice", "hfi").await, 500).await;
    assert_eq!(code, 503, "{detail}");
    assert!(detail.contains("tokenreviews") && detail.contains("forbidden"), "{detail}");
}
