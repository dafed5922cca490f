//! Behaviour of the filter, tested without a proxy.
#![cfg(test)]

mod a_percentage_holds_over_a_million_requests;
mod a_poll_names_the_plugins_of_its_proxy;
mod a_poll_reports_the_faults;
mod a_waypoint_serves_many_services;
mod an_etag_can_be_weak_or_absent;
mod an_unknown_format_changes_nothing;
mod foreign_bytes_change_nothing;
mod held_requests_are_let_go;
mod held_requests_come_out_once;
mod held_requests_do_not_delay_a_refresh;
mod no_total_falls_or_doubles;
mod one_vm_polls_for_all;
mod only_what_rules_need_is_read;
mod the_last_good_program_stays_in_force;
mod the_reference_says_what_there_is;
mod world;
