//! Resources among each other: those of valid applications, beside what stays in force and what others wrote.

use std::{collections::BTreeSet, sync::Arc};

use super::{Catalog, RenderedApplication};
use crate::{
    file::File, finding::Level, in_force::InForce, resource::Resource, rules, surroundings::Surroundings,
};

/// The resources that are written by hand, as far as it is known where they are. What hfi has rendered is in the
/// catalog anyway.
pub(super) fn context<'a>(files: &[(Arc<str>, &'a File)]) -> Vec<&'a Resource> {
    let raw = files.iter().flat_map(|(_, file)| file.raw()).map(|raw| &raw.resource);
    raw.filter(|resource| !resource.namespace.is_empty() && resource.application().is_none()).collect()
}

impl Catalog {
    /// Checks all resources among each other until nothing new is refused: each application that is refused takes
    /// back what others may have referred to.
    pub(super) fn judge(&mut self, context: &[&Resource], in_force: &InForce, surroundings: &Surroundings) {
        loop {
            self.keep(in_force);
            let (told, is_last) = self.check(context, surroundings);
            for (number, finding) in told {
                self.tell(number, finding);
            }
            if is_last {
                return;
            }
        }
    }

    /// Keeps what the frozen applications have in force.
    fn keep(&mut self, in_force: &InForce) {
        let frozen = self.frozen.keys();
        self.kept = frozen.map(|id| (id.clone(), in_force.of(&id.0, &id.1).to_vec())).collect();
    }

    /// The findings of one pass, by the number of the application, and whether it was the last: of another one only
    /// the errors count.
    fn check(
        &self,
        context: &[&Resource],
        surroundings: &Surroundings,
    ) -> (Vec<(usize, crate::finding::Finding)>, bool) {
        let valid = self.applications.iter().enumerate().filter(|(_, application)| application.is_valid);
        let mine = valid.flat_map(|(number, RenderedApplication { resources, .. })| {
            resources.iter().map(move |rendered| (Some((number, rendered)), &rendered.resource))
        });
        let mine: Vec<_> = mine.collect();
        let names: BTreeSet<_> = mine.iter().map(|(_, resource)| resource.order()).collect();
        let others = context.iter().copied().filter(|resource| !names.contains(&resource.order()));
        let others = others.chain(self.kept.resources()).map(|resource| (None, resource));
        let mut all: Vec<_> = mine.iter().copied().chain(others).collect();
        all.sort_by(|(_, a), (_, b)| a.order().cmp(&b.order()));
        let resources: Vec<_> = all.iter().map(|(_, resource)| *resource).collect();
        let found = rules::check_all(&resources, surroundings).into_iter();
        let mut told: Vec<_> = found
            .filter_map(|(at, finding)| {
                let (number, rendered) = all.get(at)?.0?;
                Some((number, rendered.located(finding)))
            })
            .collect();
        let is_last = told.iter().all(|(_, finding)| finding.level != Level::Error);
        told.retain(|(_, finding)| is_last || finding.level == Level::Error);
        (told, is_last)
    }
}
