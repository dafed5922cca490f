//! Connections, from the first byte to the last.
//!
//! Nearly all that is asked of a reconciler is one thing: a proxy's poll. So that a proxy that waits
//! costs next to nothing, and that all of them are answered fast, the plain form of that request is
//! read and answered [here](connection), without a buffer that is kept in between. Whatever else
//! comes, in whatever protocol, goes to [`hyper` and the router](rest) with the bytes read so far.
//!
//! - [`accept`]: takes connections, as many as there are [`places`] for.
//! - [`stream`]: a connection's bytes, bounded in time.
//! - [`head`]: which requests are plain ones (`httparse`).
//! - [`wire`]: their answers as bytes.
//! - [`limits`]: what a client may take.

mod accept;
mod activity;
mod alarm;
mod connection;
mod date;
mod head;
mod limits;
mod listener;
mod places;
mod rest;
mod stream;
mod wire;

pub use accept::serve;
pub(super) use limits::{MAX_BODY, MAX_REQUESTS, MAX_UNSHARED, RETRY_AFTER};
pub use listener::Listener;
