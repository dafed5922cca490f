//! Rendered resources as files in a directory.
//!
//! Who applies the directory may look at any moment, and the process may be killed at any moment. So each file is
//! replaced as a whole, `kustomization.yaml` after the files that it names, and what is no longer rendered is removed
//! last.

mod rendered;

use std::{
    collections::BTreeSet,
    fs::{self, File, Permissions, TryLockError},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use istio_config::{Resource, output};
use policies::reading::{Node, Value, read_yaml};
use tempfile::Builder;

use self::rendered::rendered;
use crate::{
    cli::console::{note, warning},
    io_reason::io_reason,
    source::bounded_read::read_bounded,
};

const KUSTOMIZATION: &str = "kustomization.yaml";

/// The beginning of the names of files that are being written.
const UNFINISHED: &str = ".hfi-render-";

/// The number of files that a rendering wrote and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) changed: usize,
    pub(super) removed: usize,
}

/// Writes resources. Of a rendering that is not whole nothing is removed, and `kustomization.yaml` still names what
/// was there.
pub(super) fn write(root: &Path, resources: &[&Resource], is_whole: bool) -> Result<Written, String> {
    let failed = |path: &str| {
        let shown = root.join(path).display().to_string();
        move |error: io::Error| format!("cannot write {shown}: {}", io_reason(&error))
    };
    let mut files = output::directory(resources);
    fs::create_dir_all(root).map_err(failed(""))?;
    let _lock = lock(root).map_err(failed(""))?;
    let rendered = rendered(root)
        .map_err(|(path, error)| format!("cannot read {}: {}", path.display(), io_reason(&error)))?;
    let stale: Vec<_> = rendered.iter().filter(|path| !files.contains_key(*path)).collect();
    if !is_whole {
        let all =
            resources.iter().map(|resource| output::path(resource)).chain(stale.iter().copied().cloned());
        files.insert(KUSTOMIZATION.to_owned(), output::kustomization(&all.collect::<Vec<_>>()));
    }
    if let Some(path) = files.keys().find(|path| !may_replace(root, path, &rendered)) {
        return Err(format!(
            "{} was not rendered by hfi and is not overwritten: move it away, or choose another directory",
            root.join(path).display()
        ));
    }
    let directories = files.keys().filter_map(|path| root.join(path).parent().map(Path::to_path_buf));
    let is_link = |directory: &PathBuf| directory != root && directory.is_symlink();
    if let Some(link) = directories.into_iter().find(is_link) {
        return Err(format!(
            "{} is a symbolic link, which nothing is written through: take it away, or choose another directory",
            link.display()
        ));
    }
    let kustomization = files.remove_entry(KUSTOMIZATION);
    let mut written = Written::default();
    for (path, text) in files.into_iter().chain(kustomization) {
        written.changed += usize::from(replace(&root.join(&path), &text).map_err(failed(&path))?);
    }
    for path in stale.into_iter().filter(|_| is_whole) {
        fs::remove_file(root.join(path)).map_err(failed(path))?;
        written.removed += 1;
        // One that holds something else stays.
        let _ = root.join(path).parent().map(fs::remove_dir);
    }
    Ok(written)
}

/// Lets only one process write, until this is dropped: of two each would take the unfinished files of the other away. Some
/// file systems lock no directory; there it is for the caller to run one at a time.
fn lock(root: &Path) -> io::Result<File> {
    let directory = File::open(root)?;
    match directory.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            note(format_args!("{}: another process writes there; waiting for its end", root.display()));
            directory.lock()?;
        }
        Err(TryLockError::Error(error)) => warning(format_args!(
            "{} cannot be locked: {}; let no other process write there now",
            root.display(),
            io_reason(&error)
        )),
    }
    Ok(directory)
}

/// True if nothing is lost by writing a file: there is none, or one of an earlier rendering.
fn may_replace(root: &Path, path: &str, rendered: &BTreeSet<String>) -> bool {
    let file = root.join(path);
    let is_absent = file.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
    is_absent || rendered.contains(path) || path == KUSTOMIZATION && is_kustomization(root, rendered)
}

/// True for a kustomization that does nothing but name rendered resources, or such that are not there any more.
fn is_kustomization(root: &Path, rendered: &BTreeSet<String>) -> bool {
    let Ok(bytes) = read_bounded(&root.join(KUSTOMIZATION)) else { return false };
    let read = read_yaml(&bytes);
    let [Ok(Node { value: Value::Map(fields), .. })] = read.as_slice() else { return false };
    let is_ours = |path: &str| rendered.contains(path) || !root.join(path).exists();
    let is_path = |item: &Node| match &item.value {
        Value::String(path) => path.split('/').count() == 2 && is_ours(path),
        _ => false,
    };
    fields.iter().all(|field| match (field.key.as_str(), &field.value.value) {
        ("apiVersion" | "kind", _) => true,
        ("resources", Value::List(items)) => items.iter().all(is_path),
        _ => false,
    })
}

/// Replaces a file as a whole; false if it has this text already.
fn replace(file: &Path, text: &str) -> io::Result<bool> {
    if fs::read(file).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(false);
    }
    let directory = file.parent().unwrap_or(file);
    fs::create_dir_all(directory)?;
    // As other programs make files: whoever may read the directory may read it.
    let mode = Permissions::from_mode(0o666);
    let mut unfinished = Builder::new().prefix(UNFINISHED).permissions(mode).tempfile_in(directory)?;
    unfinished.write_all(text.as_bytes())?;
    unfinished.persist(file)?;
    Ok(true)
}
