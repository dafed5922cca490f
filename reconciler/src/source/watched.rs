//! The directories to watch for something, and the names in them that matter.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    path::{Component, Path, PathBuf},
};

use super::{
    dir::Above,
    names::{is_miscased, is_policy_file, may_matter},
};

/// The directory of the refs.
const REFS: &str = "refs";
/// The most symbolic links on the way to a directory; Linux follows no more.
const MAX_LINKS: usize = 40;

/// Something to watch. A watch on a file would be lost when the file is replaced, so all are directories.
#[derive(Debug)]
pub(super) enum Subject {
    /// Policies in a directory and below it, and the guardrails above.
    Tree(PathBuf),
    /// The refs in the directory of a Git repository.
    Refs(PathBuf),
    /// Any file directly in a directory.
    Directory(PathBuf),
}

/// The directories to watch, by their paths without symbolic links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// Watched with everything below them.
    trees: BTreeSet<PathBuf>,
    /// Watched for what stands directly in them.
    flat: BTreeMap<PathBuf, Interest>,
}

/// The names in a directory that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Interest {
    /// Links on the way to what is watched, and its own name: whatever replaces them leads elsewhere.
    names: BTreeSet<OsString>,
    /// Policy files, for their guardrails.
    guardrails: bool,
    all: bool,
}

impl Subject {
    /// The directories to watch for it now: links that are swapped lead elsewhere.
    pub(super) fn places(&self) -> Places {
        let mut places = Places::default();
        match self {
            Self::Tree(root) => {
                let root = places.follow(root);
                for above in Above::of(&root).directories {
                    places.flat.entry(above).or_default().guardrails = true;
                }
                places.trees.insert(root);
            }
            // A push moves `refs/heads/<branch>` or rewrites `packed-refs`. Not `objects`: it is large,
            // and changes before there is anything new to see.
            Self::Refs(git_dir) => {
                let git_dir = places.follow(git_dir);
                places.trees.insert(git_dir.join(REFS));
                places.flat.entry(git_dir).or_default().names.extend([REFS.into(), "packed-refs".into()]);
            }
            Self::Directory(directory) => {
                let directory = places.follow(directory);
                places.flat.entry(directory).or_default().all = true;
            }
        }
        let Places { trees, flat } = &mut places;
        flat.retain(|path, _| !trees.iter().any(|tree| path.starts_with(tree)));
        places
    }
}

impl Places {
    /// The path without symbolic links. Each link on the way, and the directory itself, is watched for what replaces
    /// it.
    fn follow(&mut self, path: &Path) -> PathBuf {
        let parts =
            |path: &Path| path.components().rev().map(|part| PathBuf::from(part.as_os_str())).collect();
        let mut rest: Vec<PathBuf> = parts(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
        let (mut real, mut links) = (PathBuf::new(), 0);
        while let Some(part) = rest.pop() {
            if part.components().next() == Some(Component::ParentDir) {
                real.pop();
                continue;
            }
            let next = real.join(&part);
            match fs::read_link(&next) {
                Ok(target) if links < MAX_LINKS => {
                    links += 1;
                    self.may_be_replaced(&next);
                    rest.extend::<Vec<_>>(parts(&target));
                }
                Ok(_) | Err(_) => real = next,
            }
        }
        self.may_be_replaced(&real);
        real
    }

    fn may_be_replaced(&mut self, path: &Path) {
        if let Some((parent, name)) = path.parent().zip(path.file_name()) {
            self.flat.entry(parent.to_owned()).or_default().names.insert(name.to_owned());
        }
    }

    /// The directories, each with whether everything below it is watched too. The flat ones come first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Path, bool)> {
        let flat = self.flat.keys().map(|path| (path.as_path(), false));
        flat.chain(self.trees.iter().map(|path| (path.as_path(), true)))
    }

    /// True if this is one of the directories.
    pub(super) fn are_at(&self, path: &Path) -> bool {
        self.flat.contains_key(path) || self.trees.contains(path)
    }

    /// True if a change at this path can change what is read.
    pub(super) fn matters(&self, path: &Path) -> bool {
        let is_in_tree = || self.trees.iter().any(|tree| path.starts_with(tree)) && may_matter(path);
        let interest = path.parent().and_then(|parent| self.flat.get(parent)).zip(path.file_name());
        self.are_at(path)
            || is_in_tree()
            || interest.is_some_and(|(Interest { names, guardrails, all }, name)| {
                let is_guard = name == ".git"
                    || name.to_str().is_some_and(|name| is_policy_file(name) || is_miscased(name));
                names.contains(name) || *guardrails && is_guard || *all
            })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::{Places, Subject};

    #[test]
    fn every_link_on_the_way_is_watched_and_what_it_leads_to() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("trees/a/policies")).unwrap();
        fs::create_dir(root.join("links")).unwrap();
        fs::create_dir(root.join(".git")).unwrap();
        symlink("../trees/a", root.join("links/current")).unwrap();
        symlink(root.join("links"), root.join("l")).unwrap();
        let places = Subject::Tree(root.join("l/../links/current/policies")).places();
        let watched: Vec<_> =
            places.iter().map(|(path, tree)| (path.strip_prefix(&root).unwrap(), tree)).collect();
        let wanted =
            [("", false), ("links", false), ("trees", false), ("trees/a", false), ("trees/a/policies", true)];
        assert_eq!(watched, wanted.map(|(path, tree)| (path.as_ref(), tree)));
        for (path, matters) in [
            ("l", true),
            ("other", false),
            ("guardrail.yaml", true),
            ("links/current", true),
            ("links/a.yaml", false),
            ("trees/a/policies", true),
            ("trees/a/notes.txt", false),
            ("trees/a/policies/team/a.yaml", true),
            ("trees/a/policies/..data", true),
        ] {
            assert_eq!(places.matters(&root.join(path)), matters, "{path}");
        }
    }

    #[test]
    fn of_a_repository_its_refs_matter_and_no_lock() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("refs/heads/team")).unwrap();
        let places = Subject::Refs(root.clone()).places();
        for (path, matters) in [
            ("refs", true),
            ("packed-refs", true),
            ("refs/heads/main", true),
            ("refs/heads/team", true),
            ("refs/heads/team/a.b", true),
            ("refs/heads/main.lock", false),
            ("packed-refs.lock", false),
            ("index.lock", false),
            ("objects", false),
            ("COMMIT_EDITMSG", false),
        ] {
            assert_eq!(places.matters(&root.join(path)), matters, "{path}");
        }
    }

    #[test]
    fn links_in_a_circle_end() {
        let directory = tempfile::tempdir().unwrap();
        symlink("b", directory.path().join("a")).unwrap();
        symlink("a", directory.path().join("b")).unwrap();
        assert_ne!(Subject::Directory(directory.path().join("a")).places(), Places::default());
    }
}
