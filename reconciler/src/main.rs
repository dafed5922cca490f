//! `hfi`: see `hfi --help`.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    reconciler::run::run(reconciler::cli::Cli::parse())
}
