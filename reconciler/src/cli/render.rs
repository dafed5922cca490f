//! `hfi render`: the resources of Istio that the applications of a repository mean.

mod directory;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use istio_config::{Level, Resource, output};

use super::{
    applications::{Applications, Rendering, Selection, merged},
    console::{DONE, NOT_RIGHT, error, next, note, print_exact, warning, wrong_use},
    policy_files::PolicyFiles,
};

/// Print the Istio resources that the AppConfigurations of a directory mean
///
/// They are sorted by namespace, kind and name, and their keys are sorted: the same files give the same bytes. If
/// any AppConfiguration is invalid, nothing is printed and the command ends with 1. To apply them without Flux:
/// `hfi render PATH > FILE && kubectl apply --server-side -f FILE`. With `--prune`, kubectl deletes whatever is not in
/// FILE: no guard of hfi holds there.
#[derive(Debug, Args)]
pub struct Render {
    /// The policy directory, or a file
    path: PathBuf,

    #[command(flatten)]
    selection: Selection,

    /// `yaml`, a stream; `json`, a List; or `dir=DIR`
    ///
    /// In DIR each resource gets a file NAMESPACE/KIND-NAME.yaml, and kustomization.yaml names them all. Files of an
    /// earlier rendering that are no longer rendered are removed; a file that hfi did not render is never overwritten or
    /// removed. Each file is replaced as a whole, and kustomization.yaml after those that it names.
    #[arg(short, long, value_name = "yaml|json|dir=DIR", default_value = "yaml", value_parser = format)]
    output: Format,

    /// Print what is valid, also if some is not; the command still ends with 1, and in `dir=DIR` nothing is removed
    #[arg(long)]
    keep_going: bool,

    #[command(flatten)]
    rendering: Rendering,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Format {
    Yaml,
    Json,
    Directory(PathBuf),
}

fn format(text: &str) -> Result<Format, &'static str> {
    match text.split_once('=') {
        None if text == "yaml" => Ok(Format::Yaml),
        None if text == "json" => Ok(Format::Json),
        Some(("dir", directory)) if !directory.is_empty() => Ok(Format::Directory(directory.into())),
        _ => Err("must be yaml, json or dir=DIR"),
    }
}

impl Render {
    pub fn run(self) -> ExitCode {
        let Self { path, selection, output, keep_going, rendering } = self;
        let files = match PolicyFiles::read(&[path]) {
            Ok(files) => files,
            Err(failure) => return wrong_use(failure),
        };
        let applications = Applications::of(&files, &rendering);
        let is_valid = tell(&files, &applications);
        if !is_valid && !keep_going {
            next(
                "correct these; nothing was rendered (--keep-going renders the applications that are valid)",
            );
            return ExitCode::from(NOT_RIGHT);
        }
        let resources = match applications.selected(&selection) {
            Ok(resources) => resources,
            Err(reason) => {
                error(reason);
                return ExitCode::from(NOT_RIGHT);
            }
        };
        match output {
            Format::Yaml => print_exact(&output::yaml(&resources)),
            Format::Json => print_exact(&output::list(&resources)),
            Format::Directory(directory) => {
                if let Err(reason) = write(&directory, &resources, is_valid) {
                    return wrong_use(reason);
                }
            }
        }
        ExitCode::from(if is_valid { DONE } else { NOT_RIGHT })
    }
}

fn write(directory: &std::path::Path, resources: &[&Resource], is_whole: bool) -> Result<(), String> {
    let written = directory::write(directory, resources, is_whole)?;
    let directory = directory.display();
    let directory::Written { changed, removed } = written;
    note(format_args!(
        "{directory}: {} resources; files written: {changed}, removed: {removed}",
        resources.len()
    ));
    Ok(())
}

/// Tells on stderr what is wrong with the applications; true if nothing is.
pub(super) fn tell(files: &PolicyFiles, applications: &Applications) -> bool {
    let errors = merged(Vec::new(), applications.problems(Level::Error));
    files.warnings().for_each(warning);
    for problem in applications.problems(Level::Warning) {
        warning(files.told(&problem));
    }
    for problem in &errors {
        error(files.told(problem));
    }
    errors.is_empty()
}
