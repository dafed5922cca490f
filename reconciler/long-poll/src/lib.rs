//! A server of HTTP that holds many polls at little cost.
//!
//! Nearly all requests to a reconciler are the polls of proxies. So that a poll that waits costs little, and
//! that all of them are answered fast, its plain form is read and answered here, in `connection`, without a
//! buffer that is kept in between. All other requests, of HTTP/1.1 and HTTP/2, go to
//! `hyper`, in `hyper_fallback`, with the bytes read so far; over HTTP/1.1 the connection comes back after the
//! answer.
//!
//! It exists for that memory: behind hyper alone, the same routes need 48 times as much for a held poll
//! (`scripts/mesh/PERFORMANCE.md`).
//!
//! The crate knows nothing of what is polled: that is an [`App`].
//!
//! - `accept`: takes connections, up to the `connection_limit`.
//! - `stream`: the bytes of a connection, bounded in time.
//! - `request_head`: reads plain polls (`httparse`).
//! - `http1_response`: their answers as bytes.
//! - [`limits`]: what a client may take of memory, files and time.
//! - `client`, `shares`: clients by address, and fair shares; `places` can be taken back, a `budget` cannot.
//! - `control_frames`: a bound for the frames of HTTP/2 that bring nothing.
#![forbid(unsafe_code)]

mod accept;
mod app;
mod boundary;
mod budget;
mod client;
mod connection;
mod connection_limit;
mod control_frames;
mod date;
mod deadline;
mod hold;
mod http1_response;
mod hyper_fallback;
mod idle_tracker;
pub mod limits;
mod listener;
mod mapped;
mod places;
mod request_head;
mod server;
mod shares;
mod stream;
#[cfg(test)]
mod testing;

pub use accept::serve;
pub use app::{App, Bounded, Request, Shared};
pub use axum::response::Response;
pub use client::{Client, Prefixes};
pub use hold::Hold;
pub use http1_response::{Answer, Head};
pub use listener::Listener;
pub use places::{Close, Key, Place, Places};
pub use shares::{Admission, Shares};
