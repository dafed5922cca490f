//! Errors as text, without secrets: the content of a kubeconfig and the output of a credential command may
//! hold tokens and are never quoted.

use std::error::Error;

use kube::{client::AuthError, config::KubeconfigError, runtime::watcher};

/// The text of a failed call: the server's message, or else the root cause.
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

/// The text of a watch that broke.
pub(crate) fn of_watch(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => of_call(error),
        watcher::Error::WatchError(status) => status.message.clone(),
        watcher::Error::NoResourceVersion => error.to_string(),
    }
}

/// The text of an error in a kubeconfig.
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
