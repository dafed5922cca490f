//! Orders for the process that plans, and its answers. They are lines of JSON, of which each has one namespace at most: archives
//! are many bytes, and never all at once in memory once more.

use std::io::{self, Write};

use policies::language::ClusterDomain;
use serde::{Deserialize, Serialize};

use crate::{
    istio::{
        foreign::Foreign,
        plan::{InForce, Namespaces, Plan},
    },
    source::{ancestry::CommitId, git::CommitLog},
};

/// What is in force in each namespace, or the reason why that is unknown.
pub type Known = Namespaces<Result<InForce, String>>;

/// Everything that a plan depends on. Nothing in it is secret.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) commits: CommitLog,
    pub(super) cluster_domain: ClusterDomain,
    /// The newest commit.
    pub(super) commit: CommitId,
    /// The reason why nobody may go by it.
    pub(super) withdrawn: Option<String>,
    /// The commits that people have agreed to, by namespace.
    pub(super) allowed: Namespaces<String>,
    /// Each namespace is a line of its own.
    #[serde(skip)]
    pub(super) known: Known,
    /// What others may have made.
    pub(super) foreign: Foreign,
}

/// The plan for each namespace, or the reason why there is none.
pub(super) type Answer = Result<Namespaces<Plan>, String>;

/// A line after the first one of an order: a namespace, or its end.
pub(super) type OrderLine = Option<(String, Result<InForce, String>)>;

/// A line of an answer: a namespace, its end, or the reason why there is none.
pub(super) type AnswerLine = Result<Option<(String, Plan)>, String>;

impl Order {
    /// Reads an order from its lines; `None` if they end before.
    pub(super) fn read(lines: &mut impl Iterator<Item = String>) -> Option<serde_json::Result<Self>> {
        let mut order: Self = match serde_json::from_str(&lines.next()?) {
            Ok(order) => order,
            Err(error) => return Some(Err(error)),
        };
        loop {
            match serde_json::from_str(&lines.next()?) {
                Ok(Some((namespace, known))) => order.known.insert(namespace, known),
                Ok(None) => return Some(Ok(order)),
                Err(error) => return Some(Err(error)),
            };
        }
    }
}

/// A value as a line of JSON.
pub(super) fn line(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

/// Writes the lines of an answer.
pub(super) fn write_answer(answer: Answer, to: &mut impl Write) -> io::Result<()> {
    match answer {
        Ok(plans) => {
            for plan in plans {
                to.write_all(&line(&AnswerLine::Ok(Some(plan)))?)?;
            }
            to.write_all(&line(&AnswerLine::Ok(None))?)?;
        }
        Err(reason) => to.write_all(&line(&AnswerLine::Err(reason))?)?,
    }
    to.flush()
}
