//! The options about the cluster.

use std::path::PathBuf;

use clap::{ArgAction, Args, builder::FalseyValueParser};

use policies::language::ClusterDomain;

use crate::{
    cli::values::cluster_domain,
    client::ServerUrl,
    kubernetes::{ProxyMode, Settings, artifacts},
};

#[derive(Debug, Args)]
pub(super) struct KubernetesArgs {
    /// Use the cluster that this runs in: read its namespaces, and show in it which policies are served.
    #[arg(long, env = "HFI_KUBERNETES", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    kubernetes: bool,

    /// Look for proxies that should run the filter and do not: `off`, `watch` (tell of them), or `heal` (also have
    /// Istio send their plugins again).
    #[arg(long, env = "HFI_PROXIES", value_name = "MODE", default_value = "off", value_parser = mode)]
    proxies: ProxyMode,

    /// The namespace whose plugins hold for the whole mesh, for --proxies.
    #[arg(long, env = "HFI_ISTIO_ROOT_NAMESPACE", value_name = "NAME", default_value = "istio-system")]
    istio_root_namespace: String,

    #[command(flatten)]
    artifacts: ArtifactArgs,
}

/// The options about the Istio configuration of applications.
#[derive(Debug, Args)]
struct ArtifactArgs {
    /// Render the AppConfigurations of the repository, and hand them to Flux as an ExternalArtifact for each namespace.
    #[arg(long, env = "HFI_ISTIO_ARTIFACTS", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    istio_artifacts: bool,

    /// The namespace of these artifacts and of their archives.
    #[arg(long, env = "HFI_ISTIO_ARTIFACTS_NAMESPACE", value_name = "NAME", default_value = "hfi-istio")]
    istio_artifacts_namespace: String,

    /// Put each artifact into the namespace that it is for. Its archive stays where it is.
    #[arg(long, env = "HFI_ISTIO_ARTIFACTS_IN_TENANTS", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    istio_artifacts_in_tenants: bool,

    /// The URL under which Flux reaches this server [default: that of the Service hfi-control-plane]
    #[arg(long, env = "HFI_ISTIO_ARTIFACTS_URL", value_name = "URL")]
    istio_artifacts_url: Option<String>,

    /// The address of Flux's notification-controller for events, which are told of what is frozen.
    #[arg(long, env = "HFI_FLUX_EVENTS_URL", value_name = "URL")]
    flux_events_url: Option<String>,

    /// The domain of the cluster's Services, for --istio-artifacts.
    #[arg(long, env = "HFI_CLUSTER_DOMAIN", value_name = "DOMAIN", default_value = "cluster.local", value_parser = cluster_domain)]
    cluster_domain: ClusterDomain,
}

impl ArtifactArgs {
    fn resolve(self) -> Result<Option<artifacts::Settings>, String> {
        let Self {
            istio_artifacts,
            istio_artifacts_namespace: namespace,
            istio_artifacts_in_tenants: in_tenants,
            istio_artifacts_url: own,
            flux_events_url: events,
            cluster_domain,
        } = self;
        // A variable that is set to nothing is not set.
        let set = |text: &String| !text.is_empty();
        let url = |option: &str, text: Option<String>| {
            let url = text.filter(set).map(|text| text.parse::<ServerUrl>()).transpose();
            url.map_err(|error| format!("{option} {error}"))
        };
        let settings = artifacts::Settings {
            namespace,
            in_tenants,
            url: url("--istio-artifacts-url (HFI_ISTIO_ARTIFACTS_URL)", own)?,
            events: url("--flux-events-url (HFI_FLUX_EVENTS_URL)", events)?,
            cluster_domain,
        };
        Ok(istio_artifacts.then_some(settings))
    }
}

impl KubernetesArgs {
    /// True if there is a cluster.
    pub(super) fn is_on(&self) -> bool {
        self.kubernetes
    }

    /// `None` without the cluster. An error is a reason for the user.
    pub(super) fn resolve(self, tls: bool, ca_file: Option<PathBuf>) -> Result<Option<Settings>, String> {
        let Self { kubernetes, proxies, istio_root_namespace: root_namespace, artifacts } = self;
        let artifacts = artifacts.resolve()?;
        let needed_by = match (&artifacts, proxies) {
            _ if kubernetes => {
                return Ok(Some(Settings { proxies, root_namespace, tls, ca_file, artifacts }));
            }
            (None, ProxyMode::Off) => return Ok(None),
            (Some(_), _) => "--istio-artifacts (HFI_ISTIO_ARTIFACTS)",
            (None, _) => "--proxies (HFI_PROXIES)",
        };
        Err(format!("{needed_by} needs the cluster: give --kubernetes (HFI_KUBERNETES)"))
    }
}

fn mode(text: &str) -> Result<ProxyMode, &'static str> {
    match text {
        "off" => Ok(ProxyMode::Off),
        "watch" => Ok(ProxyMode::Watch),
        "heal" => Ok(ProxyMode::Heal),
        _ => Err("must be one of: off, watch, heal"),
    }
}
