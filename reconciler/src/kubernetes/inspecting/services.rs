//! Reads Services, and the protocols of their ports as Istio takes them.

use k8s_openapi::{
    api::core::v1::{Service, ServicePort},
    apimachinery::pkg::util::intstr::IntOrString,
};
use kube::ResourceExt as _;

use crate::doctor::inventory::{self, Name, TargetPort};

/// A Service, as far as it is judged.
pub(crate) fn service(service: Service) -> inventory::Service {
    let name = Name { namespace: service.namespace().unwrap_or_default(), name: service.name_any() };
    let labels = service.labels().clone();
    let spec = service.spec.unwrap_or_default();
    let ports = spec.ports.unwrap_or_default().iter().filter_map(port).collect();
    inventory::Service { name, labels, selector: spec.selector.unwrap_or_default(), ports }
}

fn port(port: &ServicePort) -> Option<inventory::ServicePort> {
    let number = u16::try_from(port.port).ok()?;
    let target = match &port.target_port {
        Some(IntOrString::String(name)) => TargetPort::Name(name.clone()),
        Some(IntOrString::Int(target)) => TargetPort::Number(u16::try_from(*target).ok()?),
        None => TargetPort::Number(number),
    };
    Some(inventory::ServicePort { number, target, may_be_http: may_be_http(port) })
}

/// False if Istio takes the port for another protocol, by its name or `appProtocol`. If these say nothing, Istio looks at
/// what is sent.
fn may_be_http(port: &ServicePort) -> bool {
    let said = port.app_protocol.as_deref().or(port.name.as_deref()).unwrap_or_default().to_lowercase();
    let others = ["tcp", "udp", "https", "tls", "mongo", "redis", "mysql"];
    let is_other = others.contains(&said.split('-').next().unwrap_or_default());
    !is_other && said != "kubernetes.io/wss" && !matches!(port.protocol.as_deref(), Some("UDP" | "SCTP"))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ServicePort;
    use serde_json::json;

    use super::may_be_http;

    #[test]
    fn a_port_is_http_unless_it_says_something_else() {
        for (port, expected) in [
            (json!({}), true),
            (json!({"name": "web"}), true),
            (json!({"name": "http-web"}), true),
            (json!({"name": "tcp"}), false),
            (json!({"name": "mysql-main"}), false),
            (json!({"name": "https-web"}), false),
            (json!({"name": "tcp-web", "appProtocol": "http"}), true),
            (json!({"name": "web", "appProtocol": "kubernetes.io/wss"}), false),
            (json!({"name": "web", "protocol": "UDP"}), false),
        ] {
            let mut whole = port.clone();
            whole["port"] = 80.into();
            let read: ServicePort = serde_json::from_value(whole).unwrap();
            assert_eq!(may_be_http(&read), expected, "{port}");
        }
    }
}
