//! The entry of a resource.

use serde_json::{Map, Value, json};

use super::{
    REVISION,
    header::Header,
    pieces,
    trial::{Outcome, Trial},
};
use crate::{
    opinions::{authorization_policy, virtual_service},
    resource::Resource,
    values::{MergePatch, merge},
};

/// Fields that hfi writes out though Istio has a default for them. Where the resource has none, `spec` takes them out.
const WRITTEN_OUT: [&str; 4] = ["action", "exportTo", "location", "resolution"];

/// The entry that renders a resource: with the attributes that fit, and `spec` for the rest. The error says why no
/// entry can.
pub(super) fn entry(
    resource: &Resource,
    header: &Header,
    trial: &Trial,
) -> Result<Map<String, Value>, String> {
    if let Some((what, key)) = lost_steering(resource, header) {
        return Err(format!(
            "its {what} `{key}` steers other programs, and no AppConfiguration can say it here; keep the object by hand"
        ));
    }
    let mut best = passed_through(resource);
    let plain = trial.render(&header.with_entry(resource.kind, &best))?;
    let fitting = Fitting { resource, header, trial, plain };
    let (mut attributes, mut left) = (common(resource), size(&resource.spec));
    for piece in pieces::of(resource, header) {
        let mut candidate = Value::Object(attributes.clone());
        merge(&mut candidate, &piece);
        let Value::Object(candidate) = candidate else { continue };
        let Some(patch) = fitting.rest(&candidate) else { continue };
        let rest = if patch.is_empty() { 0 } else { size(&Value::Object(patch.clone())) };
        let mut entry = candidate.clone();
        if rest > 0 {
            entry.insert("spec".to_owned(), Value::Object(patch));
        }
        if rest < left && fitting.holds(&entry) {
            (best, attributes, left) = (entry, candidate, rest);
        }
    }
    // Without its annotation it would do something else.
    match steering(resource).first() {
        Some((key, _)) if best == passed_through(resource) => Err(format!(
            "only attributes say its annotation `{key}`, and they cannot say all the rest of it here"
        )),
        _ => Ok(best),
    }
}

/// The entry without attributes.
pub(super) fn passed_through(resource: &Resource) -> Map<String, Value> {
    let mut entry = common(resource);
    // An entry says something: what deletes nothing leaves the empty `spec` that was read.
    let spec = if size(&resource.spec) == 0 { json!({"selector": null}) } else { resource.spec.clone() };
    entry.insert("spec".to_owned(), spec);
    entry
}

/// What every entry has: the object exists already, under its own name.
fn common(resource: &Resource) -> Map<String, Value> {
    let name = json!(resource.name);
    [("resourceName", name), ("adopt", json!(true))]
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
}

/// A resource that attributes are looked for.
struct Fitting<'a> {
    resource: &'a Resource,
    header: &'a Header,
    trial: &'a Trial,
    /// What the entry without attributes renders.
    plain: Vec<Outcome>,
}

impl Fitting<'_> {
    /// The `spec` that makes attributes render the resource; nothing if there is none, or if it contradicts them.
    fn rest(&self, attributes: &Map<String, Value>) -> Option<Map<String, Value>> {
        let document = self.header.with_entry(self.resource.kind, attributes);
        let outcome = self.trial.render_first(&document)?;
        let [alone] = outcome.rendered.as_slice() else { return None };
        rest(&alone.resource.spec, &self.resource.spec)
    }

    /// True if an entry renders the resource and nothing else in every setting, and is not refused for more than the
    /// entry without attributes.
    fn holds(&self, entry: &Map<String, Value>) -> bool {
        let document = self.header.with_entry(self.resource.kind, entry);
        let Ok(outcomes) = self.trial.render(&document) else { return false };
        outcomes.iter().zip(&self.plain).all(|(outcome, plain)| match outcome.rendered.as_slice() {
            [alone] => is_same(&alone.resource, self.resource) && outcome.errors.len() <= plain.errors.len(),
            _ => false,
        })
    }
}

/// True if both say the same to Istio.
pub(super) fn is_same(rendered: &Resource, read: &Resource) -> bool {
    let is_object = (rendered.kind, &rendered.name) == (read.kind, &read.name);
    is_object && rendered.spec == read.spec && steering(rendered) == steering(read)
}

/// The annotations that change what an object does, and that attributes render.
pub(super) fn steering(resource: &Resource) -> Vec<(&str, &str)> {
    let keys = [authorization_policy::DRY_RUN.0, virtual_service::EXTERNAL_WEIGHTS.0];
    keys.into_iter().filter_map(|key| Some((key, resource.annotations.get(key)?.as_str()))).collect()
}

/// The domains of the labels and annotations that change what Istio or a DNS controller does with an object.
const STEERING: [&str; 2] = ["istio.io", "external-dns.alpha.kubernetes.io"];
/// The domain of the marks that the installer of Istio leaves.
const OF_INSTALLER: &str = "operator.istio.io";

/// A label or an annotation without which the object would do something else, and that no document keeps.
fn lost_steering<'r>(resource: &'r Resource, header: &Header) -> Option<(&'static str, &'r str)> {
    let steers = |key: &&String| {
        let domain = key.split_once('/').map_or("", |(domain, _)| domain);
        let is_below = |parent: &str| {
            domain.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        STEERING.into_iter().any(is_below) && !is_below(OF_INSTALLER)
    };
    let is_kept = |key: &&String| {
        *key == REVISION && header.revision.is_some() && header.revision.as_ref() == resource.labels.get(*key)
    };
    let is_said = |key: &&String| steering(resource).iter().any(|(said, _)| said == key);
    let label = resource.labels.keys().find(|key| steers(key) && !is_kept(key));
    let annotation = || resource.annotations.keys().find(|key| steers(key) && !is_said(key));
    let label = label.map(|key| ("label", key.as_str()));
    label.or_else(|| annotation().map(|key| ("annotation", key.as_str())))
}

/// The merge patch from what is rendered to what is wanted, if it only adds, or takes out what hfi writes out.
fn rest(rendered: &Value, wanted: &Value) -> Option<Map<String, Value>> {
    let (Value::Object(rendered), Value::Object(wanted)) = (rendered, wanted) else { return None };
    let mut patch = Map::new();
    for (key, value) in rendered {
        match wanted.get(key) {
            Some(same) if same == value => {}
            Some(more) => {
                patch.insert(key.clone(), Value::Object(rest(value, more)?));
            }
            None if WRITTEN_OUT.contains(&key.as_str()) => {
                patch.insert(key.clone(), Value::Null);
            }
            None => return None,
        }
    }
    let added = wanted.iter().filter(|(key, _)| !rendered.contains_key(*key));
    patch.extend(added.map(|(key, value)| (key.clone(), value.clone())));
    // What is not as it was after the patch cannot be said by one.
    let mut patched = Value::Object(rendered.clone());
    MergePatch(patch.clone()).apply(&mut patched);
    (patched == Value::Object(wanted.clone())).then_some(patch)
}

/// The number of values in it.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(size).sum::<usize>().max(1),
        Value::Object(fields) => fields.values().map(|field| size(field).max(1)).sum(),
        _ => 1,
    }
}
