//! The objects by which Istio gives listeners to proxies.

use std::collections::HashSet;

use super::{Labels, Name};

/// A port of a Service.
#[derive(Clone, Debug)]
pub struct ServicePort {
    pub number: u16,
    pub target: TargetPort,
    /// False if its protocol is declared to be another one.
    pub may_be_http: bool,
}

/// The port of a pod that a port of a Service leads to.
#[derive(Clone, Debug)]
pub enum TargetPort {
    Number(u16),
    Name(String),
}

/// The objects of which Istio makes listeners.
#[derive(Clone, Debug, Default)]
pub struct Listening {
    pub gateways: Vec<Gateway>,
    /// The ports that a `Sidecar`, ServiceEntry or PeerAuthentication gives to workloads, by namespace.
    pub ports: HashSet<(String, u16)>,
    /// There is an Ingress, whatever its class.
    pub has_ingress: bool,
}

/// A Gateway of the Gateway API or of Istio.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub of: GatewayOf,
    /// The ports of its HTTP listeners.
    pub http_ports: Vec<u16>,
    /// True if other objects may add listeners to it.
    pub is_open: bool,
}

/// The gateway pods that a Gateway is for.
#[derive(Clone, Debug)]
pub enum GatewayOf {
    /// Those that Istio makes for it.
    Own(Name),
    /// Those with these labels, in any namespace.
    Labels(Labels),
    /// Those behind Services that it names.
    Any,
}

impl Listening {
    /// Adds another part.
    pub(crate) fn add(&mut self, Self { gateways, ports, has_ingress }: Self) {
        self.gateways.extend(gateways);
        self.ports.extend(ports);
        self.has_ingress |= has_ingress;
    }
}
