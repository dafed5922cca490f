//! A document, read and rendered, to see what it says.

use std::sync::Arc;

use policies::reading::{Node, read_yaml};
use serde_json::Value;

use super::{Origin, header::word};
use crate::{
    finding::{Finding, Level},
    rendering::{Rendered, Setting, render},
    resource::yaml,
    written::{Application, Dataplane, Document, read},
};

/// The settings that a document has to render the same resources for.
#[derive(Debug)]
pub(super) struct Trial {
    settings: Vec<Setting>,
}

/// What a document renders to in one setting.
#[derive(Debug)]
pub(super) struct Outcome {
    /// `sidecar` or `ambient`.
    pub(super) dataplane: &'static str,
    pub(super) rendered: Vec<Rendered>,
    /// The errors: hfi would render nothing.
    pub(super) errors: Vec<Finding>,
}

impl Trial {
    pub(super) fn new(origin: &Origin) -> Self {
        let planes = match origin.dataplane {
            Some(plane) => vec![plane],
            None => vec![Dataplane::Sidecar, Dataplane::Ambient],
        };
        let setting = |dataplane| Setting { dataplane, ..Setting::of_domain(origin.cluster_domain.clone()) };
        Self { settings: planes.into_iter().map(setting).collect() }
    }

    /// What a document renders to in each setting; or the reason why it is no document.
    pub(super) fn render(&self, document: &Value) -> Result<Vec<Outcome>, String> {
        self.render_node(&yaml(document))
    }

    /// The same of a text.
    pub(super) fn render_text(&self, text: &str) -> Result<Vec<Outcome>, String> {
        let node = read_yaml(text.as_bytes()).into_iter().next().ok_or_else(nothing)?;
        self.render_node(&node.map_err(|found| found.to_string())?)
    }

    fn render_node(&self, document: &Node) -> Result<Vec<Outcome>, String> {
        let application = application(document)?;
        Ok(self.settings.iter().map(|setting| outcome(&application, setting)).collect())
    }

    /// The same in the first setting alone.
    pub(super) fn render_first(&self, document: &Value) -> Option<Outcome> {
        let application = application(&yaml(document)).ok()?;
        self.settings.first().map(|setting| outcome(&application, setting))
    }

    /// True if this is a document.
    pub(super) fn takes(&self, document: &Value) -> bool {
        application(&yaml(document)).is_ok()
    }
}

fn nothing() -> String {
    "no document could be made of it".to_owned()
}

fn application(document: &Node) -> Result<Application, String> {
    let reading = read(document);
    if let Some(found) = reading.findings.iter().find(|found| found.level == Level::Error) {
        return Err(found.to_string());
    }
    match reading.document {
        Some(Document::Application(application)) => Ok(Arc::unwrap_or_clone(application)),
        _ => Err(nothing()),
    }
}

fn outcome(application: &Application, setting: &Setting) -> Outcome {
    let (rendered, findings) = render(application, setting);
    let errors = findings.into_iter().filter(|found| found.level == Level::Error).collect();
    Outcome { dataplane: word(setting.dataplane), rendered, errors }
}
