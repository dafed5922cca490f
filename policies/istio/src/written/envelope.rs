//! A document: what is around its sections.

use std::{collections::BTreeMap, sync::Arc};

use policies::language::Dataplane;
use policies::reading::{Context, Cursor, Fields, Node, Value, word};

use super::{
    application::{Application, Document},
    entry::{self, Entry},
    fields::{label, labels, selector, strings},
    scope::{Notes, Scope},
};
use crate::{
    finding::Finding,
    resource::Kind,
    values::{Label, LabelPairs, key_error},
};

/// The `kind` of a document.
pub const KIND: &str = "AppConfiguration";

const API_VERSION: &str = "hfi.dev/v1";

/// The label that names the pods of an application, unless its document says otherwise.
pub(crate) const NAME_LABEL: &str = "app.kubernetes.io/name";

/// The most bytes of the labels of an application, and of its annotations.
const LONGEST: usize = 8 * 1024;
/// The domains whose labels and annotations steer programs, hfi among them.
const RESERVED: [&str; 6] = ["istio.io", "fluxcd.io", "kubernetes.io", "k8s.io", "helm.sh", "hfi.dev"];

/// A document, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Absent if anything is wrong with it.
    pub document: Option<Document>,
    /// Everything that is wrong, and warnings.
    pub findings: Vec<Finding>,
}

/// Reads a document.
pub fn read(node: &Node) -> Reading {
    let (context, notes) = (Context::default(), Notes::default());
    let document = Cursor::new(node, &context).fields().and_then(|fields| document(fields, &notes));
    let errors = context.take_findings();
    let document = document.filter(|_| errors.is_empty());
    Reading { document, findings: errors.into_iter().map(Finding::from).chain(notes.take()).collect() }
}

/// True for a document of our kind, also if its case is wrong.
pub fn is_application(node: &Node) -> bool {
    let Value::Map(entries) = &node.value else { return false };
    entries.iter().any(|entry| {
        let is_kind =
            |value: &Value| matches!(value, Value::String(text) if text.trim().eq_ignore_ascii_case(KIND));
        entry.key.eq_ignore_ascii_case("kind") && is_kind(&entry.value.value)
    })
}

fn document(mut fields: Fields<'_>, notes: &Notes) -> Option<Document> {
    let place = fields.cursor().place();
    constant(fields.require("apiVersion"), API_VERSION);
    constant(fields.require("kind"), KIND);
    let metadata = fields.require("metadata").and_then(Cursor::fields).and_then(metadata);
    let spec = fields.require("spec").and_then(Cursor::fields);
    fields.finish();
    // Without a namespace what is in the spec is still read, so that every mistake is told.
    let unknown = Label::try_from("unknown".to_owned()).ok()?;
    let namespace = metadata.as_ref().map_or(&unknown, |metadata| &metadata.namespace);
    let spec = spec.and_then(|fields| self::spec(fields, &Scope::new(namespace, notes)));
    let (Metadata { name, namespace, labels, annotations }, spec) = (metadata?, spec?);
    let Some(spec) = spec else { return Some(Document::Removal { place, name, namespace }) };
    Some(Document::Application(Arc::new(Application {
        place,
        service: spec.service.unwrap_or_else(|| name.clone()),
        workload: spec.workload.unwrap_or_else(|| default_workload(name.as_str())),
        environment: spec.environment,
        dataplane: spec.dataplane,
        revision: spec.revision,
        entries: spec.entries,
        name,
        namespace,
        labels,
        annotations,
    })))
}

/// The labels of the pods of an application that does not say any.
pub fn default_workload(name: &str) -> LabelPairs {
    BTreeMap::from([(NAME_LABEL.to_owned(), name.to_owned())])
}

fn constant(field: Option<Cursor<'_>>, wanted: &str) {
    let Some(field) = field else { return };
    if field.string().is_some_and(|text| text != wanted) {
        field.report(format_args!("must be `{wanted}`"));
    }
}

struct Metadata {
    name: Label,
    namespace: Label,
    labels: LabelPairs,
    annotations: BTreeMap<String, String>,
}

fn metadata(mut fields: Fields<'_>) -> Option<Metadata> {
    let name = fields.require("name").and_then(|field| label(&field));
    let namespace = fields.require("namespace").and_then(|field| label(&field));
    let labels = fields
        .read("labels", |field| {
            let (labels, is_own) = (labels(field), is_own(field));
            labels.filter(|labels| is_own && are_few(field, labels))
        })
        .or(BTreeMap::new());
    let annotations = fields
        .read("annotations", |field| {
            let errors = field.entries().filter_map(|(key, value)| Some((value, key_error(key)?)));
            let errors = errors.map(|(value, error)| value.report(error)).count();
            let (annotations, is_own) = (strings(field), is_own(field));
            annotations.filter(|annotations| is_own && errors == 0 && are_few(field, annotations))
        })
        .or(BTreeMap::new());
    fields.finish();
    Some(Metadata { name: name?, namespace: namespace?, labels: labels?, annotations: annotations? })
}

/// False if labels or annotations are too long: each of very many objects may get them. That is reported.
fn are_few(field: &Cursor<'_>, pairs: &BTreeMap<String, String>) -> bool {
    let length: usize = pairs.iter().map(|(key, value)| key.len() + value.len()).sum();
    if length > LONGEST {
        field.report(format_args!(
            "takes {length} bytes, and each object gets it; at most {LONGEST} are taken"
        ));
    }
    length <= LONGEST
}

/// True if labels or annotations, which are passed on to every object, steer no program. Others are reported.
fn is_own(field: &Cursor<'_>) -> bool {
    let reserved = field.entries().filter_map(|(key, value)| Some((value, reserved(key)?)));
    let told = reserved.map(|(value, reserved)| {
        value.report(format_args!(
            "is reserved: keys of {reserved} steer programs; write a key of your own domain, or one without"
        ));
    });
    told.count() == 0
}

/// The reserved domain of a key.
fn reserved(key: &str) -> Option<&'static str> {
    let (domain, _) = key.split_once('/')?;
    let is_below = |reserved: &&str| {
        domain.strip_suffix(reserved).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    RESERVED.into_iter().find(|reserved| is_below(reserved))
}

/// What a spec says, unless it takes the application away.
struct Spec {
    service: Option<Label>,
    workload: Option<LabelPairs>,
    environment: Option<Label>,
    dataplane: Option<Dataplane>,
    revision: Option<Label>,
    entries: Vec<Entry>,
}

/// Reads the spec; `Some(None)` if it takes the application away.
fn spec(mut fields: Fields<'_>, scope: &Scope<'_>) -> Option<Option<Spec>> {
    if let Some(remove) = fields.take("remove") {
        let is_alone = matches!(fields.cursor().value(), Value::Map(entries) if entries.len() == 1);
        if !remove.boolean()? {
            remove.report("must be `true`; to keep the application, take the field out");
        } else if !is_alone {
            remove.report("stands alone, since it takes the application away; take the other fields out");
        }
        return Some(None);
    }
    let service = fields.read("service", label).optional();
    let workload = fields.read("workload", workload).optional();
    let environment = fields.read("environment", label).optional();
    let planes = [("sidecar", Dataplane::Sidecar), ("ambient", Dataplane::Ambient)];
    let dataplane = fields.read("dataplane", |field| word(Some(field.clone()), &planes)).optional();
    let revision = fields.read("revision", label).optional();
    let sections: Vec<_> = Kind::ALL.into_iter().map(|kind| section(&mut fields, kind, scope)).collect();
    fields.finish();
    let entries = sections.into_iter().collect::<Option<Vec<_>>>().map(|sections| sections.concat());
    Some(Some(Spec {
        service: service?,
        workload: workload?,
        environment: environment?,
        dataplane: dataplane?,
        revision: revision?,
        entries: entries?,
    }))
}

fn workload(field: &Cursor<'_>) -> Option<LabelPairs> {
    let mut fields = field.clone().fields()?;
    let labels = fields.require("labels").and_then(|field| {
        let is_right = are_of_authors(&field);
        selector(&field).filter(|_| is_right)
    });
    fields.finish();
    labels
}

/// True if the labels of pods are ones that authors write. Programs put the others on the pods of all applications.
/// They are reported.
fn are_of_authors(labels: &Cursor<'_>) -> bool {
    let is_of_author =
        |key: &str| key.starts_with("app.kubernetes.io/") || key == "gateway.networking.k8s.io/gateway-name";
    let others = labels.entries().filter(|(key, _)| !is_of_author(key));
    let others = others.filter_map(|(key, value)| Some((value, reserved(key)?)));
    let told = others.map(|(value, reserved)| {
        value.report(format_args!(
            "is reserved: programs put labels of {reserved} on the pods of other applications too; write a label that only your pods have"
        ));
    });
    told.count() == 0
}

/// Reads the entries of a section, whose name may be in snake case.
fn section(fields: &mut Fields<'_>, kind: Kind, scope: &Scope<'_>) -> Option<Vec<Entry>> {
    let Value::Map(entries) = fields.cursor().value() else { return None };
    // A field in snake case is also found in camel case; what a message names is the form that is asked for.
    let has_snake = entries.iter().any(|entry| entry.key == kind.in_snake_case());
    let name = if has_snake { kind.in_snake_case() } else { kind.section() };
    fields.take(name).map_or(Some(Vec::new()), |section| entry::section(kind, &section, scope))
}
