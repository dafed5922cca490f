//! The manifests, the image and the scripts around them, compared with the real thing: the code
//! that they configure, the `hfi` binary, kustomize, a registry, and Envoy. That the manifests are valid
//! by themselves is for `scripts/check-manifests`.

mod container;
mod gatekeeper;
mod manifests;
mod registry;
mod served;

mod a_module_is_pushed_for_agents_to_pull;
mod the_containerfile_agrees;
mod the_dashboard_shows_what_there_is;
mod the_image_runs_as_the_deployment_says;
mod the_names_agree;
mod the_rights_suffice;
