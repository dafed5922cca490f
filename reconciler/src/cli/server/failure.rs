//! The exit codes of failures, and the next steps.

use std::process::ExitCode;

use crate::{
    api::{peers::MissingReplica, problem::Problem},
    cli::console::{self, NOT_RIGHT, UNREACHABLE, WRONG_USE, error},
    client::Failure,
};

/// Reports a failure, with the next step.
pub(crate) fn failed(failure: &Failure) -> ExitCode {
    error(failure);
    failed_as_told(failure)
}

/// Warns of each replica that did not answer the one that was asked.
pub(crate) fn tell_missing(missing: &[MissingReplica]) {
    for MissingReplica { error: reason, name } in missing {
        console::warning(format_args!(
            "the replica {name} does not answer, so this may lack what it knows: {reason}"
        ));
    }
}

/// The same for a command that ends with 1 where it finds a difference, and so never with 1 for a failure.
pub(crate) fn failed_to_compare(failure: &Failure) -> ExitCode {
    failed(failure);
    ExitCode::from(exit_code(failure).max(WRONG_USE))
}

/// The same for a failure whose cause has been told.
pub(crate) fn failed_as_told(failure: &Failure) -> ExitCode {
    console::next(next(failure));
    ExitCode::from(exit_code(failure))
}

/// The same for a change that is not repeated by the same command. `again` is what settles it if its end is not known.
pub(crate) fn failed_change(failure: &Failure, again: &str) -> ExitCode {
    if !is_open(failure) {
        return failed(failure);
    }
    error(failure);
    console::next(again);
    ExitCode::from(exit_code(failure))
}

/// True if the change may have been made.
fn is_open(failure: &Failure) -> bool {
    match failure {
        Failure::Unanswered { .. } => true,
        Failure::Refused { problem, .. } => problem.outcome.is_some(),
        _ => false,
    }
}

fn exit_code(failure: &Failure) -> u8 {
    match failure {
        Failure::Token(_) | Failure::Exposed { .. } | Failure::Setup { .. } => WRONG_USE,
        Failure::Unreachable { .. }
        | Failure::Intercepted { .. }
        | Failure::Unanswered { .. }
        | Failure::Redirected { .. }
        | Failure::Foreign { .. } => UNREACHABLE,
        Failure::Refused { problem, .. } => match problem.status {
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
            "name the server with --server (HFI_SERVER) or --kubernetes-service; GET /v1/health answers where one runs".to_owned()
        }
        Failure::Intercepted { .. } => {
            "try again; if it goes on, check that hfi runs and that --server (HFI_SERVER) leads to it, with its path".to_owned()
        }
        Failure::Unanswered { .. } => AGAIN.to_owned(),
        Failure::Redirected { .. } => "give --server the URL that answers by itself".to_owned(),
        Failure::Foreign { .. } => "check that --server (HFI_SERVER) leads to hfi, with its path".to_owned(),
        Failure::Refused { problem, retry_after } => refused(problem, *retry_after),
    }
}

/// The step after a change whose end is not known.
pub(crate) const AGAIN: &str = "run the same command again: what was done already is `unchanged`";

/// The words of refusals whose next step is none of those of their status.
const STEPS: [(u16, &str, &str); 8] = [
    // A line that is meant for another file may give more rights there.
    (
        403,
        "the file of --write-token-file needs a line",
        "have this line added to that file, in a cluster to the Secret hfi-write",
    ),
    (
        403,
        "the file of --view-token-file needs a line",
        "have this line added to that file, in a cluster to the Secret hfi-view, and to no other",
    ),
    (403, "the file of --halt-token-file needs a line", "have this line added to that file, and to no other"),
    (403, "the repository refuses the push", "let hfi push to the branch, or start it with --write-branch"),
    (403, "no token may write", "commit this document with git, and leave it out here"),
    (
        405,
        "halts by HTTP are off",
        "in a cluster, set the key `halt` of the ConfigMap hfi-halt; elsewhere, create the halt file, or commit a \
         document of `kind: Halt`",
    ),
    (409, "DELETE with `file` in the query", "`hfi policy delete NAME --file PATH` removes one of them"),
    (409, "another directory by `folder`", "name another directory with --folder"),
];

/// The words by which a server asks for a parameter, and the options that send it.
const OPTIONS: [(&str, &str); 3] = [
    ("restart=true", "--restart"),
    ("allowWildcard=true", "--allow-wildcard"),
    ("rewrite=true", "--rewrite"),
];

fn refused(problem: &Problem, retry_after: Option<u64>) -> String {
    if problem.outcome.is_some() {
        return AGAIN.to_owned();
    }
    let errors = problem.errors.iter().map(|error| &error.message);
    let texts = || errors.clone().chain([&problem.detail]);
    let is_told = |words| texts().any(|text| text.contains(words));
    let step = STEPS.iter().find(|(status, words, _)| *status == problem.status && is_told(words));
    if let Some((_, _, step)) = step {
        return (*step).to_owned();
    }
    let asked = OPTIONS.iter().find(|(parameter, _)| is_told(parameter));
    if let Some((parameter, option)) = asked {
        return format!("`{parameter}` is the option {option}");
    }
    match (problem.status, retry_after) {
        (401, _) => {
            "give a token that the server knows with --token-file (HFI_TOKEN_FILE), or in a cluster with \
             --service-account"
                .to_owned()
        }
        (403, _) => "use a token with this right".to_owned(),
        (404, _) => "`hfi policy list` shows every valid policy, and names the files with errors".to_owned(),
        (405, _) if problem.detail.contains("--") => "start the server with this option".to_owned(),
        (412, _) => "run the same command again: it begins with the policy as it is then".to_owned(),
        (429 | 500.., Some(seconds)) => format!("try again in {seconds} s"),
        (429 | 500.., None) => "try again; the log of the server may say more".to_owned(),
        _ => "correct the request".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Problem, refused};

    #[test]
    fn a_line_is_added_to_the_file_that_the_server_names_and_to_no_other() {
        for (option, secret, others) in [
            ("--write-token-file", "hfi-write", ["hfi-view"].as_slice()),
            ("--view-token-file", "hfi-view", &["hfi-write"]),
            ("--halt-token-file", "that file", &["hfi-write", "hfi-view"]),
        ] {
            let detail = format!(
                "the ServiceAccount a/b may not do this: the file of {option} needs a line such as `a-b \
                 serviceaccount:a/b`"
            );
            let step = refused(&Problem { status: 403, detail, ..Problem::default() }, None);
            assert!(step.contains("have this line added") && step.contains(secret), "{option}: {step}");
            assert!(!others.iter().any(|other| step.contains(other)), "{option}: {step}");
        }
    }
}
