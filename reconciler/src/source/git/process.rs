//! A child process, which does one job.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
};

use super::{begun::BEGUN, child::COMMAND, isolated_home::Home};
use crate::io_reason::io_reason;

/// The longest answer that is read, in bytes. The times of documents are the longest: less than the documents are.
const LONGEST_ANSWER: u64 = 64 << 20;

/// A command of `hfi` that takes orders from its standard input.
pub(crate) fn command(program: &Path, name: &str) -> Command {
    let mut command = Command::new(program);
    // A library may print the last words of a process that is out of memory: they are not for our log.
    command.arg0("hfi").arg(name).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// A child process that is killed when this value is dropped.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    /// Starts a process that waits for its order.
    pub(super) fn start(program: &Path, home: &Home) -> io::Result<Self> {
        let mut command = command(program, COMMAND);
        home.set_environment(&mut command);
        command.spawn().map(Self)
    }

    /// True if it has not ended.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Gives the process its order, and hands what it says to `tell`, from another thread. The answer comes last. It is
    /// not whole if the process dies before.
    pub(super) fn ask(
        &mut self,
        order: String,
        mut tell: impl FnMut(Said) + Send + 'static,
    ) -> io::Result<()> {
        let Some((input, output)) = self.0.stdin.take().zip(self.0.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let converse = move || {
            let answer = converse(input, output, &order, &mut tell).unwrap_or_default();
            tell(Said::Answer(answer));
        };
        thread::Builder::new().name("fetch".to_owned()).spawn(converse).map(drop)
    }

    /// Ends the process, and says how it died. If it is dead already, that remains the cause of its death.
    pub(super) fn end(&mut self) -> String {
        let _ = self.0.kill();
        self.0.wait().map_or_else(|error| io_reason(&error), |status| status.to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// A line of a child process.
#[derive(Debug)]
pub(super) enum Said {
    /// The job can no longer be taken back.
    Begun,
    Answer(String),
}

/// Writes an order, and reads the answer. The input stays open until then: when this process dies, the other one sees
/// its end.
fn converse(
    mut input: ChildStdin,
    output: ChildStdout,
    order: &str,
    tell: &mut impl FnMut(Said),
) -> io::Result<String> {
    writeln!(input, "{order}")?;
    let mut output = BufReader::new(output).take(LONGEST_ANSWER);
    loop {
        let mut line = String::new();
        output.read_line(&mut line)?;
        if line.trim_end() != BEGUN {
            return Ok(line);
        }
        tell(Said::Begun);
    }
}
