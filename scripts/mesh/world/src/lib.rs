//! A cluster for tests on one machine: etcd, kube-apiserver, kube-controller-manager, kube-proxy and istiod are the
//! real programs, as `scripts/world-programs` builds them. They run in a network namespace, the node's, so that
//! their ports and iptables rules are their own. The thread of the test is in it too, and nothing else of the
//! machine changes. [`kubelet`] runs the Pods.
//!
//! The rooms, from the lowest to the highest; a room uses those above it in this list:
//!
//! - `machine`: commands; the number of a world, and what others have left; network namespaces.
//! - `kubernetes`: certificates, the control plane, and kubectl.
//! - `istio`: the manifests of Istio's charts, istiod, and what it says of itself.
//! - `pods`: the kubelet, and the programs that stand for images.
//! - `flux`: Flux's controllers, and the hosts that they fetch from.
//! - `proxies`: what the proxies say of themselves.
//! - `world`: [`World`], all of it together.
//! - `flux_world`: [`FluxWorld`], a world in which Flux brings Istio and hfi.
//!
//! A world needs root and Linux's network namespaces. Its name is its number, which no other running world of the
//! machine has: the first one's namespace is `hfi-world-0`, and so is its directory below that for temporary files.
//! `ip netns exec hfi-world-0 kubectl --kubeconfig /tmp/hfi-world-0/credentials/kubeconfig …` looks into it while it
//! runs. Everything ends with the value, and with the process. What a killed process leaves, the next world removes.

#![forbid(unsafe_code)]

mod flux;
mod flux_world;
mod istio;
mod kubernetes;
mod machine;
mod pods;
mod proxies;
mod world;

pub use flux_world::{FluxWorld, Link};
pub use pods::hfi_image;
pub use world::World;
