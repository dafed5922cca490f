//! Evaluates policies: a snapshot compiled for one workload, and what it decides about a request.

mod callee;
mod caller;
mod compiled_matcher;
mod decision;
mod dice;
mod in_force;
mod index;
mod mesh;
mod program;
mod radix;
mod request_view;
mod rule;
mod rule_id;
mod rules;
mod shared_rules;
mod static_request;
mod work;

pub use decision::{Decision, Outcome};
pub use dice::{AlwaysHit, Dice};
pub use in_force::rules_in_force;
pub use program::{Program, Verdict};
pub use rule::Mismatch;
pub use rule_id::RuleId;
pub use shared_rules::SharedRules;
pub use static_request::StaticRequest;
