//! Repositories of formats that libgit2 does not read.

use std::path::{Path, PathBuf};

use git2::Config;

/// The reason why a repository on this machine cannot be read, and what helps; `None` if its format is no reason.
pub(super) fn unsupported(repository: &Path) -> Option<&'static str> {
    let config = configuration(repository)?;
    let is = |name: &str, value: &str| {
        config.get_string(name).is_ok_and(|found| found.to_ascii_lowercase().starts_with(value))
    };
    if is("extensions.refstorage", "reftable") {
        Some(
            "keeps its refs as a reftable, which is not supported here: `git refs migrate --ref-format=files` \
             changes that, or serve it over HTTP",
        )
    } else if is("extensions.objectformat", "sha256") {
        Some(SHA256)
    } else {
        None
    }
}

/// True for a partial clone, which may lack objects.
pub(super) fn is_partial(repository: &Path) -> bool {
    let Some(config) = configuration(repository) else { return false };
    if config.get_string("extensions.partialclone").is_ok() {
        return true;
    }
    let Ok(promisors) = config.entries(Some("^remote\\..*\\.promisor$")) else { return false };
    let mut is_promised = false;
    let walked = promisors.for_each(|entry| is_promised |= entry.value().is_ok_and(|value| value == "true"));
    walked.is_ok() && is_promised
}

/// The advice for a repository of SHA-256.
pub(super) const SHA256: &str = "is a SHA-256 repository, which is not supported here: make one of SHA-1 \
                                 (`git init --object-format=sha1`) and commit the policies there";
/// The advice for a partial clone.
pub(super) const PARTIAL: &str =
    "is a partial clone that lacks objects of its history: `git fetch --refetch --no-filter` brings them";

/// The configuration of a repository, without the user's: libgit2 may not be able to open the repository.
fn configuration(repository: &Path) -> Option<Config> {
    let files = [repository.join(".git").join("config"), repository.join("config"), linked(repository)?];
    let file = files.iter().find(|file| file.is_file())?;
    Config::open(file).ok()
}

/// The configuration of a worktree's repository, which a file `.git` names. Elsewhere a file that is not there.
fn linked(repository: &Path) -> Option<PathBuf> {
    let Ok(link) = std::fs::read_to_string(repository.join(".git")) else { return Some(PathBuf::new()) };
    let git_dir = repository.join(link.strip_prefix("gitdir:")?.trim());
    let common = std::fs::read_to_string(git_dir.join("commondir"));
    Some(common.map_or_else(|_| git_dir.clone(), |common| git_dir.join(common.trim())).join("config"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{is_partial, unsupported};

    #[test]
    fn a_format_is_told_by_the_configuration_alone() {
        for (text, reason, partial) in [
            ("[extensions]\n\trefStorage = reftable\n", Some("reftable"), false),
            ("[extensions]\n\tobjectFormat = sha256\n", Some("SHA-256"), false),
            ("[extensions]\n\tobjectFormat = sha1\n\trefStorage = files\n", None, false),
            ("[remote \"o.b\"]\n\turl = x\n\tpromisor = true\n", None, true),
            ("[remote \"o\"]\n\turl = x\n\tpromisor = false\n", None, false),
            ("[extensions]\n\tpartialClone = origin\n", None, true),
            ("no configuration", None, false),
        ] {
            for place in ["config", ".git/config"] {
                let folder = tempfile::tempdir().unwrap();
                fs::create_dir(folder.path().join(".git")).unwrap();
                fs::write(folder.path().join(place), text).unwrap();
                let found = unsupported(folder.path());
                assert_eq!(found.is_some(), reason.is_some(), "{text}");
                assert!(found.zip(reason).is_none_or(|(found, reason)| found.contains(reason)), "{text}");
                assert_eq!(is_partial(folder.path()), partial, "{text}");
            }
        }
    }

    #[test]
    fn a_worktree_has_the_format_of_its_repository() {
        let folder = tempfile::tempdir().unwrap();
        let (main, tree) = (folder.path().join("main"), folder.path().join("tree"));
        fs::create_dir_all(main.join("worktrees/t")).unwrap();
        fs::create_dir(&tree).unwrap();
        fs::write(main.join("config"), "[extensions]\nrefstorage = reftable\n").unwrap();
        fs::write(main.join("worktrees/t/commondir"), "../..\n").unwrap();
        fs::write(tree.join(".git"), format!("gitdir: {}\n", main.join("worktrees/t").display())).unwrap();
        assert!(unsupported(&tree).is_some());
    }
}
