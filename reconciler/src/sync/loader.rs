//! The way from a checkout to a catalog. A file is parsed once for each content.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use policies::{
    Catalog, File,
    language::Guardrail,
    repository::{RegexCost, Sources},
};

use crate::source::{BlobId, Checkout, CheckoutFile, Content, Source, SourceError, reading::Reading};

/// The share of files of earlier checkouts that stay, one in eight: forgetting them takes a pass over all files, too
/// much for every checkout.
const LEFTOVERS: usize = 8;
/// The number of files of earlier checkouts that stay in any case.
const FEW: usize = 64;

/// The files of the last checkout, and some that were there before, by the hash of their content.
#[derive(Debug, Default)]
pub struct Loader {
    files: HashMap<BlobId, Arc<File>, BuildHasherDefault<AsItIs>>,
    /// The guardrail of the server itself, for every policy.
    server: Guardrail,
}

/// A checkout and what it says.
#[derive(Debug)]
pub struct Loaded {
    pub checkout: Checkout,
    pub catalog: Arc<Catalog>,
}

/// Files in the order of a checkout.
type Parsed = Vec<Arc<File>>;

impl Loader {
    /// A loader that knows no file yet.
    pub fn new(server: Guardrail) -> Self {
        Self { server, ..Self::default() }
    }

    /// Loads the newest state of a source; `None` if it is what was loaded last. Blocks.
    pub fn load(&mut self, source: &mut Source) -> Result<Option<Loaded>, SourceError> {
        let reading = source.read(|blob| self.files.contains_key(blob))?;
        reading.map(|reading| self.finish(reading)).transpose()
    }

    /// Loads the last good state of an earlier process, if there is one. Blocks.
    pub fn restore(&mut self, source: &mut Source) -> Option<Loaded> {
        source.restore(|reading| self.finish(reading))
    }

    fn finish(&mut self, mut reading: Reading<'_>) -> Result<Loaded, SourceError> {
        let (files, guards) = self.parse(reading.checkout())?;

        let declared = files.iter().flat_map(|file| file.policies());
        let wanted = declared.filter(|declared| declared.has_duration());
        let wanted = wanted.map(|declared| Arc::clone(&declared.policy)).collect();
        let starts = reading.starts(wanted, |blob| self.files.get(blob).map(Arc::clone))?;

        let checkout = reading.keep();
        let sources = Sources {
            files: with_paths(&checkout.files, &files),
            ancestors: with_paths(&checkout.above, &guards),
            server: self.server.clone(),
        };
        let catalog = Catalog::new(&sources, |path, policy| starts.of(path, policy));
        Ok(Loaded { checkout, catalog: Arc::new(catalog) })
    }

    /// The files of a checkout and those above, in their order. What is new is taken in, and what is gone
    /// forgotten after a while.
    fn parse(&mut self, checkout: &Checkout) -> Result<(Parsed, Parsed), SourceError> {
        let mut regexes = RegexCost::default();
        let mut parse = |file: &CheckoutFile| {
            let parsed = match (self.files.get(&file.blob), &file.content) {
                (Some(known), _) => Arc::clone(known),
                (None, Content::Bytes(bytes)) => Arc::new(File::read(bytes)),
                (None, Content::Unreadable(reason)) => Arc::new(File::unreadable(reason.clone())),
                (None, Content::Known) => {
                    return Err(SourceError(format!("the content of {} is missing", file.path)));
                }
            };
            self.files.entry(file.blob).or_insert_with(|| Arc::clone(&parsed));
            let added = regexes.add(&parsed);
            added.map_err(|excess| SourceError(format!("{}: {excess}", file.path)))?;
            Ok(parsed)
        };
        let files = checkout.files.iter().map(&mut parse).collect::<Result<Parsed, _>>()?;
        let guards = checkout.above.iter().map(&mut parse).collect::<Result<Parsed, _>>()?;
        let present = files.len() + guards.len();
        if self.files.len() > present + present / LEFTOVERS + FEW {
            let blobs = checkout.files.iter().chain(&checkout.above).map(|file| file.blob);
            self.files = blobs.zip(files.iter().chain(&guards).map(Arc::clone)).collect();
        }
        Ok((files, guards))
    }
}

/// A hasher for keys that are hashes already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = u64::from_le_bytes(bytes.first_chunk().copied().unwrap_or_default());
    }
}

fn with_paths<'a>(files: &'a [CheckoutFile], parsed: &'a [Arc<File>]) -> Vec<(&'a Arc<str>, &'a File)> {
    files.iter().map(|file| &file.path).zip(parsed.iter().map(|parsed| &**parsed)).collect()
}
