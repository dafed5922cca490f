//! Parts that formats 1 and 2 share. Frozen with format 1: a format that needs one of these in another
//! way gets its own, as format 2 has its own matchers.
//!
//! Each part is made of a value of the language by borrowing from it, and read back by checking it: what
//! comes over the wire is not believed.

use serde::{Deserialize, Serialize};

use super::bytes::Damaged;
use crate::language::{self, Glob, HeaderName, Percentage};

#[derive(Serialize, Deserialize)]
pub(super) struct Source<'a> {
    namespace: &'a str,
    service_account: &'a str,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Fault<'a> {
    /// In parts per million.
    percentage: u32,
    sticky_by: Option<&'a str>,
    start_delay_ms: u32,
    duration_seconds: u32,
    delay: Option<Delay>,
    #[serde(borrow)]
    abort: Option<Abort<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Delay {
    min_ms: u32,
    max_ms: u32,
}

#[derive(Serialize, Deserialize)]
struct Abort<'a> {
    #[serde(borrow)]
    reply: Reply<'a>,
    #[serde(borrow)]
    headers: Vec<(&'a str, &'a str)>,
}

#[derive(Serialize, Deserialize)]
enum Reply<'a> {
    Http { status: u16, body: &'a str },
    Grpc { status: u8, message: &'a str },
}

/// A value, if the text or number is one.
pub(super) fn checked<T: TryFrom<V>, V>(value: V) -> Result<T, Damaged> {
    T::try_from(value).map_err(|_| Damaged)
}

pub(super) fn glob(text: &str) -> Result<Glob, Damaged> {
    checked(text.to_owned())
}

impl<'a> From<&'a language::Source> for Source<'a> {
    fn from(language::Source { namespace, service_account }: &'a language::Source) -> Self {
        Self { namespace: namespace.as_str(), service_account: service_account.as_str() }
    }
}

impl TryFrom<Source<'_>> for language::Source {
    type Error = Damaged;

    fn try_from(Source { namespace, service_account }: Source<'_>) -> Result<Self, Damaged> {
        Ok(Self { namespace: glob(namespace)?, service_account: glob(service_account)? })
    }
}

impl<'a> From<&'a language::Fault> for Fault<'a> {
    fn from(fault: &'a language::Fault) -> Self {
        let language::Fault { percentage, sticky_by, start_delay_ms, duration_seconds, delay, abort } = fault;
        Self {
            percentage: percentage.parts_per_million(),
            sticky_by: sticky_by.as_ref().map(HeaderName::as_str),
            start_delay_ms: *start_delay_ms,
            duration_seconds: *duration_seconds,
            delay: delay.map(|language::Delay { min_ms, max_ms }| Delay { min_ms, max_ms }),
            abort: abort.as_ref().map(Abort::from),
        }
    }
}

impl TryFrom<Fault<'_>> for language::Fault {
    type Error = Damaged;

    fn try_from(fault: Fault<'_>) -> Result<Self, Damaged> {
        let Fault { percentage, sticky_by, start_delay_ms, duration_seconds, delay, abort } = fault;
        Ok(Self {
            percentage: checked::<Percentage, _>(percentage)?,
            sticky_by: sticky_by.map(|name| checked(name.to_owned())).transpose()?,
            start_delay_ms,
            duration_seconds,
            delay: delay.map(|Delay { min_ms, max_ms }| language::Delay { min_ms, max_ms }),
            abort: abort.map(language::Abort::try_from).transpose()?,
        })
    }
}

impl<'a> From<&'a language::Abort> for Abort<'a> {
    fn from(language::Abort { reply, headers }: &'a language::Abort) -> Self {
        let reply = match reply {
            language::Reply::Http { status, body } => Reply::Http { status: status.as_u16(), body },
            language::Reply::Grpc { status, message } => Reply::Grpc { status: status.as_u8(), message },
        };
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Self { reply, headers }
    }
}

impl TryFrom<Abort<'_>> for language::Abort {
    type Error = Damaged;

    fn try_from(Abort { reply, headers }: Abort<'_>) -> Result<Self, Damaged> {
        let reply = match reply {
            Reply::Http { status, body } => {
                language::Reply::Http { status: checked(status)?, body: body.to_owned() }
            }
            Reply::Grpc { status, message } => {
                language::Reply::Grpc { status: checked(status)?, message: message.to_owned() }
            }
        };
        let header =
            |(name, value): (&str, &str)| Ok((checked(name.to_owned())?, checked(value.to_owned())?));
        let headers = headers.into_iter().map(header).collect::<Result<_, Damaged>>()?;
        Ok(Self { reply, headers })
    }
}
