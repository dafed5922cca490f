//! The HTTP interface (`axum`).
//!
//! - `router`, [`routes`]: each path, and a file for each route.
//! - `state`: what handlers look at.
//! - `long_poll`: connections, and polls that are held at little cost.
//! - `catch_up`: polls of filters that run a newer commit than this replica.
//! - [`conditional`], `prefer`, `problem`: conditional requests, `Prefer: wait`, and errors.
//! - [`notification`]: forges that tell of a push.
//! - [`tls`]: the certificate (`rustls`).

mod catch_up;
pub mod conditional;
mod long_poll;
pub mod notification;
mod prefer;
mod problem;
mod router;
pub mod routes;
mod state;
pub mod tls;

pub use self::{
    long_poll::{Listener, serve},
    router::{Routes, router},
    state::Services,
};
