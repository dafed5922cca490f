//! Requests, the workload that they reach, and what becomes of them.

mod client;
mod eventually;
mod expectation;
mod http_client;
mod load;
mod results;
mod upstream;

pub use client::{Answer, Client, Request};
pub use eventually::{everywhere, first, reached};
pub use expectation::{CONFIDENCE, Expectation};
pub use http_client::http_client;
pub use load::Load;
pub use results::{Results, expected, median};
pub use upstream::Upstream;
