//! `hfi`: see `hfi --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    reconciler::assembly::run(reconciler::cli::Cli::from_process())
}
