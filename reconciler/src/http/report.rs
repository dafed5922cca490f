//! The report of the status, kept for the next request: to compare all rules with each other takes long.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    api::counts::Counts,
    serving::{
        namespaces::Namespaces,
        published::Published,
        status::{self, Version},
    },
};

/// The newest report. It is made again when the policies, their states or the namespaces change.
#[derive(Debug, Default)]
pub(crate) struct Report(Mutex<Option<(Of, Arc<status::Report>)>>);

/// The values that a report depends on.
pub(crate) type Of = (Version, Counts, Option<Arc<Namespaces>>);

impl Report {
    /// The report of what is published, made again only if `of` differs from the last time.
    pub(crate) fn of(&self, of: Of, published: &Published) -> Arc<status::Report> {
        // Locked meanwhile: other requests wait for the same report.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((known, report)) if *known == of => Arc::clone(report),
            _ => {
                let report = Arc::new(status::report(published, of.2.as_deref()));
                *known = Some((of, Arc::clone(&report)));
                report
            }
        }
    }
}
