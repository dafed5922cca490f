//! A small kubelet for tests on one machine, without containers and images: a Pod is a network namespace on a
//! bridge, and a container is a plain process with a root file system of its own, the program that its image
//! stands for. The API server, and whatever makes Pods, can be real. The `README.md` of this crate lists what
//! it does not do.
//!
//! ```no_run
//! # async fn run(client: kube::Client) -> anyhow::Result<()> {
//! use kubelet::{Config, Images, Kubelet, Network, Program, RunName};
//!
//! // What an earlier run left behind when it was killed.
//! for run in RunName::dead("abc")? {
//!     Kubelet::clean(&run)?;
//! }
//! // Servers on the bridge's address (the API server, istiod) are reached from every Pod.
//! let network = Network::create(RunName::unique("abc")?, [10, 111, 0, 1].into(), 24).await?;
//! let images = Images::new()
//!     .with("*/proxyv2:*", Program::at("/usr/local/bin/pilot-agent", "/home/me/bin/pilot-agent"))
//!     .with("example/server:1", Program::at("/server", "target/debug/server").variable("MODE", "test"));
//! let config = Config::new(client, "node-1", "/tmp/run", network, images);
//! let kubelet = Kubelet::start(config).await?;
//! // …
//! kubelet.stop().await?;
//! # Ok(()) }
//! ```
//!
//! The modules, from the lowest to the highest; a module uses those above it in this list:
//!
//! - `machine`: programs of this machine, such as `ip` and `unshare`, and what they need ([`check`]).
//! - `image`: [`Images`], the [`Program`] for each.
//! - `network`: [`Network`], a bridge, and the network namespace of each Pod; [`RunName`].
//! - `spec`: from a Pod's spec to values: environment, files of volumes, user, mounts, the command line.
//! - `cluster`: calls to the API server.
//! - `volume`: directories that hold the files of volumes, and swap them.
//! - `process`: a container's process in its namespaces.
//! - `probe`: probes and hooks, and what follows from their results.
//! - `container`: a container from its first start to its end, with restarts.
//! - `status`: from the state of the containers to the status of the Pod.
//! - `pod`: a Pod from its binding to its deletion.
//! - `node`: the Node and its Lease.
//! - `server`: the kubelet's own API, for `kubectl logs`, `exec` and `port-forward`.
//! - `agent`: [`Kubelet`], all of it together.

#![forbid(unsafe_code)]

mod agent;
mod cluster;
mod container;
mod image;
mod machine;
mod network;
mod node;
mod pod;
mod probe;
mod process;
mod server;
mod spec;
mod status;
mod volume;

pub use agent::{Config, Kubelet};
pub use image::{Images, Program};
pub use machine::check;
pub use network::{Network, RunName};
