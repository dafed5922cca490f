//! The access log of a proxy, for the tests that need it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use harness::Deadline;
use tempfile::TempDir;

/// The access log of a proxy, in a directory that goes away with this value.
pub(crate) struct AccessLog {
    folder: TempDir,
}

/// One request that has ended.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) status: String,
    /// The reason for that status, in Envoy's words.
    pub(crate) details: String,
    /// When it began, as the time since 1970.
    pub(crate) began: Duration,
    /// From its first byte to the first byte of the answer.
    pub(crate) held: Option<Duration>,
    /// The fault that the filter reports.
    pub(crate) fault: String,
}

impl AccessLog {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    /// The file for the proxy to write.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("access.log")
    }

    /// The entries for this path, once there are so many.
    pub(crate) async fn entries(&self, path: &str, count: usize) -> Result<Vec<Entry>> {
        let deadline = Deadline::of("Envoy to write its access log", Duration::from_secs(10));
        loop {
            let mut entries = read(&self.file())?;
            entries.retain(|entry| entry.path == path);
            if entries.len() >= count {
                return Ok(entries);
            }
            deadline.pause().await?;
        }
    }
}

fn read(file: &Path) -> Result<Vec<Entry>> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    // The last line may be half written.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| entry(line).with_context(|| format!("in the access log: {line}"))).collect()
}

fn entry(line: &str) -> Option<Entry> {
    let mut fields = line.splitn(6, ' ').map(str::to_owned);
    Some(Entry {
        path: fields.next()?,
        status: fields.next()?,
        details: fields.next()?,
        began: Duration::from_secs_f64(fields.next()?.parse().ok()?),
        held: fields.next()?.parse().ok().map(Duration::from_micros),
        fault: fields.next()?,
    })
}
