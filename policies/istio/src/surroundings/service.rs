//! Services, and where their ports lead.

use policies::reading::{Node, Value};

use super::Named;
use crate::{
    node,
    values::{LabelPairs, Protocol},
};

/// A Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub named: Named,
    pub labels: LabelPairs,
    pub ports: Vec<ServicePort>,
    pub selector: LabelPairs,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServicePort {
    pub number: u16,
    pub target: TargetPort,
    /// The protocol, if the port says one that Istio knows.
    pub protocol: Option<Protocol>,
}

/// The port of the Pods that a port of a Service leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetPort {
    Number(u16),
    Name(String),
}

impl Service {
    pub(super) fn of(object: &Node, named: Named) -> Self {
        let ports = node::items(node::at(object, &["spec", "ports"]));
        Self {
            named,
            labels: node::texts(node::at(object, &["metadata", "labels"])),
            ports: ports.iter().filter_map(ServicePort::of).collect(),
            selector: node::texts(node::at(object, &["spec", "selector"])),
        }
    }

    /// The numbers of its ports.
    pub fn numbers(&self) -> impl Iterator<Item = u16> {
        self.ports.iter().map(|port| port.number)
    }
}

impl ServicePort {
    fn of(port: &Node) -> Option<Self> {
        let number = number(node::get(port, "port")?)?;
        let target = node::get(port, "targetPort").and_then(|target| match &target.value {
            Value::String(name) => Some(TargetPort::Name(name.clone())),
            _ => self::number(target).map(TargetPort::Number),
        });
        let text = |name| node::text(port, &[name]);
        // What a port says of the application comes before its name.
        let said = text("appProtocol").or_else(|| text("name")?.split('-').next());
        let protocol = match text("protocol") {
            None | Some("TCP") => said,
            transport => transport,
        };
        Some(Self {
            target: target.unwrap_or(TargetPort::Number(number)),
            protocol: protocol.and_then(|name| Protocol::try_from(name).ok()),
            ..Self::from(number)
        })
    }

    /// Its number, and that of the port of the Pods if it has one.
    pub fn numbers(&self) -> impl Iterator<Item = u16> + use<> {
        let target = match self.target {
            TargetPort::Number(number) => Some(number),
            TargetPort::Name(_) => None,
        };
        [self.number].into_iter().chain(target)
    }
}

impl From<u16> for ServicePort {
    /// The port that leads to the same port of the Pods.
    fn from(number: u16) -> Self {
        Self { number, target: TargetPort::Number(number), protocol: None }
    }
}

fn number(node: &Node) -> Option<u16> {
    match &node.value {
        Value::Number(number) => number.parse().ok(),
        _ => None,
    }
}
