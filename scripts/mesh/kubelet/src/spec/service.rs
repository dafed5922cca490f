//! The environment variables that Kubernetes makes of Services.

use k8s_openapi::api::core::v1::Service;

/// The variables of the Services in a namespace, if the Pod wants them, and always of `default/kubernetes`, where
/// the API server is.
pub(super) fn variables(services: &[Service], namespace: &str, links: bool) -> Vec<(String, String)> {
    let wanted = services.iter().filter(|service| {
        let (of, name) = (service.metadata.namespace.as_deref(), service.metadata.name.as_deref());
        let is_api_server = (of, name) == (Some("default"), Some("kubernetes"));
        is_api_server || (links && of == Some(namespace))
    });
    wanted.filter_map(of_service).flatten().collect()
}

/// The address of a Service that has one.
pub(super) fn cluster_ip(service: &Service) -> Option<&str> {
    let address = service.spec.as_ref()?.cluster_ip.as_deref()?;
    (address != "None" && !address.is_empty()).then_some(address)
}

fn of_service(service: &Service) -> Option<Vec<(String, String)>> {
    let address = cluster_ip(service)?;
    let prefix = capitals(service.metadata.name.as_deref()?);
    let ports = service.spec.as_ref()?.ports.as_deref().unwrap_or_default();
    let first = ports.first()?;
    let protocol = |port: &k8s_openapi::api::core::v1::ServicePort| {
        port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())
    };
    let url = |scheme: &str, port: i32| format!("{}://{address}:{port}", scheme.to_lowercase());
    let mut variables = vec![
        (format!("{prefix}_SERVICE_HOST"), address.to_owned()),
        (format!("{prefix}_SERVICE_PORT"), first.port.to_string()),
        (format!("{prefix}_PORT"), url(&protocol(first), first.port)),
    ];
    for port in ports {
        let (number, protocol) = (port.port, protocol(port));
        let link = format!("{prefix}_PORT_{number}_{protocol}");
        if let Some(name) = &port.name {
            variables.push((format!("{prefix}_SERVICE_PORT_{}", capitals(name)), number.to_string()));
        }
        variables.push((link.clone(), url(&protocol, number)));
        variables.push((format!("{link}_PROTO"), protocol.to_lowercase()));
        variables.push((format!("{link}_PORT"), number.to_string()));
        variables.push((format!("{link}_ADDR"), address.to_owned()));
    }
    Some(variables)
}

fn capitals(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}
