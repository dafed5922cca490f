//! `hfi diff`: what a change of AppConfigurations changes of the Istio resources that they mean.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use clap::Args;
use istio_config::{Level, output};

use super::{
    applications::{Applications, Rendering},
    console::{DONE, NOT_RIGHT, WRONG_USE, next, print_styled, warning, wrong_use},
    policy_files::PolicyFiles,
    render::tell,
    terminal::Terminal,
    unified::unified,
};

/// Compare the rendered Istio resources of a directory with those of a commit
///
/// Both sides are rendered by this program, so that only what was written makes a difference. Ends with 0 if all
/// resources are the same, with 1 if one differs, with 2 if that cannot be said.
#[derive(Debug, Args)]
pub struct Diff {
    /// The policy directory, in a Git work tree
    path: PathBuf,

    /// A branch, a tag or a commit [default: the upstream of the branch that is checked out, or else HEAD]
    ///
    /// A branch that only the remote `origin` has is found too. Nothing is fetched.
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,

    #[command(flatten)]
    rendering: Rendering,
}

impl Diff {
    pub fn run(self) -> ExitCode {
        let Self { path, branch, rendering } = self;
        let read = PolicyFiles::read(std::slice::from_ref(&path));
        let read = read.and_then(|files| Ok((files, PolicyFiles::committed(&path, branch.as_deref())?)));
        let (files, (before, commit)) = match read {
            Ok(read) => read,
            Err(failure) => return wrong_use(failure),
        };
        let applications = Applications::of(&files, &rendering);
        if !tell(&files, &applications) {
            next("correct these; nothing was compared");
            return ExitCode::from(WRONG_USE);
        }
        let (old, new) = (texts(&old(&before, &rendering)), texts(&applications));
        let shown = path.display().to_string();
        let terminal = Terminal::of_stdout();
        let mut code = DONE;
        for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
            let names = (format!("{commit}: {name}"), format!("{shown}: {name}"));
            let side = |texts: &BTreeMap<String, String>| texts.get(name).cloned();
            let text =
                unified((&names.0, side(&old).as_deref()), (&names.1, side(&new).as_deref()), terminal);
            if !text.is_empty() {
                code = NOT_RIGHT;
                print_styled(&text);
            }
        }
        ExitCode::from(code)
    }
}

/// The applications of the commit. What is invalid there is rendered nowhere, and tells why.
fn old(before: &PolicyFiles, rendering: &Rendering) -> Applications {
    before.warnings().for_each(warning);
    let applications = Applications::of(before, rendering);
    for problem in applications.problems(Level::Error) {
        warning(format_args!("{}; its application counts as absent there", before.told(&problem)));
    }
    applications
}

/// The text of each resource, by the name of its file.
fn texts(applications: &Applications) -> BTreeMap<String, String> {
    let resources = applications.resources();
    resources.into_iter().map(|resource| (output::path(resource), resource.to_yaml())).collect()
}
