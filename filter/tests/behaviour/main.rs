//! What the filter does, outside of any proxy.
#![cfg(test)]

mod a_percentage_holds_over_a_million_requests;
mod a_request_is_asked_only_for_what_rules_ask;
mod a_vm_looks_at_the_others_whatever_it_holds;
mod a_waypoint_stands_for_many_services;
mod one_vm_polls_for_all;
mod the_last_good_program_stays_in_force;
mod world;
