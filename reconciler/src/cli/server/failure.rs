//! The exit codes of failures, and the next steps.

use std::process::ExitCode;

use crate::{
    cli::console::{self, NOT_RIGHT, UNREACHABLE, WRONG_USE, error},
    client::Failure,
};

/// Reports a failure, with the next step.
pub(crate) fn failed(failure: &Failure) -> ExitCode {
    error(failure);
    console::next(next(failure));
    ExitCode::from(exit_code(failure))
}

fn exit_code(failure: &Failure) -> u8 {
    match failure {
        Failure::Token(_) | Failure::Exposed { .. } | Failure::Setup { .. } => WRONG_USE,
        Failure::Unreachable { .. } | Failure::Redirected { .. } | Failure::Foreign { .. } => UNREACHABLE,
        Failure::Refused { status, .. } => match status {
            400 | 415 => WRONG_USE,
            429 | 500.. => UNREACHABLE,
            _ => NOT_RIGHT,
        },
    }
}

fn next(failure: &Failure) -> String {
    match failure {
        Failure::Token(_) => {
            "write the token alone into the file of --token-file (HFI_TOKEN_FILE)".to_owned()
        }
        Failure::Exposed { .. } => {
            "give an https URL with --server, or --insecure-token if nobody listens on the way".to_owned()
        }
        Failure::Setup { .. } => "correct --server, --ca-file or the proxy of the environment".to_owned(),
        Failure::Unreachable { .. } => {
            "name the server with --server (HFI_SERVER); GET /v1/health answers where one runs".to_owned()
        }
        Failure::Redirected { .. } => "give --server the URL that answers by itself".to_owned(),
        Failure::Foreign { .. } => "check that --server (HFI_SERVER) leads to hfi, with its path".to_owned(),
        Failure::Refused { status, retry_after, .. } => refused(*status, *retry_after),
    }
}

fn refused(status: u16, retry_after: Option<u64>) -> String {
    match (status, retry_after) {
        (401, _) => "give a token that the server knows with --token-file (HFI_TOKEN_FILE)".to_owned(),
        (403, _) => "use a token with this right".to_owned(),
        (404, _) => "`hfi policy list` shows every valid policy, and names the files with errors".to_owned(),
        (429 | 500.., Some(seconds)) => format!("try again in {seconds} s"),
        (429 | 500.., None) => "try again; the log of the server may say more".to_owned(),
        _ => "correct the request".to_owned(),
    }
}
