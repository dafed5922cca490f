//! The kinds of resources that an application can have.

/// A kind, in the order of the sections of an `AppConfiguration`, in which resources are sorted too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    DestinationRule,
    VirtualService,
    ServiceEntry,
    Gateway,
    EnvoyFilter,
    ProxyConfig,
    Sidecar,
    AuthorizationPolicy,
    PeerAuthentication,
    RequestAuthentication,
    Telemetry,
    /// Of the Gateway API, written in the section of VirtualServices.
    HttpRoute,
    /// The same for gRPC.
    GrpcRoute,
}

impl Kind {
    /// The kinds of Istio, one for each section, in their order.
    pub const ALL: [Self; 11] = [
        Self::DestinationRule,
        Self::VirtualService,
        Self::ServiceEntry,
        Self::Gateway,
        Self::EnvoyFilter,
        Self::ProxyConfig,
        Self::Sidecar,
        Self::AuthorizationPolicy,
        Self::PeerAuthentication,
        Self::RequestAuthentication,
        Self::Telemetry,
    ];

    /// The kinds of the Gateway API.
    pub const GATEWAY_API: [Self; 2] = [Self::HttpRoute, Self::GrpcRoute];

    /// Its `kind`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DestinationRule => "DestinationRule",
            Self::VirtualService => "VirtualService",
            Self::ServiceEntry => "ServiceEntry",
            Self::Gateway => "Gateway",
            Self::EnvoyFilter => "EnvoyFilter",
            Self::ProxyConfig => "ProxyConfig",
            Self::Sidecar => "Sidecar",
            Self::AuthorizationPolicy => "AuthorizationPolicy",
            Self::PeerAuthentication => "PeerAuthentication",
            Self::RequestAuthentication => "RequestAuthentication",
            Self::Telemetry => "Telemetry",
            Self::HttpRoute => "HTTPRoute",
            Self::GrpcRoute => "GRPCRoute",
        }
    }

    /// The `apiVersion` that it is written with: the newest that both Istio 1.27 and 1.30 serve.
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::EnvoyFilter => "networking.istio.io/v1alpha3",
            Self::ProxyConfig => "networking.istio.io/v1beta1",
            Self::DestinationRule
            | Self::VirtualService
            | Self::ServiceEntry
            | Self::Gateway
            | Self::Sidecar => "networking.istio.io/v1",
            Self::AuthorizationPolicy | Self::PeerAuthentication | Self::RequestAuthentication => {
                "security.istio.io/v1"
            }
            Self::Telemetry => "telemetry.istio.io/v1",
            Self::HttpRoute | Self::GrpcRoute => "gateway.networking.k8s.io/v1",
        }
    }

    /// Its section of an `AppConfiguration`.
    pub const fn section(self) -> &'static str {
        match self {
            Self::DestinationRule => "destinationRule",
            Self::VirtualService | Self::HttpRoute | Self::GrpcRoute => "virtualService",
            Self::ServiceEntry => "serviceEntry",
            Self::Gateway => "gateway",
            Self::EnvoyFilter => "envoyFilter",
            Self::ProxyConfig => "proxyConfig",
            Self::Sidecar => "sidecar",
            Self::AuthorizationPolicy => "authorizationPolicy",
            Self::PeerAuthentication => "peerAuthentication",
            Self::RequestAuthentication => "requestAuthentication",
            Self::Telemetry => "telemetry",
        }
    }

    /// The same in snake case.
    pub const fn in_snake_case(self) -> &'static str {
        match self {
            Self::DestinationRule => "destination_rule",
            Self::VirtualService | Self::HttpRoute | Self::GrpcRoute => "virtual_service",
            Self::ServiceEntry => "service_entry",
            Self::Gateway => "gateway",
            Self::EnvoyFilter => "envoy_filter",
            Self::ProxyConfig => "proxy_config",
            Self::Sidecar => "sidecar",
            Self::AuthorizationPolicy => "authorization_policy",
            Self::PeerAuthentication => "peer_authentication",
            Self::RequestAuthentication => "request_authentication",
            Self::Telemetry => "telemetry",
        }
    }

    /// Its part of the name of an object.
    pub const fn in_kebab_case(self) -> &'static str {
        match self {
            Self::DestinationRule => "destination-rule",
            Self::VirtualService => "virtual-service",
            Self::ServiceEntry => "service-entry",
            Self::Gateway => "gateway",
            Self::EnvoyFilter => "envoy-filter",
            Self::ProxyConfig => "proxy-config",
            Self::Sidecar => "sidecar",
            Self::AuthorizationPolicy => "authorization-policy",
            Self::PeerAuthentication => "peer-authentication",
            Self::RequestAuthentication => "request-authentication",
            Self::Telemetry => "telemetry",
            Self::HttpRoute => "http-route",
            Self::GrpcRoute => "grpc-route",
        }
    }

    /// The kind of Istio of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of an object, in whatever version its group is served.
    pub fn of_object(api_version: &str, name: &str) -> Option<Self> {
        let group = |api_version: &str| api_version.split_once('/').map(|(group, _)| group.to_owned());
        Self::of_rendered(name).filter(|kind| group(kind.api_version()) == group(api_version))
    }

    /// The kind of this name, also of the Gateway API.
    pub fn of_rendered(name: &str) -> Option<Self> {
        Self::of(name).or_else(|| Self::GATEWAY_API.into_iter().find(|kind| kind.name() == name))
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn the_names_of_a_kind_agree() {
        for kind in Kind::ALL {
            let plain = |name: &str| name.replace('-', "").to_ascii_lowercase();
            assert_eq!(plain(kind.in_kebab_case()), plain(kind.name()));
            assert_eq!(plain(kind.section()), plain(kind.name()));
            assert_eq!(kind.in_snake_case(), kind.in_kebab_case().replace('-', "_"));
            assert_eq!(Kind::of(kind.name()), Some(kind));
        }
        assert!(Kind::ALL.is_sorted());
        assert!(Kind::ALL.into_iter().max() < Kind::GATEWAY_API.into_iter().min());
    }
}
