//! Notification queues: the leading VM wakes the others up when there is a new snapshot.

use super::shared_data::SharedData;

/// Number of queues. A VM above it shares a queue, is not notified, and sees the change at its next tick.
const QUEUES: u32 = 64;
/// Attempts of a VM to get a queue of its own.
const ATTEMPTS: usize = 16;

/// Queues of the VMs that have the same plugin configuration, one for each VM.
#[derive(Debug)]
pub(super) struct Queues {
    /// Key of the number of VMs that have joined. With a number appended, it is the name of a queue.
    key: String,
}

impl Queues {
    pub(super) fn new(key: String) -> Self {
        Self { key }
    }

    /// Takes the next queue. After some attempts it takes one that another VM takes at the same moment.
    pub(super) fn join(&self, data: &impl SharedData) {
        let mut number = 0;
        for _ in 0..ATTEMPTS {
            let version = data.get(&self.key).map(|(_, version)| version);
            number = self.joined(data);
            if data.set(&self.key, &number.wrapping_add(1).to_le_bytes(), version) {
                break;
            }
        }
        data.listen(&self.name(number % QUEUES));
    }

    /// Notifies every VM that has joined.
    pub(super) fn notify_all(&self, data: &impl SharedData) {
        (0..self.joined(data).min(QUEUES)).for_each(|number| data.notify(&self.name(number)));
    }

    fn joined(&self, data: &impl SharedData) -> u32 {
        let joined = data.get(&self.key).and_then(|(joined, _)| joined.try_into().ok());
        joined.map_or(0, u32::from_le_bytes)
    }

    fn name(&self, number: u32) -> String {
        format!("{}.{number}", self.key)
    }
}
