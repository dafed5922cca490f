//! The routes of a proxy, as Istio makes them of Services, VirtualServices and ServiceEntries.

use super::Sidecar;

/// The route of requests with one authority.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// Without port.
    pub(crate) authority: String,
    /// Clusters, which all lead to the workload, and their weights.
    pub(crate) clusters: Vec<(String, u32)>,
    /// The authority that the workload gets instead.
    pub(crate) rewritten: Option<String>,
}

impl Sidecar {
    /// With a route for requests with this authority, whatever their port, to a cluster of this name, such as
    /// `outbound|80||orders.shop.svc.cluster.local`. All clusters lead to the workload.
    pub fn routing(self, authority: &str, cluster: &str) -> Self {
        self.splitting(authority, &[(cluster, 1)])
    }

    /// The same to several clusters, by weight.
    pub fn splitting(mut self, authority: &str, clusters: &[(&str, u32)]) -> Self {
        let clusters = clusters.iter().map(|(cluster, weight)| ((*cluster).to_owned(), *weight)).collect();
        self.options.routes.push(Route { authority: authority.to_owned(), clusters, rewritten: None });
        self
    }

    /// With another authority for the workload, on the route that came last.
    pub fn rewriting(mut self, authority: &str) -> Self {
        if let Some(route) = self.options.routes.last_mut() {
            route.rewritten = Some(authority.to_owned());
        }
        self
    }
}
