//! `hfi diff`: what a change of AppConfigurations changes of the Istio resources that they mean.

mod live;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use istio_config::{Level, output};

use self::live::Live;
use super::{
    applications::{Applications, Rendering},
    console::{DONE, NOT_RIGHT, UNREACHABLE, WRONG_USE, error, next, print_styled, warning, wrong_use},
    policy_files::PolicyFiles,
    render::tell,
    terminal::Terminal,
    unified::unified,
};
use crate::source::SourceError;

/// The texts of resources, each by the name of its file.
type Texts = BTreeMap<String, String>;

/// Compare the rendered Istio resources of a directory with those of a commit, or of a cluster
///
/// Both sides of a commit are rendered by this program, so that only what was written makes a difference. Ends with
/// 0 if all resources are the same, with 1 if one differs, with 2 if that cannot be said, with 3 if the cluster
/// cannot be read.
#[derive(Debug, Args)]
pub struct Diff {
    /// The policy directory: in a Git work tree, unless --live is given
    path: PathBuf,

    /// A branch, a tag or a commit [default: the upstream of the branch that is checked out, or else HEAD]
    ///
    /// A branch that only the remote `origin` has is found too. Nothing is fetched.
    #[arg(long, value_name = "BRANCH", conflicts_with = "live")]
    branch: Option<String>,

    #[command(flatten)]
    live: Live,

    #[command(flatten)]
    rendering: Rendering,
}

impl Diff {
    pub async fn run(self) -> ExitCode {
        let Self { path, branch, live, rendering } = self;
        let files = match PolicyFiles::read(std::slice::from_ref(&path)) {
            Ok(files) => files,
            Err(failure) => return wrong_use(failure),
        };
        let applications = Applications::of(&files, &rendering);
        if !tell(&files, &applications) {
            next("correct these; nothing was compared");
            return ExitCode::from(WRONG_USE);
        }
        let shown = path.display().to_string();
        if !live.live {
            return match committed(&path, branch.as_deref(), &rendering) {
                Ok((commit, old)) => compare((&commit, &old), (&shown, &texts(&applications))),
                Err(failure) => wrong_use(failure),
            };
        }
        match live.texts(&applications).await {
            Ok((old, new)) => compare(("cluster", &old), (&shown, &new)),
            Err(unreadable) => {
                error(unreadable);
                next("nothing was compared; `hfi diff --help` names the rights that --live needs");
                ExitCode::from(UNREACHABLE)
            }
        }
    }
}

/// Prints each difference. Both sides have a name.
fn compare((old_name, old): (&str, &Texts), (new_name, new): (&str, &Texts)) -> ExitCode {
    let terminal = Terminal::of_stdout();
    let mut code = DONE;
    for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
        let names = (format!("{old_name}: {name}"), format!("{new_name}: {name}"));
        let side = |texts: &Texts| texts.get(name).cloned();
        let text = unified((&names.0, side(old).as_deref()), (&names.1, side(new).as_deref()), terminal);
        if !text.is_empty() {
            code = NOT_RIGHT;
            print_styled(&text);
        }
    }
    ExitCode::from(code)
}

/// The commit, and the resources of its applications. What is invalid there is rendered nowhere, and tells why.
fn committed(
    path: &Path,
    branch: Option<&str>,
    rendering: &Rendering,
) -> Result<(String, Texts), SourceError> {
    let (before, commit) = PolicyFiles::committed(path, branch)?;
    before.warnings().for_each(warning);
    let applications = Applications::of(&before, rendering);
    for problem in applications.problems(Level::Error) {
        warning(format_args!("{}; its application counts as absent there", before.told(&problem)));
    }
    Ok((commit, texts(&applications)))
}

/// The text of each resource, by the name of its file.
fn texts(applications: &Applications) -> Texts {
    let resources = applications.resources();
    resources.into_iter().map(|resource| (output::path(resource), resource.to_yaml())).collect()
}
