//! The conformance table: one directory for each case, named as a sentence about the language, with
//! `policy.yaml` and `requests.yaml`.

use std::{fs, path::Path};

use super::cases::{self, Table};

/// The directory of the cases.
pub const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases");

/// One directory of the table.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    /// The text of `policy.yaml`.
    pub policy: String,
    /// The content of `requests.yaml`.
    pub table: Table,
}

/// Every case of a directory, by name; or all that is amiss with them.
pub fn all(directory: &Path) -> Result<Vec<Case>, String> {
    let entries = fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let directories = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    let (mut cases, mut amiss) = (Vec::new(), Vec::new());
    for path in directories {
        match read(&path) {
            Ok(case) => cases.push(case),
            Err(error) => amiss.push(format!("{}: {error}", path.display())),
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    if amiss.is_empty() { Ok(cases) } else { Err(amiss.join("\n")) }
}

fn read(directory: &Path) -> Result<Case, String> {
    let text =
        |file: &str| fs::read_to_string(directory.join(file)).map_err(|error| format!("{file}: {error}"));
    let (policy, table) = (text("policy.yaml")?, cases::table(&text("requests.yaml")?)?);
    let mut requests = table.requests.iter();
    let beyond = requests.any(|r| r.peer.is_some() || r.workload.is_some() || r.now.is_some());
    if table.native_only.is_none() && (beyond || table.workload.is_some()) {
        return Err("`peer`, `workload` and `now` are only for a `native_only` case".to_owned());
    }
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Case { name, policy, table })
}
