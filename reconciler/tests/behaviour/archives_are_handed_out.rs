//! `GET /v1/istio/{namespace}/{sha256}.tar.gz`.

use std::sync::Arc;

use reconciler::{
    http::{self, Services},
    istio::{archives::Archives, artifact::Artifact},
    serving::publisher::Publisher,
    shutdown::{self, Trigger},
    sync::requests::Syncs,
};
use reqwest::Response;
use tokio::net::TcpListener;

use crate::support::client;

/// A server with these archives, and the URL of the route.
async fn serve(archives: Option<Arc<Archives>>) -> (Trigger, String) {
    let (trigger, shutdown) = shutdown::channel();
    let mut services = Services::default();
    services.archives = archives;
    let routes = http::router(Arc::<Publisher>::default(), Arc::<Syncs>::default(), shutdown, services);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/istio", listener.local_addr().unwrap());
    tokio::spawn(http::serve(listener, routes));
    (trigger, url)
}

async fn get(url: &str, path: &str) -> Response {
    client().get(format!("{url}/{path}")).send().await.unwrap()
}

#[tokio::test]
async fn an_archive_is_there_by_its_digest_and_any_other_is_not_found() {
    let archives = Arc::new(Archives::default());
    let (_trigger, url) = serve(Some(Arc::clone(&archives))).await;
    let artifact = Artifact::of_bytes(vec![b'x'; 100_000].into());
    let file = Artifact::file(&artifact.digest);
    archives.put("shop", artifact.clone());
    let found = get(&url, &format!("shop/{file}")).await;
    assert_eq!(
        (found.status().as_u16(), &found.headers()["content-type"]),
        (200, &"application/gzip".parse().unwrap())
    );
    assert_eq!(found.bytes().await.unwrap(), artifact.bytes);
    let without_end = file.replace(".tar.gz", "");
    for path in [
        format!("bank/{file}"),
        format!("shop/{without_end}"),
        "shop/x.tar.gz".to_owned(),
        "shop/%ff".to_owned(),
    ] {
        let status = get(&url, &path).await.status().as_u16();
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    let missing = get(&url, &format!("bank/{file}")).await;
    assert_eq!(missing.status(), 404);
    assert!(missing.text().await.unwrap().contains("Flux asks again"));
}

#[tokio::test]
async fn a_server_without_archives_says_why() {
    let (_trigger, url) = serve(None).await;
    let missing = get(&url, "shop/x.tar.gz").await;
    assert_eq!(missing.status(), 404);
    assert!(missing.text().await.unwrap().contains("--istio-artifacts"));
}
