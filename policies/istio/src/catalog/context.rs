//! What files hold beside documents of applications: resources by hand, and objects that applications refer to.
//!
//! What is of a namespace that is not for its file is left out: nobody says by it what the Services, Namespaces and
//! Gateways of others are.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use policies::reading::Place;

use super::{LocatedFinding, limiting};
use crate::{
    file::File,
    rendering::Setting,
    resource::{Raw, Resource},
    surroundings::{Object, Surroundings},
};

/// The files and places of what is left out.
pub(super) type LeftOut = BTreeSet<(Arc<str>, Place)>;

/// What of files counts for nothing, and what counts for less.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    pub(super) left_out: LeftOut,
    /// The files whose namespaces Guardrails limit: those of teams.
    pub(super) of_teams: BTreeSet<Arc<str>>,
}

/// What files hold, in their order. Of a resource without a namespace nobody knows where it belongs.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) raw: Vec<(&'a Arc<str>, &'a Raw)>,
    pub(super) objects: Vec<(&'a Arc<str>, &'a (Place, Object))>,
    of_teams: &'a BTreeSet<Arc<str>>,
}

impl<'a> Context<'a> {
    /// What files hold, but for what is left out.
    pub(super) fn new(files: &'a [(Arc<str>, &'a File)], standing: &'a Standing) -> Self {
        let Standing { left_out, of_teams } = standing;
        let counts = |path: &Arc<str>, place| !left_out.contains(&(Arc::clone(path), place));
        let raw = files.iter().flat_map(|(path, file)| file.raw.iter().map(move |raw| (path, raw)));
        let raw = raw.filter(|(path, raw)| is_placed(raw) && counts(path, raw.place));
        let objects = files.iter().flat_map(|(path, file)| file.objects.iter().map(move |own| (path, own)));
        let objects = objects.filter(|(path, (place, _))| counts(path, *place));
        Self { raw: raw.collect(), objects: objects.collect(), of_teams }
    }

    /// The resources that hfi has not rendered. What it has is in the catalog anyway.
    pub(super) fn by_hand(&self) -> impl Iterator<Item = (&'a Arc<str>, &'a Raw)> {
        self.raw.iter().copied().filter(|(_, raw)| raw.resource.application().is_none())
    }

    pub(super) fn resources_by_hand(&self) -> Vec<&'a Resource> {
        self.by_hand().map(|(_, raw)| &raw.resource).collect()
    }

    /// What surrounds the resources of these files.
    pub(super) fn surroundings(&self, setting: &Setting) -> Surroundings {
        let mut surroundings = setting.surroundings();
        for (path, (_, object)) in &self.objects {
            surroundings.add(object, self.of_teams.contains(*path));
        }
        surroundings
    }
}

fn is_placed(raw: &Raw) -> bool {
    !raw.resource.namespace.is_empty()
}

/// What is not for its file by the file's setting, and a warning for each namespace of a file.
pub(super) fn outside<'f>(
    files: impl Iterator<Item = (&'f Arc<str>, &'f File, &'f Setting)>,
) -> (LeftOut, Vec<LocatedFinding>) {
    let (mut left_out, mut warnings) = (LeftOut::new(), Vec::new());
    for (path, file, setting) in files {
        let raw = file.raw.iter().filter(|raw| is_placed(raw));
        let raw = raw.map(|raw| (&*raw.resource.namespace, raw.place));
        let objects = file.objects.iter().map(|(place, object)| (object.home(), *place));
        let mut places = BTreeMap::<_, BTreeSet<_>>::new();
        for (namespace, place) in raw.chain(objects) {
            places.entry(namespace).or_default().insert(place);
        }
        for (namespace, places) in places {
            let finding = limiting::by_hand(namespace, places.len(), setting.limits.as_ref());
            let (Some(finding), Some(first)) = (finding, places.first()) else { continue };
            warnings.push(LocatedFinding::new(path, finding.at(*first)));
            left_out.extend(places.into_iter().map(|place| (Arc::clone(path), place)));
        }
    }
    (left_out, warnings)
}
