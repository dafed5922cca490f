//! The Istio configuration of applications in files, as one repository.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use clap::Args;
use istio_config::{Catalog, File, InForce, Level, LocatedFinding, RenderedApplication, Resource, Setting};
use policies::{
    language::ClusterDomain,
    reading::{Finding, Problem, closest},
};

use super::{policy_files::PolicyFiles, values::cluster_domain};
use crate::istio::guarded::{Guarded, directory};

/// The applications of files, rendered.
#[derive(Debug)]
pub(super) struct Applications {
    files: Vec<(Arc<str>, File)>,
    setting: Setting,
    catalog: Catalog,
}

/// The options of the commands that render.
#[derive(Clone, Debug, Args)]
pub(super) struct Rendering {
    /// The domain of the mesh's services
    #[arg(long, value_name = "DOMAIN", default_value = "cluster.local", value_parser = cluster_domain)]
    pub(super) cluster_domain: ClusterDomain,
}

/// The options that select applications.
#[derive(Clone, Debug, Args)]
pub(super) struct Selection {
    /// Only applications of this namespace
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,

    /// Only this application
    #[arg(long, value_name = "[NAMESPACE/]NAME")]
    app: Option<String>,
}

impl Applications {
    pub(super) fn of(files: &PolicyFiles, rendering: &Rendering) -> Self {
        let read = |content: Result<&[u8], &Finding>| match content {
            Ok(text) => File::read(text),
            Err(finding) => File::unreadable(finding.message.clone()),
        };
        let guarded = Guarded::of(files.parsed_files().map(|(path, file)| (directory(path), file)));
        let files: Vec<_> =
            files.contents().map(|(path, content)| (Arc::clone(path), read(content))).collect();
        let setting = Setting::of_domain(rendering.cluster_domain.clone());
        let catalog = Catalog::new(&listed(&files), &InForce::default(), &setting, |path, setting| {
            setting.within(guarded.limits(path))
        });
        Self { files, setting, catalog }
    }

    /// The applications, also those that are not valid.
    pub(super) fn all(&self) -> &[RenderedApplication] {
        self.catalog.applications()
    }

    /// True if the files hold no document of an application, valid or not.
    pub(super) fn is_empty(&self) -> bool {
        self.names().next().is_none()
    }

    /// The number of valid ones.
    pub(super) fn valid(&self) -> usize {
        self.all().iter().filter(|application| application.is_valid).count()
    }

    /// Everything of this level that is wrong with them.
    pub(super) fn problems(&self, level: Level) -> Vec<Problem> {
        problems(self.catalog.findings(), level)
    }

    /// The same of the resources of Istio that the files hold as they are.
    pub(super) fn problems_by_hand(&self, level: Level) -> Vec<Problem> {
        problems(&self.catalog.check_by_hand(&listed(&self.files), &self.setting), level)
    }

    /// The resources of the valid ones among those that are selected, sorted by namespace, kind and name; or the
    /// reason why no application is.
    pub(super) fn selected(&self, selection: &Selection) -> Result<Vec<&Resource>, String> {
        let names: Vec<_> = self.names().collect();
        if !selection.is_all() && !names.iter().any(|(namespace, name)| selection.has(namespace, name)) {
            return Err(selection.missing(&names));
        }
        let is_selected = |application: &&RenderedApplication| {
            let application = &application.application;
            selection.has(application.namespace.as_str(), application.name.as_str())
        };
        let rendered =
            self.all().iter().filter(is_selected).flat_map(|application| application.resources.iter());
        let mut resources: Vec<_> = rendered.map(|rendered| &rendered.resource).collect();
        resources.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(resources)
    }

    /// The resources of all valid ones, sorted.
    pub(super) fn resources(&self) -> Vec<&Resource> {
        self.catalog.resources()
    }

    /// True if the entry of a resource wants to take it over.
    pub(super) fn adopt(&self, resource: &Resource) -> bool {
        !self.catalog.new_objects().contains(&resource.id())
    }

    /// True if something is wrong with one that is selected.
    pub(super) fn are_refused(&self, selection: &Selection) -> bool {
        self.catalog.frozen().keys().any(|(namespace, name)| selection.has(namespace, name))
    }

    /// The namespaces that files speak of.
    pub(super) fn namespaces(&self) -> BTreeSet<&str> {
        self.names().map(|(namespace, _)| namespace).collect()
    }

    /// The namespaces and names of all that files speak of, also of those that are removed or not valid.
    fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        let there = self.all().iter().map(|application| {
            let application = &application.application;
            (application.namespace.as_str(), application.name.as_str())
        });
        let others = self.catalog.removals().iter().chain(self.catalog.frozen().keys());
        there.chain(others.map(|(namespace, name)| (namespace.as_str(), name.as_str())))
    }
}

impl Selection {
    pub(super) fn of(namespace: Option<String>, app: String) -> Self {
        Self { namespace, app: Some(app) }
    }

    fn is_all(&self) -> bool {
        self.namespace.is_none() && self.app.is_none()
    }

    /// True for an application that is selected.
    pub(super) fn has(&self, namespace: &str, name: &str) -> bool {
        let (of_app, app) = self.parts();
        let namespaces = self.namespace.as_deref().into_iter().chain(of_app);
        namespaces.into_iter().all(|wanted| wanted == namespace) && app.is_none_or(|app| app == name)
    }

    /// The namespace and the name that `--app` has.
    fn parts(&self) -> (Option<&str>, Option<&str>) {
        match self.app.as_deref().map(|app| app.split_once('/').ok_or(app)) {
            Some(Ok((namespace, name))) => (Some(namespace), Some(name)),
            Some(Err(name)) => (None, Some(name)),
            None => (None, None),
        }
    }

    /// Tells that no application is selected, with the one that was most likely meant.
    fn missing(&self, known: &[(&str, &str)]) -> String {
        let (of_app, app) = self.parts();
        let namespace = self.namespace.as_deref().or(of_app);
        let named = |own: &str, name: &str| match (namespace, app) {
            (Some(_), Some(_)) => format!("{own}/{name}"),
            (None, _) => name.to_owned(),
            (Some(_), None) => format!("{own}/*"),
        };
        let wanted = named(namespace.unwrap_or_default(), app.unwrap_or_default());
        let known: Vec<_> = known.iter().map(|(namespace, name)| named(namespace, name)).collect();
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let hint = closest(&wanted, &known).map(|meant| format!("; did you mean `{meant}`?"));
        format!("there is no application `{wanted}`{}", hint.unwrap_or_default())
    }
}

fn listed(files: &[(Arc<str>, File)]) -> Vec<(Arc<str>, &File)> {
    files.iter().map(|(path, file)| (Arc::clone(path), file)).collect()
}

fn problems(findings: &[LocatedFinding], level: Level) -> Vec<Problem> {
    let of_level = findings.iter().filter(|located| located.finding.level == level);
    of_level.map(problem).collect()
}

/// A finding with its remedy and the id of its rule, as other problems of files are told.
pub(super) fn problem(LocatedFinding { file, finding }: &LocatedFinding) -> Problem {
    let istio_config::Finding { rule, at, field, reason, would_be_right, .. } = finding;
    let right = if would_be_right.is_empty() { String::new() } else { format!("; {would_be_right}") };
    let message = format!("{reason}{right} [{rule}]");
    Problem { file: Arc::clone(file), finding: Finding { place: *at, field: field.clone(), message } }
}

/// The problems of both readers of the same files. What neither can read is told once.
pub(super) fn merged(mut problems: Vec<Problem>, more: Vec<Problem>) -> Vec<Problem> {
    let known: HashSet<_> =
        problems.iter().map(|problem| (Arc::clone(&problem.file), problem.finding.place)).collect();
    let is_new = |problem: &Problem| !known.contains(&(Arc::clone(&problem.file), problem.finding.place));
    problems.extend(more.into_iter().filter(is_new));
    problems.sort();
    problems
}
