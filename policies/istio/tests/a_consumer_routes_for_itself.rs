//! A consumer routes its own calls of another team's service, beside the routes of the owner, and never to itself.
#![cfg(test)]

use std::sync::Arc;

use istio_config::{Catalog, File, InForce, Setting};

#[test]
fn a_consumer_has_its_own_timeout_beside_the_routes_of_the_owner() {
    let document = |spec: &str| format!("apiVersion: hfi.dev/v1\nkind: AppConfiguration\n{spec}");
    let consumer = document(
        "metadata: {name: web, namespace: shop}\nspec: {virtualService: [{name: pay, namespaces: [\".\"], hosts: [pay.bank.svc], timeout: 1s}, {name: own, timeout: 5s}]}\n",
    );
    let owner = document("metadata: {name: pay, namespace: bank}\nspec: {virtualService: {timeout: 9s}}\n");
    let files = [("shop.yaml", consumer), ("bank.yaml", owner)]
        .map(|(path, text)| (Arc::<str>::from(path), File::read(text.as_bytes())));
    let files = files.each_ref().map(|(path, file)| (Arc::clone(path), file));
    let catalog = Catalog::new(&files, &InForce::default(), &Setting::default(), |_, setting| setting);
    assert_eq!(catalog.findings(), []);
    let shown: Vec<_> = catalog
        .resources()
        .iter()
        .map(|resource| {
            let spec = &resource.spec;
            let host = &spec["http"][0]["route"][0]["destination"]["host"];
            format!("{} {} -> {host} {}", resource.name, spec["hosts"], spec["http"][0]["timeout"])
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#"pay-virtual-service ["pay.bank.svc.cluster.local"] -> "pay.bank.svc.cluster.local" "9s""#,
            r#"web-own-virtual-service ["web.shop.svc.cluster.local"] -> "web.shop.svc.cluster.local" "5s""#,
            r#"web-pay-virtual-service ["pay.bank.svc.cluster.local"] -> "pay.bank.svc.cluster.local" "1s""#,
        ]
    );
}
