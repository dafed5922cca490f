//! From a checkout to a catalog. A file is parsed once for each content it ever has.

use std::{collections::HashMap, sync::Arc};

use policies::{
    catalog::{Catalog, Sources},
    file::File,
    guardrail::Guardrail,
};
use tracing::warn;

use crate::source::{BlobId, Checkout, Content, Source, SourceError};

/// The files of the last checkout, by the hash of their content.
#[derive(Debug, Default)]
pub struct Loader {
    files: HashMap<BlobId, Arc<File>>,
    /// What the server itself demands of every policy.
    server: Guardrail,
}

/// A checkout and what it says.
#[derive(Debug)]
pub struct Loaded {
    pub checkout: Checkout,
    pub catalog: Catalog,
}

impl Loader {
    /// A loader that knows no file yet.
    pub fn new(server: Guardrail) -> Self {
        Self { files: HashMap::new(), server }
    }

    /// Reads the newest state of a source. Blocks.
    pub fn load(&mut self, source: &mut Source) -> Result<Loaded, SourceError> {
        let checkout = source.checkout(|blob| self.files.contains_key(blob))?;
        let loaded = self.read(source, checkout)?;
        source.keep();
        Ok(loaded)
    }

    /// Reads the last good state of an earlier process, if there is one. Blocks.
    pub fn restore(&mut self, source: &mut Source) -> Option<Loaded> {
        let checkout = source.restore(|blob| self.files.contains_key(blob))?;
        let restored = checkout.and_then(|checkout| self.read(source, checkout));
        restored
            .map(Some)
            .or_else(|error| {
                warn!(%error, "what is stored in the state folder is damaged and removed");
                source.discard().map(|()| None)
            })
            .unwrap_or_else(|error| {
                warn!(%error, "the state folder cannot be used");
                None
            })
    }

    fn read(&mut self, source: &mut Source, checkout: Checkout) -> Result<Loaded, SourceError> {
        self.parse(&checkout)?;

        let in_folder = checkout.files.iter().filter_map(|file| self.files.get(&file.blob));
        let declared =
            in_folder.flat_map(|file| file.policies()).filter(|declared| declared.policy.has_duration());
        let wanted = declared.map(|declared| Arc::clone(&declared.policy)).collect();
        let known = &self.files;
        let read =
            |blob, bytes: &[u8]| known.get(&blob).map_or_else(|| Arc::new(File::read(bytes)), Arc::clone);
        let starts = source.started_at(&checkout, wanted, read)?;

        let sources = Sources {
            files: checkout
                .files
                .iter()
                .filter_map(|file| Some((&file.path, &**known.get(&file.blob)?)))
                .collect(),
            guards: checkout
                .above
                .iter()
                .filter_map(|file| Some((&file.path, &**known.get(&file.blob)?)))
                .collect(),
            server: self.server.clone(),
        };
        let catalog = Catalog::new(&sources, |path, policy| starts.of(path, policy));
        Ok(Loaded { checkout, catalog })
    }

    /// Takes in what is new and forgets what is gone.
    fn parse(&mut self, checkout: &Checkout) -> Result<(), SourceError> {
        let mut files = HashMap::with_capacity(checkout.files.len() + checkout.above.len());
        for file in checkout.files.iter().chain(&checkout.above) {
            let parsed = match (self.files.get(&file.blob), &file.content) {
                (Some(known), _) => Arc::clone(known),
                (None, Content::Bytes(bytes)) => Arc::new(File::read(bytes)),
                (None, Content::Unreadable(reason)) => Arc::new(File::unreadable(reason.clone())),
                (None, Content::Known) => {
                    return Err(SourceError(format!("the content of {} is missing", file.path)));
                }
            };
            files.insert(file.blob, parsed);
        }
        self.files = files;
        Ok(())
    }
}
