//! What runs: the program of one workload, or one for each service of a waypoint.

use std::collections::HashMap;

use policies::{Decision, Dice, Facts, Program, Scope, Snapshot, Timestamp, wire::Schedule};

use crate::identity::{Identity, StandsFor};

/// A snapshot, ready to be run.
#[derive(Debug, Default)]
pub struct Programs {
    /// Of the workload; on a waypoint there is none.
    program: Program,
    services: Option<Services>,
    schedule: Schedule,
}

/// Programs by the filter chain that a request came through, each made when its first request comes.
#[derive(Debug)]
struct Services {
    snapshot: Snapshot,
    /// What the snapshot is for.
    all: Scope,
    programs: HashMap<Vec<u8>, Program>,
}

impl Programs {
    /// Compiles a snapshot's bytes for whoever this proxy stands for.
    pub fn compile(bytes: &[u8], identity: &Identity) -> Result<Self, String> {
        let snapshot = Snapshot::decode(bytes).map_err(|error| error.to_string())?;
        let program = Program::compile(&snapshot, &identity.workload).map_err(|error| error.to_string())?;
        let schedule = snapshot.schedule(&identity.workload);
        Ok(match identity.stands_for {
            StandsFor::Workload | StandsFor::Edge => Self { program, services: None, schedule },
            StandsFor::Services => {
                let all = identity.workload.clone();
                let services = Some(Services { snapshot, all, programs: HashMap::new() });
                Self { program: Program::default(), services, schedule }
            }
        })
    }

    /// Whether no request can get a fault.
    pub fn is_empty(&self) -> bool {
        self.program.is_empty()
            && self.services.as_ref().is_none_or(|services| services.snapshot.policies.is_empty())
    }

    /// How many policies are in force.
    pub fn policies(&self, now: Timestamp) -> usize {
        self.schedule.in_force(now)
    }

    /// What is to happen to a request that came through this filter chain.
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
        let Self { snapshot, all, programs } = self;
        programs.entry(filter_chain).or_insert_with_key(|filter_chain| {
            let named = service_of(filter_chain).filter(|(_, namespace)| all.has_namespace(namespace));
            let workload = named.and_then(|(service, namespace)| Scope::new([namespace], [service]).ok());
            // All of the snapshot has been compiled before, so a part of it can be.
            Program::compile(snapshot, &workload.unwrap_or(Scope::unknown())).unwrap_or_default()
        })
    }
}

/// The service and namespace that a filter chain of a waypoint is for. Istio names it
/// `inbound-vip|PORT|http|SERVICE.NAMESPACE.svc.DOMAIN`; of one named otherwise nothing is known.
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
