//! Flux, and what it fetches: hosts with their names, charts, and this checkout in a Git repository.

mod balancer;
mod cert_manager;
mod charts;
mod chat;
mod checkout;
mod controllers;
mod elsewhere;
mod files;
mod hosts;
mod ssh;

pub(crate) use balancer::Balancer;
pub(crate) use cert_manager::CertManager;
pub(crate) use checkout::checkout;
pub(crate) use controllers::{APPLYING, CONTROLLERS, images, install, manifests};
pub(crate) use elsewhere::Elsewhere;
pub(crate) use hosts::{Hosts, NAMES, authority};
