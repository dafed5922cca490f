//! The way to a server in a cluster.

use std::process::ExitCode;

use crate::{
    cli::console::{self, UNREACHABLE, error},
    client::Token,
    kubernetes::forwarding::{Cluster, ForwardError, ObjectName, Tunnel},
};

/// A way to a Service, and a token of a service account.
pub(super) async fn reach(
    service: ObjectName,
    context: Option<String>,
    account: Option<ObjectName>,
) -> Result<(Tunnel, Option<Token>), ForwardError> {
    let cluster = Cluster::of_kubeconfig(context).await?;
    let token = match &account {
        Some(account) => Some(cluster.token(account).await?),
        None => None,
    };
    Ok((cluster.forward(&service).await?, token))
}

/// Reports that there is no way to a Service, with the next step.
pub(crate) fn no_way(why: &ForwardError) -> ExitCode {
    error(why);
    console::next(match why {
        ForwardError::NoCluster(_) => "name a kubeconfig in KUBECONFIG, and its context with --context",
        ForwardError::Unreadable { error, .. } if error.is(404) => {
            "name the Service of hfi with its namespace, such as boifi/hfi-control-plane"
        }
        ForwardError::Unreadable { .. } => {
            "in its namespace your user needs the rights to get services and to list pods"
        }
        ForwardError::NotForwardable(_) => "name the Service of hfi, such as boifi/hfi-control-plane",
        ForwardError::NoneReady(_) => "`hfi doctor` says what is wrong with the control plane",
        ForwardError::Refused { error, .. } if error.is(403) => {
            "in the namespace of the Service your user needs the rights to get and to create pods/portforward"
        }
        ForwardError::Refused { .. } => "run the same command again; `hfi doctor` may say more",
        ForwardError::NoToken { error, .. } if error.is(404) => {
            "create the ServiceAccount, or name another with --service-account NAMESPACE/NAME"
        }
        ForwardError::NoToken { .. } => {
            "in its namespace your user needs the right to create serviceaccounts/token; or give a token with \
             --token-file"
        }
        ForwardError::UnusableToken(_) => {
            "check what answers for the API server of this context; or give a token with --token-file"
        }
        ForwardError::Socket(_) => {
            "name a directory for temporary files in TMPDIR that can be written, with a path of less than 80 bytes"
        }
    });
    ExitCode::from(UNREACHABLE)
}

/// Reads the name of an object, with or without its namespace.
pub(crate) fn object_name(text: &str) -> Result<ObjectName, &'static str> {
    let (namespace, name) = match text.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, text),
    };
    let is_name = |name: &str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        (1..=253).contains(&name.len()) && name.bytes().all(fits)
    };
    if !is_name(name) || !namespace.is_none_or(is_name) {
        return Err("must be NAME or NAMESPACE/NAME, such as boifi/hfi-control-plane");
    }
    Ok(ObjectName { namespace: namespace.map(str::to_owned), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::object_name;

    #[test]
    fn an_object_is_named_with_or_without_its_namespace() {
        let parts = |text| object_name(text).map(|object| (object.namespace, object.name));
        assert_eq!(parts("hfi"), Ok((None, "hfi".to_owned())));
        assert_eq!(parts("boifi/hfi"), Ok((Some("boifi".to_owned()), "hfi".to_owned())));
        for bad in ["", "/", "boifi/", "/hfi", "a/b/c", "svc hfi", "Hfi", "..%2f", &"x".repeat(254)] {
            assert!(object_name(bad).is_err(), "{bad}");
        }
    }
}
