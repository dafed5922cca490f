//! `GET /v1/overview`: all that the page and `hfi status` show, in their order.
//!
//! - [`banner`]: what holds now, each with its sentence.
//! - [`in_force`]: the policies in force, and those to come.
//! - [`trouble`]: what is not right. [`recent`]: what came and went.
//!
//! Lists have an upper bound, and the number of all that there are: it stays small whatever a mesh has.

pub mod banner;
pub mod in_force;
pub mod recent;
pub mod trouble;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::{
    banner::Banner,
    in_force::{Coming, InForce},
    recent::Recent,
    trouble::Trouble,
};
use super::{counts::Counts, filters::FilterCounts, peers::MissingReplica, time::Time};

/// All that is happening, on one screen. It is also the data of an event `overview`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// The time of all this, by the clock of the replica.
    pub at: Time,
    /// All that hold, the most urgent first; at least one.
    #[serde(default)]
    pub banners: Vec<Banner>,
    /// The policies that come into force within 24 hours, the next one first.
    #[serde(default)]
    pub coming: Listed<Coming>,
    #[serde(default)]
    pub filters: FilterCounts,
    /// The policies in force, by name; while everything is halted or withdrawn, none. If there are too many, these are
    /// those with the most faults a second.
    #[serde(default)]
    pub in_force: Listed<InForce>,
    /// The replicas that did not answer. What only they know is missing here.
    #[serde(default)]
    pub missing: Vec<MissingReplica>,
    /// What came and went since this replica started, the newest first.
    #[serde(default)]
    pub recent: Vec<Recent>,
    /// The replicas of which this is known, of all: `1 of 2`; null without `--peers`.
    pub replicas: Option<String>,
    /// `<branch>@sha1:<commit>`, or `dir@sha256:<hex>` of a directory; null if nothing was read yet.
    pub revision: Option<String>,
    /// The last time that the source was read; null if this process never did.
    pub source_read: Option<Time>,
    /// All policies by their state; while everything is halted, as they are when it ends.
    #[serde(default)]
    pub summary: Counts,
    #[serde(default)]
    pub trouble: Trouble,
}

/// The first ones of a list, and the number of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listed<T> {
    pub items: Vec<T>,
    /// The number of all: more than `items` if there are too many of them.
    pub total: usize,
}

impl<T> Listed<T> {
    /// At most this many of all, as they are shown.
    pub fn first_of<S>(most: usize, all: impl Iterator<Item = S>, mut show: impl FnMut(S) -> T) -> Self {
        let (mut items, mut total) = (Vec::new(), 0);
        for one in all {
            if total < most {
                items.push(show(one));
            }
            total += 1;
        }
        Self { items, total }
    }

    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The number of those that are not among `items`.
    pub fn more(&self) -> usize {
        self.total.saturating_sub(self.items.len())
    }
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { items: Vec::new(), total: 0 }
    }
}

impl Overview {
    /// True if nothing of it needs a look: no banner of doubt or danger, and no trouble.
    pub fn is_right(&self) -> bool {
        self.trouble.is_empty() && !self.banners.iter().any(|banner| banner.state.is_wrong())
    }

    /// True if another one says the same, only later.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let Self {
            at: _,
            banners,
            coming,
            filters,
            in_force,
            missing,
            recent,
            replicas,
            revision,
            source_read,
            summary,
            trouble,
        } = self;
        *banners == other.banners
            && *coming == other.coming
            && *filters == other.filters
            && *in_force == other.in_force
            && *missing == other.missing
            && *recent == other.recent
            && *replicas == other.replicas
            && *revision == other.revision
            && *source_read == other.source_read
            && *summary == other.summary
            && *trouble == other.trouble
    }
}
