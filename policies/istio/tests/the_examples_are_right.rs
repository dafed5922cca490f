//! Each file of `examples/` is a repository that is valid, without a warning, and renders what its name promises.
#![cfg(test)]

use std::{fs, path::Path, sync::Arc};

use istio_config::{Catalog, File, InForce, Setting};

/// The examples, and the kinds that each renders to.
const EXAMPLES: [(&str, &[&str]); 6] = [
    ("canary-by-weights.yaml", &["DestinationRule", "VirtualService"]),
    ("defaults-of-a-callee.yaml", &["DestinationRule"]),
    ("egress-lockdown.yaml", &["DestinationRule", "ServiceEntry", "Sidecar"]),
    ("jwt-at-the-edge.yaml", &["AuthorizationPolicy", "RequestAuthentication"]),
    ("resilience-at-a-waypoint.yaml", &["DestinationRule", "VirtualService"]),
    ("who-may-call-me.yaml", &["AuthorizationPolicy", "PeerAuthentication"]),
];

#[test]
fn every_example_is_listed() {
    let files = fs::read_dir(directory()).unwrap().map(|file| file.unwrap().file_name());
    let mut files: Vec<_> = files.map(|file| file.into_string().unwrap()).collect();
    files.retain(|file| file.ends_with(".yaml"));
    files.sort();
    assert_eq!(files, EXAMPLES.map(|(file, _)| file));
}

#[test]
fn an_example_is_valid_and_renders_its_kinds() {
    for (name, kinds) in EXAMPLES {
        let file = File::read(&fs::read(directory().join(name)).unwrap());
        let files = [(Arc::from(name), &file)];
        let catalog = Catalog::new(&files, &InForce::default(), &Setting::default(), |_, setting| setting);
        let findings: Vec<_> = catalog.findings().iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{findings:#?}");
        let rendered: Vec<_> = catalog.resources().iter().map(|resource| resource.kind.name()).collect();
        assert_eq!(rendered, kinds, "{name}");
    }
}

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"))
}
