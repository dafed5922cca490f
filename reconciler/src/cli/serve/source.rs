//! The options for the source.

use std::path::PathBuf;

use clap::{Args, error::ErrorKind};

use super::wrong;

/// Exactly one of the two. The environment is read only if neither is given, so that an option wins.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct SourceArgs {
    /// The Git repository with the policies: a URL (https, http, ssh, file), user@host:path, or a path [env: HFI_REPO]
    // As text: when a parser of clap's refuses a value it shows it, and this one may hold a secret.
    #[arg(long, value_name = "URL|PATH")]
    repo: Option<String>,

    /// A plain directory with the policies, watched for changes. Guardrails in the directories above bind it too: up to
    /// the root of its Git work tree, or see `hfi reference`, Guardrails [env: HFI_DIR]
    #[arg(long, value_name = "PATH")]
    dir: Option<PathBuf>,
}

/// The chosen source, and the option or variable that chose it.
pub(super) enum Chosen {
    Repository { option: &'static str, text: String },
    Dir(PathBuf),
}

impl SourceArgs {
    /// The source, completed from the environment that `variable` reads.
    pub(super) fn resolve(self, variable: impl Fn(&str) -> Option<String>) -> Result<Chosen, clap::Error> {
        match self {
            Self { repo: Some(text), .. } => return Ok(Chosen::Repository { option: "--repo", text }),
            Self { dir: Some(dir), .. } => return Ok(Chosen::Dir(dir)),
            Self { repo: None, dir: None } => {}
        }
        // A variable that is set to nothing is not set.
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        match (set("HFI_REPO"), set("HFI_DIR")) {
            (Some(_), Some(_)) => Err(wrong(
                ErrorKind::ArgumentConflict,
                "HFI_REPO and HFI_DIR are both set; unset one".to_owned(),
            )),
            (None, None) => Err(wrong(
                ErrorKind::MissingRequiredArgument,
                "give --repo (HFI_REPO) or --dir (HFI_DIR)".to_owned(),
            )),
            (None, Some(dir)) => Ok(Chosen::Dir(dir.into())),
            (Some(text), None) => Ok(Chosen::Repository { option: "HFI_REPO", text }),
        }
    }
}
