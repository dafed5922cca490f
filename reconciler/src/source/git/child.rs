//! The child process: takes one job from its standard input, and writes the answer to its standard output.

use std::{
    io::{self, BufRead as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    thread,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    begun::uninterrupted,
    job::{Answer, Job},
    memory,
};

/// The command of `hfi` that runs [`work_for_parent`].
pub(super) const COMMAND: &str = "fetch-for-serve";

/// A job and its limits, as one line on the standard input of the child. Nothing in it is secret.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// The directory of the clone.
    pub(super) clone: PathBuf,
    /// The memory that the child may use, in bytes.
    pub(super) memory: u64,
    pub(super) job: Job,
}

/// Waits for an order, and does it. The answer is one line.
pub(in crate::source) fn work_for_parent() -> ExitCode {
    // This starts libgit2, too, while there is time.
    memory::keep_no_objects();
    let mut order = String::new();
    let read = io::stdin().lock().read_line(&mut order);
    let answer = match read.map(|_| serde_json::from_str::<Order>(&order)) {
        Ok(Ok(order)) => {
            end_with_parent();
            work(&order)
        }
        _ => Err("this command is for `hfi serve` to start".to_owned()),
    };
    match serde_json::to_string(&answer).map(|answer| writeln!(io::stdout(), "{answer}")) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn work(Order { clone, memory, job }: &Order) -> Answer<Value> {
    memory::limit_growth(*memory)?;
    job.work(clone)
}

/// Ends this process when its standard input is closed.
fn end_with_parent() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _whole = uninterrupted();
        std::process::exit(1);
    });
}
