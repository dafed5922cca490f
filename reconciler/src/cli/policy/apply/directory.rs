//! Directories of policies, as a request names them.

use std::path::{Path, PathBuf};

/// The directory of a file below the first of these directories that holds it; empty if it is in none of them.
pub(super) fn below(directories: &[PathBuf], file: &Path) -> String {
    let below = directories.iter().find_map(|directory| file.strip_prefix(directory).ok());
    let parent = below.and_then(Path::parent).unwrap_or(Path::new(""));
    parent.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// A directory below another one; each may be empty.
pub(super) fn joined(directory: &str, below: &str) -> String {
    let parts = [directory.trim_end_matches('/'), below];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{below, joined};

    #[test]
    fn a_file_keeps_its_place_below_the_directory_that_was_given() {
        let directories = ["/a/b".into(), "/a".into()];
        for (file, directory) in
            [("/a/b/c.yaml", ""), ("/a/b/d/e/c.yaml", "d/e"), ("/a/x/c.yaml", "x"), ("/ab/x/c.yaml", "")]
        {
            assert_eq!(below(&directories, Path::new(file)), directory, "{file}");
        }
        assert_eq!(joined("teams/", "shop"), "teams/shop");
        assert_eq!(
            (joined("", "shop"), joined("teams", ""), joined("", "")),
            ("shop".into(), "teams".into(), String::new())
        );
    }
}
