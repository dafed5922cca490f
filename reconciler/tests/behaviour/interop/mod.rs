//! Behaviour towards other programs, which a machine may lack: kube-apiserver with etcd, sshd and ssh-keygen,
//! gpg, openssl, nginx, Chromium. `scripts/test fast` leaves this module out; every other test needs only Rust and Git.

mod a_certificate_is_trusted_as_git_trusts_it;
mod a_change_is_signed;
mod a_forge_notifies_of_a_push;
mod a_full_disk_costs_no_commit;
mod a_git_server_is_given_credentials;
mod a_halt_is_signed;
mod a_lost_filter_is_healed;
mod a_plan_ends_with_its_leader;
mod a_policy_of_a_namespace_that_is_gone_is_inactive;
mod a_push_goes_where_a_fetch_goes;
mod a_service_account_changes_policies;
mod a_view_token_goes_to_replicas_only;
mod an_alert_tells_of_what_is_frozen;
mod an_api_server_that_is_away_stalls_nothing;
mod an_ssh_server_is_known_by_its_key;
mod applications_are_compared_with_a_cluster;
mod applications_are_handed_to_flux;
mod artifacts_outlive_what_happens_to_them;
mod everything_is_stopped_in_a_browser;
mod flux_applies_what_hfi_hands_out;
mod flux_is_not_held_up;
mod https_is_served;
mod no_write_vouches_for_others;
mod nobody_else_writes_an_artifact;
mod one_replica_leads;
mod only_signed_commits_are_served;
mod packs_stay_few;
mod replicas_prove_who_they_are;
mod replicas_share_a_name;
mod resources_of_a_cluster_are_imported;
mod the_api_is_as_it_is_described;
mod the_cluster_shows_what_is_served;
mod the_doctor_reads_a_cluster;
mod the_page_is_read_in_a_browser;
mod what_lost_its_signer_is_withdrawn;
