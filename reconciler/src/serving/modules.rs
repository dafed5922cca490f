//! The filter modules that this reconciler hands out: the one that belongs to it, and its
//! predecessors for proxies that still ask for them.

use std::{fs, io, path::PathBuf, sync::Arc};

use bytes::Bytes;
use policies::Digest;

use crate::io_reason::io_reason;

/// The first bytes of a WebAssembly module.
const MAGIC: &[u8] = b"\0asm";

/// A module.
#[derive(Clone, Debug)]
pub struct Module {
    pub digest: Digest,
    pub bytes: Bytes,
}

/// The newest first.
#[derive(Clone, Debug, Default)]
pub struct Modules(Arc<[Module]>);

/// The reason why a file cannot be handed out.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    #[error("--filter {path}: cannot be read: {reason}", reason = io_reason(error))]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("--filter {path}: is not a WebAssembly module")]
    Foreign { path: PathBuf },
}

impl Modules {
    /// Reads them once: what is handed out under a digest must not change.
    pub fn read(paths: Vec<PathBuf>) -> Result<Self, ModuleError> {
        let module = |path: PathBuf| match fs::read(&path) {
            Ok(bytes) if bytes.starts_with(MAGIC) => {
                Ok(Module { digest: Digest::of(&bytes), bytes: bytes.into() })
            }
            Ok(_) => Err(ModuleError::Foreign { path }),
            Err(error) => Err(ModuleError::Unreadable { path, error }),
        };
        paths.into_iter().map(module).collect::<Result<_, _>>().map(Self)
    }

    /// The one that belongs to this reconciler.
    pub fn newest(&self) -> Option<&Module> {
        self.0.first()
    }

    /// The one whose SHA-256 this is, in hex.
    pub fn of_digest(&self, hex: &str) -> Option<&Module> {
        self.0.iter().find(|module| module.hex().eq_ignore_ascii_case(hex))
    }

    /// The SHA-256 of each, in hex.
    pub fn digests(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(Module::hex)
    }
}

impl Module {
    fn hex(&self) -> String {
        self.digest.to_string().trim_start_matches("sha256:").to_owned()
    }
}
