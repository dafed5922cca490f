//! A Service with several ports is routed: in the mesh a call keeps its port, and at a Gateway the document names one.
#![cfg(test)]

use std::sync::Arc;

use istio_config::{Catalog, File, InForce, Setting};

/// The findings of an entry for a Service with a port for metrics.
fn findings(entry: &str) -> Vec<String> {
    let text = format!(
        "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: reviews, namespace: shop}}\nspec:\n  destinationRule: {{host: reviews, subsets: [{{name: v1, labels: {{version: v1}}}}]}}\n  virtualService: {entry}\n"
    );
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: reviews, namespace: shop}\nspec: {ports: [{port: 80}, {port: 9090}]}\n";
    let file = File::read(format!("{text}---\n{service}").as_bytes());
    let files = [(Arc::from("shop.yaml"), &file)];
    let catalog = Catalog::new(&files, &InForce::default(), &Setting::default(), |_, setting| setting);
    catalog.findings().iter().map(ToString::to_string).collect()
}

#[test]
fn in_the_mesh_no_port_is_needed() {
    assert_eq!(findings("{timeout: 5s, routes: [{split: {v1: 100}}]}"), [""; 0]);
}

#[test]
fn at_a_gateway_the_document_names_the_port() {
    let entry = "{hosts: [a.example.com], gateways: [edge/public], PORT routes: [{split: {v1: 100}}]}";
    let without = findings(&entry.replace("PORT", ""));
    assert_eq!(
        without,
        [
            "shop.yaml:6:19: spec.virtualService (VirtualService spec.http[0].route[0].destination.port): is missing, and `reviews.shop.svc.cluster.local` has several ports, of which a gateway cannot choose; write `port`, one of 80, 9090 [X112]"
        ]
    );
    assert_eq!(findings(&entry.replace("PORT", "port: 80,")), [""; 0]);
}
