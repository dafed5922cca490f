//! What documents rendered to, kept as long as nothing changes for them.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use policies::reading::Place;

use super::limiting;
use crate::{
    finding::Finding,
    rendering::{Rendered, Setting, render},
    written::Application,
};

/// The most settings among which an equal one is looked for.
const RECENT: usize = 8;

/// What the documents of the last catalog rendered to. The next catalog renders only documents that were read again, or
/// that are for another setting.
///
/// A document is the same if it is the same value in memory, so a [`File`](crate::File) that has not changed must be kept,
/// and not be read again. It is kept here too, until a catalog is made without it.
#[derive(Debug, Default)]
pub struct RenderCache {
    known: HashMap<Key, Rendering>,
}

/// A document: its file, and its place there.
type Key = (Arc<str>, Place);

/// A document, and what it renders to for a setting.
#[derive(Clone, Debug)]
pub(super) struct Rendering {
    pub(super) application: Arc<Application>,
    pub(super) setting: Arc<Setting>,
    pub(super) resources: Arc<[Rendered]>,
    pub(super) found: Arc<[Finding]>,
}

/// Renders the documents of one catalog. It ends with what only the catalog before had.
#[derive(Debug)]
pub(super) struct Renderer<'c> {
    cache: &'c mut RenderCache,
    before: HashMap<Key, Rendering>,
    /// Most applications are for one of few settings, which they share.
    recent: VecDeque<Arc<Setting>>,
}

impl RenderCache {
    /// Begins a catalog.
    pub(super) fn renderer(&mut self) -> Renderer<'_> {
        let before = std::mem::take(&mut self.known);
        Renderer { cache: self, before, recent: VecDeque::new() }
    }
}

impl Renderer<'_> {
    /// What an application of a file renders to.
    pub(super) fn render(
        &mut self,
        file: &Arc<str>,
        application: &Arc<Application>,
        setting: Setting,
    ) -> Rendering {
        let setting = self.shared(setting);
        let key = (Arc::clone(file), application.place);
        let is_same =
            |known: &Rendering| Arc::ptr_eq(&known.application, application) && known.setting == setting;
        let rendering = match self.before.remove(&key).filter(is_same) {
            // The setting of this catalog, so that the one before is freed.
            Some(known) => Rendering { setting, ..known },
            None => Rendering::new(Arc::clone(application), setting),
        };
        self.cache.known.insert(key, rendering.clone());
        rendering
    }

    fn shared(&mut self, setting: Setting) -> Arc<Setting> {
        if let Some(known) = self.recent.iter().find(|known| ***known == setting) {
            return Arc::clone(known);
        }
        let setting = Arc::new(setting);
        self.recent.push_front(Arc::clone(&setting));
        self.recent.truncate(RECENT);
        setting
    }
}

impl Rendering {
    fn new(application: Arc<Application>, setting: Arc<Setting>) -> Self {
        let (resources, mut found) = render(&application, &setting);
        if let Some(limits) = &setting.limits {
            found.extend(limiting::check(&application, &resources, limits, &setting.cluster_domain));
        }
        Self { application, setting, resources: resources.into(), found: found.into() }
    }
}
