//! The cluster that applications are rendered for.

use policies::language::ClusterDomain;

use crate::{
    limits::Limits,
    opinions,
    surroundings::{Surroundings, Waypoint, Waypoints},
    values::LabelPairs,
    written::{Application, Dataplane},
};

/// The cluster that an application is rendered for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub cluster_domain: ClusterDomain,
    /// The namespace whose resources hold for the whole mesh.
    pub root_namespace: String,
    /// The host of hfi's control plane, where proxies fetch policies.
    pub control_plane: Option<String>,
    /// That of an application whose document does not say.
    pub dataplane: Dataplane,
    /// That of the application's Service.
    pub waypoint: Waypoint,
    /// What every Sidecar calls, as `NAMESPACE/HOST`.
    pub always_called: Vec<String>,
    /// Those that applications are held to, if they are held to any.
    pub limits: Option<Limits>,
}

impl Default for Setting {
    fn default() -> Self {
        Self::of_domain(ClusterDomain::default())
    }
}

impl Setting {
    /// That of a cluster whose Services have this domain.
    pub fn of_domain(cluster_domain: ClusterDomain) -> Self {
        let (service, namespace) = opinions::sidecar::CONTROL_PLANE;
        let control_plane = cluster_domain.host(service, namespace);
        Self {
            cluster_domain,
            root_namespace: "istio-system".to_owned(),
            dataplane: Dataplane::Sidecar,
            waypoint: Waypoint::default(),
            always_called: vec![opinions::sidecar::ALWAYS.to_owned(), format!("{namespace}/{control_plane}")],
            control_plane: Some(control_plane),
            limits: None,
        }
    }

    /// The same for applications that are held to limits.
    pub fn within(mut self, limits: Limits) -> Self {
        self.always_called.extend(limits.sidecar_always.iter().cloned());
        Self { dataplane: limits.dataplane.unwrap_or(self.dataplane), limits: Some(limits), ..self }
    }

    /// What this is for one application: the labels of its Service decide, then those of its Namespace, then what was
    /// there. The application's own document comes before all of them.
    pub fn of(self, application: &Application, waypoints: &Waypoints<'_>) -> Self {
        let (namespace, service) = (application.namespace.as_str(), application.service.as_str());
        let mut labels = waypoints.labels(namespace, service).into_iter().flatten();
        let dataplane = application.dataplane.or_else(|| labels.find_map(labelled));
        Self {
            dataplane: dataplane.unwrap_or(self.dataplane),
            waypoint: waypoints.of(namespace, service),
            ..self
        }
    }

    /// Nothing around it but what it says itself.
    pub(crate) fn surroundings(&self) -> Surroundings {
        Surroundings {
            cluster_domain: self.cluster_domain.clone(),
            root_namespace: self.root_namespace.clone(),
            control_plane: self.control_plane.clone(),
            ..Surroundings::default()
        }
    }
}

/// The data plane that labels of a Namespace or a Service say.
fn labelled(labels: &LabelPairs) -> Option<Dataplane> {
    match labels.get("istio.io/dataplane-mode").map(String::as_str) {
        Some("ambient") => Some(Dataplane::Ambient),
        Some(_) => Some(Dataplane::Sidecar),
        None => {
            let is_injected = labels.get("istio-injection").is_some_and(|value| value == "enabled");
            (is_injected || labels.contains_key("istio.io/rev")).then_some(Dataplane::Sidecar)
        }
    }
}
