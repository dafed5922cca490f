//! Connections, from the first byte to the last.
//!
//! Nearly all that is asked of a reconciler is one thing: a proxy's poll. So that a proxy that waits
//! costs next to nothing, and that all of them are answered fast, the plain form of that request is
//! read and answered [here](connection), without a buffer that is kept in between. Whatever else
//! comes, in whatever protocol, goes to [`hyper` and the router](hyper_fallback) with the bytes read so far.
//!
//! - [`accept`]: takes connections, up to the [`connection_limit`].
//! - [`stream`]: a connection's bytes, bounded in time.
//! - [`request_head`]: which requests are plain ones (`httparse`).
//! - [`http1_response`]: their answers as bytes.
//! - [`limits`]: what a client may take.

mod accept;
mod connection;
mod connection_limit;
mod date;
mod deadline;
mod http1_response;
mod hyper_fallback;
mod idle_tracker;
mod limits;
mod listener;
mod request_head;
mod stream;

pub use accept::serve;
pub(crate) use limits::{MAX_BODY, MAX_REQUESTS, MAX_UNSHARED, RETRY_AFTER};
pub use listener::Listener;
