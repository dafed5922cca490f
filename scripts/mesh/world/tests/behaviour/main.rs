//! hfi in a cluster with real Kubernetes and real Istio. `scripts/test mesh` builds their programs and runs this.

mod a_cluster_admits_the_manifests;
