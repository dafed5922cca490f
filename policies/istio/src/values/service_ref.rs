//! Services as they are named in a document.

use policies::language::ClusterDomain;

use super::{Host, HostError, Label};

/// A service: `b` of the own namespace, `b.ns`, or a full name; or a host of a ServiceEntry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceRef {
    Service { service: Label, namespace: Option<Label> },
    Host(Host),
}

/// The error of a text that names no service.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceRefError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("`{0}` is a wildcard; name one service, such as `reviews` or `reviews.shop`")]
    Wildcard(String),
}

impl ServiceRef {
    /// The service of a name that is written.
    pub fn parse(text: &str) -> Result<Self, ServiceRefError> {
        let host = Host::try_from(text)?;
        if host.is_wildcard() {
            return Err(ServiceRefError::Wildcard(text.to_owned()));
        }
        let label = |text: &str| Label::try_from(text.to_owned()).ok();
        let parts: Vec<_> = text.split('.').collect();
        let service = match parts.as_slice() {
            [service] => label(service).map(|service| (service, None)),
            [service, namespace] | [service, namespace, "svc"] => {
                label(service).zip(label(namespace).map(Some))
            }
            _ => None,
        };
        Ok(match service {
            Some((service, namespace)) => Self::Service { service, namespace },
            None => Self::Host(host),
        })
    }

    /// Its namespace and its full name, seen from a namespace. A host that is no service has no namespace.
    pub fn resolve(&self, own: &Label, domain: &ClusterDomain) -> (Option<String>, String) {
        match self {
            Self::Service { service, namespace } => {
                let namespace = namespace.as_ref().unwrap_or(own).as_str();
                (Some(namespace.to_owned()), domain.host(service.as_str(), namespace))
            }
            Self::Host(host) => {
                let namespace = domain.service(host.as_str()).map(|(_, namespace)| namespace.to_owned());
                (namespace, host.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use policies::language::ClusterDomain;

    use super::{Label, ServiceRef};

    #[test]
    fn a_service_has_one_full_name_however_it_is_written() {
        let own = Label::try_from("shop".to_owned()).unwrap();
        let domain = ClusterDomain::default();
        let resolve = |text: &str| ServiceRef::parse(text).unwrap().resolve(&own, &domain);
        let full = |namespace: &str, host: &str| (Some(namespace.to_owned()), host.to_owned());
        for written in ["pay", "pay.shop", "pay.shop.svc", "pay.shop.svc.cluster.local"] {
            assert_eq!(resolve(written), full("shop", "pay.shop.svc.cluster.local"), "{written}");
        }
        assert_eq!(resolve("pay.bank"), full("bank", "pay.bank.svc.cluster.local"));
        assert_eq!(resolve("api.stripe.example"), (None, "api.stripe.example".to_owned()));
        assert!(ServiceRef::parse("*.bank").is_err());
    }
}
