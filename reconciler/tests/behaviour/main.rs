//! The reconciler as clients that push and clients that poll see it: one module per behaviour, in one
//! binary, with real files, real Git and real HTTP. [`interop`] needs further programs.
#![cfg(test)]

mod a_branch_is_followed;
mod a_damaged_clone_is_repaired;
mod a_date_in_the_future_lengthens_nothing;
mod a_directory_is_followed;
mod a_duration_counts_from_the_commit;
mod a_guardrail_above_binds_a_directory;
mod a_halt_takes_no_filter_back;
mod a_large_file_in_the_history_costs_the_server_nothing;
mod a_plain_poll_is_answered_as_any_other;
mod a_policy_changes_state_at_its_instant;
mod a_poll_is_held_until_its_scope_changes;
mod a_replica_that_is_behind_fetches_first;
mod a_repository_costs_only_so_much;
mod a_repository_on_this_machine_is_linked;
mod a_server_that_hangs_stalls_nothing;
mod a_tag_or_a_commit_is_followed;
mod a_variable_that_is_set_to_nothing_is_not_set;
mod an_installation_is_diagnosed;
mod commands_answer;
mod each_filter_gets_the_format_that_it_reads;
mod errors_are_problem_documents;
mod events_tell_of_every_snapshot;
mod everything_can_be_halted;
mod filters_are_known_by_their_polls;
mod floods_of_frames_end_the_connection;
mod interop;
mod modules_are_handed_out;
mod no_client_hurts_the_others;
mod one_client_leaves_the_others_their_share;
mod readiness_tells_age_and_cause;
mod replicas_agree;
mod support;
mod the_documents_lead_somewhere;
mod the_first_generation_is_served;
mod the_interface_is_described;
mod the_last_good_outlives_the_process;
mod the_process_ends_well;
mod the_reference_says_what_there_is;
mod the_status_says_what_is_served;
mod validate_reads_what_the_server_reads;
mod what_git_can_hold_is_told;
