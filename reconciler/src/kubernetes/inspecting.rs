//! Reads the installation that the doctor judges.

pub(crate) mod mesh_config;
pub(crate) mod replica;
pub mod survey;
