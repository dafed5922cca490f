//! A policy without its rules, as both formats have it.

use serde::{Deserialize, Serialize};

use super::{
    bytes::Damaged,
    parts::{checked, glob},
};
use crate::language::{self, Destination, Host, Target, Timestamp};

/// The namespace of what has none.
const ANY: &str = "*";

/// A policy without its rules.
#[derive(Serialize, Deserialize)]
pub(super) struct Policy<'a> {
    name: &'a str,
    #[serde(borrow)]
    selector: Selector<'a>,
    #[serde(borrow)]
    flow: Flow<'a>,
    mode: Mode,
    priority: i32,
    suspend: bool,
    starts_at: Option<u64>,
    expires_at: Option<u64>,
}

/// Names as format 1 has them: of a service. In format 2 it may be a host, which [`Hosts`] says.
#[derive(Serialize, Deserialize)]
struct Selector<'a> {
    service: &'a str,
    namespace: &'a str,
}

/// Which names of a policy are hosts.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hosts {
    selector: bool,
    destination: bool,
}

#[derive(Serialize, Deserialize)]
enum Flow<'a> {
    Inbound,
    Outbound {
        #[serde(borrow)]
        destination: Selector<'a>,
    },
}

#[derive(Serialize, Deserialize)]
enum Mode {
    Inject,
    Shadow,
}

/// Milliseconds since the Unix epoch.
pub(super) fn millis(time: Option<Timestamp>) -> Option<u64> {
    time.map(Timestamp::as_millis)
}

pub(super) fn timestamp(millis: Option<u64>) -> Option<Timestamp> {
    millis.map(Timestamp::from_millis)
}

impl<'a> From<&'a language::Policy> for Policy<'a> {
    fn from(policy: &'a language::Policy) -> Self {
        let language::Policy {
            name,
            selector,
            flow,
            mode,
            priority,
            suspend,
            starts_at,
            expires_at,
            // It is in `started_at` of the entry.
            #[cfg(feature = "authoring")]
                restarted_at: _,
            rules: _,
        } = policy;
        Self {
            name: name.as_str(),
            selector: selector.into(),
            flow: flow.into(),
            mode: (*mode).into(),
            priority: *priority,
            suspend: *suspend,
            starts_at: millis(*starts_at),
            expires_at: millis(*expires_at),
        }
    }
}

impl Policy<'_> {
    pub(super) fn with(self, hosts: Hosts, rules: Vec<language::Rule>) -> Result<language::Policy, Damaged> {
        let Self { name, selector, flow, mode, priority, suspend, starts_at, expires_at } = self;
        Ok(language::Policy {
            name: checked(name.to_owned())?,
            selector: selector.read(hosts.selector)?,
            flow: flow.read(hosts.destination)?,
            mode: mode.into(),
            priority,
            suspend,
            starts_at: timestamp(starts_at),
            expires_at: timestamp(expires_at),
            #[cfg(feature = "authoring")]
            restarted_at: None,
            rules,
        })
    }
}

impl<'a> From<&'a language::Selector> for Selector<'a> {
    fn from(language::Selector { target, namespace }: &'a language::Selector) -> Self {
        Self { service: target.as_str(), namespace: namespace.as_str() }
    }
}

impl<'a> From<&'a Destination> for Selector<'a> {
    fn from(destination: &'a Destination) -> Self {
        match destination {
            Destination::Service { service, namespace } => {
                Self { service: service.as_str(), namespace: namespace.as_str() }
            }
            Destination::Host(host) => Self { service: host.as_str(), namespace: ANY },
        }
    }
}

impl Selector<'_> {
    fn read(self, is_host: bool) -> Result<language::Selector, Damaged> {
        let Self { service, namespace } = self;
        let target = if is_host { Target::Host(host(service)?) } else { Target::Service(glob(service)?) };
        Ok(language::Selector { target, namespace: glob(namespace)? })
    }

    fn read_destination(self, is_host: bool) -> Result<Destination, Damaged> {
        let Self { service, namespace } = self;
        match (is_host, namespace) {
            (true, ANY) => Ok(Destination::Host(host(service)?)),
            (true, _) => Err(Damaged),
            (false, _) => Ok(Destination::Service { service: glob(service)?, namespace: glob(namespace)? }),
        }
    }
}

fn host(text: &str) -> Result<Host, Damaged> {
    checked(text.to_owned())
}

impl Hosts {
    pub(super) fn of(language::Policy { selector, flow, .. }: &language::Policy) -> Self {
        let destination = matches!(flow, language::Flow::Outbound { destination: Destination::Host(_) });
        Self { selector: selector.target.is_host(), destination }
    }
}

impl<'a> From<&'a language::Flow> for Flow<'a> {
    fn from(flow: &'a language::Flow) -> Self {
        match flow {
            language::Flow::Inbound => Self::Inbound,
            language::Flow::Outbound { destination } => Self::Outbound { destination: destination.into() },
        }
    }
}

impl Flow<'_> {
    fn read(self, is_to_host: bool) -> Result<language::Flow, Damaged> {
        match self {
            Self::Inbound if is_to_host => Err(Damaged),
            Self::Inbound => Ok(language::Flow::Inbound),
            Self::Outbound { destination } => {
                Ok(language::Flow::Outbound { destination: destination.read_destination(is_to_host)? })
            }
        }
    }
}

impl From<language::Mode> for Mode {
    fn from(mode: language::Mode) -> Self {
        match mode {
            language::Mode::Inject => Self::Inject,
            language::Mode::Shadow => Self::Shadow,
        }
    }
}

impl From<Mode> for language::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Inject => Self::Inject,
            Mode::Shadow => Self::Shadow,
        }
    }
}
