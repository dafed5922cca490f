//! The digests of what a replica tells. Each is told once, as many filters run the same snapshot, and filters name it by
//! its place.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::RandomState,
};

use policies::Digest;

use crate::api::peers::MAX_TOLD;

/// The bytes of a digest with its quotes and its comma.
const LENGTH: usize = "\"sha256:\",".len() + 64;

/// The digests that are told.
#[derive(Debug, Default)]
pub(super) struct Digests {
    places: HashMap<Digest, usize, RandomState>,
    told: Vec<String>,
}

impl Digests {
    /// The place of a digest, which is added if it is new; `None` if there are too many.
    pub(super) fn place(&mut self, digest: Digest) -> Option<usize> {
        let next = self.told.len();
        match self.places.entry(digest) {
            Entry::Occupied(place) => Some(*place.get()),
            Entry::Vacant(_) if next >= MAX_TOLD => None,
            Entry::Vacant(place) => {
                self.told.push(digest.to_string());
                Some(*place.insert(next))
            }
        }
    }

    /// The bytes that they take.
    pub(super) fn size(&self) -> usize {
        self.told.len() * LENGTH
    }

    pub(super) fn told(self) -> Vec<String> {
        self.told
    }
}

/// The digests that another replica tells, each in its place. One that cannot be read is `None`.
pub(super) fn heard(told: &[String]) -> Vec<Option<Digest>> {
    told.iter().map(|digest| Digest::from_etag(&format!("\"{digest}\""))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Digest, Digests, LENGTH, MAX_TOLD, heard};

    #[test]
    fn a_digest_has_one_place_and_there_is_an_end_to_them() {
        let mut digests = Digests::default();
        let digest = |at: usize| Digest::of(&at.to_le_bytes());
        for _ in 0..2 {
            for at in 0..MAX_TOLD {
                assert_eq!(digests.place(digest(at)), Some(at));
            }
        }
        assert_eq!(digests.place(digest(MAX_TOLD)), None);
        assert_eq!(digests.size(), MAX_TOLD * LENGTH);
        let mut told = digests.told();
        assert_eq!(serde_json::to_string(&told[..2]).unwrap().len(), 2 * LENGTH + 1);
        told.truncate(2);
        told.push("sha256:0".to_owned());
        assert_eq!(heard(&told), [Some(digest(0)), Some(digest(1)), None]);
    }
}
