//! `hfi`, run as a user runs it.

use std::{
    env,
    io::{BufRead as _, BufReader, Seek as _, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

/// What a command ended with and printed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut hfi = alone(env!("CARGO_BIN_EXE_hfi"));
    hfi.args(arguments).envs(variables.iter().copied()).stdin(Stdio::null());
    hfi
}

/// A program that knows nothing of what the tests were started with.
fn alone(program: &str) -> Command {
    let mut program = Command::new(program);
    for inherited in ["HFI_SERVER", "HFI_TOKEN_FILE", "NO_COLOR", "http_proxy", "all_proxy"] {
        program.env_remove(inherited);
    }
    program
}

/// Runs a line of a shell in a directory, to its end. Its `hfi` is this one.
pub(crate) async fn shell(directory: &Path, line: &str) -> Ended {
    let hfi = Path::new(env!("CARGO_BIN_EXE_hfi")).parent().unwrap();
    let path = format!("{}:{}", hfi.display(), env::var("PATH").unwrap());
    let mut shell = alone("sh");
    shell.args(["-ec", line]).current_dir(directory).env("PATH", path).stdin(Stdio::null());
    ended(tokio::task::spawn_blocking(move || shell.output()).await.unwrap().unwrap())
}

/// Runs `hfi` to its end, beside the runtime, which may serve what it asks for.
pub(crate) async fn hfi(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = command(arguments, variables);
    ended(tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap())
}

/// The same, with a text at its stdin.
pub(crate) async fn hfi_reading(arguments: &[&str], variables: &[(&str, &str)], text: &str) -> Ended {
    let mut input = tempfile::tempfile().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    input.rewind().unwrap();
    let mut command = command(arguments, variables);
    command.stdin(input);
    ended(tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap())
}

/// `hfi` that has printed its first line, and goes on.
pub(crate) struct Begun {
    child: Child,
    line: String,
}

/// Runs `hfi` until it prints a line.
pub(crate) async fn hfi_begun(arguments: &[&str], variables: &[(&str, &str)]) -> Begun {
    let mut command = command(arguments, variables);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let begin = move || {
        let (mut child, mut line) = (command.spawn().unwrap(), String::new());
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Begun { child, line }
    };
    tokio::task::spawn_blocking(begin).await.unwrap()
}

impl Begun {
    /// Waits for its end. It must print no other line.
    pub(crate) async fn ended(self) -> Ended {
        let Self { child, line } = self;
        let ended = move || Ended { stdout: line, ..ended(child.wait_with_output().unwrap()) };
        tokio::task::spawn_blocking(ended).await.unwrap()
    }
}

/// Runs `hfi` until it prints a line, interrupts it as Ctrl-C does, and waits for its end.
pub(crate) async fn hfi_interrupted(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let begun = hfi_begun(arguments, variables).await;
    let status = Command::new("kill").args(["-INT", &begun.child.id().to_string()]).status().unwrap();
    assert!(status.success(), "{status}");
    begun.ended().await
}

fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs `hfi` at a terminal of 80 columns, and returns what it printed there.
pub(crate) async fn hfi_at_a_terminal(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let hfi = [&[env!("CARGO_BIN_EXE_hfi")], arguments].concat().join(" ");
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--command", &format!("stty cols 80 && {hfi}"), "/dev/null"]);
    terminal.env_remove("NO_COLOR").envs(variables.iter().copied()).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || terminal.output()).await.unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap().replace('\r', "")
}

/// `hfi` that goes on. Killed when it is dropped.
pub(crate) struct Ongoing {
    child: Child,
    lines: Option<BufReader<ChildStdout>>,
}

impl Ongoing {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawn(command(arguments, &[]))
    }

    /// The same at a terminal, of which it prints the text.
    pub(crate) fn at_a_terminal(arguments: &[&str]) -> Self {
        let mut terminal = alone("script");
        let line = format!("{} {}", env!("CARGO_BIN_EXE_hfi"), arguments.join(" "));
        terminal.args(["--quiet", "--flush", "--command", &line, "/dev/null"]).stdin(Stdio::null());
        Self::spawn(terminal)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = child.stdout.take().map(BufReader::new);
        Self { child, lines }
    }

    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> String {
        let mut lines = self.lines.take().unwrap();
        let read = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            (lines, line)
        });
        let read = tokio::time::timeout(super::PATIENCE, read).await;
        let (lines, line) = read.expect("it prints nothing").unwrap();
        self.lines = Some(lines);
        line
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
