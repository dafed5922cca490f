//! Objects of any shape, by the plumbing of Git.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

/// A bare repository whose objects are made one by one.
pub(crate) struct Plumbing(pub(crate) PathBuf);

impl Plumbing {
    /// Runs git with a text on its standard input.
    pub(crate) fn git(&self, arguments: &[&str], input: impl Into<Vec<u8>>) -> String {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.0).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        for role in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.org");
        }
        let mut child = git.spawn().unwrap();
        let (mut stdin, input) = (child.stdin.take().unwrap(), input.into());
        let writer = thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A file with this content.
    pub(crate) fn blob(&self, content: impl Into<Vec<u8>>) -> String {
        self.git(&["hash-object", "-w", "--stdin"], content)
    }

    /// A directory of files with the same content.
    pub(crate) fn files(&self, names: impl Iterator<Item = String>, blob: &str) -> String {
        self.tree(names.map(|name| format!("100644 blob {blob}\t{name}")))
    }

    /// A directory of directories with the same content.
    pub(crate) fn directories(&self, names: impl Iterator<Item = String>, tree: &str) -> String {
        self.tree(names.map(|name| format!("040000 tree {tree}\t{name}")))
    }

    pub(crate) fn tree(&self, entries: impl Iterator<Item = String>) -> String {
        self.git(&["mktree", "-z", "--missing"], entries.map(|entry| entry + "\0").collect::<String>())
    }

    /// A commit on the branch `main`.
    pub(crate) fn commit(&self, tree: &str, message: &str) -> String {
        let before = self.git(&["for-each-ref", "--format=%(objectname)", "refs/heads/main"], "");
        let parent: &[&str] = if before.is_empty() { &[] } else { &["-p", &before] };
        let id = self.git(&[&["commit-tree", tree][..], parent].concat(), message);
        self.git(&["update-ref", "refs/heads/main", &id], "");
        id
    }
}

/// An empty bare repository in a directory.
pub(crate) fn bare(folder: &Path) -> Plumbing {
    let path = folder.join("r.git");
    std::fs::create_dir(&path).unwrap();
    let repository = Plumbing(path);
    repository.git(&["init", "--quiet", "--bare", "--initial-branch=main"], "");
    repository
}
