//! The process that plans: it takes one order after another from its standard input, and writes the answer to each to its
//! standard output. It ends when its input is closed, also in the middle of a plan.

use std::{
    io::{self, BufRead as _, Write as _},
    process::{ExitCode, exit},
    sync::mpsc::{self, Receiver},
    thread,
};

use super::{
    earlier::Earlier,
    order::{Answer, Order},
    planned::planned,
    reader::Reader,
};
use crate::{
    istio::plan::{RenderCache, Setting},
    source::git::memory,
};

/// The command of `hfi` that runs [`plan_for_parent`].
pub(super) const COMMAND: &str = "plan-for-serve";

/// The facts of the last commit, by which the next one is planned with less work.
#[derive(Debug, Default)]
struct Planned {
    reader: Reader,
    earlier: Earlier,
    cache: RenderCache,
}

/// Takes orders, until there are no more. The first line is the memory that this process may use, in bytes.
pub fn plan_for_parent() -> ExitCode {
    memory::keep_no_objects();
    let lines = lines();
    let limit = lines.recv().ok().and_then(|line| line.parse().ok());
    let Some(limit) = limit else { return ExitCode::FAILURE };
    let limited = memory::limit_growth(limit);
    let mut planned = Planned::default();
    for line in lines {
        let answer = limited.clone().and_then(|()| planned.answer(line));
        if answer_with(&answer).is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

impl Planned {
    fn answer(&mut self, line: String) -> Answer {
        let order: Order = serde_json::from_str(&line).map_err(|error| error.to_string())?;
        drop(line);
        let applications = self.reader.applications(&order).map_err(|error| error.0)?;
        let setting = Setting::of_domain(order.cluster_domain.clone());
        planned(&order, &applications, &setting, &mut self.earlier, &mut self.cache).map_err(|error| error.0)
    }
}

fn answer_with(answer: &Answer) -> io::Result<()> {
    let mut output = io::BufWriter::new(io::stdout().lock());
    serde_json::to_writer(&mut output, answer)?;
    writeln!(output)?;
    output.flush()
}

/// The lines of the standard input. This process ends with them, whatever it does.
fn lines() -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
        exit(0);
    });
    lines
}
