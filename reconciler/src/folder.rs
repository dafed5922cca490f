//! Policies of a file or a folder, read once: for the commands that look at them.

use std::{path::Path, sync::Arc};

use policies::{
    Timestamp,
    catalog::{Catalog, Sources},
    file::File,
    guardrail::Guardrail,
};

use crate::source::{CheckoutFile, SourceError, dir::DirSource};

/// Files, read and parsed.
#[derive(Debug)]
pub struct Folder {
    /// What goes before a file's path to name it from here.
    prefix: String,
    files: Vec<Parsed>,
    warnings: Vec<String>,
}

#[derive(Debug)]
struct Parsed {
    path: Arc<str>,
    bytes: Arc<[u8]>,
    file: File,
}

impl Folder {
    /// Reads a folder, or one file.
    pub fn read(path: &Path) -> Result<Self, SourceError> {
        let unreadable =
            |error: std::io::Error| SourceError(format!("cannot read {}: {error}", path.display()));
        if std::fs::metadata(path).map_err(unreadable)?.is_file() {
            let bytes = std::fs::read(path).map_err(unreadable)?;
            let name = Arc::from(path.to_string_lossy());
            let files = vec![Parsed { path: name, file: File::read(&bytes), bytes: bytes.into() }];
            return Ok(Self { prefix: String::new(), files, warnings: Vec::new() });
        }
        let checkout = DirSource::new(path.to_owned()).checkout(|_| false)?;
        let prefix = format!("{}/", path.to_string_lossy().trim_end_matches('/'));
        let parse = |file: CheckoutFile| {
            let bytes = file.bytes.unwrap_or_default();
            Parsed { path: file.path, file: File::read(&bytes), bytes: bytes.into() }
        };
        let files = checkout.files.into_iter().map(parse).collect();
        Ok(Self { prefix, files, warnings: checkout.warnings })
    }

    /// What the files say together, were they committed at `now`: durations count from then.
    pub fn catalog(&self, require_expiry: bool, now: Timestamp) -> Catalog {
        let server = Guardrail { require_expiry, ..Guardrail::default() };
        let files = self.files.iter().map(|parsed| (&parsed.path, &parsed.file)).collect();
        Catalog::new(&Sources { files, server, ..Sources::default() }, |_, _| Some(now))
    }

    /// A file's path as one would write it here.
    pub fn shown(&self, file: &str) -> String {
        format!("{}{file}", self.prefix)
    }

    /// The files and their contents.
    pub fn files(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<[u8]>)> {
        self.files.iter().map(|parsed| (&parsed.path, &parsed.bytes))
    }

    /// What is odd about the folder.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}
