//! The command line: parses arguments into checked values, and does nothing else.

mod applications;
pub mod completions;
pub mod console;
pub mod diff;
pub mod doctor;
pub mod explain;
pub mod filters;
mod following;
pub mod halt;
pub mod import;
mod interrupt;
pub mod listing;
pub mod man;
pub mod output;
pub mod policy;
pub mod policy_files;
mod progress;
pub mod render;
pub mod report;
pub mod resume;
mod serve;
mod server;
#[cfg(test)]
mod snapshots;
pub mod status;
mod table;
mod terminal;
mod unified;
pub mod validate;
mod values;
pub mod watch;

use clap::{
    Arg, ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, error::ErrorKind,
    parser::ValueSource,
};

pub use self::serve::{PeerConfig, PeopleConfig, Serve, ServeConfig, WriteConfig};
use crate::cli::{
    completions::Completions, diff::Diff, doctor::Doctor, explain::Explain, filters::ListFilters, halt::Halt,
    import::Import, man::Man, policy::Policy, render::Render, resume::Resume, status::Status,
    validate::Validate, watch::Watch,
};
use crate::reference::Subject;
use crate::version;
use crate::{figures, moment};

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
        let matches = command.get_matches();
        if let Some((one, other)) = conflict(&matches) {
            let reason = format!("`{one}` cannot be used with `{other}`, which takes its place\n");
            clap::Error::raw(ErrorKind::ArgumentConflict, reason).with_cmd(&Self::command()).exit();
        }
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// The options of which the second takes the place of the first, by the names that clap has for them.
const PLACES: [[&str; 2]; 2] = [["server", "kubernetes_service"], ["token_file", "service_account"]];

/// Two such options that were both typed. Those of the environment give way without a word, which no definition of
/// an option can say.
fn conflict(matches: &ArgMatches) -> Option<(String, String)> {
    let is_typed = |id: &&str| {
        let is_known = matches.ids().any(|known| known == id);
        is_known && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    let shown = |id: &str| format!("--{}", id.replace('_', "-"));
    let found = PLACES.iter().find(|ids| ids.iter().all(&is_typed));
    let here = found.map(|[one, other]| (shown(one), shown(other)));
    here.or_else(|| matches.subcommand().and_then(|(_, matches)| conflict(matches)))
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
    Status(Status),
    Filters(ListFilters),
    Watch(Watch),
    Halt(Halt),
    Resume(Resume),
    Validate(Validate),
    Render(Render),
    Diff(Diff),
    Explain(Box<Explain>),
    Import(Import),
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
    /// Plan the Istio configuration of applications, as a child process of `serve`.
    #[command(hide = true)]
    PlanForServe,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::{Cli, conflict};

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_option_and_the_one_that_takes_its_place_are_not_both_typed() {
        let conflict = |line: &str| {
            conflict(&Cli::command().try_get_matches_from(line.split(' ')).expect("a command line"))
        };
        let both = |one: &str, other: &str| Some((one.to_owned(), other.to_owned()));
        let service = "--kubernetes-service boifi/hfi";
        for (line, expected) in [
            (format!("hfi policy list {service}"), None),
            (
                format!("hfi policy list {service} --service-account a --server http://x"),
                both("--server", "--kubernetes-service"),
            ),
            (
                format!("hfi halt {service} --token-file t --service-account a"),
                both("--token-file", "--service-account"),
            ),
            (format!("hfi halt {service} --token-file t"), None),
            ("hfi schema".to_owned(), None),
        ] {
            assert_eq!(conflict(&line), expected, "{line}");
        }
    }
}
