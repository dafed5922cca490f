//! Of proxies in which a plugin never runs: they have lost nothing, and only a policy for them is worth a word. Each case
//! has its opposite, so that no lost filter is overlooked.

use reconciler::doctor::{
    covered, findings,
    inventory::{
        Gateway, GatewayOf, Inventory, Listening, OptsOut, Plugin, Pod, ProxyKind, Service, ServicePort,
        Sidecar, TargetPort,
    },
};
use serde_json::{Value, json};

use super::{error, healthy, name, plugin, pod, waypoint_pod};

/// The pod `cart-1`, which no replica hears, with one plugin; all that gives listeners is known.
fn silent(of: Plugin) -> Inventory {
    let mut o = healthy();
    o.pods.truncate(1);
    o.plugins = vec![of];
    o.waypoints.clear();
    o.listening = Some(Listening::default());
    hush(&mut o);
    o
}

fn hush(o: &mut Inventory) {
    for replica in &mut o.replicas {
        let answer = replica.answer.as_mut().unwrap();
        answer.filters.clear();
        answer.status.policies.clear();
    }
}

/// Nothing is said of the only pod.
#[track_caller]
fn unsaid(what: &str, o: &Inventory) {
    assert_eq!(covered(o), [], "{what}");
    assert_eq!(findings(o), [], "{what}");
}

/// It has lost its filter.
#[track_caller]
fn said(what: &str, o: &Inventory) {
    assert_eq!(covered(o).len(), 1, "{what}");
    let found = findings(o);
    assert!(
        found.iter().any(|finding| finding.message.contains("should run the filter")),
        "{what}: {found:#?}"
    );
}

fn ports(mode: &str, numbers: &[u16]) -> Plugin {
    let ports: Vec<_> = numbers.iter().map(|number| json!({"number": number})).collect();
    plugin("demo", &json!({"match": [{"mode": mode, "ports": ports}]}))
}

fn service(app: &str, target: TargetPort, may_be_http: bool) -> Service {
    let selector = if app.is_empty() { [].into() } else { [("app".to_owned(), app.to_owned())].into() };
    let ports = vec![ServicePort { number: 80, target, may_be_http }];
    Service { name: name("demo", "cart"), labels: [].into(), selector, ports }
}

#[test]
fn a_port_that_no_service_of_the_workload_has() {
    let with = |service: Service| Inventory { services: vec![service], ..silent(ports("SERVER", &[8080])) };
    let number = TargetPort::Number;
    let named = || TargetPort::Name("web".into());
    unsaid("no Service", &silent(ports("SERVER", &[8080])));
    unsaid("another port", &with(service("cart", number(9090), true)));
    unsaid(
        "the port of the Service alone",
        &Inventory { plugins: vec![ports("SERVER", &[80])], ..with(service("cart", number(8080), true)) },
    );
    unsaid("another protocol", &with(service("cart", number(8080), false)));
    unsaid("another workload", &with(service("front", number(8080), true)));
    unsaid("a name that the pod does not have", &with(service("cart", named(), true)));
    said("its port", &with(service("cart", number(8080), true)));
    said("endpoints that somebody writes", &with(service("", number(8080), true)));
    let mut o = with(service("cart", named(), true));
    o.pods[0].ports = vec![("web".into(), 8080)];
    said("its port by name", &o);
    for namespace in ["demo", "istio-system"] {
        let mut o = silent(ports("SERVER", &[8080]));
        o.listening.as_mut().unwrap().ports.insert((namespace.into(), 8080));
        said("a port that a Sidecar gives", &o);
    }
    said("nothing is known", &Inventory { listening: None, ..silent(ports("SERVER", &[8080])) });
    said("no ports are named", &silent(plugin("demo", &json!({}))));
    said("what it sends", &silent(ports("CLIENT", &[8080])));
    let both =
        plugin("demo", &json!({"match": [{"mode": "SERVER", "ports": [{"number": 1}]}, {"mode": "SERVER"}]}));
    said("one part of `match` is enough", &silent(both));
}

#[test]
fn a_sidecar_resource_that_leaves_nothing_to_send_to() {
    let client = || plugin("demo", &json!({"match": [{"mode": "CLIENT"}]}));
    let sidecar = |namespace: &str, selector: Value, hosts: &[&str]| -> Sidecar {
        let metadata = json!({"namespace": namespace, "name": "default"});
        let spec = json!({"workloadSelector": selector, "egress": [{"hosts": hosts}]});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap()
    };
    let with = |sidecars: Vec<Sidecar>| Inventory { sidecars, ..silent(client()) };
    let (all, nothing) = (Value::Null, ["~/*"]);
    let of = |app: &str| json!({"labels": {"app": app}});
    unsaid("none", &with(vec![sidecar("demo", all.clone(), &nothing)]));
    unsaid("of the mesh", &with(vec![sidecar("istio-system", all.clone(), &nothing)]));
    unsaid(
        "its own",
        &with(vec![sidecar("demo", all.clone(), &["*/*"]), sidecar("demo", of("cart"), &nothing)]),
    );
    said("something", &with(vec![sidecar("demo", all.clone(), &["~/*", "boifi/*"])]));
    said("of others", &with(vec![sidecar("demo", of("front"), &nothing)]));
    said("of another namespace", &with(vec![sidecar("shop", all.clone(), &nothing)]));
    let (root, own) =
        (sidecar("istio-system", all.clone(), &nothing), sidecar("demo", all.clone(), &["*/*"]));
    said("its namespace has another one", &with(vec![root, own]));
    said(
        "its own shows more",
        &with(vec![sidecar("demo", all.clone(), &nothing), sidecar("demo", of("cart"), &["*/*"])]),
    );
    said(
        "the older of two may show more",
        &with(vec![sidecar("demo", of("cart"), &nothing), sidecar("demo", of("cart"), &["*/*"])]),
    );
    let server =
        Inventory { sidecars: vec![sidecar("demo", all, &nothing)], ..silent(plugin("demo", &json!({}))) };
    said("a plugin for what it receives", &server);
}

#[test]
fn another_revision() {
    let with = |plugin: Option<&str>, proxy: Option<&str>| {
        let mut o = silent(super::plugin("demo", &json!({})));
        o.plugins[0].revision = plugin.map(str::to_owned);
        o.pods[0].revision = proxy.map(str::to_owned);
        o
    };
    unsaid("another one", &with(Some("canary"), Some("default")));
    for (plugin, proxy) in [(Some("canary"), Some("canary")), (None, Some("canary")), (Some("canary"), None)]
    {
        said("its own, or not known", &with(plugin, proxy));
    }
    let labelled = json!({"metadata": {"namespace": "demo", "name": "hfi", "labels": {"istio.io/rev": "canary"}}, "spec": {}});
    assert_eq!(serde_json::from_value::<Plugin>(labelled).unwrap().revision.as_deref(), Some("canary"));
}

#[test]
fn a_gateway_without_an_http_listener() {
    let gateway = |labels: &[(&str, &str)]| {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Pod { name: name("demo", "edge-1"), labels, kind: ProxyKind::Gateway, ..pod("edge", 1) }
    };
    let with = |pod: Pod, plugin: Plugin, gateways: Vec<Gateway>| {
        let mut o = silent(plugin);
        (o.pods, o.listening) = (vec![pod], Some(Listening { gateways, ..Listening::default() }));
        o
    };
    let own = || gateway(&[("gateway.networking.k8s.io/gateway-name", "edge")]);
    let target = |mode: Value| {
        let target = json!([{"kind": "Gateway", "name": "edge"}]);
        plugin("demo", &json!({"match": mode, "targetRefs": target}))
    };
    let of = |namespace: &str, edge: &str, http_ports: &[u16]| Gateway {
        of: GatewayOf::Own(name(namespace, edge)),
        http_ports: http_ports.into(),
        is_open: false,
    };
    let client = || json!([{"mode": "CLIENT"}]);
    let plain = || target(Value::Null);
    unsaid("no listener", &with(own(), plain(), vec![of("demo", "edge", &[])]));
    unsaid("no Gateway", &with(own(), plain(), Vec::new()));
    unsaid("another one", &with(own(), plain(), vec![of("demo", "other", &[80]), of("shop", "edge", &[80])]));
    unsaid(
        "another side",
        &with(own(), target(json!([{"mode": "SERVER"}])), vec![of("demo", "edge", &[80])]),
    );
    unsaid(
        "another port",
        &with(own(), target(json!([{"ports": [{"number": 81}]}])), vec![of("demo", "edge", &[80])]),
    );
    said("a listener", &with(own(), plain(), vec![of("demo", "edge", &[80])]));
    said("its side", &with(own(), target(client()), vec![of("demo", "edge", &[80])]));
    said(
        "its port",
        &with(own(), target(json!([{"ports": [{"number": 80}]}])), vec![of("demo", "edge", &[80])]),
    );
    let any =
        |http_ports: &[u16]| Gateway { of: GatewayOf::Any, http_ports: http_ports.into(), is_open: false };
    said("one of a Service", &with(own(), plain(), vec![any(&[80])]));
    let open = Gateway { is_open: true, ..of("demo", "edge", &[80]) };
    let at_81 = target(json!([{"ports": [{"number": 81}]}]));
    said("a ListenerSet may add the port", &with(own(), at_81, vec![open]));
    said("nothing is known", &Inventory { listening: None, ..with(own(), plain(), Vec::new()) });

    let labels = |value: &str, http_ports: &[u16]| {
        let labels = [("istio".to_owned(), value.to_owned())].into();
        Gateway { of: GatewayOf::Labels(labels), http_ports: http_ports.into(), is_open: false }
    };
    let outbound = || plugin("demo", &json!({"match": client()}));
    let istio = |value: &str| gateway(&[("istio", value)]);
    unsaid("east-west", &with(istio("eastwestgateway"), outbound(), vec![labels("eastwestgateway", &[])]));
    unsaid(
        "others have one",
        &with(istio("ingressgateway"), outbound(), vec![labels("egressgateway", &[80])]),
    );
    said("by its labels", &with(istio("ingressgateway"), outbound(), vec![labels("ingressgateway", &[80])]));
    let ingress = |value: &str| {
        let mut o = with(istio(value), outbound(), Vec::new());
        o.listening.as_mut().unwrap().has_ingress = true;
        o
    };
    said("of an Ingress", &ingress("ingressgateway"));
    unsaid("not of an Ingress", &ingress("eastwestgateway"));
    // A Gateway listens at 80, and its Service leads to another port of the pod.
    let mut o = with(
        istio("ingressgateway"),
        plugin("demo", &json!({"match": [{"mode": "CLIENT", "ports": [{"number": 8080}]}]})),
        vec![labels("ingressgateway", &[80])],
    );
    unsaid("its port is another one", &o);
    let selector = [("istio".to_owned(), "ingressgateway".to_owned())].into();
    o.services = vec![Service { selector, ..service("", TargetPort::Number(8080), true) }];
    said("the port behind its Service", &o);
}

#[test]
fn a_waypoint_that_a_plugin_for_what_is_sent_names() {
    let with = |part: Value| {
        let target = json!([{"kind": "Gateway", "name": "waypoint"}]);
        let mut o = silent(plugin("shop", &json!({"match": [part], "targetRefs": target})));
        (o.pods, o.waypoints) = (vec![waypoint_pod()], vec![name("shop", "waypoint")]);
        o
    };
    unsaid("it receives", &with(json!({"mode": "CLIENT"})));
    unsaid("it has no ports", &with(json!({"mode": "SERVER", "ports": [{"number": 80}]})));
    said("its side", &with(json!({"mode": "SERVER"})));
}

#[test]
fn a_policy_for_such_a_proxy_is_without_effect() {
    error(
        ["Pod demo/cart-1", "hfi never runs in it: none of its ports", "`match` of WasmPlugin demo/hfi"],
        |o| {
            o.plugins[0] = ports("SERVER", &[9]);
            o.pods.remove(1);
            o.listening = Some(Listening::default());
            hush_filters(o);
        },
    );
    error(
        ["Pod demo/cart-1", "and the proxy is of revision default", "remove the label `istio.io/rev`"],
        |o| {
            o.plugins[0].revision = Some("canary".into());
            o.pods.remove(1);
            o.pods[0].revision = Some("default".into());
            hush_filters(o);
        },
    );
    error(["Pod demo/cart-1", "has no proxy", "leave it out of the policy"], |o| {
        (o.pods[0].has_proxy, o.pods[0].opts_out) = (false, Some(OptsOut::Proxyless));
    });
    error(["Pod demo/cart-1", "Sidecar demo/default leaves it no service", "boifi/*"], |o| {
        o.plugins.push(plugin("demo", &json!({"match": [{"mode": "CLIENT"}]})));
        let sidecar = json!({"metadata": {"namespace": "demo", "name": "default"}, "spec": {"egress": [{"hosts": ["~/*"]}]}});
        o.sidecars.push(serde_json::from_value(sidecar).unwrap());
        for replica in &mut o.replicas {
            let policies = &mut replica.answer.as_mut().unwrap().status.policies;
            policies[0].targets.direction = reconciler::api::policy_status::Direction::Outbound;
        }
    });
}

fn hush_filters(o: &mut Inventory) {
    for replica in &mut o.replicas {
        replica.answer.as_mut().unwrap().filters.retain(|filter| filter.node.contains("waypoint"));
    }
}
