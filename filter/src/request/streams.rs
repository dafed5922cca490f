//! Root context of each stream.

use std::cell::Cell;

/// Number of streams that are remembered.
const SLOTS: usize = 256;

/// Newest streams of a VM. The host reports the start of a stream but, since every call costs time, not
/// its end: a new stream takes the slot of an old one. Envoy sends the headers of a request right after
/// the start of its stream; other streams can start in between only as a reaction to an earlier call of
/// this VM.
#[derive(Debug)]
pub struct Streams {
    /// Ids of a stream and its root, at the stream's id modulo [`SLOTS`].
    slots: Box<[Cell<(u32, u32)>]>,
}

impl Default for Streams {
    fn default() -> Self {
        Self { slots: vec![Cell::default(); SLOTS].into() }
    }
}

impl Streams {
    /// Records a stream that starts.
    pub fn insert(&self, id: u32, root: u32) {
        if let Some(slot) = self.slot(id) {
            slot.set((id, root));
        }
    }

    /// Root of a stream; `None` if a newer stream has its slot.
    pub fn root_of(&self, id: u32) -> Option<u32> {
        let (known, root) = self.slot(id)?.get();
        (known == id).then_some(root)
    }

    fn slot(&self, id: u32) -> Option<&Cell<(u32, u32)>> {
        self.slots.get(id as usize % SLOTS)
    }
}

#[cfg(test)]
mod tests {
    use super::{SLOTS, Streams};

    #[test]
    fn each_of_the_newest_streams_has_its_own_root() {
        let streams = Streams::default();
        for id in 1..=SLOTS as u32 {
            streams.insert(id, id % 3);
        }
        assert!((1..=SLOTS as u32).all(|id| streams.root_of(id) == Some(id % 3)));
    }

    #[test]
    fn a_forgotten_stream_has_no_root() {
        let streams = Streams::default();
        streams.insert(7, 1);
        streams.insert(7 + SLOTS as u32, 2);
        assert_eq!(streams.root_of(7), None);
        assert_eq!(streams.root_of(7 + SLOTS as u32), Some(2));
        assert_eq!(streams.root_of(8), None);
    }
}
