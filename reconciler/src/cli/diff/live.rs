//! The resources of a cluster, beside those that are rendered.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use istio_config::{Kind, Resource, opinions::virtual_service::EXTERNAL_WEIGHTS, output};

use super::Texts;
use crate::{
    cli::{applications::Applications, console::warning},
    istio::objects::MANAGED_BY,
    kubernetes::inspecting::{fetch::InspectError, objects::Objects},
};

/// The domains of the keys by which programs that apply objects mark them.
const OF_PROGRAMS: [&str; 5] =
    ["fluxcd.io", "kubectl.kubernetes.io", "applyset.kubernetes.io", "helm.sh", "argoproj.io"];

/// The options that choose a cluster.
#[derive(Debug, Args)]
pub(super) struct Live {
    /// Compare with the cluster of the kubeconfig. Its user may list the kinds that hfi renders
    ///
    /// The namespaces of the AppConfigurations are compared. An object of hfi there that no AppConfiguration means any more
    /// is one to remove. What hfi has rendered in other namespaces is counted, with a warning. Nothing is changed.
    #[arg(long)]
    pub(super) live: bool,

    /// With --live, compare this namespace alone
    #[arg(short, long, value_name = "NAMESPACE", requires = "live")]
    namespace: Option<String>,

    /// With --live, compare all namespaces in which hfi has rendered something
    ///
    /// PATH has to be the whole policy directory: what hfi has rendered in a namespace without AppConfigurations is to be
    /// removed.
    #[arg(short = 'A', long, requires = "live", conflicts_with = "namespace")]
    all_namespaces: bool,

    /// The context of the kubeconfig, for --live [default: its current one]
    #[arg(long, value_name = "NAME", requires = "live")]
    context: Option<String>,
}

impl Live {
    /// The texts of the resources in the cluster, and of those that are rendered.
    pub(super) async fn texts(&self, applications: &Applications) -> Result<(Texts, Texts), InspectError> {
        let cluster = Objects::of_context(self.context.clone()).await?;
        let namespaces = match &self.namespace {
            Some(namespace) => BTreeSet::from([namespace.as_str()]),
            None => applications.namespaces(),
        };
        let rendered = applications.resources().into_iter();
        let rendered = rendered.filter(|resource| namespaces.contains(resource.namespace.as_str()));
        let mut rendered: BTreeMap<_, _> =
            rendered.map(|resource| (output::path(resource), resource.clone())).collect();
        let mut found = Vec::new();
        for namespace in &namespaces {
            found.extend(cluster.read(namespace, kinds()).await?);
        }
        let mut there: BTreeMap<_, _> =
            found.iter().filter_map(Resource::of_object).map(|found| (output::path(&found), found)).collect();
        if self.namespace.is_none() {
            there.extend(self.elsewhere(&cluster, &namespaces).await?);
        }
        // What others have made, and nobody means, is not hfi's.
        there.retain(|path, found| rendered.contains_key(path) || found.application().is_some());
        for found in there.values().filter(|found| found.application().is_none()) {
            let Resource { kind, namespace, name, .. } = found;
            let taken =
                format!("{} {namespace}/{name} is not from hfi, and would be taken over", kind.name());
            match applications.adopt(found) {
                true => warning(taken),
                false => warning(format_args!(
                    "{taken}; a server that may read its kind freezes the application until the entry says `adopt: true`"
                )),
            }
        }
        if let Some(namespace) = &self.namespace
            && rendered.is_empty()
            && there.is_empty()
        {
            warning(format_args!(
                "no AppConfiguration is for the namespace `{namespace}`, and hfi has rendered nothing there"
            ));
        }
        for (path, found) in &mut there {
            forget_programs(found, rendered.get(path));
        }
        // The kinds of Istio have no defaults.
        for kind in Kind::GATEWAY_API {
            let of_kind: Vec<_> = rendered.values_mut().filter(|resource| resource.kind == kind).collect();
            if !of_kind.is_empty() {
                let defaults = cluster.defaults(kind.api_version(), kind.name()).await?;
                of_kind.into_iter().for_each(|resource| defaults.fill(&mut resource.spec));
            }
        }
        for (path, wanted) in &mut rendered {
            if let Some(found) = there.get(path) {
                leave_weights(wanted, found);
            }
        }
        Ok((texts(&there), texts(&rendered)))
    }

    /// What hfi has rendered in other namespaces, by the names of their files. It is counted alone, unless all namespaces are
    /// to be compared: the documents of the others may be outside of the directory.
    async fn elsewhere(
        &self,
        cluster: &Objects,
        namespaces: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, Resource>, InspectError> {
        let found = match cluster.labelled(MANAGED_BY, kinds()).await {
            Err(InspectError::Unreadable { what, error }) if error.is(403) && !self.all_namespaces => {
                warning(format_args!(
                    "the user may not list {what} of all namespaces; those without AppConfigurations here are not looked at"
                ));
                return Ok(BTreeMap::new());
            }
            found => found?,
        };
        let found = found.iter().filter_map(Resource::of_object);
        let is_elsewhere = |found: &Resource| {
            found.application().is_some() && !namespaces.contains(found.namespace.as_str())
        };
        let found: BTreeMap<_, _> =
            found.filter(is_elsewhere).map(|found| (output::path(&found), found)).collect();
        if self.all_namespaces || found.is_empty() {
            return Ok(found);
        }
        let others: BTreeSet<_> = found.values().map(|found| found.namespace.as_str()).collect();
        warning(format_args!(
            "hfi has rendered {} objects in {} namespaces without AppConfigurations here; they were not compared. Give \
             --all-namespaces if this is the whole policy directory: then they are to be removed",
            found.len(),
            others.len()
        ));
        Ok(BTreeMap::new())
    }
}

fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    Kind::ALL.into_iter().chain(Kind::GATEWAY_API).map(|kind| (kind.api_version(), kind.name()))
}

fn texts(resources: &BTreeMap<String, Resource>) -> Texts {
    resources.iter().map(|(path, resource)| (path.clone(), resource.to_yaml())).collect()
}

/// Drops the labels and annotations of the program that applied an object.
fn forget_programs(found: &mut Resource, wanted: Option<&Resource>) {
    let is_of_program = |key: &str| {
        let domain = key.split_once('/').map_or("", |(domain, _)| domain);
        OF_PROGRAMS
            .iter()
            .any(|known| domain.strip_suffix(known).is_some_and(|sub| sub.is_empty() || sub.ends_with('.')))
    };
    let Resource { labels, annotations, .. } = found;
    labels
        .retain(|key, _| !is_of_program(key) || wanted.is_some_and(|wanted| wanted.labels.contains_key(key)));
    annotations.retain(|key, _| {
        !is_of_program(key) || wanted.is_some_and(|wanted| wanted.annotations.contains_key(key))
    });
}

/// Takes the routes of the cluster where something else there shifts their weights.
fn leave_weights(wanted: &mut Resource, found: &Resource) {
    let (key, value) = EXTERNAL_WEIGHTS;
    if wanted.annotations.get(key).is_some_and(|set| set == value)
        && let (Some(wanted), Some(http)) = (wanted.spec.as_object_mut(), found.spec.get("http"))
    {
        wanted.insert("http".to_owned(), http.clone());
    }
}
