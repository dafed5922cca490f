//! The reconciler of hfi: `hfi serve` follows a Git branch of policies and serves it to the filters.
//!
//! ```text
//! watch ──hint──▶ reconcile ──▶ source ──Checkout──▶ load ──Catalog──▶ published ──bytes──▶ server
//! ```
//!
//! - [`cli`]: what was typed, and what it means.
//! - [`command`], [`folder`]: the commands that read policies and answer, and what they read.
//! - [`refresh`]: asks the loop to look now, and tells how its looks went: how fresh what is served is.
//! - [`doctor`]: what is wrong with an installation in a cluster.
//! - [`halt`]: the way out: while a file exists, every snapshot is empty.
//! - [`guard`]: what is in force stays so only while whoever signed it may sign.
//! - [`state_dir`]: what outlives the process.
//! - [`source`]: a Git repository (`git2`) or a plain folder, as a value: a revision and its files.
//! - [`watch`]: notices local changes at once (`notify`).
//! - [`load`]: from files to a checked catalog, each content parsed once.
//! - [`published`]: what is served now; every scope has its own bytes, digest and waiters.
//! - [`status`]: what is served, in figures and policy by policy.
//! - [`filters`]: who polled, and what each runs.
//! - [`notification`]: forges that tell of a push.
//! - [`modules`]: the filter modules that are handed out.
//! - [`metrics`]: all figures for Prometheus (`prometheus_client`).
//! - [`reconcile`]: the loop over all this, and the only writer of what is published.
//! - [`cluster`], [`namespaces`]: the cluster as a peer (`kube`): what it knows of us, and we of it.
//! - [`server`]: the HTTP interface (`axum`); it reads what is published and never waits for Git.
//! - [`tls`]: the certificate that it shows (`rustls`).
//! - [`shutdown`], [`telemetry`]: the end, and the logs.
//! - [`reference`]: the texts that `hfi reference` prints.
//! - [`run`] puts it all together.
#![forbid(unsafe_code)]

pub mod cli;
mod clock;
pub mod cluster;
pub mod command;
pub mod doctor;
pub mod filters;
pub mod folder;
pub mod guard;
pub mod halt;
pub mod load;
pub mod metrics;
pub mod modules;
pub mod namespaces;
pub mod notification;
pub mod published;
pub mod reconcile;
pub mod reference;
pub mod refresh;
pub mod run;
pub mod server;
pub mod shutdown;
pub mod source;
pub mod state_dir;
pub mod status;
pub mod telemetry;
pub mod tls;
pub mod watch;
