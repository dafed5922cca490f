//! Totals of the faults in this proxy, by policy: one record in the shared data, for all roots of all VMs.
//!
//! Every root adds what it has counted since it last did. The record belongs to no configuration, so it outlives the
//! roots and VMs that add to it, and every VM that polls tells the same. It ends with the proxy.
//! A record that is lost is followed by one with another epoch, so no total of an epoch falls.

use policies::wire::{CountedName, Epoch, FaultCounts};

use super::{
    shared_data::SharedData,
    value::{decode, encode},
};
use crate::dice::Random;

/// Key of the record. The number is the version of its encoding.
const KEY: &str = "hfi.faults.1";
/// Number of policies that the record names in an epoch. Further ones are counted together: a name that left the
/// record and came again would begin at zero.
const MOST: usize = 256;
/// Attempts to add, before what is left waits for the next tick.
const ATTEMPTS: usize = 4;

/// Totals since the epoch began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    pub epoch: Epoch,
    pub policies: Vec<(CountedName, FaultCounts<u64>)>,
}

/// Encoded record: the epoch, and the name and counts of each policy.
type Record = (String, Vec<(String, [u64; 6])>);

impl Totals {
    /// Totals of the proxy; `None` if there is no record.
    pub fn read(data: &impl SharedData) -> Option<Self> {
        Self::from_record(decode(&data.get(KEY)?.0))
    }

    /// Begins an epoch if there is no record. The first VM to come here is the one in which the host validates the
    /// configuration, before it starts any other.
    pub fn begin(data: &impl SharedData, random: &mut Random) {
        let (value, version) = data.get(KEY).unzip();
        if value.and_then(|value| Self::from_record(decode(&value))).is_none()
            && let Some(epoch) = Epoch::parse(&format!("{:016x}", random.id()))
        {
            Self { epoch, policies: Vec::new() }.write(data, version);
        }
    }

    /// Adds counts to the totals of the proxy; `false` if that has to be tried again.
    pub fn add<'c, C: Iterator<Item = (&'c str, FaultCounts<u64>)>>(
        data: &impl SharedData,
        counted: impl Fn() -> C,
    ) -> bool {
        (0..ATTEMPTS).any(|_| {
            let Some((value, version)) = data.get(KEY) else { return false };
            let Some(mut totals) = Self::from_record(decode(&value)) else { return false };
            counted().for_each(|(policy, counts)| totals.count(policy, counts));
            totals.write(data, Some(version))
        })
    }

    fn count(&mut self, policy: &str, counts: FaultCounts<u64>) {
        let name = CountedName::parse(policy).unwrap_or(CountedName::Other);
        let is_known = self.policies.iter().any(|(known, _)| *known == name);
        let name = if is_known || self.policies.len() < MOST { name } else { CountedName::Other };
        match self.policies.iter_mut().find(|(known, _)| *known == name) {
            Some((_, total)) => *total = total.zip(counts, u64::saturating_add),
            None => self.policies.push((name, counts)),
        }
    }

    fn from_record((epoch, policies): Record) -> Option<Self> {
        let read =
            |(name, counts): (String, _)| Some((CountedName::parse(&name)?, FaultCounts::from_array(counts)));
        let policies = policies.into_iter().map(read).collect::<Option<_>>()?;
        Some(Self { epoch: Epoch::parse(&epoch)?, policies })
    }

    fn write(&self, data: &impl SharedData, expected: Option<u32>) -> bool {
        let written = |(name, counts): &(CountedName, FaultCounts<u64>)| {
            (name.as_str().to_owned(), counts.into_array())
        };
        let record: Record = (self.epoch.as_str().to_owned(), self.policies.iter().map(written).collect());
        encode(&record).is_some_and(|value| data.set(KEY, &value, expected))
    }
}
