//! The language: values that cannot be wrong, and the policies and guardrails that are made of them.
//!
//! Knows nothing of how it is written, sent or evaluated.

mod fault;
#[cfg(feature = "authoring")]
mod guardrail;
mod matching;
mod policy;
mod reply;
mod values;

pub use fault::{Delay, Fault, MAX_HOLD_MS};
#[cfg(feature = "authoring")]
pub use guardrail::{Breach, Guardrail};
pub use matching::{Condition, Match, Matcher, Source};
pub use policy::{Direction, Flow, Mode, Policy, Rule, Selector};
pub use reply::{Abort, GrpcStatus, GrpcStatusError, HttpStatus, HttpStatusError, MAX_BODY_BYTES, Reply};
#[cfg(feature = "authoring")]
pub(crate) use values::SIZE_LIMIT;
pub use values::{
    Glob, GlobError, HeaderName, HeaderValue, NameError, Pattern, PatternError, Percentage, PercentageError,
    PolicyName, Timestamp, TimestampError,
};
pub(crate) use values::{Regex, is_label};
