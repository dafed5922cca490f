//! Policies in files and directories, read once, for the commands that check them.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read as _, stdin},
    path::{Path, PathBuf},
    sync::Arc,
};

use policies::{
    Catalog, File, Timestamp,
    language::Guardrail,
    reading::{Finding, Place, Problem},
    repository::{ParsedPolicy, RegexCost, Sources, Start},
};

use crate::{
    io_reason::io_reason,
    source::{
        CheckoutFile, Content, SourceError,
        dir::{DirSource, committed, directory_of, located},
        git::Committed,
    },
};

/// Policy files, parsed, as one repository. Their key is the absolute path, so that no file is read twice and
/// each is found in its directory.
#[derive(Debug, Default)]
pub struct PolicyFiles {
    files: BTreeMap<Arc<str>, Parsed>,
    /// Files of the directories above: they may hold guardrails.
    guards: BTreeMap<Arc<str>, Parsed>,
    warnings: BTreeSet<Problem>,
    /// The working directory, with a slash at its end; empty if it is not known.
    here: String,
}

#[derive(Debug)]
struct Parsed {
    /// The path as the user gave it.
    shown: Arc<str>,
    text: Arc<[u8]>,
    file: File,
    /// The reason why nobody knows the applications that it may have.
    passed_over: Option<Finding>,
    modified: Option<Timestamp>,
}

/// A file as it was read.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// The absolute path.
    pub path: &'a str,
    /// The path as the user gave it.
    pub shown: &'a Arc<str>,
    pub text: &'a [u8],
    pub file: &'a File,
}

impl PolicyFiles {
    /// Reads directories and single files as `hfi serve` does.
    pub fn read(paths: &[PathBuf]) -> Result<Self, SourceError> {
        let here = Path::new(".").canonicalize().map(|here| format!("{}/", here.display()));
        let mut read = Self { here: here.unwrap_or_default(), ..Self::default() };
        for path in paths {
            read.add(path)?;
        }
        let Self { files, guards, .. } = &mut read;
        guards.retain(|path, _| !files.contains_key(path));
        let mut regexes = RegexCost::default();
        for Parsed { shown, file, .. } in files.values().chain(guards.values()) {
            regexes.add(file).map_err(|excess| SourceError(format!("{shown}: {excess}")))?;
        }
        Ok(read)
    }

    /// The same; `-` among the paths is stdin.
    pub fn read_or_piped(paths: &[PathBuf]) -> Result<Self, SourceError> {
        let (piped, paths): (Vec<_>, Vec<_>) = paths.iter().cloned().partition(|path| path == Path::new("-"));
        let mut read = Self::read(&paths)?;
        if !piped.is_empty() {
            let mut text = Vec::new();
            let done = stdin().lock().read_to_end(&mut text);
            done.map_err(|error| SourceError(format!("cannot read stdin: {}", io_reason(&error))))?;
            read.add_text("stdin", text);
        }
        Ok(read)
    }

    /// Those of a directory as they are at a commit of its repository, and the name of the commit. Without a
    /// revision it is the upstream of the branch that is checked out, or else the commit that is.
    pub fn committed(directory: &Path, revision: Option<&str>) -> Result<(Self, String), SourceError> {
        let Committed { name, files, above, warnings } = committed(directory, revision)?;
        let parsed = |file: CheckoutFile| {
            let shown = format!("{name}:{}", file.path).into();
            (Arc::clone(&file.path), Parsed::new(shown, file, File::read))
        };
        let warning = |message| {
            let finding = Finding { place: Place::default(), field: String::new(), message };
            Problem { file: name.as_str().into(), finding }
        };
        let read = Self {
            files: files.into_iter().map(parsed).collect(),
            guards: above.into_iter().map(parsed).collect(),
            warnings: warnings.into_iter().map(warning).collect(),
            here: String::new(),
        };
        Ok((read, name))
    }

    fn add(&mut self, path: &Path) -> Result<(), SourceError> {
        let unreadable =
            |error| SourceError(format!("cannot read {}: {}", path.display(), io_reason(&error)));
        // A single file is named by its directory and its name, like any other.
        let (given, real, checkout) = if path.canonicalize().map_err(unreadable)?.is_file() {
            let given = path.parent().map(Path::to_owned).unwrap_or_default();
            (given, directory_of(path).map_err(unreadable)?, DirSource::checkout_of_file(path)?)
        } else {
            let checkout = DirSource::as_committed(path.to_owned()).checkout(|_| false)?;
            (path.to_owned(), path.canonicalize().map_err(unreadable)?, checkout)
        };
        let shown = |file: &str| -> Arc<str> { given.join(file).to_string_lossy().into() };
        for file in checkout.files {
            let key = located(&real, &file.path).to_string_lossy().into();
            // No server reads it as a policy file: it is what somebody printed.
            let read = if file.path.ends_with(".json") { File::read_list } else { File::read };
            self.files.insert(key, Parsed::new(shown(&file.path), file, read));
        }
        for file in checkout.above {
            let key: Arc<str> = located(&real, &file.path).to_string_lossy().into();
            self.guards.insert(Arc::clone(&key), Parsed::new(key, file, File::read));
        }
        self.warnings.extend(checkout.warnings.into_iter().map(|warning| Problem {
            file: shown(&warning.path),
            finding: Finding { place: Place::default(), field: String::new(), message: warning.message },
        }));
        Ok(())
    }

    /// Adds a text that is in no file.
    fn add_text(&mut self, name: &str, text: Vec<u8>) {
        let parsed = Parsed {
            shown: name.into(),
            file: File::read_list(&text),
            text: text.into(),
            passed_over: None,
            modified: None,
        };
        self.files.insert(name.into(), parsed);
    }

    /// The policies of all files, each with its file as the user gave it.
    pub fn policies(&self) -> impl Iterator<Item = (&Arc<str>, &ParsedPolicy)> {
        self.files.values().flat_map(|Parsed { shown, file, .. }| {
            file.policies().iter().map(move |policy| (shown, &**policy))
        })
    }

    /// Every file that was named, with its text; or the reason why it has none.
    pub fn texts(&self) -> impl Iterator<Item = Result<Text<'_>, Problem>> {
        self.files.iter().map(|(path, parsed)| match parsed.content() {
            Ok(text) => Ok(Text { path, shown: &parsed.shown, text, file: &parsed.file }),
            Err(finding) => Err(Problem { file: Arc::clone(&parsed.shown), finding: finding.clone() }),
        })
    }

    /// The same by the absolute path of each.
    pub fn contents(&self) -> impl Iterator<Item = (&Arc<str>, Result<&[u8], &Finding>)> {
        self.files.iter().map(|(path, parsed)| (path, parsed.content()))
    }

    /// Every file, also of the directories above, by its absolute path.
    pub fn parsed_files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.guards.iter().chain(&self.files).map(|(path, parsed)| (&**path, &parsed.file))
    }

    /// The catalog of all files. Durations count from the modification time of each file, or, if `now` is given,
    /// from then, as if the files were committed now.
    pub fn catalog(&self, require_expiry: bool, now: Option<Timestamp>) -> Catalog {
        let server = Guardrail { require_expiry, ..Guardrail::default() };
        let sources = Sources {
            files: self.files.iter().map(|(path, parsed)| (path, &parsed.file)).collect(),
            ancestors: self.guards.iter().map(|(path, parsed)| (path, &parsed.file)).collect(),
            server,
            ..Sources::default()
        };
        let modified = |path: &str| self.files.get(path).and_then(|parsed| parsed.modified);
        Catalog::new(&sources, |path, _| now.or_else(|| modified(path)).map(Start::from))
    }

    /// The path of a file as the user gave it.
    pub fn shown(&self, file: &Arc<str>) -> Arc<str> {
        self.parsed(file).map_or_else(|| Arc::clone(file), |parsed| Arc::clone(&parsed.shown))
    }

    /// A problem, its file named as the user gave it, and others in its message as seen from the working directory.
    pub fn told(&self, problem: &Problem) -> Problem {
        let finding = &problem.finding;
        let message = match self.here.as_str() {
            "" => finding.message.clone(),
            here => finding.message.replace(here, ""),
        };
        Problem { file: self.shown(&problem.file), finding: Finding { message, ..finding.clone() } }
    }

    /// A file's text.
    pub fn text(&self, file: &Arc<str>) -> Option<Arc<[u8]>> {
        self.parsed(file).map(|parsed| Arc::clone(&parsed.text))
    }

    fn parsed(&self, file: &Arc<str>) -> Option<&Parsed> {
        self.files.get(file).or_else(|| self.guards.get(file))
    }

    /// Warnings about files and directories that are ignored.
    pub fn warnings(&self) -> impl Iterator<Item = &Problem> {
        self.warnings.iter()
    }
}

impl Parsed {
    fn new(shown: Arc<str>, file: CheckoutFile, read: fn(&[u8]) -> File) -> Self {
        let mut passed_over = None;
        let (text, parsed) = match file.content {
            Content::Known => (Vec::new(), File::default()),
            Content::Bytes(bytes) => {
                let file = read(&bytes);
                (bytes, file)
            }
            Content::Unreadable(reason) => (Vec::new(), File::unreadable(reason)),
            Content::PassedOver(message) => {
                passed_over = Some(Finding { place: Place::default(), field: String::new(), message });
                (Vec::new(), File::default())
            }
        };
        Self { shown, text: text.into(), file: parsed, passed_over, modified: file.modified }
    }

    /// The text, or the reason why it could not be read. An empty file has nothing that is wrong.
    fn content(&self) -> Result<&[u8], &Finding> {
        match self.file.findings.first().or(self.passed_over.as_ref()) {
            Some(finding) if self.text.is_empty() => Err(finding),
            _ => Ok(&self.text),
        }
    }
}
