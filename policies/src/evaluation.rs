//! Evaluates policies: a snapshot compiled for one workload, and what it decides about a request.

mod compiled_matcher;
mod decision;
mod dice;
mod index;
mod program;
mod radix;
mod request_view;
mod rule;
mod static_request;
mod work;
mod workload_ref;

pub use decision::Decision;
pub use dice::{AlwaysHit, Dice};
pub use program::{Program, Verdict};
pub use rule::Mismatch;
pub use static_request::StaticRequest;
