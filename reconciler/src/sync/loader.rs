//! The way from a checkout to a catalog. A file is parsed once for each content.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use policies::{
    Catalog, File,
    language::Guardrail,
    repository::{RegexCost, Sources},
};

use crate::source::{
    BlobId, Checkout, CheckoutFile, Content, Source, SourceError,
    reading::{Reading, StartTimes},
};

/// The share of files of earlier checkouts that stay, one in eight: forgetting them takes a pass over all files, too
/// much for every checkout of many. Of few files none stays: each may be large.
const LEFTOVERS: usize = 8;

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

/// A checkout with its files, read.
#[derive(Debug)]
pub(crate) struct ParsedCheckout {
    pub(crate) checkout: Checkout,
    /// In the order of the checkout.
    pub(crate) files: Parsed,
    /// Those in the directories above, in the order of the checkout.
    pub(crate) guards: Parsed,
    pub(crate) starts: StartTimes,
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
        let reading = source.read(|blob| self.knows(blob))?;
        reading.map(|reading| self.finish(reading)).transpose()
    }

    /// Loads the last good state of an earlier process, if there is one. Blocks.
    pub fn restore(&mut self, source: &mut Source) -> Option<Loaded> {
        source.restore(|reading| self.finish(reading))
    }

    fn finish(&mut self, reading: Reading<'_>) -> Result<Loaded, SourceError> {
        let ParsedCheckout { checkout, files, guards, starts } = self.read(reading)?;
        let sources = Sources {
            files: with_paths(&checkout.files, &files),
            ancestors: with_paths(&checkout.above, &guards),
            directory: &checkout.directory,
            server: self.server.clone(),
        };
        let catalog = Catalog::new(&sources, |path, policy| starts.of(path, policy));
        Ok(Loaded { checkout, catalog: Arc::new(catalog) })
    }

    /// True if the file with this content need not be read again.
    pub(crate) fn knows(&self, blob: &BlobId) -> bool {
        self.files.contains_key(blob)
    }

    /// Reads the files of a checkout, and keeps it.
    pub(crate) fn read(&mut self, mut reading: Reading<'_>) -> Result<ParsedCheckout, SourceError> {
        let (files, guards) = self.parse(reading.checkout())?;
        let declared = files.iter().flat_map(|file| file.policies());
        let wanted = declared.filter(|declared| declared.has_duration());
        let wanted = wanted.map(|declared| Arc::clone(&declared.policy)).collect();
        let starts = reading.starts(wanted, |blob| self.files.get(blob).map(Arc::clone))?;
        Ok(ParsedCheckout { checkout: reading.keep(), files, guards, starts })
    }

    /// The files of a checkout and those above, in their order. What is new is taken in, and what is gone
    /// forgotten after a while, also if the checkout is refused: its next attempt needs them again.
    fn parse(&mut self, checkout: &Checkout) -> Result<(Parsed, Parsed), SourceError> {
        let parsed = self.parse_all(checkout);
        let present = checkout.files.len() + checkout.above.len();
        if self.files.len() > present + present / LEFTOVERS {
            let blobs: HashSet<_> =
                checkout.files.iter().chain(&checkout.above).map(|file| file.blob).collect();
            self.files.retain(|blob, _| blobs.contains(blob));
        }
        parsed
    }

    fn parse_all(&mut self, checkout: &Checkout) -> Result<(Parsed, Parsed), SourceError> {
        let mut regexes = RegexCost::default();
        let mut parse = |file: &CheckoutFile| -> Result<_, SourceError> {
            let read = || match &file.content {
                Content::Bytes(bytes) => Ok(File::read(bytes)),
                Content::Unreadable(reason) => Ok(File::unreadable(reason.clone())),
                Content::PassedOver(_) => Ok(File::default()),
                Content::Known => Err(SourceError(format!("the content of {} is missing", file.path))),
            };
            let parsed = match self.files.entry(file.blob) {
                Entry::Occupied(known) => Arc::clone(known.get()),
                Entry::Vacant(unknown) => Arc::clone(unknown.insert(Arc::new(read()?))),
            };
            let added = regexes.add(&parsed);
            added.map_err(|excess| SourceError(format!("{}: {excess}", file.path)))?;
            Ok(parsed)
        };
        let files = checkout.files.iter().map(&mut parse).collect::<Result<Parsed, _>>()?;
        let guards = checkout.above.iter().map(&mut parse).collect::<Result<Parsed, _>>()?;
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

#[cfg(test)]
mod tests {
    use policies::repository::RegexCost;

    use super::Loader;
    use crate::source::{BlobId, Checkout, CheckoutFile, Content, Revision, ancestry::Ancestry};

    /// A checkout of files with these contents, `0.yaml` and so on.
    fn checkout(contents: impl Iterator<Item = String>) -> Checkout {
        let file = |(number, content): (usize, String)| CheckoutFile {
            path: format!("{number}.yaml").into(),
            blob: BlobId::of(content.as_bytes()),
            content: Content::Bytes(content.into_bytes()),
            modified: None,
        };
        Checkout {
            revision: Revision::new("main@sha1:0".to_owned()),
            ancestry: Ancestry::default(),
            signed: None,
            directory: String::new(),
            files: contents.enumerate().map(file).collect(),
            above: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// A file whose regex is refused, after the most steps that one takes.
    fn costly() -> String {
        "spec: {rules: [{match: {path: {regex: '[ab]*a[ab]{14}c'}}, fault: {percentage: 1, delay_ms: 1}}]}"
            .to_owned()
    }

    fn error(loader: &mut Loader, checkout: &Checkout) -> String {
        loader.parse(checkout).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn files_whose_regexes_take_too_much_together_are_refused_with_the_first_beyond() {
        let mut loader = Loader::default();
        loader.parse(&checkout([costly()].into_iter())).unwrap();
        let many = checkout(std::iter::repeat_with(costly).take(1_000));
        let error = error(&mut loader, &many);
        let (path, reason) = error.split_once(": ").unwrap();
        let number: usize = path.strip_suffix(".yaml").unwrap().parse().unwrap();
        assert!((10..500).contains(&number), "{error}");
        let steps = RegexCost::MAX_STEPS;
        assert_eq!(reason, format!("to compile the regexes of all files takes more than {steps} steps"));
    }

    #[test]
    fn a_file_that_is_passed_over_has_no_policies() {
        let mut checkout = checkout(["kind: AppConfiguration\n".to_owned()].into_iter());
        checkout.files[0].content = Content::PassedOver("rename it".to_owned());
        let (files, _) = Loader::default().parse(&checkout).unwrap();
        assert!(files[0].findings.is_empty() && files[0].guardrails().is_some(), "{files:?}");
    }

    #[test]
    fn what_refused_checkouts_held_is_forgotten_too() {
        let mut loader = Loader::default();
        loader.parse(&checkout([costly()].into_iter())).unwrap();
        for attempt in 0..10 {
            let others = (0..100).map(|number| format!("# {attempt} {number}"));
            error(&mut loader, &checkout(others.chain(std::iter::repeat_with(costly).take(100))));
        }
        assert!(loader.files.len() < 250, "{}", loader.files.len());
    }
}
