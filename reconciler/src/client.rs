//! A client of a running `hfi serve`: requests over HTTP, and what their failures mean.
//!
//! - [`address`]: the URL of the server.
//! - [`token`]: the token that it asks for.
//! - [`failure`]: the reasons why a request brings nothing.
//! - [`event_stream`]: server-sent events, read.
//! - [`exchange`]: requests and answers (`reqwest`).
//! - `flux_events`: events for Flux.
//! - `replica`: requests from one replica to another.
//! - `snapshot`: what a server answers a filter with.
//! - [`way`]: a way to a server to which its URL does not lead.
//! - [`writing`]: requests that change policies.

pub mod address;
pub mod event_stream;
pub mod exchange;
pub mod failure;
mod flux_events;
mod replica;
mod snapshot;
pub mod token;
pub mod way;
pub mod writing;

pub use self::{
    address::ServerUrl,
    exchange::Client,
    failure::Failure,
    token::Token,
    way::{Way, WayFailure},
};
