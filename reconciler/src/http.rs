//! The HTTP interface (`axum`).
//!
//! - `router`, [`routes`]: each path, and a file for each route.
//! - `described`, `operation`: routes that describe themselves, and the OpenAPI document of them (`schemars`).
//! - `state`: the state that handlers share; `report`: the report of the status; `listing`: the policies for
//!   clients of the first generation.
//! - `overviews`: the newest overview, made once for all who look.
//! - `app`: what the crate [`long_poll`] answers over connections, and polls that it holds at little cost.
//! - `limits`: limits of requests.
//! - `peer`, `host`: the client of a request, and the host that it names.
//! - [`peering`]: what this replica tells the others, and asks them.
//! - `making`: turns for answers that need time or memory.
//! - `body`: the bodies of requests. [`writing`], `write_query`, `authorization`, [`tokens`]: requests that change
//!   policies; [`halting`]: requests that stop everything; [`viewing`], `closed_reads`: those that only read.
//! - `browsers`, [`public_url`]: what browsers may send; `answer_headers`: what they may do with answers.
//! - `headers`: the headers of polls and of their answers.
//! - `catch_up`: polls of filters that run a newer commit than this replica; `read_your_writes`: other requests that
//!   name one.
//! - `fault_reports`: what polls report of faults.
//! - [`conditional`], `prefer`, `problem`: conditional requests, `Prefer: wait`, and errors.
//! - [`notification`]: forges that tell of a push.
//! - [`tls`]: the certificate (`rustls`).

mod answer_headers;
mod app;
mod authorization;
mod body;
mod browsers;
mod catch_up;
mod closed_reads;
pub mod conditional;
mod described;
mod fault_reports;
mod filter_query;
pub mod halting;
mod headers;
mod host;
mod limits;
mod listing;
mod making;
pub mod notification;
mod operation;
mod overviews;
mod peer;
pub mod peering;
mod policy_query;
mod prefer;
mod problem;
pub mod public_url;
mod read_your_writes;
mod refusals;
mod report;
mod router;
pub mod routes;
mod state;
pub mod tls;
pub mod tokens;
pub mod viewing;
mod write_query;
pub mod writing;

pub use long_poll::Listener;

pub use self::{
    app::serve,
    router::{Routes, document, router},
    state::Services,
};
