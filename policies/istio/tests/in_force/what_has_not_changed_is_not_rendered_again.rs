//! A catalog renders what has changed since the last one with its cache, and is the same as one that renders everything.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Weak},
};

use istio_config::{Catalog, File, InForce, Limits, RenderCache, Rendered, Setting};
use policies::{
    File as PolicyFile,
    language::{ClusterDomain, IstioLimits},
};
use proptest::prelude::*;

use crate::catalogs::{application, findings};

/// Documents: right ones, wrong ones, and some that are wrong beside others.
const DOCUMENTS: [(&str, &str); 16] = [
    ("shop/a", "{peerAuthentication: {}}"),
    ("shop/a", "{peerAuthentication: {mtls: permissive}, sidecar: {calls: [a]}}"),
    ("shop/a", "{destinationRule: {host: a, subsets: [{name: v1, labels: {version: v1}}]}}"),
    ("shop/a", "{remove: true}"),
    ("shop/b", "{virtualService: {routes: [{to: [{service: a, subset: v1}]}]}}"),
    ("shop/b", "{virtualService: {timeout: 1s, retries: 2}}"),
    ("shop/b", "{service: a, virtualService: {timeout: 2s}}"),
    ("shop/b", "{virtualService: {timeouts: 1s}}"),
    ("shop/c", "{gateway: {hosts: [x.example.com], tls: {secret: cert}}}"),
    ("shop/c", "{authorizationPolicy: {allow: [{from: [b], methods: [GET]}]}}"),
    ("shop/c", "{peerAuthentication: {resourceName: one}}"),
    ("shop/c", "{remove: true}"),
    ("bank/a", "{telemetry: {applyTo: namespace, logs: all}}"),
    ("bank/a", "{envoyFilter: {localRateLimit: {requests: 1}}}"),
    ("bank/a", "{serviceEntry: {hosts: [pay.example.com]}}"),
    ("bank/a", "{wrong: 1}"),
];

/// What is beside the applications.
const AROUND: [&str; 4] = [
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}\n",
    "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop, labels: {istio.io/use-waypoint: w}}\nspec: {ports: [{port: 80}]}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: cert, namespace: shop}\nstringData: {key: value}\n",
    "kind: [",
];

/// Two directories with files, each below its own Guardrail. A file of one may be the same as one of the other.
const FILES: [&str; 4] = ["one/a.yaml", "one/b.yaml", "two/a.yaml", "two/b.yaml"];

const GUARDRAILS: [&str; 6] = [
    "{}",
    "{kinds: [PeerAuthentication]}",
    "{namespaces: [shop]}",
    "{dataplane: ambient}",
    "{allowNamespaceWide: true}",
    "{sidecarAlways: [istio-system/zipkin.istio-system.svc.cluster.local]}",
];

/// The state of a repository.
#[derive(Clone, Debug, Default)]
struct Repository {
    /// The documents of each file.
    files: [Vec<usize>; FILES.len()],
    around: [bool; AROUND.len()],
    /// The Guardrail of each directory.
    guardrails: [usize; 2],
}

/// An edit of one thing.
#[derive(Clone, Debug)]
enum Edit {
    File(usize, Vec<usize>),
    Around(usize),
    Guardrail(usize, usize),
}

/// Whoever makes catalogs one after another: files that have not changed are read once.
#[derive(Debug, Default)]
struct Reader {
    cache: RenderCache,
    read: HashMap<String, Arc<File>>,
    /// What the last catalog has, but for empty ones.
    last: Vec<Weak<[Rendered]>>,
    /// The number of those that the catalog before did not have.
    rendered: usize,
}

fn edit() -> impl Strategy<Value = Edit> {
    let documents = prop::collection::vec(0..DOCUMENTS.len(), 0..4);
    prop_oneof![
        6 => (0..FILES.len(), documents).prop_map(|(file, documents)| Edit::File(file, documents)),
        1 => (0..AROUND.len()).prop_map(Edit::Around),
        1 => (0..2_usize, 0..GUARDRAILS.len())
            .prop_map(|(directory, guardrail)| Edit::Guardrail(directory, guardrail)),
    ]
}

impl Repository {
    fn apply(&mut self, edit: Edit) {
        match edit {
            Edit::File(file, documents) => self.files[file] = documents,
            Edit::Around(number) => self.around[number] ^= true,
            Edit::Guardrail(directory, guardrail) => self.guardrails[directory] = guardrail,
        }
    }

    fn texts(&self) -> Vec<(Arc<str>, String)> {
        let document = |number: &usize| application(DOCUMENTS[*number].0, DOCUMENTS[*number].1);
        let text = |documents: &Vec<usize>| documents.iter().map(document).collect::<Vec<_>>().join("---\n");
        let files = FILES.iter().zip(&self.files).map(|(path, documents)| ((*path).into(), text(documents)));
        let around = AROUND.iter().zip(self.around).zip(["n", "s", "x", "y"]);
        let around = around.filter(|((_, is_there), _)| *is_there);
        files.chain(around.map(|((text, _), path)| (path.into(), (*text).to_owned()))).collect()
    }

    /// The limits of the two directories.
    fn limits(&self) -> [Limits; 2] {
        self.guardrails.map(|guardrail| {
            let text = format!("kind: Guardrail\nspec: {{istio: {}}}\n", GUARDRAILS[guardrail]);
            let file = PolicyFile::read(text.as_bytes());
            let guardrails = file.guardrails().unwrap();
            let says: Vec<&IstioLimits> = guardrails.iter().map(|guardrail| &guardrail.istio).collect();
            Limits::of(&says)
        })
    }
}

impl Reader {
    fn catalog(&mut self, repository: &Repository, in_force: &InForce) -> Catalog {
        let [one, two] = repository.limits();
        let guarded = |path: &str, setting: Setting| {
            setting.within(if path.starts_with("one/") { one.clone() } else { two.clone() })
        };
        self.catalog_of(repository.texts(), in_force, &Setting::default(), guarded)
    }

    fn catalog_of(
        &mut self,
        texts: Vec<(Arc<str>, String)>,
        in_force: &InForce,
        setting: &Setting,
        guarded: impl Fn(&str, Setting) -> Setting,
    ) -> Catalog {
        let mut read = std::mem::take(&mut self.read);
        let mut files = Vec::new();
        for (path, text) in texts {
            let file = self.read.get(&text).cloned().or_else(|| read.remove(&text));
            let file = file.unwrap_or_else(|| Arc::new(File::read(text.as_bytes())));
            self.read.insert(text, Arc::clone(&file));
            files.push((path, file));
        }
        let files: Vec<_> = files.iter().map(|(path, file)| (Arc::clone(path), &**file)).collect();
        let catalog = Catalog::cached(&mut self.cache, &files, in_force, setting, guarded);
        let own = catalog.applications().iter().filter(|application| !application.resources.is_empty());
        let now: Vec<_> = own.map(|application| Arc::downgrade(&application.resources)).collect();
        let is_new = |one: &&Weak<_>| !self.last.iter().any(|other| one.ptr_eq(other));
        self.rendered = now.iter().filter(is_new).count();
        self.last = now;
        catalog
    }

    /// The number of valid documents that are rendered for a catalog.
    fn rendered(&mut self, repository: &Repository) -> usize {
        self.catalog(repository, &InForce::default());
        self.rendered
    }
}

#[test]
fn a_change_of_one_among_fifty_renders_one() {
    let mut reader = Reader::default();
    let mut texts: BTreeMap<Arc<str>, String> = (0..50)
        .map(|n| {
            (format!("{n}.yaml").into(), application(&format!("shop/app-{n}"), "{telemetry: {logs: all}}"))
        })
        .collect();
    let mut rendered = |texts: &BTreeMap<Arc<str>, String>, setting: &Setting| {
        let texts = texts.iter().map(|(path, text)| (Arc::clone(path), text.clone())).collect();
        let catalog = reader.catalog_of(texts, &InForce::default(), setting, |_, setting| setting);
        assert_eq!(catalog.resources().len(), catalog.applications().len(), "{:?}", findings(&catalog));
        reader.rendered
    };
    let setting = Setting::default();
    assert_eq!(rendered(&texts, &setting), 50);
    assert_eq!(rendered(&texts, &setting), 0);
    texts.insert("7.yaml".into(), application("shop/app-7", "{telemetry: {logs: errors}}"));
    assert_eq!(rendered(&texts, &setting), 1);
    texts.remove("8.yaml");
    assert_eq!(rendered(&texts, &setting), 0);
    texts.insert("8.yaml".into(), application("shop/app-8", "{telemetry: {logs: all}}"));
    assert_eq!(rendered(&texts, &setting), 1);
    let cluster_domain = ClusterDomain::try_from("mesh.example".to_owned()).unwrap();
    assert_eq!(rendered(&texts, &Setting::of_domain(cluster_domain)), 50, "in another cluster");
}

#[test]
fn a_change_around_applications_renders_those_that_it_is_for() {
    let mut reader = Reader::default();
    let files = [vec![0, 5], vec![10], vec![12], vec![]];
    let mut repository = Repository { files, ..Repository::default() };
    assert_eq!(reader.rendered(&repository), 3);
    repository.apply(Edit::Around(2));
    assert_eq!(reader.rendered(&repository), 0, "a Secret");
    repository.apply(Edit::Around(0));
    assert_eq!(reader.rendered(&repository), 3, "a Namespace in ambient mode");
    repository.apply(Edit::Around(1));
    assert_eq!(reader.rendered(&repository), 1, "a Service with a waypoint");
    repository.apply(Edit::Guardrail(1, 4));
    assert_eq!(reader.rendered(&repository), 1, "a Guardrail of one directory");
    repository.apply(Edit::File(0, vec![6, 0]));
    assert_eq!(reader.rendered(&repository), 2, "a file of two documents");
}

#[test]
fn applications_share_their_setting() {
    let mut reader = Reader::default();
    let mut repository = Repository { files: [vec![0, 5], vec![9], vec![], vec![]], ..Repository::default() };
    for other in [9, 8] {
        repository.apply(Edit::File(1, vec![other]));
        let catalog = reader.catalog(&repository, &InForce::default());
        let [first, others @ ..] = catalog.applications() else { panic!("{:?}", findings(&catalog)) };
        assert!(others.iter().all(|other| Arc::ptr_eq(&first.setting, &other.setting)));
        assert_eq!(Arc::strong_count(&first.setting), 6, "three in the catalog, and three in the cache");
    }
}

#[test]
fn what_is_gone_is_freed() {
    let mut reader = Reader::default();
    let mut repository = Repository { files: [vec![0], vec![9], vec![], vec![]], ..Repository::default() };
    let catalog = reader.catalog(&repository, &InForce::default());
    let [gone, left] = catalog.applications() else { panic!("{:?}", findings(&catalog)) };
    let [gone, left] = [gone, left].map(|application| Arc::downgrade(&application.application));
    drop(catalog);
    repository.apply(Edit::File(0, Vec::new()));
    assert_eq!(reader.rendered(&repository), 0);
    assert!(gone.upgrade().is_none());
    assert!(left.upgrade().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_catalog_is_the_same_as_one_that_renders_everything(edits in prop::collection::vec(edit(), 1..24)) {
        let (mut reader, mut in_force) = (Reader::default(), InForce::default());
        let mut repository = Repository::default();
        for edit in edits {
            repository.apply(edit);
            let whole = Reader::default().catalog(&repository, &in_force);
            let catalog = reader.catalog(&repository, &in_force);
            prop_assert_eq!(findings(&catalog), findings(&whole));
            prop_assert_eq!(catalog.frozen(), whole.frozen());
            prop_assert_eq!(catalog.removals(), whole.removals());
            prop_assert_eq!(catalog.resources(), whole.resources());
            prop_assert_eq!(catalog.to_be_in_force(), whole.to_be_in_force());
            for (one, other) in catalog.applications().iter().zip(whole.applications()) {
                prop_assert_eq!((&one.application, &one.setting), (&other.application, &other.setting));
            }
            in_force = catalog.to_be_in_force();
        }
    }
}
