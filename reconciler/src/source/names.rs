//! The names of policy files, and of what is not read.

use std::path::Path;

/// The largest depth of directories that are read.
pub(super) const MAX_DEPTH: usize = 32;

/// True for the name of a policy file except for the case of its ending.
pub(super) fn is_miscased(name: &str) -> bool {
    !is_policy_file(name) && is_policy_file(&name.to_ascii_lowercase())
}

/// True for the name of a policy file, by its ending; hidden files are none.
pub(crate) fn is_policy_file(name: &str) -> bool {
    !is_hidden(name) && (name.ends_with(".yaml") || name.ends_with(".yml"))
}

/// True for a name that begins with a dot: such files and directories are not read.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// True if a change at this path can change what is read: a policy file, in whatever case
/// its ending is, a directory, a ref, or the `..data` of a
/// ConfigMap; not a log file beside them, nor the lock of a ref that is about to move.
pub(super) fn may_matter(path: &Path) -> bool {
    let has_extension = |of: &[&str]| {
        path.extension().is_some_and(|found| of.iter().any(|of| found.eq_ignore_ascii_case(of)))
    };
    let is_ref = || path.components().any(|part| part.as_os_str() == "refs");
    if has_extension(&["lock"]) && is_ref() {
        return path.is_dir();
    }
    !path.is_file() || path.extension().is_none() || has_extension(&["yaml", "yml"]) || is_ref()
}
