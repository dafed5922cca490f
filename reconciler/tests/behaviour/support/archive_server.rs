//! A server of archives that are not of hfi, and that can fail. It also writes the `ExternalArtifact`s that lead to it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};
use futures_util::{StreamExt as _, stream};
use harness::KubeApi;
use reconciler::istio::{archive, artifact::Artifact};
use serde_json::json;
use tokio::{net::TcpListener, sync::watch};

use crate::support::{cluster::create, flux::MERGE};

const ARTIFACTS: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/hfi-istio/externalartifacts";

type Archives = Arc<Mutex<BTreeMap<String, Bytes>>>;

/// A running server. It ends with the test.
pub(crate) struct ArchiveServer {
    url: String,
    archives: Archives,
    asked: watch::Sender<Vec<String>>,
    is_cut: watch::Sender<bool>,
}

#[derive(Clone)]
struct Served {
    archives: Archives,
    asked: watch::Sender<Vec<String>>,
    is_cut: watch::Sender<bool>,
}

impl ArchiveServer {
    pub(crate) async fn start() -> Self {
        let (archives, asked) = (Archives::default(), watch::Sender::new(Vec::new()));
        let is_cut = watch::Sender::new(false);
        let served = Served { archives: Arc::clone(&archives), asked: asked.clone(), is_cut: is_cut.clone() };
        let router = Router::new().route("/{manner}/{archive}", get(answer)).with_state(served);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, archives, asked, is_cut }
    }

    /// Publishes an archive under this name, with a DestinationRule for this host. `manner` is that of the answer: `well`
    /// (or `waits`, by which it is told apart), `fails` or `is-cut`.
    pub(crate) async fn publish(&self, api: &KubeApi, name: &str, manner: &str, host: &str) {
        self.publish_at(api, name, &format!("{}/{manner}", self.url), host).await;
    }

    /// The same at another URL, where this server may not be.
    pub(crate) async fn publish_at(&self, api: &KubeApi, name: &str, url: &str, host: &str) {
        let rule = json!({
            "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
            "metadata": {"name": name, "namespace": "shop"}, "spec": {"host": host},
        });
        let kustomization = json!({"resources": ["rule.yaml"]});
        let files = [("kustomization.yaml", kustomization), ("rule.yaml", rule)];
        let files = files.map(|(path, object)| (path.to_owned(), object.to_string()));
        let Artifact { digest, bytes } = Artifact::of_bytes(archive::pack(&files.into()).unwrap().into());
        let file = Artifact::file(&digest);
        let size = bytes.len();
        self.archives.lock().unwrap().insert(file.clone(), bytes);
        let artifact = json!({
            "path": file, "url": format!("{url}/{file}"), "revision": format!("main@{digest}"),
            "digest": digest.to_string(), "size": size, "lastUpdateTime": "2026-01-01T00:00:00Z",
        });
        if api.get(&format!("{ARTIFACTS}/{name}")).await.is_err() {
            let source = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name});
            let object = json!({
                "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "ExternalArtifact",
                "metadata": {"name": name, "namespace": "hfi-istio"}, "spec": {"sourceRef": source},
            });
            create(api, ARTIFACTS, object).await;
        }
        let status = json!({"status": {"artifact": artifact}}).to_string();
        api.ask("PATCH", &format!("{ARTIFACTS}/{name}/status"), &MERGE, &status).await.unwrap();
    }

    /// Waits until somebody has asked for an archive in this manner.
    pub(crate) async fn asked(&self, manner: &str) {
        let mut asked = self.asked.subscribe();
        asked.wait_for(|asked| asked.iter().any(|one| one == manner)).await.unwrap();
    }

    /// Cuts the answers of the manner `is-cut` off, which wait for it.
    pub(crate) fn cut(&self) {
        self.is_cut.send_replace(true);
    }
}

async fn answer(State(served): State<Served>, Path((manner, archive)): Path<(String, String)>) -> Response {
    served.asked.send_modify(|asked| asked.push(manner.clone()));
    let archive = served.archives.lock().unwrap().get(&archive).cloned().unwrap();
    match &*manner {
        "well" | "waits" => archive.into_response(),
        "fails" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        // Begun, until it is given up: as hfi does with what is not sent by its deadline.
        "is-cut" => {
            let begin = stream::iter([Ok(archive.slice(..archive.len() / 2))]);
            let end = stream::once(async move {
                // What has begun is sent before it is cut off.
                tokio::task::yield_now().await;
                served.is_cut.subscribe().wait_for(|is_cut| *is_cut).await.unwrap();
                Err(std::io::Error::other("cut"))
            });
            Body::from_stream(begin.chain(end)).into_response()
        }
        manner => panic!("there is no manner {manner}"),
    }
}
