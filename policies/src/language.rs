//! The language: values that cannot be wrong, and the policies and guardrails that are made of them.
//!
//! Knows nothing of how it is written, sent or evaluated.

mod destination;
mod direction;
mod facts;
mod fault;
#[cfg(feature = "authoring")]
mod guardrail;
#[cfg(feature = "authoring")]
mod istio_limits;
mod matcher;
mod matching;
mod policy;
mod query;
mod reply;
mod selector;
mod subject;
mod values;

#[cfg(feature = "authoring")]
pub use crate::automaton::TooComplex;
pub use destination::Destination;
pub use direction::Direction;
pub use facts::Facts;
pub use fault::{Delay, Fault, MAX_HOLD_MS};
#[cfg(feature = "authoring")]
pub use guardrail::{Breach, Guardrail};
#[cfg(feature = "authoring")]
pub use istio_limits::{AllowSpec, Dataplane, ISTIO_KINDS, IstioLimits};
pub use matcher::{Matcher, Test};
pub use matching::{Condition, Match, Source};
pub use policy::{Flow, Mode, Policy, Rule};
pub use reply::{Abort, GrpcStatus, GrpcStatusError, HttpStatus, HttpStatusError, MAX_BODY_BYTES, Reply};
pub use selector::{Selector, Target};
pub use subject::Subject;
#[cfg(feature = "authoring")]
pub(crate) use subject::{Form, Kind};
#[cfg(feature = "authoring")]
pub use values::PatternError;
pub(crate) use values::is_label;
pub use values::{
    ClusterDomain, ClusterDomainError, Glob, GlobError, HeaderName, HeaderValue, Host, HostError, NameError,
    Pattern, Percentage, PercentageError, PolicyName, Timestamp, TimestampError,
};
