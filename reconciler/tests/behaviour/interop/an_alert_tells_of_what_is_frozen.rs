//! The Alerts of `flux/components/applications/alert` bring a freeze, and its end, to the people on call, through the real
//! notification-controller.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, routing::post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{
    artifacts::{PATIENCE, World},
    cluster::until,
    flux::{self, manifests},
};

#[tokio::test]
async fn a_freeze_reaches_the_chat() {
    let world = World::start().await;
    flux::define(&world.api, &["flux-notification"]).await;
    let (chat, said) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::<Mutex<Vec<Value>>>::default());
    let address = format!("http://{}/", chat.local_addr().unwrap());
    let heard = Arc::clone(&said);
    let hear = async move |Json(message): Json<Value>| heard.lock().unwrap().push(message);
    tokio::spawn(async move { axum::serve(chat, Router::new().route("/", post(hear))).await });
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "stringData": {"address": address},
        "metadata": {"name": "on-call-webhook", "namespace": "hfi-istio"},
    });
    let alert = manifests("flux/components/applications/alert/alert.yaml");
    for objects in [&[secret][..], &alert] {
        assert!(world.api.apply(objects).await.unwrap().is_empty());
    }
    let folder = tempfile::tempdir().unwrap();
    let (controller, events) = flux::notify(&world.api, folder.path()).await;

    world.write("reviews", "{host: reviews}");
    world.push("Add one").await;
    let hfi = world.serve_as("admin", &[("HFI_FLUX_EVENTS_URL", &events)]).await;
    world.artifact("an artifact", &hfi, |status| status["artifact"].is_object()).await;
    world.write("reviews", "{host: reviews, wrong: 1}");
    world.push("Break it").await;
    let says = async |what: &str| {
        let log = || format!("{what}: {} {}", hfi.log(), controller.log().unwrap());
        until(&log(), PATIENCE, async || {
            said.lock().unwrap().iter().find(|message| message.to_string().contains(what)).cloned()
        })
        .await
    };
    let message = says("frozen: reviews at ").await;
    let text = message.to_string();
    for part in ["externalartifact/hfi-istio-shop.hfi-istio", "reviews.yaml:5:"] {
        assert!(text.to_lowercase().contains(part), "{message}");
    }
    world.write("reviews", "{host: reviews}");
    world.push("Mend it").await;
    says(" objects of 1 applications, since ").await;
}
