//! A filter, as the server sees one.

use tokio::task::JoinHandle;

use super::client;

/// A filter that polls and runs what it gets, until it is dropped.
pub(crate) struct Filter(JoinHandle<()>);

impl Filter {
    pub(crate) fn start(url: &str, namespace: &str, service: &str, name: &str) -> Self {
        let (client, node) = (client(), node(namespace, name));
        let url = format!("{url}/v1/snapshot?namespace={namespace}&service={service}");
        Self(tokio::spawn(async move {
            let mut etag = String::new();
            loop {
                let request = client.get(&url).header("x-hfi-node", &node).header("prefer", "wait=30");
                let Ok(response) = request.header("if-none-match", &etag).send().await else { return };
                if let Some(new) = response.headers().get("etag") {
                    etag = new.to_str().unwrap().to_owned();
                }
            }
        }))
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The name of the node of a sidecar.
pub(crate) fn node(namespace: &str, name: &str) -> String {
    format!("sidecar~10.0.0.1~{name}.{namespace}~{namespace}.svc.cluster.local")
}
