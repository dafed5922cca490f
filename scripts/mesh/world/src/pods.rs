//! The kubelet of the node, and the programs that stand for images.

mod image;

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use harness::paths;
use kubelet::{Config, Images, Kubelet, Network, Program, RunName};

use crate::machine::Node;
pub use image::hfi_image;

/// The addresses of Pods, by that of the node on their bridge.
const GATEWAY: [u8; 4] = [10, 111, 0, 1];
const PREFIX_LENGTH: u8 = 17;

/// The beginning of the names of what belongs to Pods on this machine.
const STEM: &str = "hfi";

/// Kubernetes waits 10 s before it restarts a container for the first time. A test has better things to do.
const BACKOFF: Duration = Duration::from_secs(1);

/// The release whose Envoy istiod takes the proxies for: for later ones it configures what an upstream Envoy lacks.
const ISTIO_VERSION: &str = "1.29.1";

/// Where an image has the authorities that its programs trust.
pub(crate) const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What Pods find outside of the cluster: a test serves it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside<'a> {
    /// The names of hosts, all at the address of the node.
    pub(crate) names: &'a [&'a str],
    /// The authority that hfi trusts for them, if it is not one of the machine's.
    pub(crate) authority: Option<&'a Path>,
}

/// Starts a kubelet that runs hfi, Istio's proxies and what else has an image.
pub(crate) async fn start(
    node: &Node,
    client: kube::Client,
    images: Images,
    outside: Outside<'_>,
) -> Result<Kubelet> {
    kubelet::check()?;
    for run in RunName::dead(STEM)? {
        Kubelet::clean(&run)?;
    }
    let network = Network::create(RunName::unique(STEM)?, GATEWAY.into(), PREFIX_LENGTH).await?;
    let mut hfi = hfi(&node.directory()).await?;
    if let Some(authority) = outside.authority {
        hfi = hfi.file(AUTHORITIES, authority);
    }
    let images = images.with("*/proxyv2:*", proxy()?);
    let images = images.with("localhost/hfi:*", hfi.clone()).with("hfi:*", hfi);
    let mut config = Config::new(client, node.name(), node.directory().join("pods"), network, images);
    config.hosts.extend(outside.names.iter().map(|name| (IpAddr::from(node.address()), (*name).to_owned())));
    config.backoff = BACKOFF;
    Kubelet::start(config).await
}

/// Istio's image of proxies, with an upstream Envoy.
fn proxy() -> Result<Program> {
    let agent = paths::world_program("istio", "pilot-agent")?;
    let bootstrap = paths::world_program("istio", "bootstrap.json")?;
    let program = Program::at("/usr/local/bin/pilot-agent", agent)
        .file("/usr/local/bin/envoy", paths::envoy_program()?)
        .file("/var/lib/istio/envoy/envoy_bootstrap_tmpl.json", bootstrap)
        .variable("ISTIO_META_ISTIO_VERSION", ISTIO_VERSION);
    Ok(program)
}

/// The image of this build, which has its module twice.
async fn hfi(directory: &Path) -> Result<Program> {
    let module = paths::filter()?;
    hfi_image(&directory.join("image"), &paths::hfi()?, &module, &module).await
}
