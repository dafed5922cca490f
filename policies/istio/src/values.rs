//! The values that a document is made of. None of them can be wrong.

mod address;
mod cors_methods;
mod duration;
mod envoy_regex;
mod header_value;
mod host;
mod json_web_key;
mod label_pairs;
mod merge_patch;
mod object_name;
mod protocol;
mod retry_conditions;
mod service_ref;
pub(crate) mod unicode_class;

pub use address::{IpBlock, IpBlockError};
pub use cors_methods::CORS_METHODS;
pub use duration::{Duration, DurationError};
pub use envoy_regex::{EnvoyRegex, EnvoyRegexError};
pub use header_value::percents_are_closed;
pub use host::{Host, HostError};
pub use json_web_key::SECRET_MEMBERS;
pub use label_pairs::{LabelPairs, key_error, value_error};
pub use merge_patch::{MergePatch, merge};
pub use object_name::{ObjectName, ObjectNameError};
/// An RFC 1123 label. `policies` has it as the name of a policy.
pub use policies::language::PolicyName as Label;
pub use protocol::{Protocol, ProtocolError};
pub use retry_conditions::RETRY_CONDITIONS;
pub use service_ref::{ServiceRef, ServiceRefError};
