//! Calls to the API server.
//!
//! - `connection`: the address of the API server and the credentials for it.
//! - `call`: one call, bounded in time, and the back-off between calls.
//! - `followed`: the objects of one kind, kept by a watch.
//! - `kubeconfig`: the cluster of a person.
//! - `port_forward`: connections to ports of pods.
//! - `error_text`: the text of an error, without secrets.

pub(crate) mod call;
pub(crate) mod connection;
pub(crate) mod error_text;
pub(crate) mod followed;
pub(crate) mod kubeconfig;
pub(crate) mod port_forward;
