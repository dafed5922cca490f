//! What applications refer to, as it is in force.

use std::{cell::OnceCell, collections::BTreeSet, rc::Rc};

use super::Known;
use crate::{rules::subject::Subject, surroundings::Named};

/// What the resources of a kind of an application refer to in force. Each is found once: thousands of them may be wrong.
#[derive(Debug, Default)]
pub(in crate::rules::across) struct References {
    hosts: Once<String>,
    ports: Once<(String, i64)>,
    /// The `hosts` of resources, each with the namespaces that see it; true for those in the mesh.
    pub(super) own_hosts: Once<(String, String, bool)>,
    /// The hosts of destinations at gateways that have no port.
    pub(in crate::rules::across) without_port: Once<String>,
    pub(in crate::rules::across) subsets: Once<(String, String)>,
    pub(in crate::rules::across) labels: Once<(String, Vec<(String, String)>)>,
    pub(in crate::rules::across) backends: Once<Rc<str>>,
    pub(in crate::rules::across) backend_ports: Once<(Rc<str>, i64)>,
    pub(in crate::rules::across) gateways: Once<Named>,
    /// The Gateways of routes by tokens; none for the routes themselves.
    pub(in crate::rules::across) with_tokens: Once<Option<Named>>,
    /// The namespaces of the Pods of Gateways, and the names of the Secrets there.
    pub(in crate::rules::across) secrets: Once<(String, String)>,
}

pub(in crate::rules::across) type Once<T> = OnceCell<BTreeSet<T>>;

impl Known<'_> {
    /// True if VirtualServices of an application send to a full host in force.
    pub(in crate::rules::across) fn had_destination(&self, subject: &Subject, host: &str) -> bool {
        self.before.refers(
            subject,
            host,
            |own| &own.hosts,
            |before| self.destinations(before).into_iter().map(|(host, _)| host).collect(),
        )
    }

    /// True if they send to this port of it.
    pub(in crate::rules::across) fn had_destination_at(
        &self,
        subject: &Subject,
        host: &str,
        port: i64,
    ) -> bool {
        let of = |before: &Subject| {
            let to = self.destinations(before).into_iter();
            to.filter_map(|(host, to)| Some((host, to.get("port").integer_of("number")?))).collect()
        };
        self.before.refers(subject, &(host.to_owned(), port), |own| &own.ports, of)
    }
}
