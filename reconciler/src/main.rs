//! `hfi`: see `hfi --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    reconciler::cli::completions::answer_shell();
    reconciler::assembly::run(reconciler::cli::Cli::from_process())
}
