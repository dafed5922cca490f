//! What hfi promises, shown on the real thing: git, the `hfi` binary, the filter module and Envoy.
//! One file per behaviour.

mod a_bad_answer_changes_nothing;
mod a_changed_plugin_configuration_takes_over;
mod a_delay_holds_and_marks_the_request;
mod a_duration_ends_without_the_reconciler;
mod a_folder_is_watched;
mod a_gateway_receives_every_request;
mod a_killed_reconciler_changes_nothing;
mod a_malformed_file_stops_only_its_own_faults;
mod a_missing_control_plane_lets_traffic_pass;
mod a_poll_tells_what_is_in_force;
mod a_proxy_polls_once_whatever_its_workers;
mod a_proxy_without_identity_gets_only_wildcards;
mod a_pushed_policy_faults_within_a_second;
mod a_rule_matches_what_it_says;
mod a_waypoint_stands_for_the_service_of_a_request;
mod an_abort_answers_as_written;
mod an_untargeted_service_is_left_alone;
mod deleting_a_policy_ends_its_fault;
mod envoy_counts_what_was_injected;
mod every_worker_follows_at_once;
mod faults_end_when_nobody_is_heard_of;
mod first_polls_are_spread;
mod no_server_can_make_a_proxy_spin;
mod percentages_hold_over_replicas;
mod policies;
mod policies_are_read_over_http;
mod scripted;
mod the_conformance_table_holds_in_envoy;
mod the_demo_ends_well;
mod the_harness_itself;
mod the_plugin_configuration_goes_before_the_node;
