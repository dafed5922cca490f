//! Commits beside what is in force.
#![cfg(test)]

mod a_file_speaks_of_its_own_namespaces;
mod a_public_host_has_an_owner;
mod a_reference_in_force_stays;
mod a_route_stays_whatever_others_call;
mod a_service_and_pods_belong_to_one;
mod an_application_that_is_held_stays;
mod an_invalid_application_keeps_what_it_has;
mod an_object_of_others_is_taken_over_by_leave;
mod an_owner_has_what_its_objects_are_for;
mod an_owner_stays;
mod any_history_keeps_what_is_right;
mod catalogs;
mod what_has_not_changed_is_not_rendered_again;
mod what_is_in_force_is_searched_in_time;
mod what_is_refused_takes_along_what_depends_on_it;
