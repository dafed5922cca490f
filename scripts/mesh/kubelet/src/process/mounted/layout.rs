//! Paths of a container without symbolic links, which on this machine would lead out of its root.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// More links than the kernel follows.
const LINKS: usize = 40;

/// The directories of this machine that a root file system consists of, and its own links.
#[derive(Debug, Default)]
pub(super) struct Layout {
    lower: BTreeMap<PathBuf, PathBuf>,
    links: BTreeMap<PathBuf, PathBuf>,
}

impl Layout {
    pub(super) fn lower(&mut self, at: impl Into<PathBuf>, directory: impl Into<PathBuf>) {
        self.lower.insert(at.into(), directory.into());
    }

    pub(super) fn link(&mut self, at: impl Into<PathBuf>, target: impl Into<PathBuf>) {
        self.links.insert(at.into(), target.into());
    }

    /// The path that a path of the container means, after all links.
    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        let mut left: VecDeque<OsString> = names(path);
        let mut resolved = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = left.pop_front() {
            if name == ".." {
                resolved.pop();
                continue;
            }
            let next = resolved.join(&name);
            match self.target(&next) {
                Some(target) if links < LINKS => {
                    links += 1;
                    if target.is_absolute() {
                        resolved = PathBuf::from("/");
                    }
                    for name in names(&target).into_iter().rev() {
                        left.push_front(name);
                    }
                }
                _ => resolved = next,
            }
        }
        resolved
    }

    /// The target, if there is a link at this path.
    fn target(&self, path: &Path) -> Option<PathBuf> {
        if let Some(target) = self.links.get(path) {
            return Some(target.clone());
        }
        // The innermost directory counts.
        let (at, directory) = self.lower.iter().rev().find(|(at, _)| path.starts_with(at))?;
        std::fs::read_link(directory.join(path.strip_prefix(at).ok()?)).ok()
    }
}

fn names(path: &Path) -> VecDeque<OsString> {
    let name = |component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::Layout;

    #[test]
    fn no_link_of_an_image_leads_out_of_it() {
        let image = tempfile::tempdir().unwrap();
        std::fs::create_dir(image.path().join("var")).unwrap();
        for (target, link) in
            [("/run", "var/run"), ("../../../etc", "up"), ("loop", "loop"), ("var/run/x", "deep")]
        {
            symlink(target, image.path().join(link)).unwrap();
        }
        let mut layout = Layout::default();
        layout.lower("/", image.path());
        layout.link("/bin", "usr/bin");
        for (path, expected) in [
            ("/var/run/secrets/token", "/run/secrets/token"),
            ("/up/passwd", "/etc/passwd"),
            ("/deep/y", "/run/x/y"),
            ("/bin/sh", "/usr/bin/sh"),
            ("/../../x/./y", "/x/y"),
            ("/var/lib", "/var/lib"),
        ] {
            assert_eq!(layout.resolve(Path::new(path)), Path::new(expected), "{path}");
        }
        assert!(layout.resolve(Path::new("/loop/x")).starts_with("/loop"));
    }
}
