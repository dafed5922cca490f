//! Errors as a person reads them, without secrets: a kubeconfig holds tokens, and a command for credentials
//! prints them, so neither is ever quoted.

use std::error::Error;

use kube::{client::AuthError, config::KubeconfigError};

/// Why a call failed: in the server's own words, or else by the root of the matter.
pub(crate) fn of_call(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return format!("{} ({})", status.message, status.code);
    }
    let mut root: &dyn Error = error;
    loop {
        if let Some(error) = root.downcast_ref::<AuthError>() {
            return of_credentials(error);
        }
        match root.source() {
            Some(source) => root = source,
            None => return root.to_string(),
        }
    }
}

/// Why a kubeconfig cannot be used.
pub(crate) fn of_kubeconfig(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(error) => match error.location() {
            Some(place) => {
                format!("it is not a kubeconfig; see line {}, column {}", place.line(), place.column())
            }
            None => "it is not a kubeconfig".to_owned(),
        },
        KubeconfigError::ReadConfig(error, path) => format!("{}: {error}", path.display()),
        error => error.to_string(),
    }
}

fn of_credentials(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecRun { out, .. } => format!("the command for credentials failed: {}", out.status),
        AuthError::AuthExecParse(_) => "the command for credentials printed none".to_owned(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use kube::client::AuthError;

    use super::of_call;

    #[test]
    fn what_a_command_for_credentials_prints_is_not_told() {
        let out = Command::new("sh").args(["-c", "echo secret; echo secret >&2; exit 3"]).output().unwrap();
        let failed = AuthError::AuthExecRun { cmd: "sh secret".to_owned(), out: Box::new(out) };
        let error = kube::Error::Service(Box::new(failed));
        assert_eq!(of_call(&error), "the command for credentials failed: exit status: 3");
    }
}
