//! Commits beside what is in force.
#![cfg(test)]

mod an_invalid_application_keeps_what_it_has;
mod an_owner_stays;
mod any_history_keeps_what_is_right;
mod catalogs;
