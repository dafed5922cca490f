//! Compiled programs: one for a workload, or one for each service of a waypoint.

use std::collections::HashMap;

use policies::{
    Dice, Facts, Program, Scope, Snapshot, Timestamp,
    evaluation::{Outcome, SharedRules},
    language::ClusterDomain,
    wire::Schedule,
};

use crate::identity::{Identity, ProxyKind};

/// Compiled snapshot.
#[derive(Debug, Default)]
pub struct Programs {
    /// Program of the workload; empty on a waypoint.
    program: Program,
    services: Option<Services>,
    schedule: Schedule,
}

/// Programs by filter chain. All have their rules from those that were compiled with the snapshot: the first request
/// through a chain only finds out which of them are for its service.
#[derive(Debug)]
struct Services {
    rules: SharedRules,
    /// Scope of the whole snapshot.
    scope: Scope,
    domain: ClusterDomain,
    programs: HashMap<Vec<u8>, Program>,
}

impl Programs {
    /// Compiles a snapshot for this proxy in the mesh of this domain.
    pub fn compile(snapshot: &Snapshot, identity: &Identity, domain: &ClusterDomain) -> Self {
        let Identity { scope, kind, node: _, plugin: _, warning: _ } = identity;
        let (program, services) = match kind {
            ProxyKind::Sidecar | ProxyKind::WaypointOfOne => (Program::compile(snapshot, scope), None),
            ProxyKind::Gateway => (Program::compile_for_gateway(snapshot, scope), None),
            ProxyKind::Waypoint => {
                let (rules, scope, domain) = (SharedRules::compile(snapshot), scope.clone(), domain.clone());
                let services = Services { rules, scope, domain, programs: HashMap::new() };
                (Program::default(), Some(services))
            }
        };
        Self { program: program.in_domain(domain), services, schedule: snapshot.schedule(scope) }
    }

    /// True if no request can get a fault.
    pub fn is_empty(&self) -> bool {
        self.program.is_empty() && self.services.as_ref().is_none_or(|services| services.rules.is_empty())
    }

    /// Number of policies in force.
    pub fn active_policies(&self, now: Timestamp) -> usize {
        self.schedule.in_force(now)
    }

    /// Decides about a request that came through this filter chain.
    pub fn decide(
        &mut self,
        facts: &impl Facts,
        filter_chain: impl FnOnce() -> Option<Vec<u8>>,
        dice: &mut impl Dice,
    ) -> Option<Outcome> {
        match &mut self.services {
            None => self.program.outcome(facts, dice),
            Some(services) => services.program(filter_chain().unwrap_or_default()).outcome(facts, dice),
        }
    }
}

impl Services {
    fn program(&mut self, filter_chain: Vec<u8>) -> &Program {
        let Self { rules, scope, domain, programs } = self;
        programs.entry(filter_chain).or_insert_with_key(|filter_chain| {
            let workload = host_of(filter_chain).map(|host| workload(host, scope, domain));
            rules.program(&workload.unwrap_or(Scope::unknown())).in_domain(domain)
        })
    }
}

/// Workload that a waypoint of this scope serves under this host: a service of the mesh, or a host outside it.
fn workload(host: &str, waypoint: &Scope, domain: &ClusterDomain) -> Scope {
    match domain.service(host) {
        Some((service, namespace)) if waypoint.has_namespace(namespace) => {
            Scope::new([namespace], [service]).unwrap_or(Scope::unknown())
        }
        Some(_) => Scope::unknown(),
        None => waypoint.clone().of_host(host.to_ascii_lowercase()),
    }
}

/// Host of a waypoint's filter chain, which Istio names `inbound-vip|PORT|http|HOST`; `None` for any other name.
fn host_of(filter_chain: &[u8]) -> Option<&str> {
    let mut parts = str::from_utf8(filter_chain).ok()?.strip_prefix("inbound-vip|")?.splitn(3, '|');
    let (_port, _protocol, host) = (parts.next()?, parts.next()?, parts.next()?);
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use policies::{Scope, language::ClusterDomain};

    use super::{host_of, workload};

    /// Workload of a filter chain at a waypoint of `demo`.
    fn of(filter_chain: &str) -> Option<String> {
        let waypoint = Scope::new(["demo"], ["*"]).unwrap();
        let host = host_of(filter_chain.as_bytes())?;
        Some(workload(host, &waypoint, &ClusterDomain::default()).to_string())
    }

    #[test]
    fn a_filter_chain_of_a_waypoint_names_its_service_or_the_host_of_a_service_entry() {
        for (host, shown) in [
            ("checkout.demo.svc.cluster.local", "namespace=demo&service=checkout"),
            ("checkout.shop.svc.cluster.local", ""),
            ("api.partner.example", "namespace=demo&service=api.partner.example"),
            ("checkout.demo.svc.evil.example", "namespace=demo&service=checkout.demo.svc.evil.example"),
        ] {
            assert_eq!(of(&format!("inbound-vip|8080|http|{host}")).as_deref(), Some(shown), "{host}");
        }
    }

    #[test]
    fn nothing_is_guessed_from_another_name() {
        for other in [
            "",
            "0.0.0.0_8080",
            "inbound-vip|8080",
            "inbound-vip|8080|http",
            "inbound-vip|8080|http|",
            "direct-http",
            "checkout.demo.svc.cluster.local",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(host_of(b"inbound-vip|80|http|\xff.demo.svc"), None);
    }
}
