//! The reply of a control plane: a snapshot as it should be, and every way for it to be wrong.

use std::sync::Arc;

use anyhow::{Result, ensure};
use policies::Timestamp;
use policies::{Catalog, repository::Sources};
use policies::{Digest, Scope};
use policies::{File, wire::Format};

/// The bytes that policies become, and the revision they are of.
#[derive(Debug, Clone)]
pub struct Snapshot {
    body: Arc<[u8]>,
    revision: String,
}

impl Snapshot {
    /// The snapshot that `hfi serve` makes of this file, for a workload that nobody has narrowed
    /// down: the filter chooses what concerns it.
    pub fn of(yaml: &str) -> Result<Self> {
        Self::of_all(&[yaml.to_owned()])
    }

    /// The same of several files: one alone cannot be as large as a snapshot.
    pub fn of_all(yaml: &[String]) -> Result<Self> {
        let name = |number| format!("policies-{number}.yaml").into();
        let files: Vec<_> =
            (0..yaml.len()).map(name).zip(yaml.iter().map(|yaml| File::read(yaml.as_bytes()))).collect();
        let files = files.iter().map(|(name, file)| (name, file)).collect();
        let catalog = Catalog::new(&Sources { files, ..Sources::default() }, |_, _| None);
        ensure!(catalog.problems().is_empty(), "not policies: {:?}", catalog.problems());
        let everybody = Scope::new(["*"], ["*"])?;
        let body = catalog.snapshot(&everybody, Timestamp::from_millis(0)).encode(Format::V2);
        let hex = Digest::of(&body).to_string().replace("sha256:", "");
        Ok(Self { body: body.into(), revision: format!("main@sha1:{hex:.40}") })
    }

    /// The same policies at another revision.
    pub fn at(self, revision: &str) -> Self {
        Self { revision: revision.to_owned(), ..self }
    }

    /// By what a poll names it.
    pub fn etag(&self) -> String {
        Digest::of(&self.body).etag()
    }

    /// The size in bytes.
    pub fn size(&self) -> usize {
        self.body.len()
    }

    /// The commit it was made of.
    pub fn revision(&self) -> &str {
        &self.revision
    }
}

/// One HTTP answer, whose parts need not fit together.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    etag: Option<String>,
    revision: Option<String>,
    content_type: Option<String>,
    body: Arc<[u8]>,
    missing: usize,
}

impl Reply {
    /// A snapshot, as it should be.
    pub fn with(snapshot: &Snapshot) -> Self {
        let Snapshot { body, revision } = snapshot.clone();
        let (etag, revision) = (Some(snapshot.etag()), Some(revision));
        Self { status: 200, etag, revision, content_type: None, body, missing: 0 }
    }

    /// That the snapshot is still this one.
    pub fn not_modified(snapshot: &Snapshot) -> Self {
        Self { status: 304, body: [].into(), ..Self::with(snapshot) }
    }

    /// That something is wrong, with the marks of a control plane.
    pub fn error(status: u16) -> Self {
        let revision = Some("main@sha1:0".to_owned());
        Self { status, etag: None, revision, content_type: None, body: b"no".as_slice().into(), missing: 0 }
    }

    /// Bytes that are no snapshot, rightly labelled.
    pub fn garbage(body: Vec<u8>) -> Self {
        Self { status: 200, etag: Some(Digest::of(&body).etag()), body: body.into(), ..Self::error(200) }
    }

    /// The same under the name of a snapshot that it is not.
    pub fn labelled_as(self, other: &Snapshot) -> Self {
        Self { etag: Some(other.etag()), ..self }
    }

    /// The same with its label weakened, as by a proxy that compresses.
    pub fn weakly_labelled(self) -> Self {
        Self { etag: self.etag.map(|etag| format!("W/{etag}")), ..self }
    }

    /// The same without its label, as by a proxy that removes it.
    pub fn unlabelled(self) -> Self {
        Self { etag: None, ..self }
    }

    /// The same with a media type.
    pub fn of_type(self, content_type: &str) -> Self {
        Self { content_type: Some(content_type.to_owned()), ..self }
    }

    /// The same without the header that only a control plane sends.
    pub fn from_somebody_else(self) -> Self {
        Self { revision: None, ..self }
    }

    /// The same with an end that never comes: the connection is closed before.
    pub fn cut_short(self) -> Self {
        Self { missing: 1, ..self }
    }

    pub(crate) fn ends_connection(&self) -> bool {
        self.missing > 0
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        let length = Some((self.body.len() + self.missing).to_string()).filter(|_| self.status != 304);
        let fields = [
            ("content-length", &length),
            ("content-type", &self.content_type),
            ("etag", &self.etag),
            ("x-hfi-revision", &self.revision),
        ];
        for (name, value) in fields {
            head.extend(value.iter().map(|value| format!("{name}: {value}\r\n")));
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}
