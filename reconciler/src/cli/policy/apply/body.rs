//! The files that were given, as the body of one request.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use policies::reading::{Finding, Place, Problem};
use serde_json::json;

use super::{
    directory::{below, joined},
    expiry::{Expiring, is_list, lines},
};
use crate::{
    api::writes::BodyError,
    cli::{
        console::{WRONG_USE, error, next, warning, wrong_use},
        policy_files::{PolicyFiles, Text},
    },
    client::writing::Change,
};

/// The texts of files, one behind the other. Before them, a document that names the directories of new policies.
#[derive(Debug)]
pub(super) struct Body {
    bytes: Vec<u8>,
    media_type: &'static str,
    parts: Vec<Part>,
    /// The number of documents before those of the files.
    documents_before: usize,
}

/// The text of a file in a body.
#[derive(Debug)]
struct Part {
    /// The path as the user gave it.
    shown: Arc<str>,
    /// The lines of the body before it.
    lines_before: u32,
    /// Its text.
    expiring: Expiring,
}

impl Body {
    /// Reads files, directories and stdin (`-`). New policies keep their place below the directories, below `folder`,
    /// and all of them end at `expires_at`. Tells of what cannot be read.
    pub(super) fn read(paths: &[PathBuf], folder: &str, expires_at: Option<&str>) -> Result<Self, ExitCode> {
        let files = PolicyFiles::read_or_piped(paths).map_err(wrong_use)?;
        files.warnings().for_each(warning);
        let directories: Vec<_> = paths.iter().filter_map(|path| path.canonicalize().ok()).collect();
        let (texts, unreadable) = files.texts().partition::<Vec<_>, _>(Result::is_ok);
        let texts: Vec<_> = texts.into_iter().flatten().collect();
        let mut problems: Vec<_> = unreadable.into_iter().filter_map(Result::err).collect();
        if problems.is_empty() {
            problems = not_understood(&texts, &directories, expires_at.is_some());
        }
        if problems.is_empty() {
            match Self::of(&texts, &directories, folder, expires_at) {
                Ok(body) => return Ok(body),
                Err(found) => problems = found,
            }
        }
        problems.iter().for_each(error);
        next("correct these files; nothing was sent");
        Err(ExitCode::from(WRONG_USE))
    }

    fn of(
        texts: &[Text<'_>],
        directories: &[PathBuf],
        folder: &str,
        expires_at: Option<&str>,
    ) -> Result<Self, Vec<Problem>> {
        let bytes = folders(texts, directories, folder).unwrap_or_default();
        let (documents_before, mut lines_before) = (usize::from(!bytes.is_empty()), lines(&bytes));
        let mut body = Self { bytes, media_type: "application/yaml", parts: Vec::new(), documents_before };
        if let [text] = texts
            && is_list(text.text)
        {
            body.media_type = "application/json";
        }
        for text in texts {
            if !body.parts.is_empty() {
                // It ends the document of the file before, so that directives may follow.
                let end: &[u8] = if body.bytes.ends_with(b"\n") { b"...\n" } else { b"\n...\n" };
                body.bytes.extend(end);
                lines_before += lines(end);
            }
            let expiring = match expires_at {
                Some(at) => Expiring::of(text.text, at).map_err(|findings| problems(text, findings))?,
                None => Expiring::unchanged(text.text),
            };
            let bytes = expiring.bytes.as_slice();
            body.bytes.extend(bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes));
            let lines = lines(bytes);
            body.parts.push(Part { shown: Arc::clone(text.shown), lines_before, expiring });
            lines_before += lines;
        }
        Ok(body)
    }

    pub(super) fn change(&self) -> Change<'_> {
        Change::Apply { media_type: self.media_type, body: &self.bytes }
    }

    /// A mistake in the body as one in the file that was given.
    pub(super) fn told(&self, mistake: &BodyError) -> Problem {
        let BodyError { column, field, line, message, document } = mistake;
        let part = match (self.parts.as_slice(), line) {
            ([part], _) if part.lines_before < *line || *line == 0 => Some(part),
            (_, 0) => None,
            (parts, line) => parts.iter().rev().find(|part| part.lines_before < *line),
        };
        let (file, place) = match part {
            Some(part) => {
                let line = part.expiring.line(line.saturating_sub(part.lines_before));
                (Arc::clone(&part.shown), Place { line, column: *column })
            }
            None => match (document + 1).checked_sub(self.documents_before) {
                Some(0) | None => ("the directories of new policies".into(), Place::default()),
                Some(document) => (format!("document {document} of all").into(), Place::default()),
            },
        };
        Problem { file, finding: Finding { place, field: field.clone(), message: message.clone() } }
    }
}

/// The mistakes of all files, if one that has some must be understood here: its policies get a directory or an end, and
/// a newer server might take them without.
fn not_understood(texts: &[Text<'_>], directories: &[PathBuf], end: bool) -> Vec<Problem> {
    let has_mistakes = |text: &&Text<'_>| !text.file.findings.is_empty();
    // The mistakes of a list are found where it gets its ends.
    let must_be =
        |text: &Text<'_>| end && !is_list(text.text) || !below(directories, Path::new(text.path)).is_empty();
    if !texts.iter().filter(has_mistakes).any(must_be) {
        return Vec::new();
    }
    texts.iter().flat_map(|text| problems(text, text.file.findings.clone())).collect()
}

fn problems(text: &Text<'_>, findings: Vec<Finding>) -> Vec<Problem> {
    let problem = |finding| Problem { file: Arc::clone(text.shown), finding };
    findings.into_iter().map(problem).collect()
}

/// The document that names the directories of new policies, if some are in one.
fn folders(texts: &[Text<'_>], directories: &[PathBuf], folder: &str) -> Option<Vec<u8>> {
    let mut folders = BTreeMap::<_, Vec<_>>::new();
    for text in texts {
        let below = below(directories, Path::new(text.path));
        let names = text.file.policies().iter().map(|policy| policy.policy.name.as_str());
        if !below.is_empty() {
            folders.entry(joined(folder, &below)).or_default().extend(names);
        }
    }
    folders.retain(|_, names| !names.is_empty());
    // Its own line, and its end, so that directives may follow.
    let document = || format!("{}\n...\n", json!({"kind": "Folders", "folders": folders})).into_bytes();
    (!folders.is_empty()).then(document)
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, sync::Arc};

    use policies::{
        File,
        editing::{Format, read_body},
    };
    use proptest::prelude::*;

    use super::{Body, Text};
    use crate::api::writes::BodyError;

    fn body(texts: &[&[u8]]) -> Body {
        let shown: Vec<Arc<str>> = (0..texts.len()).map(|at| format!("{at}.yaml").into()).collect();
        let files: Vec<_> = texts.iter().map(|text| File::read(text)).collect();
        let texts: Vec<_> = texts
            .iter()
            .zip(&shown)
            .zip(&files)
            .map(|((text, shown), file)| Text { path: shown, shown, text, file })
            .collect();
        Body::of(&texts, &[PathBuf::from("/")], "", None).unwrap()
    }

    #[test]
    fn a_list_is_sent_as_json() {
        assert_eq!(body(&[b" [{}]"]).media_type, "application/json");
        assert_eq!(body(&[b"[{}]", b"a: b"]).media_type, "application/yaml");
    }

    #[test]
    fn a_mistake_in_no_line_is_told_by_its_document() {
        let mistake = BodyError { message: "is wrong".to_owned(), document: 1, ..BodyError::default() };
        assert_eq!(body(&[b"a: b", b"c: d"]).told(&mistake).to_string(), "document 2 of all: is wrong");
        assert_eq!(body(&[b"a: b"]).told(&mistake).to_string(), "0.yaml: is wrong");
    }

    proptest! {
        /// Each file is read in the body as by itself, and every mistake of it is at its place.
        #[test]
        fn a_file_is_read_as_if_it_were_alone(
            texts in prop::collection::vec(
                "(\u{feff}|%YAML 1.2\n---\n|---\n|# c\r\n)?(metadata: \\{nam: a\\}|kind: Nothing|a: b|a: \\[)?(\n|\r\n|\n---\n|\n\\.\\.\\.\n)?(spec: 1\n)?", 1..4)
        ) {
            let told = |texts: &[&[u8]]| {
                let body = body(texts);
                let errors = read_body(&body.bytes, Format::Yaml).err().unwrap_or_default();
                let errors = errors.into_iter().filter(|mistake| !mistake.finding.message.starts_with("holds no document"));
                errors.map(|mistake| body.told(&BodyError {
                    column: mistake.finding.place.column, line: mistake.finding.place.line,
                    document: mistake.document, field: mistake.finding.field, message: mistake.finding.message,
                })).map(|problem| (problem.finding.place.line, problem.finding.place.column, problem.finding.message, problem.file))
                .filter(|(line, ..)| *line > 0).collect::<Vec<_>>()
            };
            let texts: Vec<_> = texts.iter().map(String::as_bytes).collect();
            let whole = told(&texts);
            for (at, text) in texts.iter().enumerate() {
                let name = format!("{at}.yaml");
                let here: Vec<_> = whole.iter().filter(|(.., file)| **file == *name).map(|(l, c, m, _)| (l, c, m)).collect();
                let alone = told(&[text]);
                let alone: Vec<_> = alone.iter().map(|(l, c, m, _)| (l, c, m)).collect();
                prop_assert_eq!(here, alone, "{:?}", texts);
            }
        }
    }
}
