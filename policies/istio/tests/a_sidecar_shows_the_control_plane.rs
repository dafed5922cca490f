//! A Sidecar calls hfi's control plane by its name in the domain of the cluster, and one that hides it is told.
#![cfg(test)]

use std::sync::Arc;

use istio_config::{Catalog, File, InForce, Setting};

/// The hosts of the Sidecar that this renders to in a domain, and the rules that it breaks.
fn rendered(sidecar: &str, domain: &str) -> (String, Vec<&'static str>) {
    let text = format!(
        "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: reviews, namespace: shop}}\nspec: {{sidecar: {sidecar}}}\n"
    );
    let (path, file): (Arc<str>, _) = (Arc::from("a.yaml"), File::read(text.as_bytes()));
    let setting = Setting::of_domain(domain.to_owned().try_into().unwrap());
    let catalog = Catalog::new(&[(path, &file)], &InForce::default(), &setting, |_, setting| setting);
    let hosts = catalog.resources()[0].spec["egress"][0]["hosts"].to_string();
    (hosts, catalog.findings().iter().map(|found| found.finding.rule).collect())
}

#[test]
fn its_host_is_in_the_domain_of_the_cluster() {
    for domain in ["cluster.local", "mesh.example"] {
        let (hosts, broken) = rendered("{calls: [ratings]}", domain);
        let host = format!("\"boifi/hfi-control-plane.boifi.svc.{domain}\"");
        assert!(hosts.contains(&host) && broken.is_empty(), "{hosts} {broken:?}");
    }
}

#[test]
fn one_that_hides_it_is_told() {
    let of =
        |host: &str| rendered(&format!("{{spec: {{egress: [{{hosts: [./*, {host}]}}]}}}}"), "mesh.example").1;
    assert_eq!(of("istio-system/*"), ["H28"]);
    assert_eq!(of("boifi/hfi-control-plane.boifi.svc.cluster.local"), ["H28"]);
    assert!(of("boifi/hfi-control-plane.boifi.svc.mesh.example").is_empty());
    assert!(of("boifi/*").is_empty());
}
