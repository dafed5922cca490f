//! What is told of Services of the same Pods, whatever they are: for tests, and for the fuzz target `around`. Each two
//! ports are compared here, which the rule itself does not do.

use std::{collections::BTreeSet, sync::Arc};

use istio_config::{Catalog, File, InForce, Setting};

/// The most objects of a repository.
const MOST: usize = 60;

struct Service {
    namespace: u8,
    /// The values of the labels `a` and `b` that its Pods have; none for any.
    selector: [Option<u8>; 2],
    /// Where its ports lead, and whether they are of HTTP.
    ports: Vec<(u8, bool)>,
}

struct Pod {
    namespace: u8,
    labels: [u8; 2],
    /// What its own label says about a sidecar, if it has one.
    is_injected: Option<bool>,
}

/// Objects, as bytes choose them.
#[derive(Default)]
struct Repository {
    /// True for the namespaces whose Pods have sidecars.
    is_injected: [bool; 2],
    services: Vec<Service>,
    pods: Vec<Pod>,
}

/// Panics if something does not hold.
pub(crate) fn holds(bytes: &[u8]) {
    let repository = Repository::of(bytes);
    let mut files = repository.files();
    let wanted = repository.disagreements();
    assert_eq!(told(&files), wanted);
    files.reverse();
    assert_eq!(told(&files), wanted);
}

/// The Services that are told to disagree with an earlier one, and their ports.
fn told(files: &[(Arc<str>, File)]) -> BTreeSet<(String, String)> {
    let files: Vec<_> = files.iter().map(|(path, file)| (Arc::clone(path), file)).collect();
    let setting = Setting::default();
    let catalog = Catalog::new(&files, &InForce::default(), &setting, |_, setting| setting);
    let found = catalog.check_by_hand(&files, &setting);
    let found = found.into_iter().filter(|located| located.finding.rule == "X116");
    found.map(|located| (located.file.to_string(), located.finding.field)).collect()
}

impl Repository {
    fn of(bytes: &[u8]) -> Self {
        let [first, rest @ ..] = bytes else { return Self::default() };
        let bit = |byte: u8, at: u8| byte >> at & 1;
        let mut made = Self { is_injected: [bit(*first, 0) == 1, bit(*first, 1) == 1], ..Self::default() };
        for chunk in rest.chunks_exact(2).take(MOST) {
            let [what, how] = [chunk[0], chunk[1]];
            let (namespace, labels) = (bit(what, 1), [bit(what, 2), bit(what, 3)]);
            if bit(what, 0) == 0 {
                let is_injected = (bit(what, 4) == 1).then_some(bit(what, 5) == 1);
                made.pods.push(Pod { namespace, labels, is_injected });
            } else {
                let selector = [0, 1].map(|at| (bit(what, 4 + at) == 1).then_some(labels[usize::from(at)]));
                let ports = (0..=how >> 6).map(|at| (how >> (2 * at) & 3, bit(how, at + 3) == 1)).collect();
                made.services.push(Service { namespace, selector, ports });
            }
        }
        made
    }

    /// A file for each object.
    fn files(&self) -> Vec<(Arc<str>, File)> {
        let mut files = Vec::new();
        let mut add = |path: String, text: String| {
            files.push((Arc::from(path), File::read(format!("apiVersion: v1\n{text}").as_bytes())));
        };
        for (namespace, is_injected) in self.is_injected.iter().enumerate() {
            let label = if *is_injected { "enabled" } else { "disabled" };
            let metadata = format!("{{name: n{namespace}, labels: {{istio-injection: {label}}}}}");
            add(format!("n{namespace}"), format!("kind: Namespace\nmetadata: {metadata}\n"));
        }
        for (number, Pod { namespace, labels: [a, b], is_injected }) in self.pods.iter().enumerate() {
            let own = is_injected.map(|is_injected| format!(", sidecar.istio.io/inject: '{is_injected}'"));
            let labels = format!("{{a: 'v{a}', b: 'v{b}'{}}}", own.unwrap_or_default());
            let metadata = format!("{{name: p{number}, namespace: n{namespace}, labels: {labels}}}");
            add(format!("p{number}"), format!("kind: Pod\nmetadata: {metadata}\n"));
        }
        for (number, service) in self.services.iter().enumerate() {
            let Service { namespace, selector, ports } = service;
            let wanted = ["a", "b"].iter().zip(selector);
            let wanted = wanted.filter_map(|(key, value)| Some(format!("{key}: 'v{}'", value.as_ref()?)));
            let selector = wanted.collect::<Vec<_>>().join(", ");
            let port = |(at, (target, is_http)): (usize, &(u8, bool))| {
                let (protocol, number) = (if *is_http { "http" } else { "tcp" }, at + 1);
                // A name of a port and a number are never the same.
                let target = if *target == 3 { "main".to_owned() } else { format!("808{target}") };
                format!("{{name: {protocol}-{at}, port: {number}, targetPort: {target}}}")
            };
            let ports = ports.iter().enumerate().map(port).collect::<Vec<_>>().join(", ");
            let metadata = format!("{{name: s{number:02}, namespace: n{namespace}}}");
            let spec = format!("{{selector: {{{selector}}}, ports: [{ports}]}}");
            add(format!("s{number:02}"), format!("kind: Service\nmetadata: {metadata}\nspec: {spec}\n"));
        }
        files
    }

    /// True if a Pod with a sidecar is behind both Services.
    fn share_pods(&self, one: &Service, other: &Service) -> bool {
        self.pods.iter().any(|pod| {
            let is_behind = |service: &Service| {
                let mut wanted = service.selector.iter().zip(&pod.labels);
                service.namespace == pod.namespace
                    && service.selector.iter().any(Option::is_some)
                    && wanted.all(|(wanted, label)| wanted.is_none_or(|wanted| wanted == *label))
            };
            pod.is_injected.unwrap_or(self.is_injected[usize::from(pod.namespace)])
                && is_behind(one)
                && is_behind(other)
        })
    }

    /// The ports that lead where one of an earlier Service leads, or an earlier one of the same Service, by another
    /// protocol.
    fn disagreements(&self) -> BTreeSet<(String, String)> {
        let mut before: Vec<(&Service, &(u8, bool))> = Vec::new();
        let mut found = BTreeSet::new();
        for (number, service) in self.services.iter().enumerate() {
            for (at, port) in service.ports.iter().enumerate() {
                let disagrees = |(other, (target, is_http)): &(&Service, &(u8, bool))| {
                    *target == port.0 && *is_http != port.1 && self.share_pods(other, service)
                };
                if before.iter().any(disagrees) {
                    found.insert((format!("s{number:02}"), format!("spec.ports[{at}]")));
                }
                before.push((service, port));
            }
        }
        found
    }
}
