//! The programs that stand for images.

use std::path::PathBuf;
use std::sync::Arc;

/// A program for each image, by patterns of image references.
#[derive(Clone, Debug, Default)]
pub struct Images(Vec<(String, Arc<Program>)>);

/// What an image says: a program, its files and its defaults.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) root: Root,
    /// Files of the image: their path in it, and on this machine.
    pub(crate) files: Vec<(PathBuf, PathBuf)>,
    /// ENTRYPOINT.
    pub(crate) entrypoint: Vec<String>,
    /// CMD.
    pub(crate) arguments: Vec<String>,
    /// ENV.
    pub(crate) environment: Vec<(String, String)>,
    /// USER.
    pub(crate) user: (u32, u32),
    /// WORKDIR.
    pub(crate) working_directory: PathBuf,
}

/// The root file system of an image. Containers write to a layer of their own.
#[derive(Clone, Debug)]
pub(crate) enum Root {
    /// `/usr` and `/etc` of this machine, and nothing else of it.
    Machine,
    Directory(PathBuf),
}

impl Images {
    /// No image at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a program. In the pattern, `*` stands for any text; of several patterns that fit, the first counts.
    #[must_use]
    pub fn with(mut self, pattern: &str, program: Program) -> Self {
        self.0.push((pattern.to_owned(), Arc::new(program)));
        self
    }

    pub(crate) fn program(&self, image: &str) -> Option<Arc<Program>> {
        self.0.iter().find(|(pattern, _)| fits(pattern, image)).map(|(_, program)| program.clone())
    }
}

impl Program {
    /// A file of this machine, as the entry point at a path of an image that else has this machine's `/usr` and
    /// `/etc`.
    pub fn at(path: impl Into<PathBuf>, file: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self::new(Root::Machine, &[&path.to_string_lossy()]).file(path, file)
    }

    /// A program that is installed on this machine, in an image that has this machine's `/usr` and `/etc`.
    pub fn installed(entrypoint: &[&str]) -> Self {
        Self::new(Root::Machine, entrypoint)
    }

    /// An entry point in an image that is a directory.
    pub fn in_root(directory: impl Into<PathBuf>, entrypoint: &[&str]) -> Self {
        Self::new(Root::Directory(directory.into()), entrypoint)
    }

    fn new(root: Root, entrypoint: &[&str]) -> Self {
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        Self {
            root,
            files: Vec::new(),
            entrypoint: entrypoint.iter().map(|word| (*word).to_owned()).collect(),
            arguments: Vec::new(),
            environment: vec![("PATH".to_owned(), path.to_owned())],
            user: (0, 0),
            working_directory: "/".into(),
        }
    }

    /// Adds a file or directory of this machine at a path of the image.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>, file: impl Into<PathBuf>) -> Self {
        self.files.push((path.into(), file.into()));
        self
    }

    /// Adds a word to the entry point.
    #[must_use]
    pub fn leading(mut self, word: &str) -> Self {
        self.entrypoint.push(word.to_owned());
        self
    }

    /// Adds an argument, which `args` of a container replaces.
    #[must_use]
    pub fn argument(mut self, word: &str) -> Self {
        self.arguments.push(word.to_owned());
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the user and the group.
    #[must_use]
    pub fn user(mut self, user: u32, group: u32) -> Self {
        self.user = (user, group);
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn working_directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.working_directory = path.into();
        self
    }
}

/// True if the text is the pattern with some text for each `*`.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = text.get(at + part.len()..).unwrap_or_default();
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{Images, Program, fits};

    #[test]
    fn a_star_stands_for_any_text() {
        for pattern in
            ["*", "docker.io/istio/proxyv2:1.29", "*/proxyv2:*", "docker.io/*:*", "*proxy*2*", "*29"]
        {
            assert!(fits(pattern, "docker.io/istio/proxyv2:1.29"), "{pattern}");
        }
        for pattern in ["", "proxyv2", "*/proxyv2", "docker.io/", "*:1.30*", "*29*29", "quay.io/*"] {
            assert!(!fits(pattern, "docker.io/istio/proxyv2:1.29"), "{pattern}");
        }
    }

    #[test]
    fn of_several_patterns_that_fit_the_first_counts() {
        let images =
            Images::new().with("a:*", Program::at("/first", "/x")).with("a:1", Program::at("/second", "/x"));
        assert_eq!(images.program("a:1").unwrap().entrypoint, ["/first"]);
        assert!(images.program("b").is_none());
    }
}
