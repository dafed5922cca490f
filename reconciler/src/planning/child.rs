//! The process that plans: it takes one order after another from its standard input, and writes the answer to each to its
//! standard output. It ends when its input is closed, also in the middle of a plan.

use std::{
    io::{self, BufRead as _},
    panic,
    process::{ExitCode, exit},
    sync::mpsc::{self, Receiver},
    thread,
};

use super::{
    order::{Answer, Order, write_answer},
    planned::{Memory, planned},
    reader::Reader,
};
use crate::{istio::plan::Setting, source::git::memory};

/// The command of `hfi` that runs [`plan_for_parent`].
pub(super) const COMMAND: &str = "plan-for-serve";

/// The facts of the last commit, by which the next one is planned with less work.
#[derive(Debug, Default)]
struct Planned {
    reader: Reader,
    memory: Memory,
}

/// Takes orders, until there are no more. The first line is the memory that this process may use, in bytes.
pub fn plan_for_parent() -> ExitCode {
    answer_panics();
    memory::keep_no_objects();
    let mut lines = lines().into_iter();
    let limit = lines.next().and_then(|line| line.parse().ok());
    let Some(limit) = limit else { return ExitCode::FAILURE };
    let limited = memory::limit_growth(limit);
    let mut planned = Planned::default();
    while let Some(order) = Order::read(&mut lines) {
        let order = order.map_err(|error| error.to_string());
        let answer = limited.clone().and(order).and_then(|order| planned.answer(&order));
        // Nobody asks a process that has failed once more.
        if answer.is_err() | write_answer(answer, &mut io::stdout().lock()).is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

impl Planned {
    fn answer(&mut self, order: &Order) -> Answer {
        let applications = self.reader.applications(order).map_err(|error| error.0)?;
        let setting = Setting::of_domain(order.cluster_domain.clone());
        planned(order, &applications, &setting, &mut self.memory).map_err(|error| error.0)
    }
}

/// Answers with the place of a panic: nobody reads the standard error of this process.
fn answer_panics() {
    panic::set_hook(Box::new(|panic| {
        let panic = panic.to_string().replace('\n', " ");
        let reason = format!("the process that plans {panic}; this is a defect of hfi");
        let _ = write_answer(Err(reason), &mut io::stdout().lock());
        exit(101);
    }));
}

/// The lines of the standard input. This process ends with them, whatever it does.
fn lines() -> Receiver<String> {
    // They are read no faster than they are understood.
    let (sender, lines) = mpsc::sync_channel(1);
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

    use super::answer_panics;
    use crate::planning::order::AnswerLine;

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
        // With one thread the name of the test comes before it, on the same line.
        let answer = |line: &str| serde_json::from_str::<AnswerLine>(&line[line.find('{')?..]).ok();
        let told = said.lines().find_map(answer);
        let told = told.unwrap().unwrap_err();
        let place = "the process that plans panicked at reconciler/src/planning/child.rs:";
        assert!(
            told.starts_with(place) && told.ends_with(": a text of two lines; this is a defect of hfi"),
            "{told}"
        );
    }
}
