//! A small service mesh in one process tree, for the demo and the end-to-end tests. What matters is
//! real: the `hfi` binary, the filter module, Envoy, and Git. Only Kubernetes and Istio are absent;
//! what they would configure is written here.
//!
//! # Layout
//! - [`Mesh`]: all of it together: repository, reconciler, proxies, workload.
//! - [`Repository`]: a bare Git repository and a clone to push from; [`GitHttp`] serves it over HTTP,
//!   [`GitHttps`] to those who know a password, [`GitSsh`] to those who have a key.
//! - [`KubeApi`]: a real API server of Kubernetes.
//! - [`Reconciler`]: `hfi serve`, to be killed, stopped and restarted.
//! - [`ControlPlane`]: one that answers as a [`Behaviour`] says, with [`Reply`] and [`Snapshot`], and
//!   remembers every [`Poll`].
//! - [`Sidecar`]: what a proxy is to be; [`Envoy`]: that proxy, running.
//! - [`Upstream`]: the workload behind the proxies, which says what reached it.
//! - [`Nginx`]: to compare with.
//! - [`Client`], [`Request`], [`Answer`]: one request; [`Load`], [`Results`], [`expected`]: many;
//!   [`Expectation`]: what they should get.
//! - [`first`], [`everywhere`], [`reached`]: waiting until proxies do what a policy says; [`Deadline`]:
//!   waiting for anything else.
//! - [`program`]: what the programs over it have in common.
//!
//! Everything that is started ends when its value is dropped, and when this process dies.

#![forbid(unsafe_code)]

mod bootstrap;
mod certificate;
mod client;
mod control_plane;
mod envoy;
mod envoy_options;
mod eventually;
mod expectation;
mod git_http;
mod git_https;
mod git_ssh;
mod kube_api;
mod load;
mod loopback;
mod mesh;
mod nginx;
pub mod paths;
mod poll;
mod process;
mod process_stats;
mod program;
mod reconciler;
mod reply;
mod repository;
mod results;
mod service;
mod sidecar;
mod topology;
mod upstream;
mod wait;

pub use client::{Answer, Client, Request};
pub use control_plane::{Behaviour, ControlPlane};
pub use envoy::Envoy;
pub use eventually::{everywhere, first, reached};
pub use expectation::{CONFIDENCE, Expectation};
pub use git_http::GitHttp;
pub use git_https::GitHttps;
pub use git_ssh::GitSsh;
pub use kube_api::KubeApi;
pub use load::Load;
pub use loopback::loopback;
pub use mesh::Mesh;
pub use nginx::Nginx;
pub use poll::Poll;
pub use program::{interruption, program};
pub use reconciler::{Reconciler, Source};
pub use reply::{Reply, Snapshot};
pub use repository::{Push, Repository};
pub use results::{Results, expected, median};
pub use sidecar::{CONTROL_PLANE, Sidecar};
pub use upstream::Upstream;
pub use wait::Deadline;
