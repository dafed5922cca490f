//! A file of a full MiB, or a resource of that size, takes seconds of the processor, whatever is in it.
#![cfg(test)]

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use istio_config::{Catalog, File, Finding, InForce, Kind, Resource, Setting, limits, rules};
use serde_json::{Value, json};

const MEBIBYTE: usize = 1024 * 1024;

/// As many parts of a resource as there is room for in a MiB.
const PARTS: usize = 30_000;

/// Without optimization, for a file that a comparison of each two parts would keep busy for minutes.
const DEADLINE: Duration = Duration::from_secs(15);

/// The time of this thread alone: other programs use the processor too.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// What is found within the deadline.
fn in_time(what: &str, run: impl FnOnce() -> Vec<Finding>) -> Vec<Finding> {
    let began = processor_time();
    let found = run();
    let took = processor_time() - began;
    // Shown only when the test fails.
    println!("{what}: {took:?}");
    assert!(took < DEADLINE, "{what} took {took:?}");
    found
}

/// The text of as many items as there is room for.
fn filled(around: [&str; 2], item: impl Fn(usize) -> String) -> String {
    let mut text = around[0].to_owned();
    for number in 0.. {
        let item = item(number);
        if text.len() + item.len() + around[1].len() > MEBIBYTE {
            break;
        }
        text += &item;
    }
    text + around[1]
}

/// The findings of a file: of its applications, and of its resources of Istio.
fn of_file(text: &str) -> Vec<Finding> {
    of_files(&[text])
}

fn of_files(texts: &[&str]) -> Vec<Finding> {
    let files: Vec<_> = texts.iter().map(|text| File::read(text.as_bytes())).collect();
    let files: Vec<(Arc<str>, _)> =
        files.iter().enumerate().map(|(at, file)| (format!("{at}.yaml").into(), file)).collect();
    let setting = Setting::default();
    let catalog = Catalog::new(&files, &InForce::default(), &setting, |_, setting| setting);
    let by_hand = catalog.check_by_hand(&files, &setting);
    catalog.findings().iter().cloned().chain(by_hand).map(|located| located.finding).collect()
}

fn resource(kind: Kind, spec: Value) -> Resource {
    let (namespace, name) = ("shop".to_owned(), "reviews".to_owned());
    Resource { kind, namespace, name, labels: BTreeMap::new(), annotations: BTreeMap::new(), spec }
}

fn document(spec: &str) -> String {
    format!(
        "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: a, namespace: b}}\nspec:\n  {spec}"
    )
}

#[test]
fn a_resource_of_many_parts_is_checked_in_time() {
    let route = |wanted: Vec<Value>| json!({"hosts": ["a"], "http": [{"match": wanted, "route": [{"destination": {"host": "a"}}]}]});
    // The last one is the first one again.
    let matches = (0..PARTS).map(|number| number % (PARTS - 1));
    let matches = matches.map(|number| json!({"uri": {"prefix": format!("/a{number}/")}})).collect();
    let hosts: Vec<_> = (0..PARTS).map(|number| format!("a{number}.example.com")).collect();
    let localities: BTreeMap<_, _> = (0..PARTS).map(|number| (format!("r/z{number}"), 1)).collect();
    let fields: BTreeMap<_, _> = (0..PARTS).map(|number| (format!("hoosts{number}"), 1)).collect();
    let long = "k".repeat(400_000);
    let ports: Vec<_> = (0..PARTS).map(|_| json!({"number": 0})).collect();
    let balancer = json!({"localityLbSetting": {"distribute": [{"from": "a", "to": localities}]}});
    for (what, kind, spec) in [
        ("matches", Kind::VirtualService, route(matches)),
        ("hosts", Kind::VirtualService, json!({"hosts": hosts, "gateways": ["a/b"]})),
        (
            "localities",
            Kind::DestinationRule,
            json!({"host": "a", "trafficPolicy": {"loadBalancer": balancer}}),
        ),
        ("unknown fields", Kind::VirtualService, json!(fields)),
        ("a long key", Kind::ServiceEntry, json!({"hosts": ["a.b"], &*long: {"ports": ports}})),
    ] {
        let resource = resource(kind, spec);
        assert!(!in_time(what, || rules::check(&resource)).is_empty(), "{what}");
    }
    let paths: Vec<_> = (0..PARTS).map(|number| format!("/a{number}")).collect();
    let excepted: Vec<_> = paths.iter().rev().collect();
    let rule = json!({"to": [{"operation": {"paths": paths, "notPaths": excepted}}]});
    let policy = resource(Kind::AuthorizationPolicy, json!({"rules": [rule]}));
    in_time("exceptions", || {
        assert!(limits::denies_all(&policy));
        Vec::new()
    });
}

#[test]
fn a_file_of_a_mebibyte_is_read_and_checked_in_time() {
    let entries = filled([&document("destinationRule: ["), "]"], |_| "{host: a},".to_owned());
    let subsets = filled([&document("destinationRule: {host: a, subsets: ["), "]}"], |number| {
        format!("{{name: a{number}}},")
    });
    let fields = filled([&document("gateway: {spec: {"), "}}"], |number| format!("a{number}: 1,"));
    let claims = document("virtualService: {routes: [{match: {headers: [");
    let headers = filled([&claims, "]}}]}"], |number| format!("{{name: a{number}, exact: b}},"));
    let routes = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, namespace: b}\nspec: {hosts: [a], http: [{match: [";
    let routes = filled([routes, "], route: [{destination: {host: a}}]}]}"], |number| {
        format!("{{uri: {{prefix: /a{number}/}}}},")
    });
    let twice = filled(["", ""], |number| {
        format!("---\n{}", document("gateway: {}").replace("name: a", &format!("name: a{}", number / 2)))
    });
    let many = |item: &str| [item; 20].join(",");
    let levels = format!(
        "---\nkind: AppConfiguration\na: &a [{}]\nb: &b [{}]\nc: &c [{}]\nd: [{}]\n",
        many("1"),
        many("*a"),
        many("*b"),
        many("*c")
    );
    let aliases = filled(["", ""], |_| levels.clone());
    for (what, text) in [
        ("aliases of aliases", aliases),
        ("routes", routes),
        ("applications", twice),
        ("entries", entries),
        ("subsets", subsets),
        ("fields", fields),
        ("headers", headers),
    ] {
        assert!(text.len() > MEBIBYTE - 1_000, "{what}");
        assert!(!in_time(what, || of_file(&text)).is_empty(), "{what}");
    }
}

/// A resource as it is written by hand.
fn by_hand(kind: &str, number: usize, spec: &str) -> String {
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: {kind}\nmetadata: {{name: a{number}, namespace: n{number}}}\nspec: {spec}\n"
    )
}

/// So many items, each by its number.
fn list(length: usize, item: impl Fn(usize) -> String) -> String {
    format!("[{}]", (0..length).map(item).collect::<Vec<_>>().join(","))
}

#[test]
fn resources_that_meet_at_a_host_are_checked_in_time() {
    let plain = list(12_000, |_| "{destination: {host: h.e}}".to_owned());
    let of_gateway = format!("{{hosts: [a.e], gateways: [x/y], http: [{{route: {plain}}}]}}");
    let of_mesh = format!("{{hosts: [h.e], http: [{{route: {plain}}}]}}");
    let destinations = by_hand("VirtualService", 0, &of_gateway) + &by_hand("VirtualService", 1, &of_mesh);
    let hosts = list(100, |number| format!("h{number}.e"));
    let scopes = filled(["", ""], |number| {
        by_hand("VirtualService", number, &format!("{{hosts: {hosts}, exportTo: [s{number}]}}"))
    });
    let to = |subset: &str, length| {
        let routes = list(length, |number| {
            let subset = subset.replace("NUMBER", &number.to_string());
            format!("{{destination: {{host: h.e, port: {{number: {number}}}{subset}}}}}")
        });
        by_hand("VirtualService", 0, &format!("{{hosts: [h.e], http: [{{route: {routes}}}]}}"))
    };
    let entry = |number: usize, protocol: &str| {
        let ports = list(5, |port| format!("{{number: {}, protocol: {protocol}}}", 10 * number + port));
        by_hand("ServiceEntry", number, &format!("{{hosts: [h.e], ports: {ports}}}"))
    };
    let entries = filled([&to("", 9_000), ""], |number| entry(number, "TCP"));
    let subsets = filled([&to(", subset: v1", 9_000), ""], |number| {
        by_hand("DestinationRule", number, "{host: h.e, exportTo: [x], subsets: [{name: v1}]}")
    });
    let defined = list(12_000, |number| format!("{{name: v{number}}}"));
    let defined = by_hand("DestinationRule", 0, &format!("{{host: h.e, subsets: {defined}}}"));
    let of_one = to(", subset: vNUMBER", 12_000) + &defined;
    let protocols = filled(["", ""], |number| {
        let protocol = if number < 2_000 { "TCP" } else { "HTTP" };
        let port =
            format!("{{hosts: [h.e], exportTo: [s{number}], ports: [{{number: 1, protocol: {protocol}}}]}}");
        by_hand("ServiceEntry", number, &port)
    });
    let (shared, gateways) =
        (list(22, |host| format!("a{host}.e")), list(22, |gateway| format!("g/p{gateway}")));
    let public = filled(["", ""], |number| {
        by_hand("VirtualService", number, &format!("{{hosts: {shared}, gateways: {gateways}}}"))
    });
    let wildcards = list(50_000, |_| "'*.e'".to_owned());
    let below = list(50_000, |number| format!("a{number}.e"));
    let wildcards = by_hand("VirtualService", 0, &format!("{{hosts: {wildcards}}}"))
        + &by_hand(
            "ServiceEntry",
            0,
            &format!("{{hosts: {below}, ports: [{{number: 80, protocol: HTTP}}]}}"),
        );
    let many = list(18_000, |number| format!("a{number}.e"));
    let ports = list(18_000, |number| format!("{{number: {number}}}"));
    let product = by_hand("ServiceEntry", 0, &format!("{{hosts: {many}, ports: {ports}, exportTo: {many}}}"));
    let sent = list(12_000, |_| "{destination: {host: h.io, subset: v}}".to_owned());
    let exported = list(45_000, |number| format!("n{number}"));
    let callers = format!("{{hosts: [h.e], exportTo: {exported}, http: [{{route: {sent}}}]}}");
    let callers = by_hand("VirtualService", 0, &callers);
    let repeated = list(90_000, |_| "h.io".to_owned());
    let repeated = format!("{{hosts: {repeated}, ports: [{{number: 80, protocol: HTTP}}]}}");
    let repeated = by_hand("ServiceEntry", 1, &repeated)
        + &by_hand("VirtualService", 0, &format!("{{hosts: [h.e], http: [{{route: {sent}}}]}}"));
    let again = list(40_000, |_| "h.io".to_owned());
    let ports = list(45_000, |number| format!("{{number: {number}}}"));
    let again = by_hand("ServiceEntry", 0, &format!("{{hosts: {again}, ports: {ports}}}"));
    let outside = |number| {
        let hosts = list(1_000, |host| format!("a{host}.e{number}"));
        format!("{{name: s{number}, hosts: {hosts}, ports: [80]}}")
    };
    let called = list(18, |route| {
        let to = list(1_000, |_| "{service: a999.e17, weight: 0}".to_owned());
        format!("{{match: {{path: {{exact: /{route}}}}}, to: {to}}}")
    });
    let outside =
        document(&format!("{{serviceEntry: {}, virtualService: {{routes: {called}}}}}", list(18, outside)));
    for (what, text) in [
        ("destinations", destinations),
        ("namespaces", scopes),
        ("ports of a host", entries),
        ("subsets of many", subsets),
        ("subsets of one", of_one),
        ("protocols", protocols),
        ("public hosts", public),
        ("wildcards", wildcards),
        ("a product", product),
        ("hosts outside", outside),
        ("callers", callers),
        ("one host again and again", repeated),
        ("one host with many ports", again),
    ] {
        assert!((MEBIBYTE / 2..=MEBIBYTE + 100_000).contains(&text.len()), "{what}: {}", text.len());
        assert!(!in_time(what, || of_file(&text)).is_empty(), "{what}");
    }
}

#[test]
fn services_of_many_pods_are_checked_in_time() {
    let namespace =
        "---\n{apiVersion: v1, kind: Namespace, metadata: {name: s, labels: {istio-injection: enabled}}}\n";
    let service = |number: usize, ports: String| {
        format!(
            "---\n{{apiVersion: v1, kind: Service, metadata: {{name: a{number}, namespace: s}}, spec: {{selector: {{a: b}}, ports: {ports}}}}}\n"
        )
    };
    let pods = |number: usize| {
        format!(
            "---\n{{apiVersion: v1, kind: Pod, metadata: {{namespace: s, labels: {{a: b, c: a{number}}}}}}}\n"
        )
    };
    let one_target = list(20_000, |number| format!("{{name: {}, port: 1}}", ["tcp", "http"][number % 2]));
    let of = |protocol: &str| list(9_000, |number| format!("{{name: {protocol}, port: {}}}", number + 1));
    let large = |protocol: &str| list(18_000, |number| format!("{{name: {protocol}, port: {}}}", number + 1));
    let (services, pods_alone) =
        (service(0, large("tcp")) + &service(1, large("http")), filled(["", ""], pods));
    let found = in_time("files", || of_files(&[namespace, &services, &pods_alone]));
    assert!(found.iter().filter(|found| found.rule == "X116").count() >= 18_000, "{}", found.len());
    for (what, services) in [
        ("ports of one target", service(0, one_target)),
        ("targets of two Services", service(0, of("tcp")) + &service(1, of("http"))),
    ] {
        let text = filled([&(namespace.to_owned() + &services), ""], pods);
        let found = in_time(what, || of_file(&text));
        assert!(
            found.iter().filter(|found| found.rule == "X116").count() >= 9_000,
            "{what}: {}",
            found.len()
        );
    }
}

#[test]
fn gateways_that_share_pods_beside_services_are_checked_in_time() {
    let labelled = |labels: &str| {
        format!("---\n{{apiVersion: v1, kind: Pod, metadata: {{namespace: s, labels: {{{labels}}}}}}}\n")
    };
    let own = (0..10).map(|label| format!(", l{label}: x")).collect::<String>();
    let pods = labelled(&format!("a: x{own}")).repeat(600) + &labelled("z: x").repeat(600);
    let services = (0..3_000).map(|number| {
        format!(
            "---\n{{apiVersion: v1, kind: Service, metadata: {{name: a{number}, namespace: s}}, spec: {{selector: {{a: x, z: x}}, ports: [{{port: 1}}]}}}}\n"
        )
    });
    // Each has others of the labels.
    let gateways = (1..1_024).map(|number| {
        let labels = (0..10).filter(|label| number >> label & 1 == 1);
        let labels = labels.map(|label| format!("l{label}: x")).collect::<Vec<_>>().join(",");
        let server = "{port: {number: 80, name: http, protocol: HTTP}, hosts: [h.e]}";
        by_hand("Gateway", number, &format!("{{selector: {{{labels}}}, servers: [{server}]}}"))
    });
    let text = pods + &services.collect::<String>() + &gateways.collect::<String>();
    assert!(text.len() < MEBIBYTE, "{}", text.len());
    in_time("pods of gateways", || of_file(&text));
}

#[test]
fn gateways_of_many_hosts_are_checked_in_time() {
    let object = |kind: &str, version: &str, number: usize, more: &str| {
        format!(
            "---\n{{apiVersion: {version}, kind: {kind}, metadata: {{name: a{number}, namespace: s, labels: {{a: b}}}}{more}}}\n"
        )
    };
    let hosts = |end: &str| list(22_000, |number| format!("h{number}.{end}"));
    let gateway = |number: usize, server: &str| {
        let server = format!("{{port: {{number: 80, name: http, protocol: HTTP}}, {server}}}");
        by_hand("Gateway", number, &format!("{{selector: {{a: b}}, servers: [{server}]}}"))
    };
    let secure = |number: usize, secret: usize| {
        let port = "port: {number: 443, name: https, protocol: HTTPS}";
        let tls = format!("tls: {{mode: SIMPLE, credentialName: x{secret}}}");
        by_hand(
            "Gateway",
            number,
            &format!("{{selector: {{a: b}}, servers: [{{{port}, hosts: [h{number}.e], {tls}}}]}}"),
        )
    };
    let served = gateway(0, &format!("hosts: {}", hosts("e")))
        + &by_hand("VirtualService", 1, &format!("{{hosts: {}, gateways: [n0/a0]}}", hosts("f")));
    let named = list(20_000, |number| format!("s/b{number}"));
    let named = by_hand("VirtualService", 0, &format!("{{hosts: [h.e], gateways: {named}}}"));
    let named = filled([&named, ""], |number| object("Gateway", "gateway.networking.k8s.io/v1", number, ""));
    let shared = gateway(0, &format!("hosts: {}", list(3_000, |number| format!("h{number}.e"))));
    let shared = filled([&shared, ""], |number| {
        by_hand("VirtualService", number, "{hosts: [h.f, i.f], gateways: [n0/a0]}")
    });
    let pods = (0..1_000).map(|number| object("Pod", "v1", number, "")).collect::<String>();
    let secrets = (0..4_000).map(|number| object("Secret", "v1", number, "")).collect::<String>();
    let secrets = filled([&(pods.clone() + &secrets), ""], |number| secure(number, number));
    let services = (0..1_000).map(|number| {
        object("Service", "v1", number, ", spec: {selector: {a: b}, ports: [{name: http, port: 8080}]}")
    });
    let services = pods + &services.collect::<String>();
    let services = filled([&services, ""], |number| gateway(number, "hosts: [h.e]"));
    for (what, rule, text) in [
        ("hosts of a Gateway", "X132", served),
        ("Gateways by name", "X101a", named),
        ("one Gateway of many", "X132", shared),
        ("Secrets", "X101g", secrets),
        ("Services of Gateways", "X162", services),
    ] {
        assert!((MEBIBYTE / 3..=MEBIBYTE + 100_000).contains(&text.len()), "{what}: {}", text.len());
        let found = in_time(what, || of_file(&text));
        assert!(found.iter().filter(|found| found.rule == rule).count() >= 1_000, "{what}: {}", found.len());
    }
}

#[test]
fn selectors_of_labels_that_no_pod_has_together_are_checked_in_time() {
    let of_label = |label: &str, length: usize| {
        let pod = "---\n{apiVersion: v1, kind: Pod, metadata: {namespace: n0, labels: {LABEL}}}\n";
        pod.replace("LABEL", label).repeat(length)
    };
    let pods = |length: usize| of_label("a: b", length) + &of_label("c: d", length);
    let wanted = "---\n{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: a, namespace: n0}, spec: {selector: {matchLabels: {a: b, c: d}}, rules: [{}]}}\n";
    let service = "---\n{apiVersion: v1, kind: Service, metadata: {name: h, namespace: n0}, spec: {selector: {a: b}, ports: [{port: 80}]}}\n";
    let subsets = |length: usize| {
        let subsets = list(length, |number| format!("{{name: v{number}, labels: {{c: d}}}}"));
        service.to_owned() + &by_hand("DestinationRule", 0, &format!("{{host: h, subsets: {subsets}}}"))
    };
    let count = |text: &str, length: usize, rule: &str| {
        let pods = pods(length);
        let found = in_time(rule, || of_files(&[text, &pods]));
        found.iter().filter(|found| found.rule == rule).count()
    };
    let policies = |length: usize| wanted.repeat(length);
    let all: [(_, &dyn Fn(usize) -> String); 2] = [("X127", &policies), ("X173", &subsets)];
    for (rule, text) in all {
        assert_eq!(count(&text(3), 100, rule), 3, "{rule}");
        // Of more Pods nobody knows it.
        assert_eq!(count(&text(4_000), 5_000, rule), 0, "{rule}");
    }
    // Nor whether any Pod is the service's.
    let unknown = subsets(3)
        .replace("selector: {a: b}", "selector: {a: b, c: d}")
        .replace("labels: {c: d}", "labels: {e: f}");
    for length in [100, 101] {
        assert_eq!(count(&unknown, length, "X173"), 0, "{length}");
    }
}

/// A policy with callers of these namespaces.
fn called_from(number: usize, namespaces: &str) -> String {
    let spec = format!("{{rules: [{{from: [{{source: {{namespaces: {namespaces}}}}}]}}]}}");
    by_hand("AuthorizationPolicy", number, &spec).replace("networking", "security")
}

#[test]
fn thousands_of_names_beside_namespaces_are_checked_in_time() {
    let namespace = |number: usize| {
        format!("---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: team-of-{number}-others}}}}\n")
    };
    let namespaces: String = (0..1_000).map(namespace).collect();
    let many = called_from(0, &list(5_000, |number| format!("team{number:07}")));
    // Nobody else misses a warning.
    let few = called_from(1, "[team-of-7-othrs]");
    let found = in_time("names", || of_files(&[&namespaces, &many, &few]));
    let told: Vec<_> = found.iter().filter(|found| found.rule == "X101e").collect();
    assert_eq!(told.len(), 1, "{found:?}");
    assert!(told[0].would_be_right.contains("team-of-7-others"), "{told:?}");
}

#[test]
fn many_resources_that_share_something_give_one_finding_each() {
    let gateways = filled(["", ""], |number| {
        let spec = format!("gateway: {{hosts: [a{number}.example.com], tls: {{secret: wildcard}}}}\n");
        format!("---\n{}", document(&spec).replace("name: a", &format!("name: a{number}")))
    });
    let found = in_time("gateways", || of_file(&gateways));
    let applications = gateways.matches("---").count();
    assert!(applications > 4_000, "{applications}");
    assert_eq!(found.iter().filter(|found| found.rule == "X138").count(), applications);
    assert_eq!(found.len(), applications, "{:?}", found.first());
}
