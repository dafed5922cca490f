//! With an API server and etcd.

mod a_failing_container_is_started_again;
mod a_killed_kubelet_leaves_nothing;
mod a_pod_lives_as_its_spec_says;
mod a_spec_that_cannot_run_says_why;
mod kubectl_reaches_into_a_pod;
mod node;
mod what_a_container_sees;
