//! The cost of the worst files of the greatest length: time to read each, to put it into a
//! catalog, and to compile what that serves; peak memory; and how many problems are told. Each in a
//! process of its own, on a stack as a thread has it.

mod cases;

use std::{env, error::Error, fs, io::Write, process::Command, sync::Arc, thread, time::Instant};

use policies::{Catalog, File, Program, Scope, Snapshot, Timestamp, repository::Sources, wire::Format};

const STACK: usize = 2 << 20;
/// In seconds.
const PATIENCE: &str = "60";
const START: Timestamp = Timestamp::from_millis(0);

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

fn main() -> Outcome {
    if let Some(number) = env::args().nth(1) {
        let number: usize = number.parse()?;
        let (_, write) = cases::all().into_iter().nth(number).ok_or("no such case")?;
        let thread = thread::Builder::new().stack_size(STACK).spawn(move || measure(&write()))?;
        return thread.join().map_err(|_| "it panicked")?;
    }
    println!(
        "{:<38}{:>9}{:>9}{:>9}{:>7}{:>10}",
        "1 MiB of", "read ms", "catalog", "compile", "MiB", "problems"
    );
    for (number, (name, _)) in cases::all().into_iter().enumerate() {
        let executable = env::current_exe()?;
        let output =
            Command::new("timeout").arg(PATIENCE).arg(executable).arg(number.to_string()).output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let end = match output.status.code() {
            Some(0) => String::new(),
            Some(124) => format!("  not done after {PATIENCE} s"),
            _ => format!("  {}", output.status),
        };
        println!("{name:<38}{said}{end}");
    }
    Ok(())
}

fn measure(text: &str) -> Outcome {
    assert!(text.len() <= policies::reading::MAX_FILE_BYTES, "{} bytes", text.len());
    let began = Instant::now();
    let file = File::read(text.as_bytes());
    say(&format!("{:>9}", began.elapsed().as_millis()))?;

    let began = Instant::now();
    let path = Arc::from("file.yaml");
    let sources = Sources { files: vec![(&path, &file)], ..Sources::default() };
    let catalog = Catalog::new(&sources, |_, _| Some(START.into()));
    say(&format!("{:>9}", began.elapsed().as_millis()))?;

    let began = Instant::now();
    let everywhere = Scope::new(["*"], ["*"])?;
    let snapshot = Snapshot::decode(&catalog.snapshot(&everywhere, START).encode(Format::V2))?;
    Program::compile(&snapshot, &everywhere);
    let compiled = began.elapsed().as_millis();

    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse()?;
    say(&format!("{compiled:>9}{:>7}{:>10}", peak >> 10, catalog.problems().len()))
}

/// At once, so that what has been measured is known should the rest never end.
fn say(text: &str) -> Outcome {
    print!("{text}");
    Ok(std::io::stdout().flush()?)
}
