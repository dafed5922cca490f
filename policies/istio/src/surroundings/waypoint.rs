//! The waypoints of Services, as labels name them.

use std::collections::BTreeMap;

use super::{Named, Surroundings};
use crate::values::LabelPairs;

/// The label by which a Service, or all Services of a Namespace, use a waypoint.
const USE: &str = "istio.io/use-waypoint";

/// The label with the namespace of that waypoint, if it is another one.
const USE_NAMESPACE: &str = "istio.io/use-waypoint-namespace";

/// The value of [`USE`] for a Service without a waypoint.
const NONE: &str = "none";

/// The label of a Service whose requests from gateways go through its waypoint too.
const INGRESS: &str = "istio.io/ingress-use-waypoint";

/// The waypoint of a Service, as far as labels say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waypoint {
    pub serves: ServesService,
    /// True if requests from gateways go through it too.
    pub takes_ingress: bool,
}

/// The waypoint that serves a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ServesService {
    /// No label says that there is one. There may be one all the same: a repository seldom holds everything.
    #[default]
    Unknown,
    /// A label says that there is none.
    None,
    /// The waypoint of this name. Its ServiceAccount has the same name.
    Named(Named),
}

/// The labels of all Services and Namespaces.
#[derive(Debug)]
pub struct Waypoints<'a> {
    services: BTreeMap<(&'a str, &'a str), &'a LabelPairs>,
    namespaces: BTreeMap<&'a str, &'a LabelPairs>,
}

impl<'a> Waypoints<'a> {
    pub fn new(surroundings: &'a Surroundings) -> Self {
        let services = surroundings.services.iter();
        let namespaces = surroundings.namespaces.iter();
        Self {
            services: services
                .map(|service| ((&*service.named.namespace, &*service.named.name), &service.labels))
                .collect(),
            namespaces: namespaces.map(|namespace| (&*namespace.name, &namespace.labels)).collect(),
        }
    }

    /// The labels of a Service and those of its Namespace, as far as they are known.
    pub(crate) fn labels(&self, namespace: &str, service: &str) -> [Option<&'a LabelPairs>; 2] {
        [self.services.get(&(namespace, service)).copied(), self.namespaces.get(namespace).copied()]
    }

    /// The waypoint of a Service.
    pub fn of(&self, namespace: &str, service: &str) -> Waypoint {
        let labels = self.labels(namespace, service);
        let [own, _] = labels;
        // What the Service says counts; what the Namespace says is for Services that say nothing.
        let used = labels.into_iter().flatten().find_map(|labels| Some((labels.get(USE)?, labels)));
        let serves = match used {
            None => ServesService::Unknown,
            Some((name, _)) if name == NONE => ServesService::None,
            Some((name, labels)) => {
                let namespace = labels.get(USE_NAMESPACE).map_or(namespace, String::as_str).to_owned();
                ServesService::Named(Named { namespace, name: name.clone() })
            }
        };
        let is_true = |value: &String| value == "true";
        Waypoint { serves, takes_ingress: own.and_then(|labels| labels.get(INGRESS)).is_some_and(is_true) }
    }
}
