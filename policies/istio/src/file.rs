//! A file of a repository, read.

mod glance;
mod kinds;

use policies::reading::{
    Aliases, MAX_FILE_BYTES, Node, Place, read_next_yaml_document, read_yaml, split_yaml,
};

use self::kinds::{is_read, may_be_ours, unknown_kind};
use crate::{
    finding::Finding,
    in_force::ApplicationId,
    node,
    resource::{Places, Raw},
    rules,
    surroundings::{self, Object},
    written::{self, Document},
};

/// A file of a repository: the applications in it, and what these may refer to. Documents of all other kinds are
/// passed over.
///
/// It depends on the file's bytes alone, so that it can be kept by their hash.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    pub(crate) documents: Vec<Document>,
    pub(crate) refused: Vec<Refused>,
    pub(crate) raw: Vec<Raw>,
    /// With the places of their documents.
    pub(crate) objects: Vec<(Place, Object)>,
    /// What is wrong with the objects of Kubernetes.
    pub(crate) around: Vec<Finding>,
    findings: Vec<Finding>,
    unreadable: Option<Finding>,
    ignored: usize,
}

/// A document, as far as it says which application it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention<'a> {
    pub place: Place,
    pub namespace: &'a str,
    pub name: &'a str,
    /// It takes the application away.
    pub is_removal: bool,
}

/// A document of an application that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) place: Place,
    /// The application, if the document says which.
    pub(crate) application: Option<ApplicationId>,
    /// The first of its errors.
    pub(crate) error: Finding,
}

impl File {
    /// Reads a file's bytes. A document that is wrong does not hide the others.
    pub fn read(bytes: &[u8]) -> Self {
        let mut file = Self::default();
        match std::str::from_utf8(bytes) {
            Ok(text) if bytes.len() <= MAX_FILE_BYTES => {
                let mut aliases = Aliases::default();
                for (text, lines_before) in split_yaml(text) {
                    if glance::kind(text).is_some_and(|kind| !is_read(kind) && !may_be_ours(kind, text)) {
                        file.ignored += 1;
                        continue;
                    }
                    if let Some(document) =
                        read_next_yaml_document(text, lines_before, &mut aliases).transpose()
                    {
                        file.take(document.map_err(Finding::from));
                    }
                }
            }
            // It says what is wrong with the file as a whole.
            _ => read_yaml(bytes).into_iter().for_each(|document| file.take(document.map_err(Finding::from))),
        }
        file.findings.sort_by(|a, b| (a.at, &a.field, a.level).cmp(&(b.at, &b.field, b.level)));
        file
    }

    /// A file of one document.
    pub fn of(document: Document) -> Self {
        Self { documents: vec![document], ..Self::default() }
    }

    /// What applications may refer to alone.
    pub fn without_applications(&self) -> Self {
        Self { raw: self.raw.clone(), objects: self.objects.clone(), ..Self::default() }
    }

    /// A file that could not be read, for this reason. Its content is unknown.
    pub fn unreadable(reason: String) -> Self {
        let mut file = Self::default();
        file.take(Err(Finding::error(crate::finding::FORM, "", reason)));
        file
    }

    fn take(&mut self, document: Result<Node, Finding>) {
        match document {
            Ok(document) => node::flattened(&document).into_iter().for_each(|document| self.add(document)),
            Err(finding) => {
                self.findings.push(finding.clone());
                self.unreadable.get_or_insert(finding);
            }
        }
    }

    fn add(&mut self, node: &Node) {
        if written::is_application(node) {
            let reading = written::read(node);
            if reading.document.is_none()
                && let Some(error) = reading.findings.first().cloned()
            {
                let text = |name| node::text(node, &["metadata", name]).map(str::to_owned);
                let application = text("namespace").zip(text("name"));
                self.refused.push(Refused { place: node.place, application, error });
            }
            self.documents.extend(reading.document);
            self.findings.extend(reading.findings);
        } else if let Some(unknown) = unknown_kind(node) {
            self.findings.push(unknown.clone());
            self.unreadable.get_or_insert(unknown);
        } else if let Some(raw) = Raw::of(node) {
            self.raw.push(raw);
        } else {
            self.look_at(node);
            match Object::of(node) {
                Some(object) => self.objects.push((node.place, object)),
                None => self.ignored += 1,
            }
        }
    }

    /// Checks an object of Kubernetes, also one whose namespace nobody knows.
    fn look_at(&mut self, node: &Node) {
        if !node::text(node, &["kind"]).is_some_and(|kind| surroundings::KINDS.contains(&kind)) {
            return;
        }
        let found = rules::check_object(&node::json(node));
        if !found.is_empty() {
            let places = Places::of(node);
            let located = |found: Finding| {
                let at = places.at(&found.field).unwrap_or(node.place);
                found.at(at)
            };
            self.around.extend(found.into_iter().map(located));
        }
    }

    /// The valid documents of applications.
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// The applications that its documents speak of, be they refused.
    pub fn mentions(&self) -> impl Iterator<Item = Mention<'_>> {
        let valid = self.documents.iter().map(|document| {
            let (place, namespace, name, is_removal) = match document {
                Document::Application(found) => (found.place, &found.namespace, &found.name, false),
                Document::Removal { place, namespace, name } => (*place, namespace, name, true),
            };
            Mention { place, namespace: namespace.as_str(), name: name.as_str(), is_removal }
        });
        let refused = self.refused.iter().filter_map(|Refused { place, application, .. }| {
            let (namespace, name) = application.as_ref()?;
            Some(Mention { place: *place, namespace, name, is_removal: false })
        });
        valid.chain(refused)
    }

    /// The resources of Istio that are written by hand.
    pub fn raw(&self) -> &[Raw] {
        &self.raw
    }

    /// Everything that is wrong with its documents of applications, and warnings, by their places.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The number of documents of other kinds.
    pub fn ignored(&self) -> usize {
        self.ignored
    }

    /// True if a document of it cannot be read, so that nobody knows which applications it has.
    pub fn is_unreadable(&self) -> bool {
        self.why_unreadable().is_some()
    }

    /// The reason why it may have applications that nobody knows of.
    pub(crate) fn why_unreadable(&self) -> Option<&Finding> {
        let nameless = || self.refused.iter().find(|refused| refused.application.is_none());
        self.unreadable.as_ref().or_else(|| nameless().map(|refused| &refused.error))
    }
}
