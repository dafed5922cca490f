//! Compiled programs: one for a workload, or one for each service of a waypoint.

use std::collections::HashMap;

use policies::{Decision, Dice, Facts, Program, Scope, Snapshot, Timestamp, wire::Schedule};

use crate::identity::{Identity, ProxyKind};

/// Compiled snapshot.
#[derive(Debug, Default)]
pub struct Programs {
    /// Program of the workload; empty on a waypoint.
    program: Program,
    services: Option<Services>,
    schedule: Schedule,
}

/// Programs by filter chain. Each is compiled at the first request through its chain.
#[derive(Debug)]
struct Services {
    snapshot: Snapshot,
    /// Scope of the whole snapshot.
    scope: Scope,
    programs: HashMap<Vec<u8>, Program>,
}

impl Programs {
    /// Compiles a snapshot for this proxy.
    pub fn compile(snapshot: &Snapshot, identity: &Identity) -> Self {
        let program = Program::compile(snapshot, &identity.scope);
        let schedule = snapshot.schedule(&identity.scope);
        match identity.kind {
            ProxyKind::Sidecar | ProxyKind::Gateway => Self { program, services: None, schedule },
            ProxyKind::Waypoint => {
                let (snapshot, scope) = (snapshot.clone(), identity.scope.clone());
                let services = Some(Services { snapshot, scope, programs: HashMap::new() });
                Self { program: Program::default(), services, schedule }
            }
        }
    }

    /// True if no request can get a fault.
    pub fn is_empty(&self) -> bool {
        self.program.is_empty()
            && self.services.as_ref().is_none_or(|services| services.snapshot.policies.is_empty())
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
    ) -> Option<Decision> {
        match &mut self.services {
            None => self.program.decide(facts, dice),
            Some(services) => services.program(filter_chain().unwrap_or_default()).decide(facts, dice),
        }
    }
}

impl Services {
    fn program(&mut self, filter_chain: Vec<u8>) -> &Program {
        let Self { snapshot, scope, programs } = self;
        programs.entry(filter_chain).or_insert_with_key(|filter_chain| {
            let named = service_of(filter_chain).filter(|(_, namespace)| scope.has_namespace(namespace));
            let workload = named.and_then(|(service, namespace)| Scope::new([namespace], [service]).ok());
            Program::compile(snapshot, &workload.unwrap_or(Scope::unknown()))
        })
    }
}

/// Service and namespace of a waypoint's filter chain, which Istio names
/// `inbound-vip|PORT|http|SERVICE.NAMESPACE.svc.DOMAIN`; `None` for any other name.
fn service_of(filter_chain: &[u8]) -> Option<(&str, &str)> {
    let name = std::str::from_utf8(filter_chain).ok()?.strip_prefix("inbound-vip|")?;
    let (_, host) = name.rsplit_once('|')?;
    let mut labels = host.split('.');
    match (labels.next()?, labels.next()?, labels.next()?) {
        (service, namespace, "svc") => Some((service, namespace)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::service_of;

    #[test]
    fn a_filter_chain_of_a_waypoint_names_its_service() {
        let checkout = Some(("checkout", "demo"));
        assert_eq!(service_of(b"inbound-vip|8080|http|checkout.demo.svc.cluster.local"), checkout);
        assert_eq!(service_of(b"inbound-vip|80|http|checkout.demo.svc.mesh.example"), checkout);
    }

    #[test]
    fn nothing_is_guessed_from_another_name() {
        for other in [
            "",
            "0.0.0.0_8080",
            "inbound-vip|8080|http|api.example.com",
            "inbound-vip|8080|http|checkout.demo",
            "inbound-vip|8080",
            "direct-http",
            "checkout.demo.svc.cluster.local",
        ] {
            assert_eq!(service_of(other.as_bytes()), None, "{other}");
        }
        assert_eq!(service_of(b"inbound-vip|80|http|\xff.demo.svc"), None);
    }
}
