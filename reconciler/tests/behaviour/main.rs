//! What the reconciler does for those who push and those who poll: one module per behaviour, in one
//! binary, with real files, real Git and real HTTP.
#![cfg(test)]

mod a_branch_is_followed;
mod a_duration_counts_from_the_commit;
mod a_folder_is_followed;
mod a_policy_changes_state_at_its_instant;
mod a_poll_is_held_until_its_scope_changes;
mod commands_answer;
mod errors_are_problem_documents;
mod support;
mod the_process_ends_well;
