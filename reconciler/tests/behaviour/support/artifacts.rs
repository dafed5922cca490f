//! A cluster whose artifacts hfi writes: the definitions of Flux are there, its controllers are not.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, routing::post};
use harness::{KubeApi, Repository};
use policies::Digest;
use reconciler::istio::artifact::Artifact;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::{
    cluster::{start, until},
    flux,
    process::{Process, text},
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(40);
pub(crate) const ARTIFACT: &str =
    "/apis/source.toolkit.fluxcd.io/v1/namespaces/hfi-istio/externalartifacts/hfi-istio-shop";
pub(crate) const CONFIG_MAP: &str = "/api/v1/namespaces/hfi-istio/configmaps/hfi-istio-shop";

/// A cluster, a repository, and a stand-in for Flux's notification-controller.
pub(crate) struct World {
    pub(crate) api: KubeApi,
    pub(crate) repository: Repository,
    pub(crate) told: Arc<Mutex<Vec<Value>>>,
    /// So many events are refused before one is taken.
    pub(crate) refusals: Arc<AtomicUsize>,
    events_url: String,
}

impl World {
    pub(crate) async fn start() -> Self {
        let api = KubeApi::start().await.unwrap();
        api.create_namespace("hfi-istio").await.unwrap();
        flux::define(&api, &["flux-source"]).await;
        let told = Arc::<Mutex<Vec<Value>>>::default();
        let refusals = Arc::<AtomicUsize>::default();
        let router = Router::new().route(
            "/",
            post({
                let (told, refusals) = (Arc::clone(&told), Arc::clone(&refusals));
                async move |Json(event): Json<Value>| {
                    let refuse = |left: usize| left.checked_sub(1);
                    if refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, refuse).is_ok() {
                        return reqwest::StatusCode::SERVICE_UNAVAILABLE;
                    }
                    told.lock().unwrap().push(event);
                    reqwest::StatusCode::ACCEPTED
                }
            }),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let events_url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { api, repository: Repository::new().await.unwrap(), told, refusals, events_url }
    }

    /// hfi, as somebody who may do everything.
    pub(crate) async fn serve(&self) -> Process {
        self.serve_as("admin", &[]).await
    }

    /// The same as another user, with more in its environment.
    pub(crate) async fn serve_as(&self, token: &str, more: &[(&str, &str)]) -> Process {
        let repository = self.repository.bare();
        let environment = [
            ("HFI_REPO", text(&repository)),
            ("HFI_BRANCH", "main"),
            ("HFI_ISTIO_ARTIFACTS", "true"),
            ("HFI_FLUX_EVENTS_URL", &self.events_url),
        ];
        start(&self.api, token, &[&environment, more].concat()).await
    }

    /// Ends hfi without warning. The next one leads at once.
    pub(crate) async fn kill(&self, hfi: Process) {
        drop(hfi);
        let lease = "/apis/coordination.k8s.io/v1/namespaces/boifi/leases/hfi-control-plane";
        self.api.ask("DELETE", lease, &[], "").await.unwrap();
    }

    /// Writes the application of this name, whose destination is this one.
    pub(crate) fn write(&self, name: &str, rule: &str) {
        self.write_in("shop", name, rule);
    }

    pub(crate) fn write_in(&self, namespace: &str, name: &str, rule: &str) {
        let document = format!(
            "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  destinationRule: {rule}\n"
        );
        self.repository.write(&format!("{name}.yaml"), &document).unwrap();
    }

    /// Takes the application of this name away, as its owner does.
    pub(crate) fn remove(&self, name: &str) {
        let document = format!(
            "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{remove: true}}\n"
        );
        self.repository.write(&format!("{name}.yaml"), &document).unwrap();
    }

    /// Commits and pushes. Returns the commit.
    pub(crate) async fn push(&self, message: &str) -> String {
        self.repository.push(message).await.unwrap();
        self.repository.git(&["rev-parse", "HEAD"]).await.unwrap().trim().to_owned()
    }

    /// The status of the artifact, once it is such.
    pub(crate) async fn artifact(
        &self,
        what: &str,
        hfi: &Process,
        is_such: impl Fn(&Value) -> bool,
    ) -> Value {
        until(&format!("{what}: {}", hfi.log()), PATIENCE, async || {
            let status = self.api.get(ARTIFACT).await.ok()?["status"].clone();
            is_such(&status).then_some(status)
        })
        .await
    }

    /// The hosts of the DestinationRules in the archive that an artifact announces, by application, as hfi serves it.
    pub(crate) async fn hosts(&self, status: &Value, hfi: &Process) -> Vec<(String, String)> {
        let artifact = &status["artifact"];
        let path = artifact["path"].as_str().unwrap();
        assert_eq!(artifact["url"], format!("http://hfi-control-plane.boifi.svc.cluster.local.:8080/{path}"));
        let answer = hfi.get(&format!("/{path}"), &[]).await;
        assert_eq!(answer.status, 200);
        let digest = Digest::of(&answer.body).to_string();
        assert_eq!(artifact["digest"], digest);
        assert_eq!(artifact["revision"], format!("main@{digest}"));
        assert_eq!(artifact["size"], answer.body.len());
        let objects = Artifact::of_bytes(answer.body.into()).objects().unwrap();
        let host = |(name, objects): (&String, &[istio_config::Resource])| {
            (name.clone(), objects[0].spec["host"].as_str().unwrap().to_owned())
        };
        objects.applications().map(host).collect()
    }
}

pub(crate) fn ready(status: &Value) -> (&str, &str) {
    let condition = &status["conditions"][0];
    (condition["status"].as_str().unwrap_or_default(), condition["message"].as_str().unwrap_or_default())
}

pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, host)| ((*name).to_owned(), (*host).to_owned())).collect()
}
