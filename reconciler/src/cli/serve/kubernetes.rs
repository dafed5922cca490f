//! The options about the cluster.

use std::path::PathBuf;

use clap::{ArgAction, Args, builder::FalseyValueParser};

use crate::kubernetes::{ProxyMode, Settings};

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
}

impl KubernetesArgs {
    /// True if there is a cluster.
    pub(super) fn is_on(&self) -> bool {
        self.kubernetes
    }

    /// `None` without the cluster. An error is a reason for the user.
    pub(super) fn resolve(
        self,
        tls: bool,
        ca_file: Option<PathBuf>,
    ) -> Result<Option<Settings>, &'static str> {
        let Self { kubernetes, proxies, istio_root_namespace: root_namespace } = self;
        match (kubernetes, proxies) {
            (true, _) => Ok(Some(Settings { proxies, root_namespace, tls, ca_file })),
            (false, ProxyMode::Off) => Ok(None),
            (false, _) => {
                Err("--proxies (HFI_PROXIES) needs the cluster: give --kubernetes (HFI_KUBERNETES)")
            }
        }
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
