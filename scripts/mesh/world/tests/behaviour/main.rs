//! hfi in a cluster with real Kubernetes and real Istio. `scripts/test mesh` builds their programs and runs this.

mod doctor;
mod flux;
mod person;
mod places;
mod support;

mod a_control_plane_serves_inside_a_closed_mesh;
mod a_lost_filter_comes_back;
mod a_mesh_is_disturbed;
mod a_module_is_pulled_from_a_registry;
mod a_person_needs_only_a_kubeconfig;
mod gateways_and_waypoints;
mod hfi_is_installed;
mod hfi_is_upgraded;
mod istio_and_our_rules_agree;
mod the_doctor_finds_what_is_wrong;
mod the_steps_of_the_readme_lead_to_a_fault;
mod what_is_refused_in_ambient;
