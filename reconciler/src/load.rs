//! From a checkout to a catalog. A file is parsed once for each content it ever has.

use std::{collections::HashMap, sync::Arc};

use policies::{catalog::Catalog, file::File};

use crate::source::{BlobId, Checkout, Source, SourceError};

/// The files of the last checkout, by the hash of their content.
#[derive(Debug, Default)]
pub struct Loader {
    files: HashMap<BlobId, Arc<File>>,
}

/// A checkout and what it says.
#[derive(Debug)]
pub struct Loaded {
    pub checkout: Checkout,
    pub catalog: Catalog,
}

impl Loader {
    /// Reads the newest state of a source. Blocks.
    pub fn load(&mut self, source: &mut Source) -> Result<Loaded, SourceError> {
        let checkout = source.checkout(|blob| self.files.contains_key(blob))?;
        let mut files = HashMap::with_capacity(checkout.files.len());
        for file in &checkout.files {
            let parsed = match (self.files.get(&file.blob), &file.bytes) {
                (Some(known), _) => Arc::clone(known),
                (None, Some(bytes)) => Arc::new(File::read(bytes)),
                (None, None) => return Err(SourceError(format!("the content of {} is missing", file.path))),
            };
            files.insert(file.blob, parsed);
        }
        self.files = files;

        let wanted = self.files.values().flat_map(|file| file.policies());
        let wanted = wanted.filter(|(_, policy)| policy.has_duration()).map(|(_, policy)| Arc::clone(policy));
        let wanted: Vec<_> = wanted.collect();
        let known = &self.files;
        let read =
            |blob, bytes: &[u8]| known.get(&blob).map_or_else(|| Arc::new(File::read(bytes)), Arc::clone);
        let starts = source.started_at(&checkout, wanted, read)?;

        let files =
            checkout.files.iter().filter_map(|file| Some((&file.path, &**self.files.get(&file.blob)?)));
        let catalog = Catalog::new(files, |path, policy| starts.of(path, policy));
        Ok(Loaded { checkout, catalog })
    }
}
