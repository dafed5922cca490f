//! A directory of policies in a Git tree.
//!
//! The same tree at the same path has the same content. So only directories that changed are read, and two
//! commits are compared without reading what they share.

use std::{collections::HashMap, sync::Arc};

use git2::{ObjectType, Oid, Repository as BareClone, TreeEntry};

use super::{
    budget::{Cost, ReadError},
    objects,
};
use crate::source::{
    entry::{Entry, Kind, too_deep},
    names::MAX_DEPTH,
    printable::printable,
};

const SYMBOLIC_LINK: i32 = 0o120000;

/// The entries of a directory, in the order of their names.
#[derive(Debug)]
pub(super) struct Directory {
    tree: Oid,
    /// The path with a slash at its end; empty for the root.
    prefix: String,
    items: Vec<Item>,
    /// The cost of reading it, with its subdirectories.
    cost: Cost,
}

#[derive(Debug)]
pub(super) enum Item {
    File {
        path: Arc<str>,
        id: Oid,
    },
    /// An entry whose content cannot be read.
    Unreadable {
        path: String,
        reason: &'static str,
    },
    /// A file whose ending is in upper case.
    Miscased {
        path: String,
        id: Oid,
    },
    /// One that is not read, and may hold applications.
    PassedOver {
        path: String,
        reason: &'static str,
    },
    Directory(Arc<Directory>),
    /// An ignored entry that the author may have meant to count.
    Warning(String),
}

/// The policy files that differ between two directories, by their content.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) before: Vec<Oid>,
    pub(super) after: Vec<Oid>,
}

impl Directory {
    /// Reads a directory and its subdirectories down to a depth, except what is the same in `known`: the same
    /// directory at another commit. All of it is added to `cost`, read or not.
    pub(super) fn read(
        clone: &BareClone,
        tree: Oid,
        prefix: String,
        levels: usize,
        known: Option<&Arc<Self>>,
        cost: &mut Cost,
    ) -> Result<Arc<Self>, ReadError> {
        if let Some(same) = known.filter(|known| known.tree == tree) {
            cost.add(same.cost, &prefix)?;
            return Ok(Arc::clone(same));
        }
        let before = *cost;
        cost.add_path(Cost { directories: 1, ..Cost::default() }, &prefix)?;
        let known: HashMap<_, _> = known
            .into_iter()
            .flat_map(|known| known.directories())
            .map(|known| (&*known.prefix, known))
            .collect();
        let mut items = Vec::new();
        let (entries, tree_bytes) = objects::tree(clone, tree, || prefix.clone())?;
        cost.add(Cost { entries: entries.len(), tree_bytes, ..Cost::default() }, &prefix)?;
        for entry in &entries {
            let path = format!("{prefix}{}", String::from_utf8_lossy(entry.name_bytes()));
            let warn = |message: &str| Item::Warning(format!("{} {message}", printable(&path)));
            let item = match Entry::of(entry.name_bytes(), kind(&entry)) {
                Entry::File => Some(Item::File { path: path.as_str().into(), id: entry.id() }),
                Entry::Unreadable(reason) => Some(Item::Unreadable { path: path.clone(), reason }),
                Entry::Miscased => Some(Item::Miscased { path: path.clone(), id: entry.id() }),
                Entry::PassedOver(reason) => Some(Item::PassedOver { path: path.clone(), reason }),
                Entry::Ignored(message) => Some(warn(message)),
                Entry::Directory if levels > 0 => {
                    let prefix = format!("{path}/");
                    let known = known.get(&*prefix).copied();
                    Some(Item::Directory(Self::read(clone, entry.id(), prefix, levels - 1, known, cost)?))
                }
                Entry::Directory if prefix.matches('/').count() >= MAX_DEPTH => Some(warn(&too_deep())),
                Entry::Directory | Entry::Other => None,
            };
            if !matches!(item, None | Some(Item::Directory(_))) {
                cost.add_path(Cost { files: 1, ..Cost::default() }, &path)?;
            }
            items.extend(item);
        }
        Ok(Arc::new(Self { tree, prefix, items, cost: *cost - before }))
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    fn directories(&self) -> impl Iterator<Item = &Arc<Self>> {
        self.items
            .iter()
            .filter_map(|item| if let Item::Directory(directory) = item { Some(directory) } else { None })
    }

    fn files(&self) -> impl Iterator<Item = (&str, Oid)> {
        self.items.iter().filter_map(Item::file)
    }

    /// The contents of all files in the directory and below it.
    pub(super) fn blobs(&self) -> impl Iterator<Item = Oid> {
        self.all_files().map(|(_, id)| id)
    }

    /// The paths and the contents of all files in the directory and below it.
    pub(super) fn all_files(&self) -> impl Iterator<Item = (&str, Oid)> {
        let mut items = Vec::new();
        self.gather(&mut items);
        items.into_iter().filter_map(Item::file)
    }

    /// All files in the directory and below it.
    pub(super) fn gather<'a>(&'a self, items: &mut Vec<&'a Item>) {
        for item in &self.items {
            match item {
                Item::Directory(directory) => directory.gather(items),
                _ => items.push(item),
            }
        }
    }
}

impl Item {
    fn file(&self) -> Option<(&str, Oid)> {
        if let Self::File { path, id } = self { Some((&**path, *id)) } else { None }
    }
}

impl Change {
    /// The difference from an earlier directory, which may not have existed.
    pub(super) fn between(before: Option<&Directory>, after: Option<&Directory>) -> Self {
        let mut change = Self::default();
        change.add(before, after);
        change
    }

    /// Adds the difference between two further directories.
    pub(super) fn add(&mut self, before: Option<&Directory>, after: Option<&Directory>) {
        if before.map(|directory| directory.tree) == after.map(|directory| directory.tree) {
            return;
        }
        let mut files: HashMap<_, _> = before.into_iter().flat_map(Directory::files).collect();
        for (path, id) in after.into_iter().flat_map(Directory::files) {
            let was = files.remove(path);
            if was != Some(id) {
                self.before.extend(was);
                self.after.push(id);
            }
        }
        self.before.extend(files.into_values());
        let directories = before.into_iter().flat_map(Directory::directories);
        let mut directories: HashMap<_, _> =
            directories.map(|directory| (directory.prefix(), directory)).collect();
        for directory in after.into_iter().flat_map(Directory::directories) {
            self.add(directories.remove(directory.prefix()).map(|was| &**was), Some(directory));
        }
        directories.into_values().for_each(|gone| self.add(Some(gone), None));
    }
}

fn kind(entry: &TreeEntry<'_>) -> Kind {
    match entry.kind() {
        Some(ObjectType::Tree) => Kind::Directory,
        Some(ObjectType::Commit) => Kind::Submodule,
        _ if entry.filemode() == SYMBOLIC_LINK => Kind::Link,
        _ => Kind::File,
    }
}
