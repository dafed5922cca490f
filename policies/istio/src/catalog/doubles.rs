//! Objects by hand of one identity, of which only one can be in the cluster: one of them counts.
//!
//! That is one of the file whose namespaces the fewest Guardrails limit, and of several the first by its path. So what a
//! team writes below Guardrails of its own replaces nothing of those above.

use std::{collections::BTreeMap, sync::Arc};

use policies::reading::Place;

use super::{LocatedFinding, context::LeftOut};
use crate::{
    file::File, finding::Finding, limits::Limits, rendering::Setting, resource::Resource,
    surroundings::Object,
};

/// What a file says of an object.
#[derive(Clone, Copy, Debug)]
struct Said<'f> {
    file: &'f Arc<str>,
    place: Place,
    content: Content<'f>,
    /// The least one counts: the number of limits of the file, and true for what hfi has rendered.
    rank: (usize, bool),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Content<'f> {
    Resource(&'f Resource),
    Object(&'f Object),
}

/// The group of kinds, the kind, the namespace and the name.
type Identity<'f> = (bool, &'static str, &'f str, &'f str);

/// What is left out since it is not what another one of its identity is, and a warning for each. `outside` counts for nothing
/// anyway.
pub(super) fn doubles<'f>(
    files: impl Iterator<Item = (&'f Arc<str>, &'f File, &'f Setting)> + Clone,
    outside: &LeftOut,
) -> (LeftOut, Vec<LocatedFinding>) {
    let all = || {
        let said = files.clone().flat_map(|(path, file, setting)| said(path, file, setting));
        said.filter(|(_, said)| outside.is_empty() || !outside.contains(&(Arc::clone(said.file), said.place)))
    };
    let mut counting = BTreeMap::<_, Said<'_>>::new();
    for (identity, said) in all() {
        let known = counting.entry(identity).or_insert(said);
        if said.rank < known.rank {
            *known = said;
        }
    }
    let (mut left_out, mut warnings) = (LeftOut::new(), Vec::new());
    for (identity, said) in all() {
        let Some(counts) = counting.get(&identity) else { continue };
        if counts.content == said.content {
            continue;
        }
        left_out.insert((Arc::clone(said.file), said.place));
        warnings.push(LocatedFinding::new(said.file, warning(identity, counts).at(said.place)));
    }
    (left_out, warnings)
}

/// What a file says of objects that are known by more than their names.
fn said<'f>(
    file: &'f Arc<str>,
    File { raw, objects, .. }: &'f File,
    setting: &Setting,
) -> impl Iterator<Item = (Identity<'f>, Said<'f>)> + use<'f> {
    let limits = setting.limits.as_ref().map_or(0, Limits::limits_of_namespaces);
    let raw = raw.iter().map(move |raw| {
        let Resource { kind, namespace, name, .. } = &raw.resource;
        let rank = (limits, raw.resource.application().is_some());
        let said = Said { file, place: raw.place, content: Content::Resource(&raw.resource), rank };
        ((true, kind.name(), &**namespace, &**name), said)
    });
    let objects = objects.iter().filter_map(move |(place, object)| {
        let (kind, name) = object.identity()?;
        let said = Said { file, place: *place, content: Content::Object(object), rank: (limits, false) };
        Some(((false, kind, object.home(), name), said))
    });
    // Of one without a namespace nobody knows where it belongs, and without a name which one it is.
    raw.chain(objects).filter(|((_, _, namespace, name), _)| !namespace.is_empty() && !name.is_empty())
}

fn warning((_, kind, namespace, name): Identity<'_>, counts: &Said<'_>) -> Finding {
    let Said { file, place, .. } = counts;
    let of = if kind == "Namespace" { String::new() } else { format!(" of {namespace}") };
    let reason = format!(
        "the {kind} `{name}`{of} is also in {file}:{}, which is not the same: that one counts, and this one does not",
        place.line
    );
    Finding::warning("APP25", "metadata.name", reason).right("take one out, or write the same in both")
}
