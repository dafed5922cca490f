//! The index of a pack: the ids of its objects, in order.

use std::{fs, io, path::Path};

use git2::Oid;

/// The bytes before the table of counts: a magic number, and version 2.
const HEADER: &[u8] = b"\xfftOc\0\0\0\x02";
/// The length of the table of counts, by the first byte of an id.
const COUNTS: usize = 256 * 4;
/// The length of an id.
const ID: usize = 20;

/// The ids of the objects of a pack.
#[derive(Debug)]
pub(super) struct PackIndex {
    /// The name of the pack, without extension.
    pub(super) name: String,
    ids: Vec<u8>,
}

impl PackIndex {
    pub(super) fn read(directory: &Path, name: String) -> io::Result<Self> {
        let bytes = fs::read(directory.join(&name).with_extension("idx"))?;
        let ids = ids(&bytes).ok_or_else(|| io::Error::other(format!("{name}.idx is damaged")))?;
        Ok(Self { name, ids: ids.to_vec() })
    }

    /// True if the pack holds the object.
    pub(super) fn contains(&self, id: Oid) -> bool {
        let (ids, _) = self.ids.as_chunks::<ID>();
        ids.binary_search_by(|known| known.as_slice().cmp(id.as_bytes())).is_ok()
    }
}

fn ids(index: &[u8]) -> Option<&[u8]> {
    let tables = index.strip_prefix(HEADER)?;
    let last = tables.get(COUNTS - 4..COUNTS)?;
    let count = u32::from_be_bytes(last.try_into().ok()?);
    tables.get(COUNTS..)?.get(..usize::try_from(count).ok()?.checked_mul(ID)?)
}

#[cfg(test)]
mod tests {
    use git2::{ObjectType, Oid, Repository as BareClone};
    use proptest::prelude::*;

    use super::{PackIndex, ids};
    use crate::source::git::join::names;

    #[test]
    fn an_index_holds_the_objects_of_its_pack_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let clone = BareClone::init_bare(folder.path()).unwrap();
        let objects: Vec<_> =
            (0..500).map(|number| clone.blob(format!("{number}").as_bytes()).unwrap()).collect();
        let mut builder = clone.packbuilder().unwrap();
        objects.iter().for_each(|id| builder.insert_object(*id, None).unwrap());
        let packs = folder.path().join("objects/pack");
        builder.write(&packs, 0o444).unwrap();
        let [name] = Vec::from_iter(names(&packs).unwrap()).try_into().unwrap();
        let index = PackIndex::read(&packs, name).unwrap();
        assert!(objects.iter().all(|id| index.contains(*id)));
        assert!(!index.contains(Oid::hash_object(ObjectType::Blob, b"another").unwrap()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            let _ = ids(&bytes);
            let _ = ids(&[super::HEADER, &bytes].concat());
        }
    }
}
