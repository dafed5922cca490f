//! The entries of a directory: which are read, which are ignored, and of which the author must hear.
//!
//! One set of rules for directories and for Git trees, so that the same files give the same policies.

use policies::reading::{names_application_kind, names_binding_kind};

use super::names::{MAX_DEPTH, is_hidden, is_miscased, is_policy_file};

/// The kind of an entry, by the file system or by Git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// A symbolic link that is not followed.
    Link,
    /// A symbolic link to a directory, where links to files are followed.
    DirectoryLink,
    Submodule,
}

/// The use of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A policy file.
    File,
    /// A directory that may hold policy files.
    Directory,
    /// A policy file that cannot be read, and the reason.
    Unreadable(&'static str),
    /// A file whose ending would be that of a policy file in lower case. It is [ignored](MISCASED), unless it names a
    /// document that binds others: then it counts as one [that cannot be read](MISCASED_AND_BINDING). One that names an
    /// application is ignored too, but [nobody knows](MISCASED_APPLICATION) which applications it has.
    Miscased,
    /// It is ignored, is not read, and [may hold applications](MISCASED_UNREAD).
    PassedOver(&'static str),
    /// It is ignored, and this warning says why: its author may have meant it to count.
    Ignored(&'static str),
    /// Nothing of ours.
    Other,
}

/// The warning about a file whose ending is in upper case.
pub(super) const MISCASED: &str = "is ignored: policy files end in .yaml or .yml, in lower case";
/// The mistake of one that may hold a halt or a guardrail: whoever wrote it relies on it.
const MISCASED_AND_BINDING: &str =
    "speaks of a Halt or a Guardrail, and policy files end in .yaml or .yml, in lower case; rename it";
/// The mistake of one that may hold applications: what they have in force stays.
const MISCASED_APPLICATION: &str =
    "speaks of an AppConfiguration, and files end in .yaml or .yml, in lower case; rename it";
/// The mistake of one that is not read, since it is too long or a link.
const MISCASED_UNREAD: &str =
    "is not read, and may hold an AppConfiguration; files end in .yaml or .yml, in lower case; rename it";
const LINK: &str = "is a symbolic link, which is not followed; put the file there";

/// The reason why a file whose ending is in upper case may have applications, if it may; an error if it counts as one that
/// cannot be read. `content`: none of a file that is not read whole.
pub(super) fn miscased(content: Option<&[u8]>) -> Result<Option<&'static str>, &'static str> {
    match content {
        None => Ok(Some(MISCASED_UNREAD)),
        Some(content) if names_binding_kind(content) => Err(MISCASED_AND_BINDING),
        Some(content) => Ok(names_application_kind(content).then_some(MISCASED_APPLICATION)),
    }
}

impl Entry {
    /// The use of the entry of this name and kind.
    pub(super) fn of(name: &[u8], kind: Kind) -> Self {
        let is_utf8 = std::str::from_utf8(name).is_ok();
        let name = &*String::from_utf8_lossy(name);
        match kind {
            _ if is_hidden(name) => Self::Other,
            Kind::Directory if is_utf8 => Self::Directory,
            Kind::Directory => Self::Ignored("is ignored: its name is not UTF-8"),
            Kind::Submodule => {
                Self::Ignored("is a submodule and ignored: policies stand in this repository itself")
            }
            Kind::DirectoryLink => {
                Self::Ignored("is a symbolic link and ignored: policies stand where the link leads")
            }
            Kind::Link if is_policy_file(name) => Self::Unreadable(LINK),
            Kind::Link if may_be_directory(name) => Self::of(name.as_bytes(), Kind::DirectoryLink),
            Kind::File if is_policy_file(name) && !is_utf8 => {
                Self::Unreadable("has a name that is not UTF-8; rename it")
            }
            Kind::File if is_policy_file(name) => Self::File,
            Kind::File if is_miscased(name) => Self::Miscased,
            Kind::Link if is_miscased(name) => Self::PassedOver(MISCASED_UNREAD),
            Kind::File | Kind::Link => Self::Other,
        }
    }
}

/// The warning about a directory below too many others.
pub(super) fn too_deep() -> String {
    format!("is more than {MAX_DEPTH} directories deep and is ignored")
}

/// True if a link of this name may be meant as a directory: a link to a policy file has a file extension.
fn may_be_directory(name: &str) -> bool {
    !name.contains('.')
}

#[cfg(test)]
mod tests {
    use super::{Entry, Kind};

    #[test]
    fn an_entry_is_read_ignored_or_refused_by_its_name_and_kind() {
        let what = |name: &[u8], kind| match Entry::of(name, kind) {
            Entry::File => "file",
            Entry::Directory => "directory",
            Entry::Unreadable(_) => "unreadable",
            Entry::Miscased => "miscased",
            Entry::PassedOver(_) => "passed over",
            Entry::Ignored(_) => "ignored",
            Entry::Other => "other",
        };
        for (name, kind, wanted) in [
            (&b"a.yaml"[..], Kind::File, "file"),
            (b"a.yml", Kind::File, "file"),
            (b"a.YAML", Kind::File, "miscased"),
            (b"a.Yml", Kind::Link, "passed over"),
            (b"a.txt", Kind::File, "other"),
            (b".a.yaml", Kind::File, "other"),
            (b"\xff.yaml", Kind::File, "unreadable"),
            (b"\xff.txt", Kind::File, "other"),
            (b"team", Kind::Directory, "directory"),
            (b"a.yaml", Kind::Directory, "directory"),
            (b".git", Kind::Directory, "other"),
            (b"\xff", Kind::Directory, "ignored"),
            (b"a.yaml", Kind::Link, "unreadable"),
            (b"team", Kind::Link, "ignored"),
            (b"notes.txt", Kind::Link, "other"),
            (b"..data", Kind::DirectoryLink, "other"),
            (b"team", Kind::DirectoryLink, "ignored"),
            (b"team", Kind::Submodule, "ignored"),
        ] {
            assert_eq!(what(name, kind), wanted, "{} {kind:?}", String::from_utf8_lossy(name));
        }
    }
}
