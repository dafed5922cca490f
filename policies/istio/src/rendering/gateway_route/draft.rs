//! What of an entry does not fit into a route of the Gateway API.

use crate::{rendering::frame::Frame, resource::Kind, written::Entry};

#[derive(Debug)]
struct Misfit {
    attribute: String,
    reason: String,
    right: String,
}

/// What is right for most of what does not fit.
const OTHERWISE: &str = "change it, or write `render: virtualService`";

/// A route that is being made.
#[derive(Debug)]
pub(in crate::rendering) struct Draft {
    kind: Kind,
    /// Where in the entry it is: the beginning of each attribute's path.
    at: String,
    misfits: Vec<Misfit>,
    is_exact: bool,
}

impl Draft {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, at: String::new(), misfits: Vec::new(), is_exact: true }
    }

    pub(super) fn is_grpc(&self) -> bool {
        self.kind == Kind::GrpcRoute
    }

    /// Goes to a part of the entry.
    pub(super) fn enter(&mut self, at: String) {
        self.at = at;
    }

    /// Notes an attribute that has no counterpart, or a value that is none there: what it does.
    pub(super) fn misfit(&mut self, attribute: &str, reason: &str) {
        self.misfit_so(attribute, reason, OTHERWISE.to_owned());
    }

    /// The same, with what would be right.
    pub(super) fn misfit_so(&mut self, attribute: &str, reason: &str, right: String) {
        self.add(attribute, format!("does not fit into {}: it {reason}", self.name()), right);
    }

    /// Notes an attribute that becomes a field which the API server would refuse.
    pub(super) fn exceeds(&mut self, attribute: &str, field: &str, reason: &str) {
        let reason = format!("does not fit into {}, by its field `{field}`: {reason}", self.name());
        self.add(attribute, reason, OTHERWISE.to_owned());
    }

    /// Notes an attribute that a route must have.
    pub(super) fn lacks(&mut self, attribute: &str, why: &str) {
        self.add(attribute, format!("is missing: in {} {why}", self.name()), "write it".to_owned());
    }

    fn add(&mut self, attribute: &str, reason: String, right: String) {
        self.misfits.push(Misfit { attribute: format!("{}{attribute}", self.at), reason, right });
    }

    fn name(&self) -> &'static str {
        if self.is_grpc() { "a GRPCRoute" } else { "an HTTPRoute" }
    }

    /// Notes that the route means something else than a VirtualService, if only at the edges.
    pub(super) fn differs(&mut self) {
        self.is_exact = false;
    }

    /// True if the route is the same as a VirtualService.
    pub(in crate::rendering) fn suffices(&self) -> bool {
        self.is_exact && self.fits()
    }

    /// True if nothing is found that does not fit.
    pub(super) fn fits(&self) -> bool {
        self.misfits.is_empty()
    }

    /// Reports what does not fit. True if everything does.
    pub(in crate::rendering) fn report(self, entry: &Entry, frame: &Frame<'_>) -> bool {
        let fits = self.fits();
        for Misfit { attribute, reason, right } in self.misfits {
            frame.report(entry.error("APP18", &attribute, reason).right(right));
        }
        fits
    }
}
