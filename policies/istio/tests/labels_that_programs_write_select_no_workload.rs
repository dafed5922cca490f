//! Labels that programs put on the pods of all applications do not say which pods are those of one.
#![cfg(test)]

use istio_config::File;

fn told(labels: &str) -> Vec<String> {
    let text = format!(
        "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: a, namespace: shop}}\n\
         spec: {{workload: {{labels: {{{labels}}}}}, peerAuthentication: {{}}}}\n"
    );
    File::read(text.as_bytes()).findings().iter().map(ToString::to_string).collect()
}

#[test]
fn they_are_refused_also_beside_others() {
    for key in [
        "security.istio.io/tlsMode",
        "service.istio.io/canonical-revision",
        "kubernetes.io/os",
        "helm.sh/chart",
        "apps.kubernetes.io/pod-index",
        "kustomize.toolkit.fluxcd.io/name",
    ] {
        for labels in [format!("{key}: a"), format!("app: a, {key}: a")] {
            let told = told(&labels);
            let is_right =
                |found: &String| found.starts_with(&format!("spec.workload.labels.{key}: is reserved"));
            assert!(told.len() == 1 && told.iter().all(is_right), "{told:?}");
        }
    }
}

#[test]
fn labels_that_authors_write_are_taken() {
    for key in [
        "app",
        "app.kubernetes.io/name",
        "app.kubernetes.io/component",
        "example.com/app",
        "notistio.io/app",
        "gateway.networking.k8s.io/gateway-name",
    ] {
        assert_eq!(told(&format!("{key}: a")), [""; 0], "{key}");
    }
}
