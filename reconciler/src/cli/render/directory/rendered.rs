//! The files of an earlier rendering.

use std::{
    collections::BTreeSet,
    fs::{self, DirEntry},
    io,
    path::{Path, PathBuf},
};

use istio_config::{Kind, Resource, output};
use policies::reading::{Node, Value, read_yaml};

use super::UNFINISHED;
use crate::{istio::objects::MANAGED_BY, source::bounded_read::read_bounded};

/// The resources that were rendered to this directory before. Removes what a killed process left unfinished. The error
/// comes with its path.
pub(super) fn rendered(root: &Path) -> Result<BTreeSet<String>, (PathBuf, io::Error)> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    let mut rendered = BTreeSet::new();
    for namespace in entries(root).map_err(at(root))? {
        let path = namespace.path();
        let Some(name) = namespace.file_name().to_str().map(str::to_owned) else { continue };
        // No namespace begins with a dot, but `.git` does.
        if name.starts_with('.') || !namespace.file_type().map_err(at(&path))?.is_dir() {
            continue;
        }
        for file in entries(&path).map_err(at(&path))? {
            let of_root = format!("{name}/{}", file.file_name().to_string_lossy());
            let is_file = file.file_type().map_err(at(&file.path()))?.is_file();
            if is_file && may_be_rendered(&file) && is_rendered(&of_root, &file.path()) {
                rendered.insert(of_root);
            }
        }
    }
    Ok(rendered)
}

fn entries(directory: &Path) -> io::Result<Vec<DirEntry>> {
    let mut entries = fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
    let is_unfinished = |entry: &mut DirEntry| {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        is_file && entry.file_name().to_string_lossy().starts_with(UNFINISHED)
    };
    for left in entries.extract_if(.., is_unfinished) {
        fs::remove_file(left.path())?;
    }
    Ok(entries)
}

/// True for a file that has the name of one that is rendered. No other file is opened.
fn may_be_rendered(file: &DirEntry) -> bool {
    let name = file.file_name();
    let Some(name) = name.to_str().and_then(|name| name.strip_suffix(".yaml")) else { return false };
    let kinds = Kind::ALL.into_iter().chain(Kind::GATEWAY_API);
    kinds
        .map(Kind::in_kebab_case)
        .any(|kind| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with('-')))
}

/// True for a file that holds one resource of an application, and is named after it. One that cannot be read is of
/// somebody else.
fn is_rendered(path: &str, file: &Path) -> bool {
    let Ok(bytes) = read_bounded(file) else { return false };
    let read = read_yaml(&bytes);
    let [Ok(document)] = read.as_slice() else { return false };
    let kind = text(document, &["kind"]).and_then(Kind::of_rendered);
    let name = |field| text(document, &["metadata", field]).map(str::to_owned);
    let by = text(document, &["metadata", "labels", MANAGED_BY.0]);
    let Some(((kind, namespace), name)) = kind.zip(name("namespace")).zip(name("name")) else {
        return false;
    };
    let (labels, annotations, spec) = Default::default();
    let resource = Resource { kind, namespace, name, labels, annotations, spec };
    by == Some(MANAGED_BY.1) && output::path(&resource) == path
}

/// The text of a field.
fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    match (&node.value, path.split_first()) {
        (Value::Map(fields), Some((first, rest))) => {
            text(&fields.iter().find(|field| field.key == *first)?.value, rest)
        }
        (Value::String(text), None) => Some(text),
        _ => None,
    }
}
