//! A way to the replicas behind a Service for a person outside of the cluster, as `kubectl port-forward` has it.
//!
//! - `replicas`: the pods of the Service, and the choice among them.
//! - `tunnel`: a socket on this machine, whose connections are carried to a replica.

mod replicas;
mod tunnel;

use std::{io, time::Duration};

use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::{Service, ServiceAccount},
};
use kube::{Api, Client, api::PostParams};

use self::replicas::Replicas;
pub use self::tunnel::Tunnel;
use super::client::{
    call::{CallError, with_timeout},
    kubeconfig::{NoCluster, connect},
};
use crate::{access::AUDIENCE, client::Token};

/// The longest time for an answer of the API server.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest silence of a connection. A stream of events has a comment every 15 s.
const SILENCE: Duration = Duration::from_secs(60);
/// The lifetime of a token, in seconds.
const LIFETIME: i64 = 3_600;

/// A Service or a service account, in the namespace of the kubeconfig if none is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectName {
    pub namespace: Option<String>,
    pub name: String,
}

/// The reason why there is no way to a Service. Services are named as `namespace/name`.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    #[error(transparent)]
    NoCluster(#[from] NoCluster),
    #[error("cannot read {what}: {error}")]
    Unreadable { what: String, error: CallError },
    #[error("the Service {0} has no selector or no port, so nothing can be forwarded to it")]
    NotForwardable(String),
    #[error("no replica of the Service {0} is ready")]
    NoneReady(String),
    #[error("cannot forward a port of the pod {pod}: {error}")]
    Refused { pod: String, error: CallError },
    #[error("cannot get a token of the ServiceAccount {account}: {error}")]
    NoToken { account: String, error: CallError },
    #[error("the API server granted no token of the ServiceAccount {0} that can be sent")]
    UnusableToken(String),
    #[error("cannot listen on a socket: {0}")]
    Socket(#[from] io::Error),
}

/// The cluster of a person.
#[expect(missing_debug_implementations, reason = "the client has none, and its configuration holds secrets")]
pub struct Cluster(Client);

impl Cluster {
    /// The cluster of a context of the kubeconfig, or of its current one. Sends nothing yet.
    pub async fn of_kubeconfig(context: Option<String>) -> Result<Self, ForwardError> {
        Ok(Self(connect(context, SILENCE).await?))
    }

    /// A token of a service account, for hfi only.
    pub async fn token(&self, account: &ObjectName) -> Result<Token, ForwardError> {
        let namespace = self.namespace(account);
        let accounts = Api::<ServiceAccount>::namespaced(self.0.clone(), namespace);
        let spec = TokenRequestSpec {
            audiences: vec![AUDIENCE.to_owned()],
            expiration_seconds: Some(LIFETIME),
            ..TokenRequestSpec::default()
        };
        let request = TokenRequest { spec, ..TokenRequest::default() };
        let parameters = PostParams::default();
        let answer = accounts.create_token_request(&account.name, &parameters, &request);
        let account = format!("{namespace}/{}", account.name);
        let answer = match with_timeout(PATIENCE, answer).await {
            Ok(answer) => answer,
            Err(error) => return Err(ForwardError::NoToken { account, error }),
        };
        let token = answer.status.and_then(|status| Token::of_text(status.token.as_bytes()).ok());
        token.ok_or(ForwardError::UnusableToken(account))
    }

    /// A way to the ready replicas of a Service. The first connection is made at once, so that what forbids it is told.
    pub async fn forward(&self, service: &ObjectName) -> Result<Tunnel, ForwardError> {
        let namespace = self.namespace(service);
        let shown = format!("{namespace}/{}", service.name);
        let services = Api::<Service>::namespaced(self.0.clone(), namespace);
        let found = with_timeout(PATIENCE, services.get(&service.name)).await;
        let found = found
            .map_err(|error| ForwardError::Unreadable { what: format!("the Service {shown}"), error })?;
        let replicas = Replicas::of(&self.0, &shown, namespace, &found);
        let replicas = replicas.ok_or(ForwardError::NotForwardable(shown))?;
        Tunnel::start(replicas).await
    }

    fn namespace<'a>(&'a self, object: &'a ObjectName) -> &'a str {
        object.namespace.as_deref().unwrap_or(self.0.default_namespace())
    }
}
