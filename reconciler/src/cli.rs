//! The command line: parses arguments into checked values, and does nothing else.

pub mod completions;
pub mod console;
pub mod doctor;
pub mod explain;
pub mod filters;
mod following;
pub mod halt;
mod interrupt;
pub mod listing;
pub mod man;
mod moment;
pub mod output;
pub mod policy;
pub mod policy_files;
mod progress;
pub mod report;
pub mod resume;
mod serve;
mod server;
mod table;
mod terminal;
pub mod validate;
mod values;
pub mod watch;

use clap::{Arg, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use self::serve::{Serve, ServeConfig, WriteConfig};
use crate::cli::{
    completions::Completions, doctor::Doctor, explain::Explain, filters::ListFilters, halt::Halt, man::Man,
    policy::Policy, resume::Resume, validate::Validate, watch::Watch,
};
use crate::reference::Subject;
use crate::version;

/// Fault injection for an Istio mesh, kept in Git.
#[derive(Debug, Parser)]
#[command(name = "hfi", version = version::text())]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The arguments and the environment of this process. A variable that is set to an empty text counts as not
    /// set. Ends the process on wrong use.
    pub fn from_process() -> Self {
        let command = without_empty_variables(Self::command());
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// The command, with every option as if its variable were not set where that is an empty text.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_unset = |arg: &Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    let unset = |arg: Arg| if is_unset(&arg) { arg.env(None::<&'static str>) } else { arg };
    command.mut_args(unset).mut_subcommands(without_empty_variables)
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow a policy repository, and serve its policies to the filters.
    Serve(Box<Serve>),
    Policy(Policy),
    Filters(ListFilters),
    Watch(Watch),
    Halt(Halt),
    Resume(Resume),
    Validate(Validate),
    Explain(Box<Explain>),
    Doctor(Doctor),
    /// Print the JSON Schema of policy documents, for editors.
    Schema,
    /// Print the reference of the policy language, of `hfi serve` or of the filter.
    Reference {
        /// The reference to print.
        #[arg(default_value = "policies")]
        subject: Subject,
    },
    Completions(Completions),
    Man(Man),
    /// Work on the clone of a repository, as a child process of `serve`.
    #[command(hide = true)]
    FetchForServe,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
