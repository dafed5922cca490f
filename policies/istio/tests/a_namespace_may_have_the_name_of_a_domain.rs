//! A host such as `acme.shop` may be public, although `shop` is a namespace.
#![cfg(test)]

use istio_config::{Catalog, File, InForce, Level, Setting};

/// What is told of `acme.shop` in a VirtualService of another namespace, beside these objects.
fn levels(gateways: &str, beside: &str) -> Vec<Level> {
    let text = format!(
        "apiVersion: v1
kind: Namespace
metadata: {{name: shop}}
---
{beside}---
apiVersion: hfi.dev/v1
kind: AppConfiguration
metadata: {{name: web, namespace: web}}
spec: {{virtualService: {{spec: {{hosts: [acme.shop], {gateways} http: [{{route: [{{destination: {{host: web}}}}]}}]}}}}}}
"
    );
    let file = File::read(text.as_bytes());
    let files = [("a.yaml".into(), &file)];
    let catalog = Catalog::new(&files, &InForce::default(), &Setting::default(), |_, setting| setting);
    let found = catalog.findings().iter().map(|located| &located.finding);
    found.filter(|found| found.rule == "H33").map(|found| found.level).collect()
}

#[test]
fn it_is_a_mistake_only_where_nobody_outside_can_mean_it() {
    let (gateways, service) = (
        "gateways: [edge/public],",
        "apiVersion: v1
kind: Service
metadata: {name: acme, namespace: shop}
spec: {ports: [{port: 80}]}
",
    );
    assert_eq!(levels(gateways, ""), [Level::Warning]);
    assert_eq!(levels(gateways, service), [Level::Error]);
    assert_eq!(levels("", ""), [Level::Error], "without gateways nobody outside calls it");
}
