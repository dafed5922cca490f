//! The reconciler of hfi: `hfi serve` follows a Git branch of policies and serves it to the filters.
//!
//! ```text
//! source ──Checkout──▶ sync ──Catalog──▶ serving ──bytes──▶ http ──▶ filters
//! ```
//!
//! The rooms, from the lowest to the highest; a room uses those above it in this list:
//!
//! - `clock`, `io_reason`, `moment`, `printable`, `random_id`, [`shutdown`], [`version`]: the time, the words for a failed input
//!   or output, text that is safe for a terminal, ids, the request to end, and the version of this build.
//! - [`clients`]: clients by their address, and fair shares of what they need (the crate `long-poll`).
//! - [`api`]: the JSON of the HTTP interface, for the server and its clients (`schemars`).
//! - [`access`]: the tokens of those who may write, and their rights.
//! - [`client`]: requests to a running `hfi serve` (`reqwest`).
//! - [`peers`]: the other replicas, which are asked what they know.
//! - [`telemetry`]: logs, and metrics for Prometheus (`prometheus_client`).
//! - [`source`]: a Git repository (`git2`) or a plain directory (`notify`), read as a value: a revision and its
//!   files.
//! - [`istio`]: the Istio configuration of applications, on its way into the cluster (`tar`, `flate2`).
//! - [`planning`]: plans what a commit changes there, in a process of its own.
//! - [`serving`]: the policies that are served; every scope has its own bytes, digest and waiters.
//! - [`sync`]: the loop that keeps [`serving`] equal to [`source`].
//! - [`writes`]: changes of policies by HTTP, which become commits.
//! - [`halts`]: everything stops at once, by HTTP and as a commit.
//! - [`fleet`]: the filters that poll, and the snapshot that each runs.
//! - [`doctor`]: rules that find mistakes in an installation.
//! - [`kubernetes`]: the cluster (`kube`): its namespaces, the Lease, the status object, Events, and the proxies
//!   without the filter.
//! - [`overview`]: what is known of policies, filters and replicas, on one screen.
//! - `figures`: measured shares and rates, as they are shown.
//! - `page`: the page for people, as HTML.
//! - [`http`]: the HTTP interface (`axum`); it reads what [`serving`] publishes and never waits for Git.
//! - [`mod@reference`]: the texts that `hfi reference` prints.
//! - [`cli`]: the command line (`clap`), and the commands that answer and end.
//! - [`assembly`]: starts and stops all of this.
#![forbid(unsafe_code)]

pub mod access;
pub mod api;
pub mod assembly;
pub mod cli;
pub mod client;
pub mod clients;
mod clock;
pub mod doctor;
mod figures;
pub mod fleet;
pub mod halts;
pub mod http;
mod io_reason;
pub mod istio;
pub mod kubernetes;
mod moment;
pub mod overview;
mod page;
pub mod peers;
pub mod planning;
mod printable;
mod random_id;
pub mod reference;
pub mod serving;
pub mod shutdown;
pub mod source;
pub mod sync;
pub mod telemetry;
pub mod version;
pub mod writes;
