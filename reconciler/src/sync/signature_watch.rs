//! Checks whether the signature of what is in force still counts. That needs no Git: the signature was read with
//! the commit.

use std::sync::Arc;

use tracing::error;

use crate::{
    clock::now,
    source::{
        signers::{Signed, Signers, Verdict},
        watch::{Hints, Watcher},
    },
};

/// The keys that may sign, watched for changes.
#[derive(Debug)]
pub struct SignatureWatch {
    signers: Signers,
    watcher: Option<Watcher>,
    /// The faults of the directory that were logged last.
    logged: Vec<String>,
}

impl SignatureWatch {
    /// Gives `hints` when the directory of the keys changes.
    pub fn new(signers: Signers, hints: Arc<Hints>) -> Self {
        let watcher = Watcher::of_folder(signers.folder().to_owned(), hints);
        Self { signers, watcher, logged: Vec::new() }
    }

    /// The reason why what is signed so may not be served, if it may not. Reads the directory.
    pub async fn refusal(&mut self, signed: Option<Arc<Signed>>) -> Option<String> {
        // Before the directory is read, so that no change is missed.
        if let Some(watcher) = &mut self.watcher {
            watcher.renew();
        }
        let signers = self.signers.clone();
        let check = tokio::task::spawn_blocking(move || signers.check(signed.as_deref(), now()));
        // It does not panic; it is aborted when the process ends, and nothing is served any more then.
        let Verdict { refusal, faults } = check.await.ok()?;
        if self.logged != faults {
            faults.iter().filter(|fault| !self.logged.contains(fault)).for_each(|fault| {
                error!("{fault}; nobody may sign by it");
            });
            self.logged = faults;
        }
        refusal
    }
}
