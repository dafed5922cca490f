//! Reads the applications of one commit after another. A file is parsed once for each content.

use std::{collections::HashMap, sync::Arc};

use policies::language::IstioLimits;

use super::order::Order;
use crate::{
    istio::{
        applications::{Applications, File},
        guarded::{Guarded, directory, said},
    },
    source::{BlobId, CheckoutFile, Content, SourceError, git::CommitFiles},
};

/// The files of the commit that was read last.
#[derive(Debug, Default)]
pub(super) struct Reader {
    listed: CommitFiles,
    parsed: HashMap<BlobId, Parsed>,
}

/// A file, as far as applications depend on it.
#[derive(Clone, Debug)]
struct Parsed {
    file: Arc<File>,
    /// What its guardrails say; `None` if it cannot be known.
    limits: Option<Vec<IstioLimits>>,
}

impl Reader {
    /// The applications of the commit of an order. Blocks.
    pub(super) fn applications(&mut self, order: &Order) -> Result<Applications, SourceError> {
        let Self { listed, parsed } = self;
        let (files, above) = listed.read(&order.commits, order.commit, |blob| parsed.contains_key(blob))?;
        // What the commit no longer has is forgotten.
        let mut present = HashMap::new();
        for file in files.iter().chain(&above) {
            let known = parsed.get(&file.blob).or_else(|| present.get(&file.blob)).cloned();
            present.insert(file.blob, known.map_or_else(|| Parsed::of(file), Ok)?);
        }
        self.parsed = present;
        let limits =
            |file: &CheckoutFile| self.parsed.get(&file.blob).and_then(|parsed| parsed.limits.clone());
        // What is above is above all.
        let above = above.iter().map(|file| ("", limits(file)));
        let own = files.iter().map(|file| (directory(&file.path), limits(file)));
        let guarded = Guarded::saying(above.chain(own));
        let read = files.iter().filter_map(|file| {
            let parsed = self.parsed.get(&file.blob)?;
            Some((Arc::clone(&file.path), Arc::clone(&parsed.file)))
        });
        Ok(Applications { files: read.collect(), guarded })
    }
}

impl Parsed {
    fn of(file: &CheckoutFile) -> Result<Self, SourceError> {
        let (file, policies) = match &file.content {
            Content::Bytes(bytes) => (File::read(bytes), policies::File::read(bytes)),
            Content::Unreadable(reason) => {
                (File::unreadable(reason.clone()), policies::File::unreadable(reason.clone()))
            }
            Content::PassedOver(reason) => (File::unreadable(reason.clone()), policies::File::default()),
            Content::Known => {
                return Err(SourceError(format!("the content of {} is missing", file.path)));
            }
        };
        Ok(Self { file: Arc::new(file), limits: said(&policies) })
    }
}
