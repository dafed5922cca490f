//! Policies in files and directories, read once, for the commands that check them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use policies::{Catalog, File, Timestamp, language::Guardrail, repository::Sources};

use crate::source::{
    Content, SourceError, bounded_read::read_bounded, dir::DirSource, names::is_policy_file,
};

/// Policy files, parsed, as one repository. Their key is the absolute path, so that no file is read twice and
/// each is found in its directory.
#[derive(Debug, Default)]
pub struct Folder {
    files: BTreeMap<Arc<str>, Parsed>,
    /// Files of the directories above, up to the root of the Git repository: they may hold guardrails.
    guards: BTreeMap<Arc<str>, Parsed>,
    warnings: Vec<String>,
}

#[derive(Debug)]
struct Parsed {
    /// The path as the user gave it.
    shown: Arc<str>,
    text: Arc<[u8]>,
    file: File,
    modified: Option<Timestamp>,
}

impl Folder {
    /// Reads directories and single files.
    pub fn read(paths: &[PathBuf]) -> Result<Self, SourceError> {
        let mut folder = Self::default();
        for path in paths {
            let unreadable = |error| SourceError(format!("cannot read {}: {error}", path.display()));
            let absolute = path.canonicalize().map_err(unreadable)?;
            if absolute.is_file() {
                let bytes = read_bounded(path).map_err(unreadable)?;
                let parsed = Parsed::new(path.to_string_lossy().into(), Content::Bytes(bytes), None);
                folder.files.insert(absolute.to_string_lossy().into(), parsed);
            } else {
                folder.add(path, &absolute)?;
            }
            folder.add_guards(&absolute);
        }
        let Self { files, guards, .. } = &mut folder;
        guards.retain(|path, _| !files.contains_key(path));
        Ok(folder)
    }

    fn add(&mut self, path: &Path, absolute: &Path) -> Result<(), SourceError> {
        let checkout = DirSource::new(path.to_owned()).checkout(|_| false)?;
        for file in checkout.files {
            let shown = path.join(&*file.path).to_string_lossy().into();
            let key = absolute.join(&*file.path).to_string_lossy().into();
            self.files.insert(key, Parsed::new(shown, file.content, file.modified));
        }
        self.warnings.extend(checkout.warnings);
        Ok(())
    }

    /// Reads the files directly in the directories above, up to the root of the Git repository. Outside a
    /// repository there is no such limit, and nothing above is read.
    fn add_guards(&mut self, absolute: &Path) {
        let Some(root) = absolute.ancestors().find(|folder| folder.join(".git").exists()) else { return };
        for above in absolute.ancestors().skip(1).take_while(|above| above.starts_with(root)) {
            for entry in fs::read_dir(above).into_iter().flatten().flatten() {
                let path = entry.path();
                let is_policy = path.file_name().and_then(|name| name.to_str()).is_some_and(is_policy_file);
                if is_policy && path.is_file() {
                    let content = match read_bounded(&path) {
                        Ok(bytes) => Content::Bytes(bytes),
                        Err(error) => Content::Unreadable(format!("cannot be read: {error}")),
                    };
                    let name: Arc<str> = path.to_string_lossy().into();
                    self.guards.insert(Arc::clone(&name), Parsed::new(name, content, None));
                }
            }
        }
    }

    /// The catalog of all files. Durations count from the modification time of each file, or, if `now` is given,
    /// from then, as if the files were committed now.
    pub fn catalog(&self, require_expiry: bool, now: Option<Timestamp>) -> Catalog {
        let server = Guardrail { require_expiry, ..Guardrail::default() };
        let sources = Sources {
            files: self.files.iter().map(|(path, parsed)| (path, &parsed.file)).collect(),
            ancestors: self.guards.iter().map(|(path, parsed)| (path, &parsed.file)).collect(),
            server,
        };
        let modified = |path: &str| self.files.get(path).and_then(|parsed| parsed.modified);
        Catalog::new(&sources, |path, _| now.or_else(|| modified(path)))
    }

    /// The path of a file as the user gave it.
    pub fn shown(&self, file: &Arc<str>) -> Arc<str> {
        self.parsed(file).map_or_else(|| Arc::clone(file), |parsed| Arc::clone(&parsed.shown))
    }

    /// A file's text.
    pub fn text(&self, file: &Arc<str>) -> Option<Arc<[u8]>> {
        self.parsed(file).map(|parsed| Arc::clone(&parsed.text))
    }

    fn parsed(&self, file: &Arc<str>) -> Option<&Parsed> {
        self.files.get(file).or_else(|| self.guards.get(file))
    }

    /// Warnings about the directories.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Parsed {
    fn new(shown: Arc<str>, content: Content, modified: Option<Timestamp>) -> Self {
        let (text, file) = match content {
            Content::Known => (Vec::new(), File::default()),
            Content::Bytes(bytes) => {
                let file = File::read(&bytes);
                (bytes, file)
            }
            Content::Unreadable(reason) => (Vec::new(), File::unreadable(reason)),
        };
        Self { shown, text: text.into(), file, modified }
    }
}
