//! Git over HTTP under libgit2, as git itself speaks it.
//!
//! libgit2's own HTTP refuses what git takes: NTLM beside Basic, a media type with a charset, a body that ends
//! with the connection, HTTP/1.0, most forms of `no_proxy`, an intermediate certificate as trust anchor. Here
//! `reqwest` and `rustls` carry the requests; libgit2 keeps the protocol of packets and packs.
//!
//! The crate knows nothing of policies, and reads no files but the certificates to trust. It serves one process
//! that fetches from, or pushes to, one server: [`install`] it before, and ask it for the [`Failure`] after. The
//! password goes to the origin of the URL that was given, and to no other.
//!
//! The modules, from the lowest to the highest; a module uses those before it:
//!
//! - [`failure`]: the reasons why a repository cannot be reached, as sentences for people.
//! - `git_service`: the services of a Git server.
//! - `media_type`, `challenge`, `first_packet`: bytes from servers, read.
//! - `proxy`: the proxies that the environment names (`hyper_util`).
//! - `tls_failure`, `exchange_failure`: the errors of `rustls`, `hyper` and `reqwest` in our words.
//! - `trust`: the trusted certificates.
//! - [`Connection`]: certificates, proxies and words for other clients.
//! - `login`: the password, in the form in which it is sent (`base64`).
//! - `address`: the URLs of a repository, before and after redirects.
//! - `status`: the status codes of answers.
//! - `client`: requests to one server.
//! - `answer`: answers that hold Git data.
//! - `negotiation`: the commits that both sides have, in one request.
//! - `transport`: what libgit2 calls.

mod address;
mod answer;
mod challenge;
mod client;
mod connection;
mod exchange_failure;
pub mod failure;
mod first_packet;
mod git_service;
mod login;
mod media_type;
mod negotiation;
mod proxy;
mod status;
mod tls_failure;
mod transport;
mod trust;

pub use self::{
    connection::Connection,
    failure::Failure,
    login::Login,
    transport::{Report, Settings, install},
};
