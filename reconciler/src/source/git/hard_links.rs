//! Gives the clone all objects of a repository on this machine, without reading them.
//!
//! A hard link to a pack costs nothing, and outlives a `gc` there. A pack that cannot be linked is copied: it is on
//! another filesystem, or the system protects the files of another user.

mod object_directories;
mod placing;

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::Path,
};

use git2::Oid;

use self::{
    object_directories::{entries, packs, with_alternates},
    placing::{link_or_copy, try_link},
};

/// The number of attempts: a `gc` in the repository replaces packs meanwhile.
const ATTEMPTS: usize = 5;

/// Objects that stand in files of their own and could not be linked.
pub(super) type Loose = BTreeSet<Oid>;

/// Links or copies the packs in the object directory `from`, and its alternates, into the object directory `to`, and
/// links the objects that stand in files of their own.
pub(super) fn link(from: &Path, to: &Path) -> io::Result<Loose> {
    let mut last = io::Error::other("packs come and go");
    for _ in 0..ATTEMPTS {
        match attempt(from, to) {
            Ok(Some(loose)) => return Ok(loose),
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// One attempt; `None` if packs were replaced meanwhile.
fn attempt(from: &Path, to: &Path) -> io::Result<Option<Loose>> {
    let directories = with_alternates(from)?;
    let mut unlinked = Loose::new();
    // Before the packs: what is packed meanwhile is in a pack that is listed after that.
    for directory in &directories {
        link_loose(directory, to, &mut unlinked)?;
    }
    let found = packs(&directories)?;
    let target = to.join("pack");
    fs::create_dir_all(&target)?;
    let mut copied = 0;
    for pack in &found {
        // The index last: a pack without one is not looked at.
        for ending in ["pack", "idx"] {
            let file = pack.with_extension(ending);
            let Some(name) = file.file_name() else { continue };
            link_or_copy(&file, &target.join(name), &mut copied)?;
        }
    }
    File::open(&target)?.sync_all()?;
    Ok((packs(&directories)? == found).then_some(unlinked))
}

fn link_loose(from: &Path, to: &Path, unlinked: &mut Loose) -> io::Result<()> {
    let is_hex =
        |name: &str, length| name.len() == length && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    for directory in entries(from)? {
        let Some(prefix) = name(&directory).filter(|name| is_hex(name, 2)) else { continue };
        for file in entries(&directory)? {
            let Some(rest) = name(&file).filter(|name| is_hex(name, 38)) else { continue };
            let target = to.join(prefix).join(rest);
            if fs::symlink_metadata(&target).is_ok() || try_link(&file, &target)? {
                continue;
            }
            unlinked.extend(Oid::from_str(&format!("{prefix}{rest}")));
        }
    }
    Ok(())
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{MetadataExt as _, symlink},
        path::{Path, PathBuf},
    };

    use git2::Oid;
    use tempfile::TempDir;

    use super::link;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn write(objects: &Path, name: &str) -> PathBuf {
        let path = objects.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, name).unwrap();
        path
    }

    fn objects() -> (TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(&to).unwrap();
        fs::create_dir_all(&from).unwrap();
        (folder, from, to)
    }

    fn loose() -> String {
        format!("{}/{}", &ID[..2], &ID[2..])
    }

    #[test]
    fn packs_with_their_index_and_loose_objects_are_linked() {
        let (_folder, from, to) = objects();
        let linked = ["pack/pack-1.pack", "pack/pack-1.idx", &loose()];
        let others = ["pack/pack-1.rev", "pack/pack-2.pack", "pack/tmp_pack_x", "info/packs", "01/tmp_obj_x"];
        linked.iter().chain(&others).for_each(|name| drop(write(&from, name)));
        assert!(link(&from, &to).unwrap().is_empty());
        let inode = |path: PathBuf| fs::metadata(path).unwrap().ino();
        assert!(linked.iter().all(|name| inode(from.join(name)) == inode(to.join(name))));
        assert!(others.iter().all(|name| !to.join(name).exists()));
        link(&from, &to).unwrap();
    }

    #[test]
    fn what_cannot_be_linked_is_copied_or_told() {
        let (_folder, from, _) = objects();
        let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
        let names = ["pack/pack-1.pack", "pack/pack-1.idx"];
        names.iter().for_each(|name| drop(write(&from, name)));
        write(&from, &loose());
        let left = link(&from, elsewhere.path()).unwrap();
        assert_eq!(Vec::from_iter(left), [Oid::from_str(ID).unwrap()]);
        for name in names {
            assert_eq!(fs::read_to_string(elsewhere.path().join(name)).unwrap(), name);
        }
        assert_eq!(
            fs::read_dir(elsewhere.path().join("pack")).unwrap().count(),
            2,
            "nothing is left half way"
        );
    }

    #[test]
    fn a_symbolic_link_is_refused() {
        for name in ["pack/pack-1.pack", "pack/pack-1.idx", &loose()] {
            let (folder, from, to) = objects();
            for name in ["pack/pack-1.pack", "pack/pack-1.idx"] {
                write(&from, name);
            }
            let secret = write(folder.path(), "secret");
            let path = from.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let _ = fs::remove_file(&path);
            symlink(secret, &path).unwrap();
            let error = link(&from, &to).unwrap_err().to_string();
            assert!(error.ends_with("is not a regular file"), "{error}");
            assert!(!to.join(name).exists());
        }
    }

    #[test]
    fn alternates_are_linked_too_and_a_circle_ends() {
        let (folder, from, to) = objects();
        let other = folder.path().join("other");
        write(&other, "pack/pack-2.pack");
        write(&other, "pack/pack-2.idx");
        fs::create_dir_all(from.join("info")).unwrap();
        fs::create_dir_all(other.join("info")).unwrap();
        fs::write(from.join("info/alternates"), "# a comment\n../other\n").unwrap();
        fs::write(other.join("info/alternates"), format!("{}\n", from.display())).unwrap();
        link(&from, &to).unwrap();
        assert!(to.join("pack/pack-2.idx").exists() && !to.join("info/alternates").exists());
    }

    #[test]
    fn a_pack_that_is_gone_is_an_error_in_the_end() {
        let (_folder, from, to) = objects();
        write(&from, "pack/pack-1.idx");
        assert_eq!(link(&from, &to).unwrap_err().kind(), std::io::ErrorKind::NotFound);
        write(&from, "pack/pack-1.pack");
        link(&from, &to).unwrap();
    }
}
