//! Which root context each stream belongs to.

use std::cell::Cell;

/// How many streams are remembered.
const PLACES: usize = 256;

/// The newest streams of a VM. The host tells when one begins and, since being told costs every
/// request, not when one ends: an old one gives its place to a new one. Envoy lets the headers of a
/// request come right after its stream begins; only what it does in between, in answer to an earlier
/// call of ours, can make others begin before.
#[derive(Debug)]
pub struct Streams {
    /// The ids of a stream and its root, at the stream's id modulo their number.
    places: Box<[Cell<(u32, u32)>]>,
}

impl Default for Streams {
    fn default() -> Self {
        Self { places: vec![Cell::default(); PLACES].into() }
    }
}

impl Streams {
    /// A stream begins.
    pub fn insert(&self, id: u32, root: u32) {
        if let Some(place) = self.place(id) {
            place.set((id, root));
        }
    }

    /// The root of a stream, unless it is forgotten.
    pub fn root_of(&self, id: u32) -> Option<u32> {
        let (known, root) = self.place(id)?.get();
        (known == id).then_some(root)
    }

    fn place(&self, id: u32) -> Option<&Cell<(u32, u32)>> {
        self.places.get(id as usize % PLACES)
    }
}

#[cfg(test)]
mod tests {
    use super::{PLACES, Streams};

    #[test]
    fn each_of_the_newest_streams_has_its_own_root() {
        let streams = Streams::default();
        for id in 1..=PLACES as u32 {
            streams.insert(id, id % 3);
        }
        assert!((1..=PLACES as u32).all(|id| streams.root_of(id) == Some(id % 3)));
    }

    #[test]
    fn a_stream_that_is_forgotten_has_no_root_rather_than_another_ones() {
        let streams = Streams::default();
        streams.insert(7, 1);
        streams.insert(7 + PLACES as u32, 2);
        assert_eq!(streams.root_of(7), None);
        assert_eq!(streams.root_of(7 + PLACES as u32), Some(2));
        assert_eq!(streams.root_of(8), None);
    }
}
