//! `hfi import`: resources of Istio that exist, as the documents that render them.

mod files;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use istio_config::{
    Kind,
    importing::{Import as Outcome, Origin, import},
    written::Dataplane,
};
use policies::language::ClusterDomain;
use serde_json::Value;

use super::{
    console::{DONE, NOT_RIGHT, UNREACHABLE, error, note, print_exact, warning, wrong_use},
    values::cluster_domain,
};
use crate::kubernetes::inspecting::{fetch::InspectError, objects::Objects};

/// Write AppConfigurations for Istio resources that exist
///
/// Each object becomes an entry with `resourceName` and `adopt`: attributes where they render exactly what was read,
/// and `spec` for the rest. Objects are put together to applications by their label `app.kubernetes.io/name`, else
/// by that label or `app` of the pods that they select, else by the service of their namespace that they are about,
/// else each alone. What hfi cannot keep is told on stderr. Ends with 1 if an object is left out, or differs.
#[derive(Debug, Args)]
pub struct Import {
    /// Files of Istio resources, as YAML or JSON; `-` is stdin
    #[arg(short, long, value_name = "FILE", required_unless_present = "live", conflicts_with = "live", num_args = 1..)]
    files: Vec<PathBuf>,

    /// Read the resources of a namespace from the cluster of the kubeconfig. Its user may get and list them
    #[arg(long, requires = "namespace")]
    live: bool,

    /// The namespace to read; with -f, that of objects which name none
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,

    /// The context of the kubeconfig, for --live [default: its current one]
    #[arg(long, value_name = "NAME", requires = "live")]
    context: Option<String>,

    /// Write this data plane into the documents, and the attributes that fit it. Without it, only attributes that
    /// render the same for both are written
    #[arg(long, value_name = "sidecar|ambient", value_parser = dataplane)]
    dataplane: Option<Dataplane>,

    /// The domain of the mesh's services
    #[arg(long, value_name = "DOMAIN", default_value = "cluster.local", value_parser = cluster_domain)]
    cluster_domain: ClusterDomain,

    /// `yaml`, a stream; or `dir=DIR`: a file DIR/NAMESPACE/APPLICATION.yaml each. No file is overwritten
    #[arg(short, long, value_name = "yaml|dir=DIR", default_value = "yaml", value_parser = target)]
    output: Target,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Yaml,
    Directory(PathBuf),
}

fn target(text: &str) -> Result<Target, &'static str> {
    match text.split_once('=') {
        None if text == "yaml" => Ok(Target::Yaml),
        Some(("dir", directory)) if !directory.is_empty() => Ok(Target::Directory(directory.into())),
        _ => Err("must be yaml or dir=DIR"),
    }
}

fn dataplane(text: &str) -> Result<Dataplane, &'static str> {
    match text {
        "sidecar" => Ok(Dataplane::Sidecar),
        "ambient" => Ok(Dataplane::Ambient),
        _ => Err("must be sidecar or ambient"),
    }
}

impl Import {
    /// Reads, imports, and prints or writes the documents.
    pub async fn run(self) -> ExitCode {
        let objects = match self.objects().await {
            Ok(objects) => objects,
            Err(code) => return code,
        };
        let Self { namespace, dataplane, cluster_domain, output, .. } = self;
        let outcome = import(&objects, &Origin { namespace, cluster_domain, dataplane });
        let is_whole = tell(&outcome, &objects);
        match output {
            Target::Yaml => print_exact(&stream(&outcome)),
            Target::Directory(directory) => {
                if let Err(reason) = files::write(&directory, &outcome.applications) {
                    return wrong_use(reason);
                }
            }
        }
        ExitCode::from(if is_whole { DONE } else { NOT_RIGHT })
    }
}

impl Import {
    /// The objects to import; or the exit code after the reason is told.
    async fn objects(&self) -> Result<Vec<Value>, ExitCode> {
        if let Some(namespace) = self.namespace.as_deref().filter(|_| self.live) {
            return self.live(namespace).await.map_err(|unreachable| {
                error(unreachable);
                ExitCode::from(UNREACHABLE)
            });
        }
        files::read(&self.files).map_err(|unread| match unread {
            files::Unread::NoFile(reason) => wrong_use(reason),
            files::Unread::Invalid(reasons) => {
                reasons.iter().for_each(error);
                ExitCode::from(NOT_RIGHT)
            }
        })
    }

    async fn live(&self, namespace: &str) -> Result<Vec<Value>, InspectError> {
        let kinds = Kind::ALL.map(|kind| (kind.api_version(), kind.name()));
        Objects::of_context(self.context.clone()).await?.read(namespace, kinds).await
    }
}

/// Tells on stderr what the documents do not keep; true if they say all that was read.
fn tell(outcome: &Outcome, objects: &[Value]) -> bool {
    for told in &outcome.notes {
        if told.is_error { error(told) } else { warning(told) }
    }
    let others: Vec<_> = outcome.others.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    if !others.is_empty() {
        note(format_args!("left out, since no application has such a kind: {}", others.join(", ")));
    }
    if outcome.applications.is_empty() {
        error("nothing was imported: there is no resource of Istio that an application can have");
        return false;
    }
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let (applications, objects) = (outcome.applications.len(), objects.len());
    note(format_args!("{} of {}", count(applications, "AppConfiguration"), count(objects, "object")));
    outcome.notes.iter().all(|told| !told.is_error)
}

/// The documents as a stream.
fn stream(outcome: &Outcome) -> String {
    let texts: Vec<_> = outcome.applications.iter().map(|imported| imported.text.as_str()).collect();
    texts.join("---\n")
}
