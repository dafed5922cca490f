//! Services and pods: each belongs to an application, and objects of other files are kept off it.
//!
//! An application has the service and the pods that its document says, which are those of its name unless it says
//! others. While the document is refused, it also has all that its objects in force are for. An object touches a
//! service that it names or whose name it fits, and pods where one of the two selectors is within the other. Nothing
//! else is asked: neither the kind of the object nor what wrote it. Of two, the one with less [`Right`] is refused, and
//! both where it is the same, but never what is in force. A document that has nothing in force, and that its own errors or its
//! guardrails refuse, keeps nothing from others with the same right: other errors are found later. Documents of one file
//! have one author, and may share.

mod index;
mod right;
mod thing;

use std::collections::{BTreeMap, BTreeSet};

use policies::language::ClusterDomain;

use self::{
    index::Index,
    right::{Before, Holder, Right},
    thing::{Thing, things},
};
use super::{Catalog, RenderedApplication};
use crate::{finding::Finding, in_force::InForce, rendering::Rendered};

/// An application that has something, and its right to it.
#[derive(Debug)]
struct Owner<'a> {
    name: &'a str,
    line: u32,
    /// Its right, and true unless its document is refused so far and has nothing in force.
    right: (Right, bool),
}

/// The first owner in each file with the most right.
type Owners<'a> = BTreeMap<&'a str, Owner<'a>>;

/// An error for each entry of a valid application with an object for what belongs to another one.
pub(super) fn check(catalog: &Catalog, in_force: &InForce, domain: &ClusterDomain) -> Vec<(usize, Finding)> {
    let before = Before::new(in_force, domain);
    let holders: Vec<_> = catalog.applications.iter().map(|own| Holder::of(own, domain)).collect();
    let owned = owned(catalog, &holders, &before);
    let mut found = Vec::new();
    let takers = catalog.applications.iter().zip(&holders).enumerate();
    for (number, (application, taker)) in takers.filter(|(_, (taker, _))| taker.is_valid) {
        let Some(index) = owned.get(taker.namespace) else { continue };
        // Many objects may be for one thing.
        let mut known = BTreeMap::new();
        for rendered in application.resources.iter() {
            let clash = things(&rendered.resource, domain).into_iter().find_map(|thing| {
                *known.entry(thing).or_insert_with_key(|thing| another(thing, taker, index, &before))
            });
            found.extend(clash.map(|clash| (number, error(rendered, clash))));
        }
    }
    found
}

/// All that applications have, by namespace. Some are in force, and their documents are refused as a whole.
fn owned<'a>(
    catalog: &'a Catalog,
    holders: &[Holder<'a>],
    before: &Before<'a>,
) -> BTreeMap<&'a str, Index<'a, Owners<'a>>> {
    let ids: Vec<_> = catalog.applications.iter().map(RenderedApplication::id).collect();
    let known: BTreeSet<_> = ids.iter().collect();
    let refused = catalog.frozen.iter().filter(|(id, _)| !known.contains(id));
    let refused = refused.map(|(id, why)| Holder::of_refused(id, why));
    let left: Vec<_> = refused.filter(|holder| holder.has_in_force(before)).collect();
    let read = ids.iter().zip(holders).map(|(id, holder)| (catalog.frozen.contains_key(id), holder));
    let mut owned = BTreeMap::<_, BTreeMap<_, Owners<'a>>>::new();
    for (is_refused, holder) in read.chain(left.iter().map(|holder| (true, holder))) {
        for thing in holder.belongings(is_refused, before) {
            let right = (holder.right(&thing, before), !is_refused || holder.has_in_force(before));
            let of_file = owned.entry(holder.namespace).or_default().entry(thing).or_default();
            if of_file.get(holder.file).is_none_or(|known| known.right < right) {
                of_file.insert(holder.file, Owner { name: holder.name, line: holder.line, right });
            }
        }
    }
    owned.into_iter().map(|(namespace, things)| (namespace, Index::new(things))).collect()
}

/// Something of another application that a thing touches, with its file.
type Clash<'o, 'a> = (&'o Thing<'a>, &'a str, &'o Owner<'a>);

fn another<'o, 'a>(
    thing: &Thing<'_>,
    taker: &Holder<'a>,
    index: &'o Index<'a, Owners<'a>>,
    before: &Before<'a>,
) -> Option<Clash<'o, 'a>> {
    let right = taker.right(thing, before);
    if right == Right::InForce {
        return None;
    }
    // Pods that are named after the taker are not of an owner of `version: v1`.
    let is_its = |of: &Thing<'_>| right < Right::Name || taker.is_named_after_it(of);
    index.touched(thing).filter(|(of, _)| is_its(of)).find_map(|(of, owners)| {
        let mut owners = owners.iter().filter(|(file, _)| **file != taker.file);
        let (file, owner) =
            owners.find(|(_, owner)| owner.name != taker.name && owner.right >= (right, true))?;
        Some((of, *file, owner))
    })
}

fn error(rendered: &Rendered, (thing, file, owner): Clash<'_, '_>) -> Finding {
    let Owner { name, line, .. } = owner;
    // One that stays in force without a document has no place.
    let of = if file.is_empty() { ", which is in force".to_owned() } else { format!(" of {file}:{line}") };
    let reason = format!("is for {thing}, which belongs to the application `{name}`{of}");
    Finding::error("APP22", rendered.field.clone(), reason)
        .at(rendered.entry)
        .right("write the entry there, or both documents into one file")
}
