//! Sees to it that what is in force stays so only while whoever signed it may sign.
//!
//! That needs no Git: what vouches for a commit was read with it.

use std::sync::Arc;

use tracing::error;

use crate::{
    clock::now,
    source::{
        signers::{Signed, Signers, Verdict},
        watch::{Hints, Watcher},
    },
};

/// Knows what is in force and who may sign.
#[derive(Debug)]
pub struct SignatureWatch {
    signers: Signers,
    watcher: Option<Watcher>,
    in_force: Option<Arc<Signed>>,
    /// What was last said to be wrong with the folder.
    told: Vec<String>,
}

impl SignatureWatch {
    /// Nothing is in force yet. `hints` are given when the folder of the signers changes.
    pub fn new(signers: Signers, hints: Arc<Hints>) -> Self {
        let watcher = Watcher::of_folder(signers.folder().to_owned(), hints);
        Self { signers, watcher, in_force: None, told: Vec::new() }
    }

    /// What this vouches for is in force from now on.
    pub fn follow(&mut self, signed: Option<Arc<Signed>>) {
        self.in_force = signed;
    }

    /// Why what is in force may not be served, if it may not. Reads the folder.
    pub async fn refusal(&mut self) -> Option<String> {
        // Before the look, so that nothing falls between.
        if let Some(watcher) = &mut self.watcher {
            watcher.renew();
        }
        let (signers, signed) = (self.signers.clone(), self.in_force.clone());
        let check = tokio::task::spawn_blocking(move || signers.check(signed.as_deref(), now()));
        // It does not panic; it is aborted when the process ends, and nothing is served any more then.
        let Verdict { refusal, faults } = check.await.ok()?;
        if self.told != faults {
            faults.iter().filter(|fault| !self.told.contains(fault)).for_each(|fault| {
                error!("{fault}; nobody may sign by it");
            });
            self.told = faults;
        }
        refusal
    }
}
