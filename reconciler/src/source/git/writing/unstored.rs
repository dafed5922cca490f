//! Commits that are not stored yet.
//!
//! Their objects are in memory, and are stored as one pack: all of them or none. The clone is whole at every moment.

use std::{collections::BTreeSet, fmt};

use git2::{Error, Oid, Repository as BareClone};

use crate::source::git::{local, objects};

/// The priority of the objects in memory, above that of the files.
const FIRST: i32 = 1_000;
/// The bytes of objects in memory above which they are to be stored.
const MANY: usize = 16 << 20;

/// Commits in memory, above those of a clone.
pub(super) struct Unstored {
    repository: BareClone,
    /// The objects that are new.
    made: BTreeSet<Oid>,
    /// Their size.
    bytes: usize,
}

impl Unstored {
    /// No commit yet, above those of `clone`.
    pub(super) fn above(clone: &BareClone) -> Result<Self, Error> {
        // Its memory is nobody else's: what a fetch writes goes elsewhere.
        let repository = BareClone::open_bare(clone.path())?;
        repository.odb()?.add_new_mempack_backend(FIRST)?;
        Ok(Self { repository, made: BTreeSet::new(), bytes: 0 })
    }

    /// All objects, stored or not. What is written to it is not stored.
    pub(super) fn repository(&self) -> &BareClone {
        &self.repository
    }

    /// Adds the objects of a commit, which were written to the repository.
    pub(super) fn add(&mut self, made: BTreeSet<Oid>) -> Result<(), Error> {
        for id in made {
            if self.made.insert(id) {
                self.bytes += objects::size(&self.repository, id)?;
            }
        }
        Ok(())
    }

    /// True if the commits take much memory.
    pub(super) fn are_large(&self) -> bool {
        self.bytes > MANY
    }

    /// Stores the commits in the clone.
    pub(super) fn store(&self, clone: &BareClone) -> Result<(), Error> {
        if self.made.is_empty() {
            return Ok(());
        }
        let mut pack = self.repository.packbuilder()?;
        self.made.iter().try_for_each(|id| pack.insert_object(*id, None))?;
        local::write(&mut pack, clone)
    }
}

impl fmt::Debug for Unstored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unstored({} objects)", self.made.len())
    }
}
