//! Prints the CustomResourceDefinition of `PolicySource`, for `k8s/base/crd.yaml`.

fn main() {
    print!("{}", reconciler::kubernetes::reporting::policy_source::definition());
}
