//! The process that plans: it takes one order after another from its standard input, and writes the answer to each to its
//! standard output. It ends when its input is closed, also in the middle of a plan.

use std::{
    io::{self, BufRead as _, Write as _},
    panic,
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
    answer_panics();
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

/// Answers with the place of a panic: nobody reads the standard error of this process.
fn answer_panics() {
    panic::set_hook(Box::new(|panic| {
        let panic = panic.to_string().replace('\n', " ");
        let _ = answer_with(&Err(format!("the process that plans {panic}; this is a defect of hfi")));
        exit(101);
    }));
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

#[cfg(test)]
mod tests {
    use std::{env, process::Command};

    use super::{Answer, answer_panics};

    #[test]
    fn a_panic_is_told_with_its_place() {
        let (name, panics) = ("planning::child::tests::a_panic_is_told_with_its_place", "HFI_TEST_PANICS");
        if env::var_os(panics).is_some() {
            answer_panics();
            panic!("a text\nof two lines");
        }
        let mut process = Command::new(env::current_exe().unwrap());
        let output = process.args([name, "--exact", "--nocapture"]).env(panics, "").output().unwrap();
        assert_eq!(output.status.code(), Some(101));
        let said = String::from_utf8(output.stdout).unwrap();
        let told = said.lines().find_map(|line| serde_json::from_str::<Answer>(line).ok());
        let told = told.unwrap().unwrap_err();
        let place = "the process that plans panicked at reconciler/src/planning/child.rs:";
        assert!(
            told.starts_with(place) && told.ends_with(": a text of two lines; this is a defect of hfi"),
            "{told}"
        );
    }
}
