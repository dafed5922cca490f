//! `hfi`: see `hfi --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    reconciler::run::run(reconciler::cli::Cli::from_process())
}
