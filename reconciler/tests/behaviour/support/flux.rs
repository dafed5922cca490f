//! Flux's controllers as processes, with the arguments that `flux/` gives them.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    sync::atomic::{AtomicU8, Ordering},
};

use harness::{KubeApi, paths};
use serde_json::Value;

use crate::support::{artifacts::PATIENCE, cluster::until};

/// What `flux/` adds to kustomize-controller.
const ARGUMENTS: &str = "flux/components/applications/controllers/arguments.yaml";
pub(crate) const MERGE: [(&str, &str); 1] = [("content-type", "application/merge-patch+json")];

/// Brings the kinds of these controllers.
pub(crate) async fn define(api: &KubeApi, controllers: &[&str]) {
    for controller in controllers {
        let crds = paths::world_program(controller, "crds.yaml").unwrap();
        let crds: Vec<Value> = serde_yaml::from_multiple(&fs::read_to_string(crds).unwrap()).unwrap();
        api.apply(&crds).await.unwrap();
        for spec in crds.iter().map(|crd| &crd["spec"]) {
            let word = |value: &Value| value.as_str().unwrap().to_owned();
            let (group, plural) = (word(&spec["group"]), word(&spec["names"]["plural"]));
            let path = format!("/apis/{group}/{}/{plural}", word(&spec["versions"][0]["name"]));
            until(&path, PATIENCE, async || api.get(&path).await.ok()).await;
        }
    }
}

/// The manifests of a file of `flux/` or `k8s/`, for the namespace `shop`.
pub(crate) fn manifests(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(paths::workspace().join(file)).unwrap();
    serde_yaml::from_multiple(&text.replace("${NAMESPACE}", "shop")).unwrap()
}

/// kustomize-controller with the arguments that `flux/` gives it, and with so many workers.
pub(crate) fn apply_with(api: &KubeApi, folder: &Path, workers: u8) -> harness::Process {
    let patch = fs::read_to_string(paths::workspace().join(ARGUMENTS)).unwrap();
    let patch: Vec<Value> = serde_yaml::from_str(&patch).unwrap();
    let shipped = patch.iter().map(|step| step["value"].as_str().unwrap().to_owned());
    let own = [format!("--concurrent={workers}"), "--requeue-dependency=1s".to_owned()];
    run(api, folder, "kustomize", shipped.chain(own))
}

/// notification-controller, and the URL at which it takes events.
pub(crate) async fn notify(api: &KubeApi, folder: &Path) -> (harness::Process, String) {
    let [events, receiver] = free();
    let own = [format!("--events-addr={events}"), format!("--receiverAddr={receiver}")];
    let controller = run(api, folder, "notification", own.into_iter());
    let listens = async || tokio::net::TcpStream::connect(events).await.ok();
    until("notification-controller to listen", PATIENCE, listens).await;
    (controller, format!("http://{events}/"))
}

fn run(
    api: &KubeApi,
    folder: &Path,
    name: &str,
    arguments: impl Iterator<Item = String>,
) -> harness::Process {
    let program = paths::world_program(&format!("flux-{name}"), &format!("{name}-controller")).unwrap();
    let kubeconfig = api.kubeconfig("admin", &api.url()).unwrap();
    let begin = [
        format!("KUBECONFIG={}", kubeconfig.display()),
        "RUNTIME_NAMESPACE=flux-system".to_owned(),
        program.display().to_string(),
        "--metrics-addr=0".to_owned(),
        "--health-addr=0".to_owned(),
    ];
    let words: Vec<_> = begin.into_iter().chain(arguments).map(Into::into).collect();
    harness::Process::spawn(Path::new("env"), &words, &folder.join(format!("{name}.log"))).unwrap()
}

/// Two addresses that nobody has, nor gets before they are listened at: their host is of this controller alone.
pub(crate) fn free<const N: usize>() -> [SocketAddr; N] {
    static HOSTS: AtomicU8 = AtomicU8::new(128);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let host = Ipv4Addr::new(127, HOSTS.fetch_add(1, Ordering::Relaxed), high, low);
    let listeners = [(); N].map(|()| TcpListener::bind((host, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}
