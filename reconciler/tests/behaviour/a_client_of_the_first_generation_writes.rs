//! The command line of the first generation writes by Basic in its URL, in JSON, and knows no selector.

use serde_json::Value;

use crate::support::{
    policy,
    writing::{Replica, content, path, repository},
};

/// As its Go client sends it.
const BODY: &str = r#"{"metadata":{"name":"slow","version":"1.0.0"},"spec":{"rules":[{"match":{"path":{"prefix":"/api"}},"fault":{"percentage":50,"delay":{"fixed_delay_ms":200}}}]}}"#;

#[tokio::test]
async fn it_creates_and_deletes_with_a_token_in_its_url() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let replica = Replica::of(&path(&repository)).await;
    let url = |path: &str, token: &str| {
        format!("{}{path}", replica.server.url.replace("http://", &format!("http://me:{token}@")))
    };
    let post = |path: &str, token: &str| {
        replica
            .server
            .client
            .post(url(path, token))
            .header("content-type", "application/json")
            .body(BODY)
            .send()
    };
    let refused = post("/v1/policies", "alice-0123456789abcdef").await.unwrap();
    assert_eq!(refused.status().as_u16(), 422);
    assert!(refused.text().await.unwrap().contains("name a `namespace`"));
    for (path, status) in [("/v1/policies", 201), ("/v1/policies/create", 200)] {
        let answer = post(path, "first-0123456789abcdef").await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    let listed = replica.server.json("/v1/policies").await;
    let slow =
        listed["policies"].as_array().unwrap().iter().find(|policy| policy["metadata"]["name"] == "slow");
    assert_eq!(slow.unwrap()["spec"]["selector"]["namespace"], "demo", "{listed}");
    assert!(content(&repository, "slow.yaml").contains("namespace: demo"));
    let delete = |name: &str| replica.server.client.delete(url(name, "first-0123456789abcdef")).send();
    let gone = delete("/v1/policies/slow").await.unwrap();
    assert_eq!(gone.status().as_u16(), 200);
    let body: Value = serde_json::from_slice(&gone.bytes().await.unwrap()).unwrap();
    assert_eq!(body["policies"][0]["result"], "deleted");
    assert_eq!(delete("/v1/policies/slow").await.unwrap().status().as_u16(), 404);
}
