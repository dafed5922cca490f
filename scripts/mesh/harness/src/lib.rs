//! A small service mesh in one process tree, for the demo, the benchmarks and the end-to-end tests. The `hfi`
//! binary, the filter module, Envoy and Git are real. Kubernetes and Istio are absent; this crate writes the
//! configuration that they would.
//!
//! The rooms, from the lowest to the highest; a room uses those above it in this list:
//!
//! - `system`: this machine. [`paths`] of the programs under test, processes, [`loopback`] addresses,
//!   [`Deadline`] for waiting, [`certify`], [`TlsFront`], [`Nginx`], and [`program`], the frame of the binaries.
//! - `traffic`: [`http_client`]; [`Client`], [`Request`] and [`Answer`]; [`Load`] sends many requests, [`Results`] counts their
//!   answers, [`Expectation`] judges them; [`first`], [`everywhere`] and [`reached`] wait until proxies do what
//!   a policy says; [`Upstream`] is the workload.
//! - `git`: [`Repository`], a bare repository with a clone to push from. [`GitHttp`] serves it over HTTP,
//!   [`GitHttps`] with a password, [`GitSsh`] with a key.
//! - `browser`: [`Browser`], a headless Chromium with a [`Window`].
//! - `kube_api`: [`KubeApi`], a real API server of Kubernetes.
//! - `plugin`: [`wasm_plugin`], Istio's object that gives proxies the module.
//! - `control_plane`: [`ControlPlane`] answers as a [`Behaviour`] says, with [`Reply`] and [`Snapshot`], and
//!   remembers every [`Poll`].
//! - `proxy`: [`Sidecar`] describes a proxy; [`Envoy`] is that proxy, running.
//! - `reconciler`: [`Reconciler`], a running `hfi serve`, to be killed and restarted.
//! - `mesh`: [`Mesh`], all of it together.
//!
//! Everything that is started ends when its value is dropped, and when this process dies.

#![forbid(unsafe_code)]

mod browser;
mod control_plane;
mod git;
mod kube_api;
mod mesh;
mod plugin;
mod proxy;
mod reconciler;
mod system;
mod traffic;

pub use browser::{Browser, Window};
pub use control_plane::{Behaviour, ControlPlane, Poll, Reply, Snapshot};
pub use git::{GitHttp, GitHttps, GitSsh, Push, Repository};
pub use kube_api::KubeApi;
pub use mesh::Mesh;
pub use plugin::{HFI_ADDRESS, module_at, wasm_plugin};
pub use proxy::{CONTROL_PLANE, Envoy, Sidecar};
pub use reconciler::{Reconciler, Source};
pub use system::{Deadline, Nginx, Process, TlsFront, certify, interruption, loopback, paths, program};
pub use traffic::{
    Answer, CONFIDENCE, Client, Expectation, Load, Request, Results, Upstream, everywhere, expected, first,
    http_client, median, reached,
};
