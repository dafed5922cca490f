//! `hfi man`: the manual.

use std::{fs, path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory as _};

use super::{
    Cli,
    console::{DONE, wrong_use},
};
use crate::io_reason::io_reason;

/// Write the manual pages of hfi and of each command into a directory
#[derive(Debug, Args)]
pub struct Man {
    /// The directory; it is created if it does not exist
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Man {
    pub fn run(self) -> ExitCode {
        let written = fs::create_dir_all(&self.directory)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), &self.directory));
        match written {
            Ok(()) => ExitCode::from(DONE),
            Err(failure) => wrong_use(format_args!(
                "cannot write to {}: {}",
                self.directory.display(),
                io_reason(&failure)
            )),
        }
    }
}
