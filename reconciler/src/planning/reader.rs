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
        let mut read = |file: &CheckoutFile| {
            let known = parsed.get(&file.blob).or_else(|| present.get(&file.blob)).cloned();
            let read = known.map_or_else(|| Parsed::of(file), Ok)?;
            present.insert(file.blob, read.clone());
            Ok((Arc::clone(&file.path), read))
        };
        let own = files.iter().map(&mut read).collect::<Result<Vec<_>, SourceError>>()?;
        let above = above.iter().map(&mut read).collect::<Result<Vec<_>, SourceError>>()?;
        *parsed = present;
        // What is above is above all.
        let limits = above.into_iter().map(|(_, read)| ("", read.limits));
        let guarded = Guarded::saying(
            limits.chain(own.iter().map(|(path, read)| (directory(path), read.limits.clone()))),
        );
        let files = own.into_iter().map(|(path, read)| (path, read.file)).collect();
        Ok(Applications { files, guarded })
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
