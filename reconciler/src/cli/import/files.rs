//! The files that an import reads and writes.

use std::{
    fs,
    io::{self, ErrorKind, Read as _, stdin},
    path::{Path, PathBuf},
};

use istio_config::importing::{self, Imported};
use serde_json::Value;

use crate::io_reason::io_reason;

/// Files that cannot be imported.
pub(super) enum Unread {
    /// One cannot be read.
    NoFile(String),
    /// Some are not YAML or JSON: each reason with its place.
    Invalid(Vec<String>),
}

/// The objects of files; `-` is stdin.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<Value>, Unread> {
    let (mut objects, mut reasons) = (Vec::new(), Vec::new());
    for path in paths {
        let shown = if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
        let unreadable = |error| Unread::NoFile(format!("cannot read {shown}: {}", io_reason(&error)));
        let bytes = bytes(path).map_err(unreadable)?;
        match importing::read(&bytes) {
            Ok(read) => objects.extend(read),
            Err(findings) => reasons.extend(findings.into_iter().map(|finding| {
                let at = finding.at;
                format!("{shown}:{}:{}: {}", at.line, at.column, finding.reason)
            })),
        }
    }
    if reasons.is_empty() { Ok(objects) } else { Err(Unread::Invalid(reasons)) }
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    if path != Path::new("-") {
        return fs::read(path);
    }
    let mut bytes = Vec::new();
    stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
}

/// Writes a file for each document, and none over another: people may have edited what an earlier import wrote.
pub(super) fn write(directory: &Path, applications: &[Imported]) -> Result<(), String> {
    let paths: Vec<_> = applications.iter().map(|imported| directory.join(imported.path())).collect();
    let is_other = |(path, imported): &(&PathBuf, &Imported)| match fs::read(path) {
        Ok(there) => there != imported.text.as_bytes(),
        Err(error) => error.kind() != ErrorKind::NotFound,
    };
    if let Some((path, _)) = paths.iter().zip(applications).find(is_other) {
        return Err(format!(
            "{} is there already, with another text; move it away, or name another directory",
            path.display()
        ));
    }
    for (path, imported) in paths.iter().zip(applications) {
        let written = fs::create_dir_all(path.parent().unwrap_or(directory))
            .and_then(|()| fs::write(path, &imported.text));
        written.map_err(|error| format!("cannot write {}: {}", path.display(), io_reason(&error)))?;
    }
    Ok(())
}
