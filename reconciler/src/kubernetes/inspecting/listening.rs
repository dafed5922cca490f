//! Reads the objects by which Istio gives listeners to proxies.

use std::collections::HashSet;

use k8s_openapi::api::networking::v1::Ingress;
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{ApiResource, DynamicObject, GroupVersionKind, ListParams},
};
use serde_json::Value;

use crate::{
    doctor::inventory::{Gateway, GatewayOf, Labels, Listening, Name, Sidecar},
    kubernetes::client::call::{self, with_timeout},
};

/// A kind of objects that give listeners to proxies, and what is read of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    group: &'static str,
    version: &'static str,
    name: &'static str,
    pub(crate) read: fn(&DynamicObject) -> Listening,
}

/// All of them.
pub(crate) const KINDS: [Kind; 5] = [
    Kind { group: "gateway.networking.k8s.io", version: "v1", name: "Gateway", read: gateway },
    Kind { group: "networking.istio.io", version: "v1", name: "Gateway", read: istio_gateway },
    Kind { group: "networking.istio.io", version: "v1", name: "Sidecar", read: ingress_ports },
    Kind { group: "networking.istio.io", version: "v1", name: "ServiceEntry", read: entry_ports },
    Kind { group: "security.istio.io", version: "v1", name: "PeerAuthentication", read: mutual_tls_ports },
];

impl Kind {
    /// True if a cluster that does not know the kind has none of them. Istio's kinds are always there, but an old
    /// cluster may know them by an older version only.
    pub(crate) fn may_be_absent(&self) -> bool {
        self.group == "gateway.networking.k8s.io"
    }

    pub(crate) fn all(&self, client: &Client) -> Api<DynamicObject> {
        let Self { group, version, name, read: _ } = self;
        Api::all_with(client.clone(), &ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, name)))
    }

    /// The object as a `Sidecar`, if this is its kind.
    pub(crate) fn sidecar(&self, object: DynamicObject) -> Option<Sidecar> {
        (self.name == "Sidecar").then(|| serde_json::from_value(serde_json::to_value(object).ok()?).ok())?
    }
}

/// All that there is; `None` if something cannot be read.
pub(super) async fn list(client: &Client) -> Option<Listening> {
    let mut listening = Listening::default();
    for kind in KINDS {
        match with_timeout(call::TIMEOUT, kind.all(client).list(&ListParams::default())).await {
            Ok(objects) => objects.iter().for_each(|object| listening.add((kind.read)(object))),
            Err(error) if error.is(404) && kind.may_be_absent() => {}
            Err(_) => return None,
        }
    }
    let ingresses = Api::<Ingress>::all(client.clone());
    let first = ListParams::default().limit(1);
    let first = with_timeout(call::TIMEOUT, ingresses.list_metadata(&first)).await.ok()?;
    listening.has_ingress = !first.items.is_empty();
    Some(listening)
}

/// A Gateway of the Gateway API.
fn gateway(object: &DynamicObject) -> Listening {
    let spec = |pointer: &str| object.data.pointer(pointer);
    // ListenerSets may add listeners.
    let is_open = spec("/spec/allowedListeners").is_some();
    // The pods can be those of a Service.
    let is_named = array(spec("/spec/addresses")).any(|address| text(address, "/type") == "Hostname");
    let of = if is_named { GatewayOf::Any } else { GatewayOf::Own(name(object)) };
    let is_http = |listener: &&Value| match text(listener, "/protocol") {
        "HTTP" | "HBONE" => true,
        "HTTPS" => text(listener, "/tls/mode") != "Passthrough",
        _ => false,
    };
    let http = array(spec("/spec/listeners")).filter(is_http);
    let http_ports = http.filter_map(|listener| number(listener.get("port")?)).collect();
    Listening { gateways: vec![Gateway { of, http_ports, is_open }], ..Listening::default() }
}

/// A Gateway of Istio.
fn istio_gateway(object: &DynamicObject) -> Listening {
    let labels = object.data.pointer("/spec/selector").and_then(Value::as_object);
    let label = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    let labels: Labels = labels.into_iter().flatten().filter_map(label).collect();
    let is_http = |server: &&Value| match text(server, "/port/protocol").to_lowercase().as_str() {
        "tcp" | "tls" | "mongo" | "redis" | "mysql" | "udp" => false,
        "https" => !matches!(text(server, "/tls/mode"), "PASSTHROUGH" | "AUTO_PASSTHROUGH"),
        _ => true,
    };
    let http = array(object.data.pointer("/spec/servers")).filter(is_http);
    let http_ports = http.filter_map(|server| number(server.pointer("/port/number")?)).collect();
    let gateway = Gateway { of: GatewayOf::Labels(labels), http_ports, is_open: false };
    Listening { gateways: vec![gateway], ..Listening::default() }
}

/// A `Sidecar` says where workloads receive.
fn ingress_ports(object: &DynamicObject) -> Listening {
    let ingress = array(object.data.pointer("/spec/ingress"));
    ports(object, ingress.filter_map(|listener| number(listener.pointer("/port/number")?)))
}

/// A ServiceEntry can select workloads.
fn entry_ports(object: &DynamicObject) -> Listening {
    if object.data.pointer("/spec/workloadSelector").is_none() {
        return Listening::default();
    }
    let own = array(object.data.pointer("/spec/ports"));
    ports(
        object,
        own.flat_map(|port| ["number", "targetPort"].into_iter().filter_map(|key| number(port.get(key)?))),
    )
}

/// A PeerAuthentication can name ports that no Service has.
fn mutual_tls_ports(object: &DynamicObject) -> Listening {
    let own = object.data.pointer("/spec/portLevelMtls").and_then(Value::as_object);
    ports(object, own.into_iter().flatten().filter_map(|(port, _)| port.parse().ok()))
}

fn ports(object: &DynamicObject, numbers: impl Iterator<Item = u16>) -> Listening {
    let namespace = object.namespace().unwrap_or_default();
    let ports = numbers.map(|number| (namespace.clone(), number)).collect::<HashSet<_>>();
    Listening { ports, ..Listening::default() }
}

fn array(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value) -> Option<u16> {
    u16::try_from(value.as_u64()?).ok()
}

fn name(object: &impl Resource) -> Name {
    Name { namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
}

#[cfg(test)]
mod tests {
    use kube::api::DynamicObject;
    use serde_json::{Value, json};

    use super::{GatewayOf, KINDS, Listening};

    fn read(at: usize, spec: &Value) -> Listening {
        let kind = KINDS[at];
        let object = json!({
            "apiVersion": format!("{}/{}", kind.group, kind.version), "kind": kind.name,
            "metadata": {"namespace": "demo", "name": "a"}, "spec": spec,
        });
        (kind.read)(&serde_json::from_value::<DynamicObject>(object).unwrap())
    }

    fn http_ports(at: usize, spec: &Value) -> Vec<u16> {
        let Listening { gateways, .. } = read(at, spec);
        gateways[0].http_ports.clone()
    }

    #[test]
    fn a_gateway_has_the_http_listeners_that_istio_makes_of_it() {
        for (listener, is_http) in [
            (json!({"protocol": "HTTP"}), true),
            (json!({"protocol": "HTTPS", "tls": {"mode": "Terminate"}}), true),
            (json!({"protocol": "HTTPS", "tls": {}}), true),
            (json!({"protocol": "HTTPS", "tls": {"mode": "Passthrough"}}), false),
            (json!({"protocol": "TLS", "tls": {"mode": "Terminate"}}), false),
            (json!({"protocol": "TCP"}), false),
        ] {
            let mut listener = listener;
            listener["port"] = 8443.into();
            let expected = if is_http { vec![8443] } else { Vec::new() };
            assert_eq!(http_ports(0, &json!({"listeners": [listener]})), expected, "{listener}");
        }
        let open = json!({"listeners": [], "allowedListeners": {"namespaces": {"from": "Same"}}});
        assert!(read(0, &open).gateways[0].is_open, "a ListenerSet may add some");
        let named = read(0, &json!({"addresses": [{"type": "Hostname", "value": "ingress.istio-ingress"}]}));
        assert!(matches!(named.gateways[0].of, GatewayOf::Any), "the pods are those of a Service");
        let own = read(0, &json!({"addresses": [{"type": "IPAddress", "value": "192.0.2.1"}]}));
        assert!(matches!(&own.gateways[0].of, GatewayOf::Own(name) if name.to_string() == "demo/a"));
        for (protocol, mode, is_http) in [
            ("HTTP", "", true),
            ("http2", "", true),
            ("GRPC", "", true),
            ("HTTPS", "SIMPLE", true),
            ("HTTPS", "ISTIO_MUTUAL", true),
            ("HTTPS", "PASSTHROUGH", false),
            ("HTTPS", "AUTO_PASSTHROUGH", false),
            ("TLS", "AUTO_PASSTHROUGH", false),
            ("TLS", "SIMPLE", false),
            ("Mongo", "", false),
        ] {
            let server = json!({"port": {"number": 15443, "protocol": protocol}, "tls": {"mode": mode}});
            let expected = if is_http { vec![15443] } else { Vec::new() };
            assert_eq!(http_ports(1, &json!({"servers": [server]})), expected, "{protocol} {mode}");
        }
    }

    #[test]
    fn workloads_get_ports_in_several_ways() {
        let port = json!({"port": {"number": 9000, "protocol": "HTTP", "name": "http"}});
        for (at, spec) in [
            (2, json!({"ingress": [port]})),
            (3, json!({"workloadSelector": {}, "ports": [{"number": 80, "targetPort": 9000}]})),
            (3, json!({"workloadSelector": {}, "ports": [{"number": 9000}]})),
            (4, json!({"portLevelMtls": {"9000": {"mode": "PERMISSIVE"}}})),
        ] {
            assert!(read(at, &spec).ports.contains(&("demo".to_owned(), 9000)), "{spec}");
        }
        let elsewhere = json!({"hosts": ["a.example"], "ports": [{"number": 9000}]});
        assert!(read(3, &elsewhere).ports.is_empty(), "it selects no workload");
    }
}
